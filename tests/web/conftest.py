"""The same app and the same way to ask as in `tests/api`."""

from tests.api.conftest import app, ask, service

__all__ = ["app", "ask", "service"]

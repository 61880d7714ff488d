"""Structured logs, with the names of OpenTelemetry and without secrets. Metrics and traces join here."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

__all__ = ["configure_logging", "logger"]

_SECRET_WORDS = ("authorization", "api_key", "apikey", "secret", "token", "password", "signature", "credential")
_REDACTED = "[redacted]"


def configure_logging(*, level: str = "info", as_json: bool = False, node: str | None = None) -> None:
    """Write structured lines to standard error, each with the node it comes from; secrets never pass."""

    def name_node(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if node is not None:
            event.setdefault("node", node)
        return event

    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            name_node,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(room: str) -> Any:
    """Return the logger of one room: `logger("engine").info("job_accepted", video_id=…)`."""
    return structlog.get_logger(room=room)


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if any(word in name.lower() for word in _SECRET_WORDS):
            event[name] = _REDACTED
    return event

"""Helpers that rooms borrow from each other, registered before anything imports them: their assertions then explain themselves."""

import pytest

pytest.register_assert_rewrite("tests.store.records")

pytest_plugins = ["tests.objects", "tests.postgres"]

"""What the store's tests share."""

import pytest

from reelway.store.spec import JobStore

pytest.register_assert_rewrite(
    "tests.store.conformance",
    "tests.store.conformance_characters",
    "tests.store.conformance_errands",
    "tests.store.conformance_jobs",
    "tests.store.conformance_messages",
    "tests.store.conformance_nodes",
    "tests.store.records",
)

from tests.store.records import Fleet  # noqa: E402 - after its assertions were registered


@pytest.fixture
def fleet(store: JobStore) -> Fleet:
    """Nodes at the store under test."""
    return Fleet(store)

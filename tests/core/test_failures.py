"""The closed list of failures, and what follows from each."""

import pytest

from reelway.core.failures import Failure, FailureKind, Remedy, remedy_for


def test_the_list_is_the_contracts() -> None:
    """Section 4: these words are public, in this spelling."""
    assert {kind.value for kind in FailureKind} == {
        "invalid_request", "content_policy", "authentication", "permission", "insufficient_quota", "rate_limited",
        "model_not_found", "vendor_unavailable", "vendor_error", "timed_out", "unexpected_response", "submission_unknown",
        "media_invalid", "budget_exceeded", "cancelled",
    }  # fmt: skip


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_its_remedy(kind: FailureKind) -> None:
    """The table is complete: no kind is decided where it happens."""
    assert isinstance(remedy_for(kind), Remedy)


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.INVALID_REQUEST,
        FailureKind.CONTENT_POLICY,
        FailureKind.SUBMISSION_UNKNOWN,
        FailureKind.UNEXPECTED_RESPONSE,
        FailureKind.TIMED_OUT,
    ],
)
def test_what_another_try_would_not_mend_or_might_charge_twice_is_not_tried(kind: FailureKind) -> None:
    """The caller's mistake stays one elsewhere, and an unknown outcome may be a paid one."""
    assert remedy_for(kind) is Remedy.NONE


def test_a_failure_is_a_value() -> None:
    """Two equal ones are equal, and none changes."""
    failure = Failure(kind=FailureKind.RATE_LIMITED, message="later")
    assert failure == Failure(kind=FailureKind.RATE_LIMITED, message="later")
    with pytest.raises(AttributeError):
        failure.message = "never"

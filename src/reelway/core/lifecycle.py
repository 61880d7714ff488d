"""The states of a job as a table. Whatever changes a state is a line here; what does not fit raises and changes nothing."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["FINAL", "TRANSITIONS", "Event", "IllegalTransition", "State", "Status", "next_state", "public_status"]


class State(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    COLLECTING = "collecting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Status(StrEnum):
    """What a caller sees; there is no fifth word, ever (contract 3)."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class Event(StrEnum):
    """What happens to a job."""

    SUBMIT_STARTED = "submit_started"  # the attempt is on disk; the billable request may go out
    ACCEPTED = "accepted"  # the vendor took it and named its operation
    NOT_ACCEPTED = "not_accepted"  # surely refused or never arrived: another try is free
    RENDER_FAILED = "render_failed"  # the vendor says it failed, and the operator lets another account try
    RENDERED = "rendered"  # the vendor says it is done
    RESULT_LOST = "result_lost"  # the link expired or broke: ask the vendor for a fresh one
    KEPT = "kept"  # every byte is stored and decodes
    TAKES_STARTED = "takes_started"  # a video of several takes has begun
    TAKES_KEPT = "takes_kept"  # all of its takes are stored
    FAILED = "failed"
    CANCELLED = "cancelled"


class IllegalTransition(ValueError):
    """An event that does not fit the state."""


_UNFINISHED = (State.QUEUED, State.SUBMITTING, State.RUNNING, State.COLLECTING)

TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.QUEUED, Event.SUBMIT_STARTED): State.SUBMITTING,
        (State.QUEUED, Event.TAKES_STARTED): State.RUNNING,
        (State.SUBMITTING, Event.ACCEPTED): State.RUNNING,
        (State.SUBMITTING, Event.NOT_ACCEPTED): State.QUEUED,
        (State.RUNNING, Event.RENDER_FAILED): State.QUEUED,
        (State.RUNNING, Event.RENDERED): State.COLLECTING,
        (State.RUNNING, Event.TAKES_KEPT): State.COMPLETED,
        (State.COLLECTING, Event.RESULT_LOST): State.RUNNING,
        (State.COLLECTING, Event.KEPT): State.COMPLETED,
        **{(state, Event.FAILED): State.FAILED for state in _UNFINISHED},
        **{(state, Event.CANCELLED): State.CANCELLED for state in _UNFINISHED},
    }
)

FINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})

_STATUSES: Mapping[State, Status] = MappingProxyType(
    {
        State.QUEUED: Status.QUEUED,
        State.SUBMITTING: Status.QUEUED,
        State.RUNNING: Status.IN_PROGRESS,
        State.COLLECTING: Status.IN_PROGRESS,
        State.COMPLETED: Status.COMPLETED,
        State.FAILED: Status.FAILED,
        State.CANCELLED: Status.FAILED,
    }
)


def next_state(state: State, event: Event) -> State:
    """Return the state after `event`; raise `IllegalTransition` when the table has no such line."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"a {state} job cannot take the event {event}") from None


def public_status(state: State) -> Status:
    """Return the word a caller sees for this state."""
    return _STATUSES[state]

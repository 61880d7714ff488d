"""The table of states, walked in full."""

import itertools

import pytest

from reelway.core.lifecycle import (
    FINAL,
    TRANSITIONS,
    Event,
    IllegalTransition,
    State,
    Status,
    next_state,
    public_status,
)

_UNFINISHED = [state for state in State if state not in FINAL]
_PAIRS = list(itertools.product(State, Event))


@pytest.mark.parametrize(("state", "event"), _PAIRS)
def test_every_pair_is_a_line_of_the_table_or_raises(state: State, event: Event) -> None:
    """There is no third way, and the message names both."""
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"a {state} job cannot take the event {event}"):
            next_state(state, event)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_final_stays_final(state: State, event: Event) -> None:
    """No event leads out of an end."""
    with pytest.raises(IllegalTransition):
        next_state(state, event)


@pytest.mark.parametrize("state", _UNFINISHED)
def test_every_unfinished_job_can_fail_and_be_cancelled(state: State) -> None:
    """Wherever it is."""
    assert next_state(state, Event.FAILED) is State.FAILED
    assert next_state(state, Event.CANCELLED) is State.CANCELLED


def test_the_straight_way_leads_to_completed() -> None:
    """Submit, accept, render, keep: the four stages of the design."""
    state = State.QUEUED
    walked = [state]
    for event in (Event.SUBMIT_STARTED, Event.ACCEPTED, Event.RENDERED, Event.KEPT):
        state = next_state(state, event)
        walked.append(state)
    assert walked == [State.QUEUED, State.SUBMITTING, State.RUNNING, State.COLLECTING, State.COMPLETED]


def test_the_billable_request_goes_out_after_its_attempt_is_on_disk_only() -> None:
    """Nothing is accepted that was not being submitted, so a submit can never be forgotten."""
    sources = {state for (state, event), _ in TRANSITIONS.items() if event is Event.ACCEPTED}
    assert sources == {State.SUBMITTING}


def test_completed_is_reached_when_bytes_are_kept_only() -> None:
    """A vendor's success alone completes nothing."""
    events = {event for (_, event), state in TRANSITIONS.items() if state is State.COMPLETED}
    assert events == {Event.KEPT, Event.TAKES_KEPT}


def test_every_state_can_be_reached_and_every_event_happens() -> None:
    """The table has no dead line and no state outside of it."""
    assert {State.QUEUED, *TRANSITIONS.values()} == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_callers_see_four_words() -> None:
    """Each state has one of them; a cancelled video has failed, one being submitted is queued."""
    shown = {state: public_status(state) for state in State}
    assert set(shown.values()) == set(Status)
    assert [status.value for status in Status] == ["queued", "in_progress", "completed", "failed"]
    assert shown[State.CANCELLED] is Status.FAILED
    assert shown[State.SUBMITTING] is Status.QUEUED
    assert {state for state, status in shown.items() if status in (Status.COMPLETED, Status.FAILED)} == FINAL

"""Each promise holds on sound books, and notices the one line that contradicts it."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.torture.callers import Tale
from tests.torture.evidence import Evidence, Submit
from tests.torture.invariants import contradictions
from tests.torture.plan import ACCOUNTS, Order
from tests.torture.receiver import Heard

TAG = "torture-1-00001"
VIDEO = "video_1"
STORY = ("queued", "submitting", "running", "collecting", "completed")


def sound() -> Evidence:
    """One video that went well, told of and kept."""
    order = Order(TAG, 0.0, ACCOUNTS[0], f"a fox, {TAG}", may_fail=False, following="wait", told=True)
    tale = Tale(order, video_id=VIDEO, status="completed", content_sha256="aa", in_time=True)
    names = ("created", "submit_started", "accepted", "rendered", "kept")
    return Evidence(
        tales={TAG: tale},
        submits=(Submit(TAG, "http_503", None, 1.0, None), Submit(TAG, "accepted", "task", 2.0, None)),
        made={"task": "aa"},
        rows={
            "jobs": [{"id": VIDEO, "state": "completed", "version": 5, "operation_key": "task"}],
            "events": [
                {"job_id": VIDEO, "seq": number, "at": float(number), "state": state, "name": name}
                for number, (state, name) in enumerate(zip(STORY, names, strict=True), start=1)
            ],
            "entries": [
                {"job_id": VIDEO, "kind": "reserve", "amount": 40},
                {"job_id": VIDEO, "kind": "settle", "amount": 40},
            ],
            "keys": [{"key": TAG, "job_id": VIDEO}],
            "tombstones": [],
            "messages": [],
        },
        tags={VIDEO: TAG},
        keys=(f"videos/{VIDEO}/0/video.mp4",),
        heard=(Heard("msg_1", VIDEO, "completed"),),
    )


Spoil = Callable[[Evidence], Evidence]


def with_tale(**changes: Any) -> Spoil:
    def spoil(evidence: Evidence) -> Evidence:
        for name, value in changes.items():
            setattr(evidence.tales[TAG], name, value)
        return evidence

    return spoil


def with_rows(table: str, *rows: dict[str, Any]) -> Spoil:
    return lambda evidence: evidence._replace(rows={**evidence.rows, table: list(rows)})


def with_job(**changes: Any) -> Spoil:
    return lambda evidence: with_rows("jobs", {**evidence.rows["jobs"][0], **changes})(evidence)


def with_event(place: int, **changes: Any) -> Spoil:
    def spoil(evidence: Evidence) -> Evidence:
        events = [dict(event) for event in evidence.rows["events"]]
        events[place] |= changes
        return with_rows("events", *events)(evidence)

    return spoil


def with_more(name: str, *more: Any) -> Spoil:
    return lambda evidence: evidence._replace(**{name: (*getattr(evidence, name), *more)})


RESERVE = {"job_id": VIDEO, "kind": "reserve", "amount": 40}
SPOILT: list[tuple[str, Spoil]] = [
    ("nothing_is_lost", with_rows("jobs")),
    ("nothing_is_lost", with_job(state="running")),
    ("nothing_is_lost", with_tale(video_id=None)),
    ("nothing_is_stuck", with_tale(in_time=False)),
    ("nothing_is_submitted_twice", with_more("submits", Submit(TAG, "lost_answer", "other", 3.0, None))),
    ("no_video_without_a_job", with_more("submits", Submit("torture-1-00002", "accepted", "other", 3.0, None))),
    ("no_video_without_a_job", with_job(operation_key=None)),
    ("bytes_are_the_vendors", with_tale(content_sha256="bb")),
    ("bytes_are_the_vendors", with_tale(content_sha256="404")),
    ("the_ledger_balances", with_rows("entries", RESERVE)),
    ("the_ledger_balances", with_rows("entries", RESERVE, {**RESERVE, "kind": "release"})),
    ("the_ledger_balances", with_rows("entries", {**RESERVE, "kind": "settle"})),
    ("the_ledger_balances", with_rows("entries")),
    ("events_are_in_order", with_event(1, seq=7)),
    ("events_are_in_order", with_event(3, state="queued")),
    ("events_are_in_order", with_event(1, state="completed")),
    ("events_are_in_order", with_event(3, name="accepted")),
    ("a_key_is_one_job", lambda evidence: evidence._replace(tags={**evidence.tags, "video_2": TAG})),
    ("a_key_is_one_job", with_tale(video_id="video_2")),
    ("deleted_is_gone", with_tale(deleted=True)),
    ("bytes_have_a_video", with_job(state="failed")),
    ("bytes_have_a_video", with_more("keys", "videos/video_2/0/video.mp4")),
    ("who_asked_is_told", lambda evidence: evidence._replace(heard=())),
    ("who_asked_is_told", with_more("heard", Heard("msg_2", VIDEO, "processing"))),
    ("callers_see_no_nonsense", with_tale(oddities=["a look answered 404"])),
    ("what_could_be_made_is_kept", with_tale(status="failed", error="vendor_error")),
]


def test_sound_books_contradict_nothing() -> None:
    assert not any(contradictions(sound()).values())


@pytest.mark.parametrize(
    ("promise", "spoil"), SPOILT, ids=[f"{name}-{place}" for place, (name, _) in enumerate(SPOILT)]
)
def test_a_contradiction_is_noticed(promise: str, spoil: Spoil) -> None:
    """One line is enough."""
    assert contradictions(spoil(sound()))[promise]


def test_what_was_told_twice_is_no_contradiction() -> None:
    """At least once is what was promised: the same message again is the same."""
    again = with_more("heard", Heard("msg_1", VIDEO, "completed"))(sound())
    assert not any(contradictions(again).values())

"""What no vendor documents, at every step of every adapter: proxies' pages, broken JSON, wrong types, every error status.

Nothing of it may be taken for progress, for success or, where a lost submit is looked up, for its absence.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.vendors.conformance import Case, Step, flow_of, load_cases

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.vendors.spec import Accepted, HttpResponse, Succeeded, VendorFailed
from reelway.vendors.wire import is_success

PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
NONSENSE = {
    "empty": b"",
    "html": PAGE,
    "truncated": b'{"id": "x", "data": {"task_id": "1", "status": "succ',
    "a word": b'"ok"',
    "a number": b"42",
    "null": b"null",
    "a list": b"[]",
    "another object": b'{"hello": "world"}',
    "not text": b"\xff\xfe\x00\x01",
    "deep": b"[" * 5_000,
    "long": b'{"x": "' + b"y" * 1_000_000 + b'"}',
}
STATUSES = range(400, 600)


class Moment(NamedTuple):
    """A step of a story, and the exchanges that lead to its last request."""

    case: Case
    step: Step
    start: int
    operation: dict[str, Any] | None

    def __str__(self) -> str:
        return f"{self.case.vendor}-{self.case.name}-{self.step.do}"

    def ends_with(self, last: HttpResponse) -> Any:
        """Play the step with another answer to its last request, and all answers after it alike."""
        flow = flow_of(self.case, self.step, self.operation)
        answers = [exchange.response for exchange in self.case.exchanges[self.start :][: self.step.exchanges]]
        try:
            next(flow)
            for answer in answers[:-1]:
                flow.send(answer)
            for _ in range(50):
                flow.send(last)
            raise AssertionError(f"{self} asks without end")
        except StopIteration as stop:
            return stop.value
        except (UnexpectedResponse, VendorRefused) as error:
            return error
        finally:
            flow.close()


def moments(*kinds: str) -> Iterator[Moment]:
    """Yield every step that asks something, with what was accepted before it."""
    for case in load_cases():
        start, operation = 0, case.operation
        for step in case.steps:
            if step.exchanges and step.do in kinds:
                yield Moment(case, step, start, operation)
            if step.do == "submit" and step.gives == "Accepted":
                accepted = Moment(case, step, start, operation).ends_with(
                    case.exchanges[start + step.exchanges - 1].response
                )
                operation = msgspec.json.decode(msgspec.json.encode(accepted.operation))
            start += step.exchanges


def first_of_each(*kinds: str) -> list[Moment]:
    """Return one moment for every vendor, step and kind of exchange: stories of one shape are told once."""
    found: dict[tuple[Any, ...], Moment] = {}
    for moment in moments(*kinds):
        path = moment.case.exchanges[moment.start + moment.step.exchanges - 1].request["path"]
        shape = (moment.case.vendor, moment.step.do, moment.step.exchanges, path.count("/"), path.split("/")[1])
        found.setdefault(shape, moment)
    return list(found.values())


def each(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("moment", first_of_each(*kinds), ids=str)


nonsense = pytest.mark.parametrize("body", list(NONSENSE.values()), ids=list(NONSENSE))


@each("check", "find")
@nonsense
def test_nonsense_tells_nothing(moment: Moment, body: bytes) -> None:
    """A look at it, or a look-up, raises; the engine asks again later."""
    assert isinstance(moment.ends_with(HttpResponse(status=200, body=body)), UnexpectedResponse)


@each("submit")
@nonsense
def test_nonsense_is_no_acceptance_and_no_refusal(moment: Moment, body: bytes) -> None:
    """After the billable request it means that nobody knows."""
    assert isinstance(moment.ends_with(HttpResponse(status=200, body=body)), UnexpectedResponse)


@each("check")
def test_no_error_status_is_progress_or_success(moment: Moment) -> None:
    """With a page of a proxy instead of the vendor's own words, no look ends a job, and none keeps it going."""
    for status in STATUSES:
        found = moment.ends_with(HttpResponse(status=status, body=PAGE))
        assert isinstance(found, UnexpectedResponse | VendorRefused), f"{status} gave {found!r}"


@each("find")
def test_no_error_status_means_absent(moment: Moment) -> None:
    """A look-up that failed has not shown that there is nothing."""
    for status in STATUSES:
        found = moment.ends_with(HttpResponse(status=status, body=PAGE))
        assert isinstance(found, UnexpectedResponse | VendorRefused), f"{status} gave {found!r}"


@each("submit")
def test_every_error_status_of_a_submit_is_classified(moment: Moment) -> None:
    """Below 500 it was refused, and why is a kind of the closed list; from 500 on nobody knows. Never accepted."""
    for status in STATUSES:
        found = moment.ends_with(HttpResponse(status=status, body=PAGE))
        if status >= 500 or status == 408:
            assert isinstance(found, UnexpectedResponse), f"{status} gave {found!r}"
        elif isinstance(found, VendorRefused):
            assert found.failure.kind in FailureKind
            assert found.failure.message
            assert "<" not in found.failure.message
        else:
            assert isinstance(found, UnexpectedResponse), f"{status} gave {found!r}"


@each("submit")
def test_too_many_requests_waits_as_long_as_asked(moment: Moment) -> None:
    """Also without a body, and with the pause the vendor names."""
    found = moment.ends_with(HttpResponse(status=429, headers={"retry-after": "7"}))

    assert isinstance(found, VendorRefused)
    assert found.failure.kind is FailureKind.RATE_LIMITED
    assert found.retry_after_seconds == 7


@each("cancel")
@nonsense
def test_nonsense_cancels_nothing(moment: Moment, body: bytes) -> None:
    """A cancel nobody confirmed is refused or unclear: the video may still be made and charged."""
    for status in (200, 500):
        found = moment.ends_with(HttpResponse(status=status, body=body))
        assert found in ("asked", "refused") or isinstance(found, UnexpectedResponse | VendorRefused) or status == 200


@each("submit", "check", "cancel", "delete", "find")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_wrong_types_are_understood_or_refused(moment: Moment, data: Any) -> None:
    """One value of a real answer is something else: a result of the step or a surprise, never an accident."""
    real = moment.case.exchanges[moment.start + moment.step.exchanges - 1].response
    try:
        body = msgspec.json.decode(real.body)
    except msgspec.DecodeError:
        return
    changed = data.draw(st.sampled_from(list(_changed(body))))
    found = moment.ends_with(real.evolve(body=msgspec.json.encode(changed)))

    if isinstance(found, Accepted):
        assert isinstance(found.key, str)
        assert found.key
    if isinstance(found, Succeeded):
        assert found.outputs
        for output in found.outputs:
            assert isinstance(output.video.request.path, str)
    if isinstance(found, VendorFailed):
        assert is_success(real) or real.status in (400, 404, 410)


_STRANGE: tuple[Any, ...] = (None, True, -1, 1.5, "pondering", "", [], {}, [{}], {"x": 1}, 10**30)


def _changed(value: Any) -> Iterator[Any]:
    """Yield the value with one part of it replaced by something strange, or left out."""
    yield from _STRANGE
    if isinstance(value, dict):
        for name, part in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: change} for change in _changed(part))
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], change, *value[place + 1 :]] for change in _changed(part))

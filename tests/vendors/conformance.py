"""Replays fixture folders through adapters. One folder is one story: `case.toml`, then numbered requests and responses.

`case.toml` says where the exchanges come from (`recorded` or `documentation`), what is submitted, and what each step gives:

    marked = "documentation"
    summary = "A first frame is uploaded and the video is finished at the second look."
    [submission]                 # as `Submission`; or [operation], where the story begins later
    [[also]]                     # the same story of other models: `cards`, and what differs
    [[steps]]
    do = "check"                 # submit, check, cancel, delete, find, callback
    exchanges = 1                # how many numbered pairs it takes; a callback takes none
    body = { id = "9" }          # what a callback brings, about what was submitted
    gives = "Running"            # the name of the result's type, or of what is raised
    result = { progress = 41 }   # what must be in it; for a refusal, what must be in its failure
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.record import Record
from reelway.core.videos import ResolvedRequest
from reelway.vendors.registry import adapters
from reelway.vendors.spec import (
    Accepted,
    Adapter,
    Base64,
    Callback,
    CanName,
    Credential,
    DataUri,
    FilePart,
    Flow,
    HttpRequest,
    HttpResponse,
    PublicUrl,
    Submission,
)

__all__ = ["Case", "Exchange", "Step", "as_builtins", "flow_of", "load_cases", "replay", "written"]

FIXTURES = Path(__file__).parent / "fixtures"


class Step(Record, forbid_unknown_fields=True):
    """One step of an adapter, and what it must give."""

    do: Literal["submit", "check", "cancel", "delete", "find", "callback"]
    gives: str
    exchanges: int = 1
    body: Any = None
    result: Any = None
    retry_after_seconds: float | None = None


class Exchange(Record):
    """A request as it must be, and the answer to it."""

    request: dict[str, Any]
    response: HttpResponse


class Also(Record, forbid_unknown_fields=True):
    """Further public models of whose requests the same story is true, but for what is named here."""

    cards: tuple[str, ...]
    model: str = ""
    """The vendor's id, where it is another one; it takes the place of the story's in every pair."""
    request: dict[str, Any] = {}
    """Other values of the request."""
    swap: dict[str, str] = {}
    """What stands in the pairs in compact JSON, and what stands there instead."""


class Case(Record, forbid_unknown_fields=True):
    """One folder."""

    marked: Literal["recorded", "documentation"]
    summary: str
    steps: tuple[Step, ...]
    submission: Submission | None = None
    operation: dict[str, Any] | None = None
    credential: dict[str, str] = {}
    """The account's secrets by name; one `api_key` where it does not say."""
    also: tuple[Also, ...] = ()
    vendor: str = ""
    name: str = ""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def adapter(self) -> Adapter:
        return adapters()[self.vendor]


def load_cases() -> tuple[Case, ...]:
    """Return every folder below `fixtures/<vendor>/`, once more for each further model it speaks of."""
    cases = [_load(path.parent) for path in sorted(FIXTURES.glob("*/*/case.toml"))]
    return tuple(told for case in cases for told in (case, *_retold(case)))


def _retold(case: Case) -> Iterator[Case]:
    for also in case.also:
        assert case.submission is not None, f"{case.name}: only a submission can be another model's"
        model = also.model or case.submission.model
        swap = {**also.swap, case.submission.model: model}
        request = msgspec.convert({**msgspec.to_builtins(case.submission.request), **also.request}, ResolvedRequest)
        for card in also.cards:
            yield case.evolve(
                name=f"{case.name}@{card}",
                submission=case.submission.evolve(model=model, request=request.evolve(model=card, card=card)),
                exchanges=tuple(
                    Exchange(
                        request=msgspec.json.decode(_swapped(msgspec.json.encode(pair.request), swap)),
                        response=pair.response.evolve(body=_swapped(pair.response.body, swap)),
                    )
                    for pair in case.exchanges
                ),
                steps=msgspec.json.decode(_swapped(msgspec.json.encode(case.steps), swap), type=tuple[Step, ...]),
            )


def _swapped(document: bytes, swap: Mapping[str, str]) -> bytes:
    for old, new in swap.items():
        document = document.replace(old.encode(), new.encode())
    return document


def replay(case: Case) -> None:
    """Play the story, and hold every request and every result against the folder."""
    exchanges = list(case.exchanges)
    operation = case.operation
    for step in case.steps:
        batch, exchanges = exchanges[: step.exchanges], exchanges[step.exchanges :]
        assert len(batch) == step.exchanges, f"{case.name}: {step.do} lacks a numbered pair"
        result = _heard(case, step) if step.do == "callback" else _perform(flow_of(case, step, operation), batch, case)
        _check_result(step, result)
        if isinstance(result, Accepted):
            operation = msgspec.json.decode(msgspec.json.encode(result.operation))
            if isinstance(case.adapter, CanName):
                _check_name(case, result)
    assert not exchanges, f"{case.name}: {len(exchanges)} pairs are left over"


def _check_name(case: Case, accepted: Accepted) -> None:
    """What an operator reads at the vendor's console leads to the same work as the answer did."""
    assert case.submission is not None
    assert isinstance(case.adapter, CanName)
    named = case.adapter.named(accepted.operation.get("operation", accepted.key), case.submission)
    assert (named.operation, named.key) == (accepted.operation, accepted.key)


def written(request: HttpRequest) -> dict[str, Any]:
    """Return a request as fixture files spell it."""
    form = [[name, _part(value)] for name, value in request.form]
    spelled = {
        "method": request.method,
        "path": request.path,
        "query": [list(pair) for pair in request.query],
        "headers": [list(pair) for pair in request.headers],
        "json": _part(request.json),
        "form": form,
        "billable": request.billable,
    }
    return {name: value for name, value in spelled.items() if value not in (None, [], False)}


def as_builtins(value: Any) -> Any:
    """Return a result as `case.toml` can spell it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _load(folder: Path) -> Case:
    case = msgspec.convert(tomllib.loads((folder / "case.toml").read_text()), Case)
    numbers = sorted(int(path.name.partition("-")[0]) for path in folder.glob("*-request.json"))
    assert numbers == list(range(1, len(numbers) + 1)), f"{folder.name}: the pairs are not numbered from 1"
    exchanges = tuple(
        Exchange(
            request=msgspec.json.decode((folder / f"{number}-request.json").read_bytes()),
            response=_response(msgspec.json.decode((folder / f"{number}-response.json").read_bytes())),
        )
        for number in numbers
    )
    return case.evolve(
        vendor=folder.parent.name,
        name=folder.name,
        exchanges=exchanges,
        credential=case.credential or {"api_key": "sk-fixture-secret"},
    )


def _response(spelled: dict[str, Any]) -> HttpResponse:
    body = msgspec.json.encode(spelled["json"]) if "json" in spelled else spelled.get("text", "").encode()
    return HttpResponse(status=spelled["status"], headers=spelled.get("headers", {}), body=body)


def _heard(case: Case, step: Step) -> Any:
    """Let the adapter read a callback to the address of the attempt."""
    adapter: Any = case.adapter
    try:
        return adapter.read_callback(Callback(body=msgspec.json.encode(step.body)), case.submission)
    except UnexpectedResponse as error:
        return error


def flow_of(case: Case, step: Step, operation: Mapping[str, Any] | None) -> Flow[Any]:
    """Return a step of the story, about to begin."""
    adapter: Any = case.adapter
    given = case.submission if step.do in ("submit", "find") else operation
    assert given is not None, f"{case.name}: {step.do} has nothing to begin with"
    flow: Flow[Any] = getattr(adapter, step.do)(given)
    return flow


def _perform(flow: Flow[Any], batch: list[Exchange], case: Case) -> Any:
    """Run one step; a refusal and a surprise are results here."""
    pending = list(batch)
    try:
        request = next(flow)
        while True:
            assert pending, f"{case.name}: a request beyond the last pair: {written(request)}"
            exchange = pending.pop(0)
            assert written(request) == exchange.request
            _check_signing(request, case)
            request = flow.send(exchange.response)
    except StopIteration as stop:
        assert not pending, f"{case.name}: {len(pending)} pairs were not asked for"
        return stop.value
    except (VendorRefused, UnexpectedResponse) as error:
        assert not pending, f"{case.name}: {len(pending)} pairs were not asked for"
        return error


def _check_signing(request: HttpRequest, case: Case) -> None:
    """A request carries no secret until it is signed, and signing touches neither body nor method."""
    signed = case.adapter.authorize(request, Credential(values=case.credential), 1_790_000_000.0)
    for secret in case.credential.values():
        assert secret not in repr(written(request))
    assert signed != request
    assert (signed.method, signed.json, signed.form) == (request.method, request.json, request.form)


def _check_result(step: Step, result: Any) -> None:
    assert type(result).__name__ == step.gives, f"{step.do} gave {result!r}"
    if isinstance(result, VendorRefused):
        assert result.retry_after_seconds == step.retry_after_seconds
        result = result.failure
    if isinstance(result, Exception):
        assert step.result is None or step.result in str(result)
        return
    _contains(as_builtins(result), step.result)


def _contains(found: Any, wanted: Any) -> None:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            assert name in found, f"{name} is missing in {found}"
            _contains(found[name], value)
    elif wanted is not None:
        assert found == wanted


def _part(value: Any) -> Any:
    match value:
        case FilePart(blob=blob, filename=filename):
            return {"file": filename, "media_type": blob.media_type}
        case Base64(blob=blob):
            return {"base64": blob.key}
        case DataUri(blob=blob):
            return {"data_uri": blob.key}
        case PublicUrl(blob=blob):
            return {"public_url": blob.key}
        case dict():
            return {name: _part(part) for name, part in value.items()}
        case list() | tuple():
            return [_part(part) for part in value]
        case _:
            return value

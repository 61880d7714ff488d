"""How the sandbox misbehaves on the wire: error statuses, refusals in a vendor's words, unknown states, spoiled files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from reelway.core.errors import CallerError, Gone
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Blob, Video
from reelway.dialects.spec import Answer, Dialect, Incoming, Outgoing, VideoPage
from reelway.mounting.dialects import OpenedContent
from reelway.mounting.exchange import ClientGone
from reelway.sandbox.faults import HttpFault, ResultFault
from reelway.sandbox.studio import MadeFile

__all__ = ["ODD_STATUS", "OddVideo", "refusal_of", "spoil", "spoiled_bytes", "status_error", "with_odd_words"]

ODD_STATUS = "pondering"
"""A status word that no client knows."""

_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><p>The sandbox was asked for this.</p>"
_KEPT_SHARE = 0.6
_PIECE = 64 * 1024
_REFUSALS: Mapping[FailureKind, tuple[int, str, str]] = {
    FailureKind.INVALID_REQUEST: (400, "invalid_request_error", "invalid_value"),
    FailureKind.CONTENT_POLICY: (400, "invalid_request_error", "moderation_blocked"),
    FailureKind.AUTHENTICATION: (401, "authentication_error", "invalid_api_key"),
    FailureKind.PERMISSION: (403, "permission_error", "permission_denied"),
    FailureKind.INSUFFICIENT_QUOTA: (429, "insufficient_quota", "insufficient_quota"),
    FailureKind.BUDGET_EXCEEDED: (402, "insufficient_quota", "budget_exceeded"),
    FailureKind.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    FailureKind.MODEL_NOT_FOUND: (404, "invalid_request_error", "model_not_found"),
    FailureKind.VENDOR_UNAVAILABLE: (503, "server_error", "no_route"),
}
_OTHER = (500, "server_error", "server_error")
_KINDS: Mapping[int, FailureKind] = {
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.INSUFFICIENT_QUOTA,
    403: FailureKind.PERMISSION,
    429: FailureKind.RATE_LIMITED,
    503: FailureKind.VENDOR_UNAVAILABLE,
    504: FailureKind.TIMED_OUT,
}
"""What a bare status means to a dialect that has codes of its own."""
_NOT_BEGUN = {"outputs": (), "failure": None, "completed_at": None, "progress": 0, "b64_json": ()}
_FAILURE = Failure(kind=FailureKind.VENDOR_ERROR, message="The sandbox was asked for an odd answer.")


_SPOILERS: Mapping[ResultFault | None, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[: int(len(data) * _KEPT_SHARE)],
    "text": lambda data: _PAGE,
    "empty": lambda data: b"",
}


class OddVideo(Video):
    """A video shown with a status that nobody has met."""

    @classmethod
    def of(cls, video: Video) -> "OddVideo":
        return cls(**{name: getattr(video, name) for name in video.__struct_fields__})


def with_odd_words(dialect: Dialect) -> Dialect:
    """Return the dialect with an unknown word where it shows the state of an `OddVideo`."""
    return dialect.evolve(
        endpoints=tuple(
            endpoint.evolve(
                render=_odd_render(endpoint.render),
                render_asked=None if endpoint.render_asked is None else _odd_render_asked(endpoint.render_asked),
            )
            for endpoint in dialect.endpoints
        )
    )


def status_error(fault: HttpFault) -> CallerError:
    """Return the answer a fault asks for."""
    error = CallerError(
        f"The sandbox was asked to answer {fault.status}. Nothing was made.",
        code="rate_limit_exceeded" if fault.status == 429 else "sandbox_fault",
        retry_after_seconds=fault.retry_after_seconds,
    )
    error.status = fault.status
    error.type = "rate_limit_error" if fault.status == 429 else "server_error" if fault.status >= 500 else error.type
    error.kind = _KINDS.get(fault.status, FailureKind.VENDOR_ERROR if fault.status >= 500 else error.kind)
    return error


def refusal_of(kind: FailureKind) -> CallerError:
    """Return the refusal that says this: in the words of an OpenAI-compatible server, by its kind in those of any vendor."""
    status, word, code = _REFUSALS.get(kind, _OTHER)
    error = CallerError(f"The sandbox was asked to refuse this with {kind}.", code=code)
    error.status, error.type, error.kind = status, word, kind
    if kind is FailureKind.RATE_LIMITED:
        error.retry_after_seconds = 1.0
    return error


def spoiled_bytes(made: MadeFile, fault: ResultFault | None) -> bytes:
    """Return the bytes of a file, spoiled in those ways that concern bytes alone. Blocks for a moment."""
    data = made.path.read_bytes()
    return _SPOILERS[fault](data) if fault in _SPOILERS else data


def spoil(made: MadeFile, fault: ResultFault) -> OpenedContent:
    """Return something other than the file. Blocks for a moment."""
    if fault == "gone":
        raise Gone("The sandbox was asked to have lost this file.", code="content_gone")
    data = made.path.read_bytes()
    if fault == "mistyped":
        return _file(made.evolve(blob=made.blob.evolve(media_type="text/html")), made.path, data)
    if fault == "cut":
        return OpenedContent(blob=made.blob, filename=made.filename, path=None, read=_break_off(data))
    data = _SPOILERS[fault](data)
    path = made.path.with_name(f"{made.path.stem}.{fault}{made.path.suffix}")
    path.write_bytes(data)
    return _file(made, path, data)


def _file(made: MadeFile, path: Path, data: bytes) -> OpenedContent:
    blob: Blob = made.blob.evolve(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return OpenedContent(blob=blob, filename=made.filename, path=path, read=_whole(data))


def _whole(data: bytes) -> Callable[[int, int], AsyncIterator[bytes]]:
    async def read(start: int, stop: int) -> AsyncIterator[bytes]:
        yield data[start:stop]

    return read


def _break_off(data: bytes) -> Callable[[int, int], AsyncIterator[bytes]]:
    """Return a reader that gives half of what it was asked for, then hangs up."""

    async def read(start: int, stop: int) -> AsyncIterator[bytes]:
        middle = start + (stop - start) // 2
        for place in range(start, middle, _PIECE):
            yield data[place : min(middle, place + _PIECE)]
            await asyncio.sleep(0)
        raise ClientGone

    return read


def _odd_render(render: Callable[[Answer], Outgoing]) -> Callable[[Answer], Outgoing]:
    def odd(answer: Answer) -> Outgoing:
        if not _has_odd(answer):
            return render(answer)
        waiting, working, failed, done = (_body(render(state)) for state in _states(answer))
        for one, other in ((waiting, working), (working, failed)):
            body = _differing(one, other)
            if body != one:
                return render(answer).evolve(status=200, body=body)
        return render(answer).evolve(status=200, body=_differing(done, working))

    return odd


def _odd_render_asked(
    render: Callable[[Answer, Incoming], Outgoing],
) -> Callable[[Answer, Incoming], Outgoing]:
    def odd(answer: Answer, incoming: Incoming) -> Outgoing:
        return _odd_render(lambda answer: render(answer, incoming))(answer)

    return odd


def _has_odd(answer: Answer) -> bool:
    return isinstance(answer, OddVideo) or (
        isinstance(answer, VideoPage) and any(isinstance(video, OddVideo) for video in answer.videos)
    )


def _states(answer: Answer) -> Iterator[Answer]:
    """Yield the answer as if its odd videos were queued, in progress, failed, and done without a file."""
    for status in (Status.QUEUED, Status.IN_PROGRESS, Status.FAILED, Status.COMPLETED):
        failure = _FAILURE if status is Status.FAILED else None

        def as_if(video: Video, changes: Mapping[str, Any]) -> Video:
            return video.evolve(**changes) if isinstance(video, OddVideo) else video

        changes = {**_NOT_BEGUN, "status": status, "failure": failure}
        if isinstance(answer, VideoPage):
            yield answer.evolve(videos=tuple(as_if(video, changes) for video in answer.videos))
        elif isinstance(answer, Video):
            yield as_if(answer, changes)


def _body(outgoing: Outgoing) -> Any:
    return msgspec.to_builtins(outgoing.body)


def _differing(one: Any, other: Any) -> Any:
    """Return `one` with an unknown word in place of every word or switch in which it differs from `other`.

    What two states of one video are told apart by is where its dialect shows the state, whatever it is called and however deep
    it lies.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _differing(value, other.get(key)) for key, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_differing(*pair) for pair in zip(one, other, strict=True)]
    return ODD_STATUS if isinstance(one, str | bool) and one != other else one

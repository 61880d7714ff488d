"""How the sandbox misbehaves on the wire: error statuses, refusals in a vendor's words, unknown states, spoiled files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import msgspec

from reelway.core.errors import CallerError, Gone
from reelway.core.failures import FailureKind
from reelway.core.videos import Blob, Video
from reelway.dialects.spec import Answer, Dialect, Outgoing
from reelway.mounting.dialects import OpenedContent
from reelway.mounting.exchange import ClientGone
from reelway.sandbox.faults import HttpFault, ResultFault
from reelway.sandbox.studio import MadeFile

__all__ = ["ODD_STATUS", "OddVideo", "refusal_of", "spoil", "status_error", "with_odd_words"]

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


class OddVideo(Video):
    """A video shown with a status that nobody has met."""

    @classmethod
    def of(cls, video: Video) -> "OddVideo":
        return cls(**{name: getattr(video, name) for name in video.__struct_fields__})


def with_odd_words(dialect: Dialect) -> Dialect:
    """Return the dialect with an unknown word in place of the status of an `OddVideo`."""
    return dialect.evolve(
        endpoints=tuple(
            endpoint.evolve(render=_odd_render(endpoint.render)) if endpoint.method == "GET" else endpoint
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
    return error


def refusal_of(kind: FailureKind) -> CallerError:
    """Return the refusal with which an OpenAI-compatible server says this."""
    status, word, code = _REFUSALS.get(kind, _OTHER)
    error = CallerError(f"The sandbox was asked to refuse this with {kind}.", code=code)
    error.status, error.type = status, word
    if kind is FailureKind.RATE_LIMITED:
        error.retry_after_seconds = 1.0
    return error


def spoil(made: MadeFile, fault: ResultFault) -> OpenedContent:
    """Return something other than the file. Blocks for a moment."""
    if fault == "gone":
        raise Gone("The sandbox was asked to have lost this file.", code="content_gone")
    data = made.path.read_bytes()
    if fault == "cut":
        return OpenedContent(blob=made.blob, filename=made.filename, path=None, read=_break_off(data))
    data = {"truncated": data[: int(len(data) * _KEPT_SHARE)], "text": _PAGE, "empty": b""}[fault]
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
        outgoing = render(answer)
        if isinstance(answer, OddVideo):
            body = msgspec.to_builtins(outgoing.body)
            return outgoing.evolve(body={**body, "status": ODD_STATUS})
        return outgoing

    return odd

"""The service as a backend for dialects, with what stands in headers and means the same in each: idempotency and strictness."""

from collections.abc import AsyncIterator, Mapping

from reelway.api.fingerprint import fingerprint, fingerprint_of_character
from reelway.core.errors import InvalidRequest
from reelway.core.keys import Caller
from reelway.dialects.spec import (
    Answer,
    Call,
    CancelVideo,
    CreateCharacter,
    CreateVideo,
    DeleteCharacter,
    DeleteVideo,
    Incoming,
    ListVideos,
    OpenContent,
    QuoteVideo,
    ReadCharacter,
    ReadVideo,
)
from reelway.mounting.files import OpenedContent
from reelway.service import Content, Service

__all__ = ["ServiceBackend"]

_KEY_LENGTH = 255
_COUNT_DIGITS = 6
_UNSAID = ("ai/", "dashscope-v2-python/", "google-genai-sdk/", "volc-sdk-python/")
"""google-genai repeats after 408, 409, 429 and every 5xx; Ark's and DashScope's SDKs, and Vercel's AI SDK (`ai/`), also when a
connection breaks (measured in November 2026)."""
_URGENCIES: Mapping[str, int] = {"high": -1, "normal": 0, "low": 1}
_SWITCH = {"true": True, "1": True, "false": False, "0": False}


class ServiceBackend:
    """Performs calls with the gateway's own use cases."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.authenticate = service.authenticate
        self.stage = service.stage
        self.unstage = service.unstage

    async def perform(self, call: Call, caller: Caller, incoming: Incoming) -> Answer:
        """Do what was asked for."""
        service = self._service
        match call:
            case ReadVideo():
                return await service.read(call.id, caller, wait_seconds=call.wait_seconds)
            case CreateVideo():
                return await self._create(call, caller, incoming)
            case QuoteVideo():
                return await service.quote(call.request, caller, strict=_is_strict(incoming.headers))
            case ListVideos():
                return await service.list(call, caller)
            case DeleteVideo():
                return await service.delete(call.id, caller, cancels_queued=call.cancels_queued)
            case CancelVideo():
                return await service.cancel(call.id, caller, only_queued=call.only_queued)
            case CreateCharacter():
                return await service.characters.create(
                    call,
                    caller,
                    idempotency_key=_idempotency_key(incoming.headers),
                    body_hash=fingerprint_of_character(call),
                )
            case ReadCharacter():
                return await service.characters.read(call.id, caller)
            case DeleteCharacter():
                return await service.characters.delete(call.id, caller)
            case OpenContent():
                raise TypeError("content is opened and streamed, not performed; its endpoint must say `streams`")

    async def open_content(self, call: OpenContent, caller: Caller) -> OpenedContent:
        """Find a file of the caller's."""
        return self._opened(await self._service.content(call.id, caller, variant=call.variant, index=call.index))

    async def open_link(self, call: OpenContent, incoming: Incoming) -> OpenedContent | None:
        """Find the file behind a signed link; None when the request is not one."""
        query = dict(incoming.query)
        if "signature" not in query:
            return None
        self._service.check_link(call.id, call.variant, call.index, query.get("expires", ""), query["signature"])
        return self._opened(await self._service.content(call.id, None, variant=call.variant, index=call.index))

    async def _create(self, call: CreateVideo, caller: Caller, incoming: Incoming) -> Answer:
        request, headers = call.request, incoming.headers
        key = _idempotency_key(headers) or request.client_reference
        sending = _sending(headers)
        unsaid = key is None and sending is None and _repeats_unsaid(headers)
        may_come_again = key is not None or sending is not None or unsaid
        return await self._service.create(
            request,
            caller,
            idempotency_key=key,
            body_hash=fingerprint(request) if may_come_again else "",
            sending=sending,
            unsaid_at=incoming.arrived_at if unsaid else None,
            strict=_is_strict(headers),
            urgency=_urgency(headers),
            wait_seconds=call.wait_seconds,
        )

    def _opened(self, content: Content) -> OpenedContent:
        def read(start: int, stop: int) -> AsyncIterator[bytes]:
            return self._service.read_asset(content.blob.key, start, stop)

        return OpenedContent(blob=content.blob, filename=content.filename, path=content.path, read=read)


def _idempotency_key(headers: Mapping[str, str]) -> str | None:
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not (0 < len(key) <= _KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequest(
            f"Idempotency-Key must have 1 to {_KEY_LENGTH} printable ASCII characters (got {len(key)} characters)",
            param="Idempotency-Key",
        )
    return key


def _sending(headers: Mapping[str, str]) -> int | None:
    """Return which time an official client sends this request (0 is the first), None where none says so.

    OpenAI's clients repeat a create whose answer was lost, without a key to know it by, but they count.
    """
    count = headers.get("x-stainless-retry-count", "")
    return int(count) if 0 < len(count) <= _COUNT_DIGITS and count.isascii() and count.isdigit() else None


def _repeats_unsaid(headers: Mapping[str, str]) -> bool:
    """Tell whether the client is one that repeats a create by itself and sends the very same again, without a key or a count."""
    return headers.get("user-agent", "").startswith(_UNSAID) or headers.get("x-goog-api-client", "").startswith(_UNSAID)


def _is_strict(headers: Mapping[str, str]) -> bool:
    word = headers.get("reelway-strict")
    if word is None:
        return False
    if word.strip().lower() not in _SWITCH:
        raise InvalidRequest(f"Reelway-Strict must be true or false (got {word[:40]!r})", param="Reelway-Strict")
    return _SWITCH[word.strip().lower()]


def _urgency(headers: Mapping[str, str]) -> int:
    """Return how a video stands among those of its own tenant that wait; nobody gets ahead of others' by it."""
    word = headers.get("reelway-priority", "normal").strip().lower()
    if word not in _URGENCIES:
        raise InvalidRequest(
            f"Reelway-Priority must be one of {', '.join(_URGENCIES)} (got {word[:40]!r})", param="Reelway-Priority"
        )
    return _URGENCIES[word]

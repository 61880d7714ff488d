"""Files on their way to Google and back: inputs as bytes or addresses, results as links, in buckets, or within an answer.

A file within an answer is counted among all texts of its name, inputs that are echoed included, because the transport finds it so.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.videos import Input, MediaKind
from reelway.vendors.spec import Base64, Download, HttpRequest
from reelway.vendors.wire import get

__all__ = ["interaction_media", "linked", "media_type_of", "place_of_text", "segment", "veo_media", "within"]

_TYPES = {
    "bmp": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mov": "video/mov",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "webm": "video/webm",
    "webp": "image/webp",
}
_GOOGLES_WORDS = {"video/quicktime": "video/mov", "image/jpg": "image/jpeg"}
_USUAL = {MediaKind.IMAGE: "image/jpeg", MediaKind.VIDEO: "video/mp4", MediaKind.AUDIO: "audio/mpeg"}


def veo_media(given: Input) -> dict[str, Any]:
    """Return an image or a video as Vertex AI and the clients of both surfaces write it."""
    media_type = media_type_of(given)
    if given.blob is None:
        return {"gcsUri": given.file_id, "mimeType": media_type}
    return {"bytesBase64Encoded": Base64(blob=given.blob), "mimeType": media_type}


def interaction_media(given: Input) -> dict[str, Any]:
    """Return a content block."""
    block: dict[str, Any] = {"type": given.kind.value}
    block |= {"uri": given.file_id} if given.blob is None else {"data": Base64(blob=given.blob)}
    block["mime_type"] = media_type_of(given)
    # An image has no name of its own there.
    return block | {"name": given.name} if given.name and given.kind is MediaKind.VIDEO else block


def media_type_of(given: Input) -> str:
    """Return the type in Google's words; that of a file at Google follows from its name."""
    if given.blob is not None:
        return _GOOGLES_WORDS.get(given.blob.media_type, given.blob.media_type)
    ending = (given.file_id or "").rpartition(".")[2].lower()
    return _TYPES.get(ending, _USUAL[given.kind])


def linked(address: str) -> Download:
    """Return a result that lies behind a link. Whether its host is the account's own, the engine sees to."""
    if not address.startswith(("https://", "http://")):
        raise UnexpectedResponse(f"the result lies at an address that cannot be fetched: {address[:200]!r}")
    return Download(request=get(address), authorize=True)


def within(request: HttpRequest, document: Any, holder: dict[str, Any], key: str) -> Download:
    """Return a result that is read out of the answer to this request: the text `key` of an object in `document`."""
    return Download(request=request, authorize=True, base64_key=key, base64_index=place_of_text(document, holder, key))


def place_of_text(document: Any, holder: dict[str, Any], key: str) -> int:
    """Return how many other texts of this name come before the one in `holder`."""
    return next(number for number, other in enumerate(_holders(document, key)) if other is holder)


def segment(text: str) -> str:
    """Return an id as one segment of a path, which it cannot leave."""
    if text in (".", ".."):
        raise UnexpectedResponse(f"{text!r} is no id")
    return quote(text, safe="")


def _holders(value: Any, key: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name == key and isinstance(part, str):
                yield value
            else:
                yield from _holders(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _holders(part, key)

"""Inputs as callers give them: an upload, an address, a data URI, bare base64, or an object that holds one of these.

Exactly one source comes out of each. What the bytes really are is for the service to find out.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, RequestWarning, Role
from reelway.dialects.fields import is_blank
from reelway.dialects.media_bytes import kind_of_bytes, kind_of_type
from reelway.dialects.spec import Upload
from reelway.dialects.values import read_json, read_object, read_text, read_url, read_word, single, wrong_type

__all__ = ["Place", "ReadReference", "read_reference", "read_references", "role_of_word", "source_of"]


class Place(Record):
    """Where an input was given, and what that place says about it."""

    field: str
    kind: MediaKind | None = None
    role: Role | None = None


class ReadReference(Record):
    """One input, and what of it was not understood."""

    reference: InputReference
    warnings: tuple[RequestWarning, ...] = ()


_ROLE_WORDS: Mapping[str, Role] = MappingProxyType(
    {
        "first_frame": Role.FIRST_FRAME,
        "last_frame": Role.LAST_FRAME,
        "end_frame": Role.LAST_FRAME,
        "reference": Role.REFERENCE,
        "reference_image": Role.REFERENCE,
        "reference_video": Role.REFERENCE,
        "reference_audio": Role.REFERENCE,
        "source": Role.SOURCE,
    }
)
_SOURCE_KEYS: Mapping[str, MediaKind | None] = MappingProxyType(
    {
        "url": None,
        "image_url": MediaKind.IMAGE,
        "imageUrl": MediaKind.IMAGE,
        "video_url": MediaKind.VIDEO,
        "videoUrl": MediaKind.VIDEO,
        "audio_url": MediaKind.AUDIO,
        "audioUrl": MediaKind.AUDIO,
        "image": MediaKind.IMAGE,
        "b64_json": None,
        "bytesBase64Encoded": None,
        "file_id": None,
        "id": None,
    }
)
_TYPE_KEYS = ("media_type", "mime_type", "mimeType")
_DATA_URI = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL | re.IGNORECASE)
_VENDOR_SCHEMES = frozenset({"asset", "gs", "oss"})
"""Addresses that only a vendor can open; they are handed on as they are."""
_VIDEO_ID = re.compile(r"video_[A-Za-z0-9_-]{1,100}")
_LIST_SEPARATOR = re.compile(r",\s*(?=https?://|data:)", re.IGNORECASE)
_WHAT = "a file, an http(s) address, a data URI, base64, or an object with url or file_id"


def read_reference(value: Any, place: Place) -> ReadReference:
    """Return the one input that stands here."""
    given = single(value, place.field)
    if isinstance(given, Upload):
        return ReadReference(reference=_from_upload(given, place))
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = read_object(given, place.field)
    if isinstance(given, dict):
        return _from_object(given, place)
    if isinstance(given, str):
        return ReadReference(reference=_from_text(given, place))
    raise wrong_type(place.field, _WHAT, given)


def read_references(value: Any, place: Place) -> tuple[ReadReference, ...]:
    """Return the inputs of a field that takes several: a list, repeated parts, JSON text, or addresses with commas between."""
    items = value if isinstance(value, list) else [value]
    flat = [part for item in items for part in _split(item, place.field) if not is_blank(part)]
    return tuple(
        read_reference(item, place.evolve(field=f"{place.field}[{number}]")) for number, item in enumerate(flat)
    )


def source_of(reference: InputReference) -> tuple[Any, ...]:
    """Return what is given, wherever it stands: two inputs with equal sources are the same thing sent twice."""
    blob = None if reference.blob is None else reference.blob.sha256
    return (reference.url, reference.data, blob, reference.file_id, reference.video_id)


def _split(item: Any, field: str) -> list[Any]:
    if not isinstance(item, str):
        return [item]
    text = item.strip()
    if text.startswith("["):
        decoded = read_json(text, field)
        return decoded if isinstance(decoded, list) else [decoded]
    return [text] if text.startswith("{") else _LIST_SEPARATOR.split(text)


def _from_upload(upload: Upload, place: Place) -> InputReference:
    return InputReference(
        field=place.field,
        kind=place.kind or kind_of_type(upload.media_type),
        role=place.role,
        blob=upload.blob,
        media_type=upload.media_type or None,
    )


def _from_text(text: str, place: Place) -> InputReference:
    text = read_text(text, place.field).strip()
    if match := _DATA_URI.fullmatch(text):
        media_type = match[1].strip().lower()
        if not match[2].lower().endswith(";base64"):
            raise InvalidRequest(f"{place.field} is a data URI without ;base64; encode it as base64", param=place.field)
        data = _decoded(match[3], place.field)
        kind = place.kind or kind_of_type(media_type) or kind_of_bytes(data)
        return InputReference(field=place.field, kind=kind, role=place.role, data=data, media_type=media_type or None)
    if text.partition("://")[0].lower() in _VENDOR_SCHEMES and "://" in text:
        return InputReference(field=place.field, kind=place.kind, role=place.role, file_id=text)
    if "://" in text[:12]:
        return InputReference(field=place.field, kind=place.kind, role=place.role, url=read_url(text, place.field))
    if place.kind in (None, MediaKind.VIDEO) and _VIDEO_ID.fullmatch(text):
        return InputReference(field=place.field, kind=MediaKind.VIDEO, role=place.role, video_id=text)
    try:
        data = _decoded(text, place.field)
    except InvalidRequest:
        data = b""
    if kind_of_bytes(data) is None:
        raise wrong_type(place.field, _WHAT, text)
    return InputReference(field=place.field, kind=place.kind or kind_of_bytes(data), role=place.role, data=data)


def _decoded(text: str, field: str) -> bytes:
    compact = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise InvalidRequest(f"{field} is not valid base64; encode the whole file", param=field)
    return data


def _from_object(given: dict[str, Any], place: Place) -> ReadReference:
    """Read `{"url": …}` and its relatives; `role` (or `type`) and `name` may stand beside the source."""
    sources = [key for key in _SOURCE_KEYS if not is_blank(given.get(key))]
    if len(sources) != 1:
        raise InvalidRequest(
            f"{place.field} must hold exactly one of url, image_url, video_url, audio_url, file_id, id "
            f"(got {', '.join(sources) or 'none of them'})",
            param=place.field,
        )
    known = {*sources, "role", "type", "referenceType", "name", *_TYPE_KEYS}
    notes = tuple(
        RequestWarning(field=f"{place.field}.{key}", message="is not understood and not used")
        for key in given
        if key not in known
    )
    inner = place.evolve(role=_role(given, place), kind=place.kind or _SOURCE_KEYS[sources[0]])
    read = _from_source(sources[0], given[sources[0]], inner)
    claimed = next((read_word(given[key], f"{place.field}.{key}") for key in _TYPE_KEYS if key in given), None)
    name = given.get("name")
    reference = read.reference.evolve(
        name=read.reference.name if name is None else read_text(name, f"{place.field}.name"),
        media_type=claimed or read.reference.media_type,
        kind=read.reference.kind or kind_of_type(claimed),
    )
    return ReadReference(reference=reference, warnings=(*read.warnings, *notes))


def _role(given: Mapping[str, Any], place: Place) -> Role | None:
    """Return the item's own role; its `type` counts where it says one (`first_frame`), the place's role otherwise."""
    if "role" in given:
        return role_of_word(given["role"], f"{place.field}.role")
    word = given.get("type")
    return _ROLE_WORDS.get(word.lower(), place.role) if isinstance(word, str) else place.role


def role_of_word(value: Any, field: str) -> Role:
    """Return what an input is for, from the word a caller uses."""
    word = read_word(value, field).lower()
    if word not in _ROLE_WORDS:
        raise InvalidRequest(f'{field} must be one of {", ".join(_ROLE_WORDS)} (got "{word[:60]}")', param=field)
    return _ROLE_WORDS[word]


def _from_source(key: str, value: Any, place: Place) -> ReadReference:
    path = f"{place.field}.{key}"
    if key == "file_id":
        reference = InputReference(
            field=place.field, kind=place.kind, role=place.role, file_id=read_text(value, path).strip()
        )
        return ReadReference(reference=reference)
    if key == "id":
        if place.kind not in (None, MediaKind.VIDEO):
            raise InvalidRequest(f"{path} names a video, but {place.field} takes an {place.kind}", param=place.field)
        reference = InputReference(
            field=place.field, kind=MediaKind.VIDEO, role=place.role, video_id=read_text(value, path).strip()
        )
        return ReadReference(reference=reference)
    if isinstance(value, dict):
        return read_reference(value, place)
    return ReadReference(reference=_from_text(read_text(value, path), place))

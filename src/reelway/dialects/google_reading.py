"""What the two families of Google's API read alike: keys, objects with known fields, media in any of its spellings, labels.

The rule: a field that Google does not document is refused in Google's words, with its place; null counts as absent.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, Role
from reelway.dialects.google_files import video_in
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, read_text, read_url, wrong_type

__all__ = [
    "Source",
    "body_of",
    "key_of",
    "known_fields",
    "model_of",
    "read_base64",
    "read_labels",
    "read_list",
    "read_source",
    "read_webhook",
    "refuse",
    "unserved",
]

_BUCKET = "gs://"
_LABEL_LIMIT = 63
_LABELS_LIMIT = 64
_DATA_URI = re.compile(r"data:([^;,]*);base64,(.*)", re.DOTALL | re.IGNORECASE)


class Source(Record):
    """Where an input lies: one of our videos, or anything else."""

    video_id: str | None = None
    reference: InputReference | None = None


def key_of(headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = (), now: float = 0.0) -> str | None:
    """Return the caller's key from `x-goog-api-key`, `Authorization: Bearer` or `?key=`."""
    key = headers.get("x-goog-api-key", "").strip()
    if key:
        return key
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return next((value.strip() for name, value in query if name == "key" and value.strip()), None)


def body_of(incoming: Incoming, names: Collection[str]) -> dict[str, Any]:
    """Return the fields of the body."""
    if incoming.json is None:
        raise InvalidRequest("the request has no JSON body; send one as application/json", code="invalid_json")
    return known_fields(incoming.json, "", names)


def known_fields(value: Any, field: str, names: Collection[str]) -> dict[str, Any]:
    """Return the fields of an object that are given. Raises `InvalidRequest` for one that is not among `names`."""
    if not isinstance(value, dict):
        raise wrong_type(field or "the body", "an object", value)
    for name in value:
        if name not in names:
            place = f" at '{field}'" if field else ""
            raise InvalidRequest(
                f'Invalid JSON payload received. Unknown name "{name[:80]}"{place}: Cannot find field.',
                code="unknown_parameter",
                param=f"{field}.{name}" if field else name,
            )
    return {name: part for name, part in value.items() if part is not None}


def refuse(given: Mapping[str, Any], field: str, reasons: Mapping[str, str]) -> None:
    """Raise `InvalidRequest` for a documented field that is not served here, with the reason why."""
    for name, reason in reasons.items():
        if name in given:
            raise unserved(f"{field}.{name}" if field else name, reason)


def unserved(field: str, reason: str) -> InvalidRequest:
    """Return the error for something that Google documents and nobody can have here."""
    return InvalidRequest(f"{field} is not served here: {reason}", code="unsupported_parameter", param=field)


def read_list(value: Any, field: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, list):
        raise wrong_type(field, "a list", value)
    return value


def model_of(name: str) -> str:
    """Return a model's name without the collection that clients put before it."""
    return name.rpartition("models/")[2]


def read_base64(value: Any, field: str) -> bytes:
    """Return the bytes of a file in base64, also with the alphabet of addresses and without its padding."""
    text = read_text(value, field)
    if match := _DATA_URI.fullmatch(text):
        text = match[2]
    compact = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise InvalidRequest(f"{field} is not valid base64; encode the whole file", param=field)
    return data


def read_source(
    kind: MediaKind | None,
    role: Role | None,
    field: str,
    *,
    data: Any = None,
    uri: Any = None,
    media_type: Any = None,
    name: Any = None,
) -> Source:
    """Return an input, given as base64 or by its address: one of our files, one in a bucket, or any on the web."""
    if (data is None) == (uri is None):
        raise InvalidRequest(
            f"{field} must hold either the bytes of the file or its address, and not both", param=field
        )
    common: dict[str, Any] = {
        "field": field,
        "kind": kind,
        "role": role,
        "media_type": None if media_type is None else read_text(media_type, f"{field} media type").strip().lower(),
        "name": None if name is None else read_text(name, f"{field}.name"),
    }
    if data is not None:
        return Source(reference=InputReference(data=read_base64(data, field), **common))
    address = read_text(uri, field).strip()
    ours = video_in(address)
    if ours is not None:
        return Source(video_id=_first_output(ours, kind, field))
    if address.startswith(_BUCKET):
        return Source(reference=InputReference(file_id=address, **common))
    if "://" not in address:
        raise InvalidRequest(
            f"{field} must be an https:// or gs:// address, or a file of this server (got {describe(address)})",
            param=field,
        )
    return Source(reference=InputReference(url=read_url(address, field), **common))


def _first_output(ours: tuple[str, int], kind: MediaKind | None, field: str) -> str:
    video_id, index = ours
    if kind not in (None, MediaKind.VIDEO):
        raise InvalidRequest(f"{field} is a video, but an {kind} is wanted here", param=field)
    if index:
        raise InvalidRequest(
            f"{field} is output {index} of a video, and only output 0 can be worked on further; send its bytes",
            param=field,
        )
    return video_id


def read_labels(value: Any, field: str) -> dict[str, str]:
    """Return the caller's own labels."""
    if not isinstance(value, dict):
        raise wrong_type(field, "an object of texts", value)
    if len(value) > _LABELS_LIMIT:
        raise InvalidRequest(f"{field} can have {_LABELS_LIMIT} entries (got {len(value)})", param=field)
    labels = {}
    for name, text in sorted(value.items()):
        label = "" if text is None else read_text(text, f"{field}.{name[:80]}")
        if len(name) > _LABEL_LIMIT or len(label) > _LABEL_LIMIT:
            raise InvalidRequest(
                f"{field}: names and texts can have {_LABEL_LIMIT} characters", param=f"{field}.{name[:_LABEL_LIMIT]}"
            )
        labels[name] = label
    return labels


def read_webhook(value: Any, field: str, *, metadata_name: str) -> tuple[str | None, dict[str, Any]]:
    """Return the one address that events go to, and what the caller wants to find in them."""
    given = known_fields(value, field, ("uris", metadata_name))
    addresses = read_list(given.get("uris", []), f"{field}.uris")
    if len(addresses) > 1:
        raise InvalidRequest(f"{field}.uris can have one address (got {len(addresses)})", param=f"{field}.uris")
    url = read_url(addresses[0], f"{field}.uris[0]") if addresses else None
    metadata = given.get(metadata_name, {})
    if not isinstance(metadata, dict):
        raise wrong_type(f"{field}.{metadata_name}", "an object", metadata)
    return url, metadata

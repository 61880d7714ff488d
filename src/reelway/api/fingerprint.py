"""What a request means, as one short text: equal for every way of writing the same thing. Decides whether a repeated key repeats.

Pure. How a field was spelt, in which encoding it came, under which name a file lay: none of that is meaning.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from reelway.core.videos import InputReference, VideoRequest
from reelway.dialects.spec import CreateCharacter

__all__ = ["fingerprint", "fingerprint_of_character"]

_ENCODER = msgspec.json.Encoder(order="deterministic")
_SPELLING = frozenset({"inputs", "warnings", "spelled"})


def fingerprint(request: VideoRequest) -> str:
    """Return the SHA-256 of the request's meaning, in hexadecimal."""
    meaning = {name: getattr(request, name) for name in request.__struct_fields__ if name not in _SPELLING}
    return _digest(meaning, request.inputs)


def fingerprint_of_character(call: CreateCharacter) -> str:
    """Return the same of a character that is to be kept; never equal to that of a video."""
    return _digest(["character", call.name], call.inputs)


def _digest(meaning: Any, inputs: Iterable[InputReference]) -> str:
    return hashlib.sha256(_ENCODER.encode([meaning, [_meaning_of(given) for given in inputs]])).hexdigest()


def _meaning_of(given: InputReference) -> dict[str, Any]:
    digest = given.blob.sha256 if given.blob is not None else None
    if given.data is not None:
        digest = hashlib.sha256(given.data).hexdigest()
    return {
        "kind": given.kind,
        "role": given.role,
        "bytes": digest,
        "url": given.url,
        "file_id": given.file_id,
        "video_id": given.video_id,
        "name": given.name,
    }

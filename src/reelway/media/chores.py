"""What server and media process say to each other: a chore goes in, one answer comes out, each a length and MessagePack.

Nothing here runs code from the other side: the process that opens hostile files can return facts and nothing else.
"""

from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec

from reelway.core.record import Record
from reelway.media.render import RenderSpec

__all__ = [
    "LENGTH_BYTES",
    "RECEIVED",
    "Answer",
    "Chore",
    "Done",
    "MakePictures",
    "MakeVideo",
    "Mishap",
    "NoRoom",
    "ReadImage",
    "ReadVideo",
    "Unreadable",
    "WarmUp",
    "decode_answer",
    "decode_chore",
    "decode_value",
    "frame",
]

T = TypeVar("T")

LENGTH_BYTES = 4
RECEIVED = b"\x06"
"""Sent by the media process when it begins a chore: a process found dead before that is not the chore's fault."""


class WarmUp(Record, tag=True):
    """Load the libraries, so that the first real chore does not wait for them."""


class ReadImage(Record, tag=True):
    path: Path


class ReadVideo(Record, tag=True):
    path: Path


class MakePictures(Record, tag=True):
    path: Path
    folder: Path


class MakeVideo(Record, tag=True):
    spec: RenderSpec
    target: Path


Chore: TypeAlias = WarmUp | ReadImage | ReadVideo | MakePictures | MakeVideo


class Done(Record, tag=True):
    """The chore's result, encoded."""

    value: bytes


class Unreadable(Record, tag=True):
    """The file is not what it should be."""

    message: str


class NoRoom(Record, tag=True):
    """The result could not be written."""

    message: str


class Mishap(Record, tag=True):
    """Something nobody expected; ours to mend."""

    message: str


Answer: TypeAlias = Done | Unreadable | NoRoom | Mishap


def frame(message: Any) -> bytes:
    """Return the message with its length in front."""
    body = encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def encode(value: Any) -> bytes:
    """Return the value as MessagePack; paths travel as text."""
    return msgspec.msgpack.encode(value, enc_hook=_path_to_text)


def decode_chore(body: bytes) -> Chore:
    chore: Chore = msgspec.msgpack.decode(body, type=Chore, dec_hook=_text_to_path)
    return chore


def decode_answer(body: bytes) -> Answer:
    answer: Answer = msgspec.msgpack.decode(body, type=Answer)
    return answer


def decode_value(body: bytes, kind: type[T]) -> T:
    """Return what `Done` carries."""
    return msgspec.msgpack.decode(body, type=kind, dec_hook=_text_to_path)


def _path_to_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} does not travel to the media process")


def _text_to_path(kind: type, value: Any) -> Any:
    if issubclass(kind, Path):
        return Path(value)
    raise NotImplementedError(f"{kind.__name__} does not travel to the media process")

"""JSON that arrives in pieces and is too large to be held: its texts are told apart from what stands between them.

Vendors put whole videos into JSON as base64. Nothing here looks at more than one piece at a time, so that an answer of 100 MB
costs the memory of a piece, and nothing here judges: what is not JSON passes through as it came.
"""

import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterator
from typing import Literal, TypeAlias

import msgspec

from reelway.core.errors import UnexpectedResponse, VendorUnreachable

__all__ = ["JsonTexts", "LongTextFilter", "decode_base64_text"]

Part: TypeAlias = tuple[Literal["between", "start", "text", "end"], bytes]
"""What stands `between` texts; the `start` of a text, a part of it, still escaped, and its `end`."""

_TEXT = re.compile(rb'(?:[^"\\]++|\\(?:u[0-9A-Fa-f]{4}|[^u]))*+', re.DOTALL)
_LONGEST_ESCAPE = 6
_LONGEST_NAME = 1024
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n"


class JsonTexts:
    """Splits JSON into its texts and the rest. An escape is never split between two parts of a text."""

    def __init__(self) -> None:
        self.inside = False
        """Whether a text has begun and not ended."""
        self.held = b""
        """The beginning of an escape whose end has not arrived."""

    def feed(self, piece: bytes) -> Iterator[Part]:
        """Yield what this piece holds, in order."""
        data, at = self.held + piece, 0
        self.held = b""
        while at < len(data):
            if not self.inside:
                quote = data.find(b'"', at)
                end = len(data) if quote < 0 else quote
                if end > at:
                    yield "between", data[at:end]
                if quote >= 0:
                    self.inside = True
                    yield "start", b""
                at = end + 1
                continue
            end = self._end_of_run(data, at)
            if end > at:
                yield "text", data[at:end]
            at = end
            if at < len(data) and data[at] == ord('"'):
                self.inside = False
                at += 1
                yield "end", b""
            elif at < len(data):
                self.held = data[at:]
                return

    def _end_of_run(self, data: bytes, at: int) -> int:
        """Return where the text ends, or an escape begins that is not here in full."""
        while True:
            match = _TEXT.match(data, at)
            end = at if match is None else match.end()
            is_broken = data[end : end + 1] == b"\\" and len(data) - end >= _LONGEST_ESCAPE
            if not is_broken:
                return end
            at = end + 2  # `\u` without four digits is no JSON: it stays what it is


class LongTextFilter:
    """Leaves long texts out of JSON: an empty one takes the place of each."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._texts = JsonTexts()
        self._text = bytearray()
        self._is_long = False

    def feed(self, piece: bytes) -> bytes:
        """Return what is left of this piece; a text is kept back until its end is known."""
        kept = bytearray()
        for kind, data in self._texts.feed(piece):
            if kind == "between":
                kept += data
            elif kind == "start":
                self._is_long = False
            elif kind == "end":
                kept += b'"%b"' % bytes(self._text)
                self._text.clear()
            elif not self._is_long:
                self._text += data
                self._is_long = len(self._text) > self._limit_bytes
                if self._is_long:
                    self._text.clear()
        return bytes(kept)

    def finish(self) -> bytes:
        """Return the beginning of a text that was cut off, which makes the JSON as broken as it was."""
        return b'"%b%b' % (bytes(self._text), self._texts.held) if self._texts.inside else b""


async def decode_base64_text(pieces: AsyncIterator[bytes], key: str, index: int) -> AsyncIterator[bytes]:
    """Yield the bytes that a text of some JSON stands for: the one under `key` that comes after `index` others of the name.

    Raise `VendorUnreachable` when the JSON breaks off, `UnexpectedResponse` when there is no such text or it is not base64.
    """
    texts, search, decoder = JsonTexts(), _Search(key, index), _Decoder()
    async for piece in pieces:
        for kind, data in texts.feed(piece):
            if not search.is_within(kind, data):
                continue
            if kind == "end":
                yield decoder.finish()
                return
            yield decoder.feed(data)
    if texts.inside:
        raise VendorUnreachable("the answer broke off within the file it carries")
    raise UnexpectedResponse(f"the answer carries no file number {index + 1} under {key!r}")


class _Search:
    """Finds one text among all of them: by the name before it, and how many others have had that name."""

    def __init__(self, key: str, index: int) -> None:
        self._key = key
        self._others_left = index
        self._last = bytearray()
        """The text that was read last: a name, once a colon follows."""
        self._is_named = False
        """Whether what comes next belongs to the name we look for."""
        self._is_found = False

    def is_within(self, kind: Literal["between", "start", "text", "end"], data: bytes) -> bool:
        """Tell whether this is a part, or the end, of the text we look for."""
        match kind:
            case "between":
                self._pass(data.strip(_BLANKS))
            case "start":
                self._last.clear()
                if self._is_named:
                    self._is_found = self._others_left == 0
                    self._others_left -= 1
                self._is_named = False
            case "text" if not self._is_found:
                self._last += data[: _LONGEST_NAME - len(self._last)]
            case _:
                return self._is_found
        return False

    def _pass(self, mark: bytes) -> None:
        """Take note of what stands between two texts; blanks mean nothing, and a piece may end anywhere."""
        if mark:
            self._is_named = mark == b":" and _plain(bytes(self._last)) == self._key.encode()
            self._last.clear()


class _Decoder:
    """Base64 that arrives in pieces, as JSON spells it: `=` may be written `\\u003d`, `/` may be `\\/`."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_padded = False

    def feed(self, text: bytes) -> bytes:
        """Return what can be decoded so far."""
        data = self._rest + _plain(text).translate(_URL_SAFE, _BLANKS)
        whole = len(data) - len(data) % 4
        self._rest = data[whole:]
        return self._decode(data[:whole])

    def finish(self) -> bytes:
        """Return the last bytes; some servers leave the padding out."""
        return self._decode(self._rest + b"=" * (-len(self._rest) % 4)) if self._rest else b""

    def _decode(self, data: bytes) -> bytes:
        padding = data.find(b"=")
        if (data and self._is_padded) or 0 <= padding < len(data) - 2:
            raise UnexpectedResponse("the file in the answer goes on after its end")
        self._is_padded = self._is_padded or padding >= 0
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise UnexpectedResponse(f"the file in the answer is not base64: {error}") from None


def _plain(text: bytes) -> bytes:
    """Return a text without its escapes; one with broken escapes stays as it is."""
    if b"\\" not in text:
        return text
    try:
        return msgspec.json.decode(b'"%b"' % text, type=str).encode()
    except (msgspec.DecodeError, UnicodeError):
        return text

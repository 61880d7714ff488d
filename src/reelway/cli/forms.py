"""The body of a create: JSON while there are no files, otherwise a form that streams them from disk."""

import json
import mimetypes
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelway.cli.exits import CommandFailed, Exit

__all__ = ["Body", "FormFile", "make_body"]

_PIECE_BYTES = 1 << 20


class FormFile(NamedTuple):
    """A local file under the name of a form field."""

    field: str
    path: Path


class Body:
    """A request body of known length that can be sent more than once."""

    def __init__(self, content_type: str, parts: Sequence[bytes | Path]) -> None:
        self.content_type = content_type
        self._parts = parts
        self.length = sum(len(part) if isinstance(part, bytes) else part.stat().st_size for part in parts)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes, a megabyte at a time."""
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            with part.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    yield piece


def make_body(fields: Mapping[str, Any], files: Sequence[FormFile] = ()) -> Body:
    """Return the body for these fields; lists become repeated parts, objects become JSON text."""
    if not files:
        return Body("application/json", [json.dumps(fields).encode()])
    boundary = f"reelway-{secrets.token_hex(12)}"
    parts: list[bytes | Path] = []
    for name, value in fields.items():
        head = _head(boundary, f'form-data; name="{name}"')
        parts += [head + _text(one).encode() + b"\r\n" for one in (value if isinstance(value, list) else [value])]
    for field, path in files:
        if not path.is_file():
            raise CommandFailed(f"{path}: there is no such file; check the path.", Exit.INVALID, param=field)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        name = path.name.replace("\\", "%5C").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        disposition = f'form-data; name="{field}"; filename="{name}"'
        parts += [_head(boundary, disposition, media_type), path, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return Body(f"multipart/form-data; boundary={boundary}", parts)


def _head(boundary: str, disposition: str, media_type: str | None = None) -> bytes:
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    return f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n".encode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

"""Inputs to read: addresses, bytes, uploads."""

import base64

from reelway.core.videos import Blob
from reelway.dialects.spec import Upload

__all__ = ["MP4", "MP4_TEXT", "PNG", "PNG_TEXT", "A", "B", "C", "upload"]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(16)
PNG_TEXT = base64.b64encode(PNG).decode()
MP4_TEXT = base64.b64encode(MP4).decode()
A, B, C = (f"https://files.example.test/{name}.png" for name in "abc")


def upload(name: str = "a.png", media_type: str = "image/png", size: int = 9) -> Upload:
    blob = Blob(key=f"staged/{name or 'none'}", sha256=name, bytes=size, media_type=media_type)
    return Upload(filename=name, media_type=media_type, blob=blob)

"""Files for vendors: addresses under which a vendor fetches an input that it takes by address alone, without a key.

The one rule: nothing is looked up before the signature is checked, so nobody learns what there is by guessing.
"""

import hashlib
from collections.abc import Callable

from reelway.accounts.links import is_file_signed, sign_file
from reelway.assets.spec import AssetStore
from reelway.core.errors import InvalidRequest, NotFound, PermissionDenied
from reelway.core.videos import Blob
from reelway.media.sniff import HEAD_BYTES, sniff
from reelway.service.contents import Content
from reelway.service.inputs import CHARACTER_PREFIX, INPUT_PREFIX

__all__ = ["FILES_PATH", "FileKeeper"]

FILES_PATH = "/files"
_PREFIXES = (INPUT_PREFIX, CHARACTER_PREFIX, "videos/")
_UNKNOWN_TYPE = "application/octet-stream"
_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
}
"""Some vendors tell the type of a file by the end of its address."""


class FileKeeper:
    """Signs addresses of files and opens what is behind them. Without a public address there are none."""

    def __init__(
        self,
        assets: AssetStore,
        secret: bytes,
        *,
        public_url: str | None,
        link_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._assets = assets
        self._secret = secret
        self._public_url = public_url
        self._link_seconds = link_seconds
        self._clock = clock

    def link(self, blob: Blob) -> str:
        """Return an address of this file for a vendor. Raises `InvalidRequest` when vendors cannot reach us."""
        if self._public_url is None:
            raise InvalidRequest(
                "the vendor takes this input by address alone, and this server has no public address: "
                "give the input by URL, or have the operator set REELWAY_PUBLIC_URL",
                code="public_url_required",
            )
        expires = int(self._clock() + self._link_seconds)
        signature = sign_file(self._secret, blob.key, expires)
        name = f"file.{_ENDINGS.get(blob.media_type, 'bin')}"
        return f"{self._public_url}{FILES_PATH}/{expires}/{signature}/{blob.key}/{name}"

    async def open(self, key: str, expires: str, signature: str) -> Content:
        """Find the file behind an address. Raises `PermissionDenied` or `NotFound`."""
        if not is_file_signed(self._secret, key, expires, signature, self._clock()):
            raise PermissionDenied("this link is not signed by this server or its time has passed", code="link_expired")
        size = await self._size(key)
        if size is None:
            raise NotFound("the file behind this link is not kept any more", code="file_not_found")
        head = b"".join([piece async for piece in self._assets.read(key, 0, HEAD_BYTES)])
        media_type = sniff(head) or _UNKNOWN_TYPE
        # Bytes under a key never change, so key and length stand for them.
        digest = hashlib.sha256(f"{key}\n{size}".encode()).hexdigest()
        blob = Blob(key=key, sha256=digest, bytes=size, media_type=media_type)
        filename = f"file.{_ENDINGS.get(media_type, 'bin')}"
        return Content(blob=blob, filename=filename, path=self._assets.local_path(key))

    async def _size(self, key: str) -> int | None:
        """Return the bytes of a file that vendors may fetch, None when there is no such file."""
        if not key.startswith(_PREFIXES):
            return None
        try:
            return await self._assets.size(key)
        except ValueError:  # no key at all
            return None

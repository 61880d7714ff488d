"""Files of finished videos: which one is asked for, whether it can still be had, and the links that open it without a key."""

import base64
from pathlib import Path

from reelway.accounts.links import is_signed, sign_link
from reelway.assets.spec import AssetStore
from reelway.core.errors import NotFound, PermissionDenied
from reelway.core.jobs import Job
from reelway.core.record import Record
from reelway.core.videos import Blob, Output, Variant
from reelway.service.inputs import require_finished

__all__ = ["Content", "ContentKeeper"]

_ENDINGS = {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "image/webp": "webp"} | {
    "image/jpeg": "jpg",
    "image/png": "png",
}


class Content(Record):
    """One file of a finished video, ready to be streamed."""

    blob: Blob
    filename: str
    """For Content-Disposition."""
    path: Path | None
    """The local file, where there is one; else read `Service.read_asset(blob.key, start, stop)`."""


class ContentKeeper:
    """Finds files and signs links to them."""

    def __init__(self, assets: AssetStore, secret: bytes, public_url: str) -> None:
        self._assets = assets
        self._secret = secret
        self._public_url = public_url.rstrip("/")

    def find(self, job: Job, variant: Variant, index: int) -> Content:
        """Return one file. Raises `Conflict`, `Gone` or `NotFound`."""
        require_finished(job)
        if index >= len(job.outputs) or index < 0:
            raise NotFound(
                f"{job.id} has {len(job.outputs)} output(s): index must be from 0 to {len(job.outputs) - 1} (got {index})",
                param="index",
                code="output_not_found",
            )
        blob = job.outputs[index].files.get(variant)
        if blob is None:
            raise NotFound(f"{job.id} has no {variant}", param="variant", code="variant_not_found")
        suffix = "" if variant is Variant.VIDEO else f"-{variant}"
        number = f"-{index}" if len(job.outputs) > 1 else ""
        filename = f"{job.id}{number}{suffix}.{_ENDINGS.get(blob.media_type, 'bin')}"
        return Content(blob=blob, filename=filename, path=self._assets.local_path(blob.key))

    def check(self, video_id: str, variant: Variant, index: int, expires: str, signature: str, now: float) -> None:
        """Raise `PermissionDenied` unless this is a link we signed and its time has not passed."""
        if not is_signed(self._secret, video_id, variant, index, expires, signature, now):
            raise PermissionDenied(
                "this link is not signed by this server or its time has passed; read the video again for a fresh one",
                code="link_expired",
            )

    def link(self, job: Job, index: int, variant: Variant = Variant.VIDEO) -> str | None:
        """Return the address that opens a file of an output until the video expires; None when there is no such file."""
        if job.expires_at is None or job.expired or variant not in job.outputs[index].files:
            return None
        expires = int(job.expires_at)
        signature = sign_link(self._secret, job.id, variant, index, expires)
        path = f"/v1/videos/{job.id}/content?variant={variant}&index={index}&expires={expires}&signature={signature}"
        return self._public_url + path

    async def in_base64(self, job: Job, limit_bytes: int) -> tuple[str, ...]:
        """Return every video of a job as text; nothing when they are larger than that together."""
        if sum(output.bytes for output in job.outputs) > limit_bytes:
            return ()
        texts: list[str] = []
        for output in job.outputs:
            pieces = [piece async for piece in self._assets.read(output.files[Variant.VIDEO].key)]
            texts.append(base64.b64encode(b"".join(pieces)).decode("ascii"))
        return tuple(texts)

    def linked(self, job: Job) -> tuple[Output, ...]:
        """Return the outputs as a caller may see them."""
        return tuple(
            output.evolve(
                url=self.link(job, output.index), last_frame_url=self.link(job, output.index, Variant.LAST_FRAME)
            )
            for output in job.outputs
        )

"""Keeping what a vendor made: streamed to the asset store, hashed, decoded, pictured. Only then is a video completed.

What was rendered was paid for, so a broken download, an expired link or a full disk is tried again for a day; the vendor is asked
for a fresh link in between.
"""

import asyncio
import shutil
from pathlib import Path

import msgspec

from reelway.assets.spec import AssetWriter, Stored
from reelway.core.errors import NotSent, StorageFailed, TooLarge, VendorError, VendorUnreachable
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Job
from reelway.core.lifecycle import Event
from reelway.core.videos import Blob, Output, Variant
from reelway.engine.account import Account
from reelway.engine.tools import Tools, Watch
from reelway.media.spec import MediaUnreadableError, Pictures, VideoFacts
from reelway.telemetry import logger
from reelway.vendors.spec import Adapter, Download, Succeeded, VendorOutput

__all__ = ["Collector"]

_log = logger("engine.collect")
_RESUMES = 4
_LAST_FRAME_BYTES = 64 * 1024 * 1024


class _ResultGone(VendorError):
    """The vendor does not have the result under this address any more."""


class Collector:
    """The step of a rendered job. Returns the seconds until the next step, None when there is none."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def collect(self, watch: Watch) -> float | None:
        """Fetch every output, then complete the job."""
        tools, job = self._tools, watch.job
        account = tools.account(job.route.account) if job.route else None
        adapter = tools.adapters.get(account.vendor) if account else None
        if tools.clock() - (job.rendered_at or job.updated_at) > tools.limits.collect_seconds:
            message = f"{job.request.model} was made, but could not be stored for a day; see the server's log."
            await tools.fail(watch, Failure(kind=FailureKind.MEDIA_INVALID, message=message))
            return None
        if account is None or adapter is None or job.result is None:
            return await self._later(watch, "its account is not configured any more", FailureKind.VENDOR_ERROR)
        found = msgspec.convert(job.result, Succeeded)
        try:
            outputs = [
                await self._keep(job, index, output, adapter, account) for index, output in enumerate(found.outputs)
            ]
        except MediaUnreadableError as error:
            return await self._later(watch, f"the file does not decode: {error}", FailureKind.MEDIA_INVALID)
        except StorageFailed as error:
            _log.error("storage_failed", video_id=job.id, reason=str(error))
            watch.odd += 1
            return tools.backoff(watch.odd)
        except TooLarge as error:
            await tools.fail(watch, Failure(kind=FailureKind.MEDIA_INVALID, message=error.message))
            return None
        except VendorError as error:
            return await self._later(watch, str(error), FailureKind.VENDOR_ERROR)
        await self._complete(watch, tuple(outputs))
        return None

    async def _complete(self, watch: Watch, outputs: tuple[Output, ...]) -> None:
        tools, job, now = self._tools, watch.job, self._tools.clock()
        tools.checkpoint("kept")
        await tools.write(
            watch,
            Event.KEPT,
            detail={"bytes": sum(output.bytes for output in outputs)},
            outputs=outputs,
            progress=100,
            completed_at=now,
            expires_at=now + tools.limits.retention_seconds,
            result=None,
        )
        tools.checkpoint("completed")
        _log.info("job_completed", video_id=job.id, seconds=round(now - job.created_at, 3))

    async def _keep(self, job: Job, index: int, found: VendorOutput, adapter: Adapter, account: Account) -> Output:
        """Store one output and everything made from it, with the vendor's own last frame in place of ours where it gives one."""
        tools = self._tools
        prefix = f"videos/{job.id}/{index}"
        key = f"{prefix}/video.mp4"
        async with tools.assets.writer(key, limit_bytes=tools.limits.output_bytes) as writer:
            await self._download(found.video, adapter, account, writer)
            tools.checkpoint("downloaded")
            stored = await writer.commit()
        path = tools.assets.local_path(key)
        if path is None:
            raise StorageFailed("this asset store has no local files to decode from")
        facts = await tools.media.video_facts(path)
        files = await self._pictures(path, prefix)
        if found.last_frame is not None:
            last_frame = await self._last_frame(found.last_frame, f"{prefix}/last_frame", adapter, account)
            files |= {} if last_frame is None else {Variant.LAST_FRAME: last_frame}
        video = _blob(stored, facts)
        return Output(
            index=index,
            seconds=round(facts.seconds, 3),
            width=facts.width,
            height=facts.height,
            fps=round(facts.fps, 3),
            bytes=stored.bytes,
            sha256=stored.sha256,
            has_audio=facts.has_audio,
            media_type=facts.media_type,
            files={Variant.VIDEO: video, **files},
        )

    async def _last_frame(self, download: Download, key: str, adapter: Adapter, account: Account) -> Blob | None:
        """Store the vendor's own last frame. One that cannot be had costs nobody the video: ours is there already."""
        tools = self._tools
        try:
            async with tools.assets.writer(key, limit_bytes=_LAST_FRAME_BYTES) as writer:
                await self._download(download, adapter, account, writer)
                stored = await writer.commit()
            path = tools.assets.local_path(key)
            facts = None if path is None else await tools.media.image_facts(path)
        except (VendorError, TooLarge, MediaUnreadableError) as error:
            _log.warning("last_frame_lost", account=account.name, reason=str(error))
            return None
        if facts is None:
            return None
        return Blob(
            key=stored.key,
            sha256=stored.sha256,
            bytes=stored.bytes,
            media_type=facts.media_type,
            width=facts.width,
            height=facts.height,
        )

    async def _download(self, download: Download, adapter: Adapter, account: Account, writer: AssetWriter) -> None:
        """Stream into the writer; a break is resumed where it happened when the vendor's server can."""
        for resume in range(_RESUMES):
            start = writer.bytes_written
            expected: int | None = None
            try:
                async with self._tools.driver.open(download, adapter, account, start=start) as stream:
                    if stream.status in {403, 404, 410}:
                        raise _ResultGone(f"{account.name} answered {stream.status} for the result")
                    if stream.status == 200 and start:
                        await writer.restart()
                    elif stream.status not in {200, 206}:
                        raise VendorUnreachable(f"{account.name} answered {stream.status} for the result")
                    base = writer.bytes_written
                    length = stream.headers.get("content-length", "")
                    expected = base + int(length) if length.isdigit() else None
                    async for piece in stream.pieces:
                        await writer.write(piece)
            except (NotSent, VendorUnreachable) as error:
                if resume + 1 == _RESUMES:
                    raise
                _log.info("download_broke", account=account.name, at_byte=writer.bytes_written, reason=str(error))
                await self._tools.pause(self._tools.backoff(resume + 1))
                continue
            if expected is None or writer.bytes_written >= expected:
                return

    async def _pictures(self, path: Path, prefix: str) -> dict[Variant, Blob]:
        """Make and store the pictures. A video that cannot be pictured was refused before."""
        tools = self._tools
        folder = tools.assets.scratch_folder() / tools.token()
        await asyncio.to_thread(folder.mkdir)
        try:
            return await self._store_pictures(await tools.media.pictures(path, folder), prefix)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _store_pictures(self, pictures: Pictures, prefix: str) -> dict[Variant, Blob]:
        files: dict[Variant, Blob] = {}
        for variant, source, media_type in (
            (Variant.THUMBNAIL, pictures.thumbnail, "image/webp"),
            (Variant.SPRITESHEET, pictures.spritesheet, "image/jpeg"),
            (Variant.LAST_FRAME, pictures.last_frame, "image/png"),
        ):
            stored = await self._tools.assets.put_file(f"{prefix}/{source.name}", source)
            files[variant] = Blob(key=stored.key, sha256=stored.sha256, bytes=stored.bytes, media_type=media_type)
        return files

    async def _later(self, watch: Watch, reason: str, kind: FailureKind) -> float | None:
        """Ask the vendor again, for a fresh link or a sound file; in the end, fail with what was wrong."""
        tools, job = self._tools, watch.job
        failures = job.collect_failures + 1
        _log.warning("collect_failed", video_id=job.id, tries=failures, reason=reason)
        if failures >= tools.limits.collect_tries:
            message = f"{job.request.model} was made, but its file could not be kept: {reason}."
            await tools.fail(watch, Failure(kind=kind, message=message))
            return None
        await tools.write(watch, Event.RESULT_LOST, detail={"reason": reason}, collect_failures=failures, result=None)
        return tools.backoff(failures)


def _blob(stored: Stored, facts: VideoFacts) -> Blob:
    return Blob(
        key=stored.key,
        sha256=stored.sha256,
        bytes=stored.bytes,
        media_type=facts.media_type,
        width=facts.width,
        height=facts.height,
        seconds=facts.seconds,
    )

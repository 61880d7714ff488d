"""Keeping what a vendor made: streamed to the asset store, hashed, decoded, pictured. Only then is a video completed.

What was rendered was paid for. So a vendor or a store that cannot be reached, and a full disk, are waited out for a day; a result
that is gone or does not decode is asked for anew a few times. A file gets its key only after it was decoded.
"""

import asyncio
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from reelway.assets.spec import AssetWriter, Stored
from reelway.core.errors import (
    NotSent,
    StorageFailed,
    TooLarge,
    UnexpectedResponse,
    VendorError,
    VendorRefused,
    VendorUnreachable,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Job
from reelway.core.lifecycle import Event
from reelway.core.videos import Blob, Output, Variant
from reelway.engine.account import Account
from reelway.engine.downloading import Downloader, ResultGone
from reelway.engine.parting import forgetting
from reelway.engine.tools import Tools, Watch
from reelway.media.spec import MediaUnreadableError, Pictures
from reelway.telemetry import logger
from reelway.vendors.spec import Adapter, Download, Succeeded, VendorOutput

__all__ = ["Collector"]

_log = logger("engine.collect")
_HURRIED_TRIES = 10
_PATIENCE = 10
"""Once it was tried so often, the pauses are so many times longer: five minutes at most."""
_LAST_FRAME_BYTES = 64 * 1024 * 1024


class Collector:
    """The step of a rendered job. Returns the seconds until the next step, None when there is none."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._downloader = Downloader(tools)

    async def collect(self, watch: Watch) -> float | None:
        """Fetch every output that is not stored yet, then complete the job."""
        tools, job = self._tools, watch.job
        if self.is_overdue(job):
            await self.give_up(watch)
            return None
        account = tools.account_of(job)
        adapter = tools.adapters.get(account.vendor) if account else None
        if account is None or adapter is None or job.result is None:
            # It was paid for, and the operator may bring the account back.
            return await self._wait(watch, "collect_waits", "its account is not configured any more")
        try:
            return await self._keep_all(watch, adapter, account)
        except StorageFailed as error:
            return await self._wait(watch, "storage_failed", str(error))
        except (NotSent, VendorUnreachable, VendorRefused) as error:
            return await self._wait(watch, "download_failed", str(error))
        except TooLarge:
            limit = tools.limits.output_bytes
            message = f"{job.request.model} was made, but its file is larger than the {limit:,} bytes allowed here."
            await tools.fail(watch, Failure(kind=FailureKind.MEDIA_INVALID, message=message))
            return None

    def is_overdue(self, job: Job) -> bool:
        """Tell whether a rendered result was tried to be kept for long enough."""
        return self._tools.clock() - (job.rendered_at or job.updated_at) > self._tools.limits.collect_seconds

    async def give_up(self, watch: Watch) -> None:
        """Fail a job whose result could not be kept in time."""
        message = f"{watch.job.request.model} was made, but could not be stored for a day; see the server's log."
        await self._tools.fail(watch, Failure(kind=FailureKind.MEDIA_INVALID, message=message))

    async def _keep_all(self, watch: Watch, adapter: Adapter, account: Account) -> float | None:
        """Store the outputs one after another. One that is broken keeps none of the others from being stored, once and for all."""
        trouble: tuple[str, FailureKind] | None = None
        for index in range(len(_outputs(watch.job))):
            if any(kept.index == index for kept in watch.job.kept):
                continue
            try:
                kept = await self._keep(watch, index, adapter, account)
            except MediaUnreadableError as error:
                trouble = trouble or (f"the file does not decode: {error}", FailureKind.MEDIA_INVALID)
            except (ResultGone, UnexpectedResponse) as error:
                trouble = trouble or (str(error), FailureKind.VENDOR_ERROR)
            else:
                watch.job = watch.job.evolve(kept=(*watch.job.kept, kept))
        if trouble is not None:
            return await self._later(watch, *trouble)
        await self._complete(watch, tuple(sorted(watch.job.kept, key=lambda output: output.index)), adapter, account)
        return None

    async def _complete(self, watch: Watch, outputs: tuple[Output, ...], adapter: Adapter, account: Account) -> None:
        tools, job, now = self._tools, watch.job, self._tools.clock()
        errand = forgetting(job, adapter, account, now) if account.delete_after_collect else None
        tools.checkpoint("kept")
        await tools.write(
            watch,
            Event.KEPT,
            detail={"bytes": sum(output.bytes for output in outputs)},
            errands=() if errand is None else (errand,),
            outputs=outputs,
            kept=(),
            progress=100,
            completed_at=now,
            # A take's files are shown as its video's, and go with them.
            expires_at=None if job.parent else now + tools.limits.retention_seconds,
            result=None,
            vendor_copy="kept" if errand is None else "deleting",
        )
        tools.checkpoint("completed")
        _log.info("job_completed", video_id=job.id, seconds=round(now - job.created_at, 3))

    async def _keep(self, watch: Watch, index: int, adapter: Adapter, account: Account) -> Output:
        """Store one output and everything made from it, with the vendor's own last frame in place of ours where it gives one.

        The keys are new each time. So what a node commits that was frozen meanwhile, and is not the owner any more, lies beside
        what the record names, never in its place; the sweeper finds it.
        """
        tools = self._tools
        prefix = f"videos/{watch.job.id}/{index}/{tools.token()}"
        async with tools.assets.writer(f"{prefix}/video.mp4", limit_bytes=tools.limits.output_bytes) as writer:
            found = await self._fetch(watch, index, adapter, account, writer)
            tools.checkpoint("downloaded")
            await writer.flush()
            facts = await tools.media.video_facts(writer.path)
            files = await self._pictures(writer.path, prefix)
            if found.last_frame is not None:
                last_frame = await self._last_frame(watch, index, f"{prefix}/vendors_last_frame", adapter, account)
                files |= {} if last_frame is None else {Variant.LAST_FRAME: last_frame}
            stored = await self._within_time(writer.commit())
        tools.checkpoint("stored")
        video = stored.as_blob(facts.media_type, width=facts.width, height=facts.height, seconds=facts.seconds)
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

    async def _fetch(
        self, watch: Watch, index: int, adapter: Adapter, account: Account, writer: AssetWriter
    ) -> VendorOutput:
        """Write an output's file; return where everything of it lies now."""

        async def renew() -> Download:
            await self._look_again(watch, index, adapter, account)
            return _outputs(watch.job)[index].video

        video = _outputs(watch.job)[index].video
        await self._downloader.fetch(video, adapter, account, writer, renew=renew)
        return _outputs(watch.job)[index]

    async def _look_again(self, watch: Watch, index: int, adapter: Adapter, account: Account) -> None:
        """Ask the vendor for fresh links; they serve the outputs after this one, too."""
        try:
            status = await self._tools.driver.run(adapter.check(watch.job.operation or {}), adapter, account)
        except UnexpectedResponse as error:
            raise VendorUnreachable(f"{account.name} gave no fresh link: {error}") from error
        if not isinstance(status, Succeeded) or index >= len(status.outputs):
            raise ResultGone(f"{account.name} does not name the result any more")
        _log.info("links_renewed", video_id=watch.job.id, account=account.name)
        watch.job = watch.job.evolve(result=msgspec.to_builtins(status))

    async def _last_frame(self, watch: Watch, index: int, key: str, adapter: Adapter, account: Account) -> Blob | None:
        """Store the vendor's own last frame. One that cannot be had costs nobody the video: ours is there already."""

        def where() -> Download:
            download = _outputs(watch.job)[index].last_frame
            if download is None:
                raise ResultGone(f"{account.name} does not name the last frame any more")
            return download

        async def renew() -> Download:
            await self._look_again(watch, index, adapter, account)
            return where()

        tools = self._tools
        try:
            async with tools.assets.writer(key, limit_bytes=_LAST_FRAME_BYTES) as writer:
                await self._downloader.fetch(where(), adapter, account, writer, renew=renew)
                await writer.flush()
                facts = await tools.media.image_facts(writer.path)
                stored = await self._within_time(writer.commit())
        except (VendorError, TooLarge, MediaUnreadableError) as error:
            _log.warning("last_frame_lost", account=account.name, reason=str(error))
            return None
        return stored.as_blob(facts.media_type, width=facts.width, height=facts.height)

    async def _within_time(self, storing: Coroutine[Any, Any, Stored]) -> Stored:
        """Return what was stored. An asset store that hangs must not hold the place of other downloads for ever."""
        seconds = self._tools.limits.store_seconds
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await storing
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StorageFailed(f"the asset store did not take a file within {seconds:g} s") from error

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
            stored = await self._within_time(self._tools.assets.put_file(f"{prefix}/{source.name}", source))
            files[variant] = stored.as_blob(media_type)
        return files

    async def _wait(self, watch: Watch, what: str, reason: str) -> float:
        """Try again after a pause, as often as the day is long; the first of several times goes into the video's story."""
        tools = self._tools
        watch.odd += 1
        _log.error(what, video_id=watch.job.id, tries=watch.odd, reason=reason)
        if watch.odd == 1:
            await tools.write(watch, None, name=what, detail={"reason": reason})
        return tools.backoff(watch.odd) * (1 if watch.odd < _HURRIED_TRIES else _PATIENCE)

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


def _outputs(job: Job) -> tuple[VendorOutput, ...]:
    return msgspec.convert(job.result, Succeeded).outputs

"""Inputs before they are believed: every file is kept, told apart by its bytes, and measured, before anything is charged."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from yarl import URL

from reelway.assets.spec import AssetStore
from reelway.core.errors import CallerError, Conflict, Gone, InvalidRequest, MediaUnreadable, NotFound
from reelway.core.jobs import Job
from reelway.core.keys import Caller
from reelway.core.lifecycle import State
from reelway.core.videos import Blob, InputReference, MediaKind, Role, Variant, VideoRequest
from reelway.media.sniff import sniff
from reelway.media.spec import MediaUnreadableError, MediaWorker
from reelway.network.guard import AddressRefused, check_url
from reelway.store.spec import JobStore

__all__ = ["CHARACTER_PREFIX", "INPUT_PREFIX", "InputKeeper", "require_finished"]

INPUT_PREFIX = "inputs/"
"""Where files given by callers lie until retention takes them."""

CHARACTER_PREFIX = "characters/"
"""Where the pictures of characters lie until their owner deletes them."""

_HEAD_BYTES = 64
_URL_LIMIT = 8192
_VIDEO_ENDINGS = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".mpeg", ".mpg", ".m4v")
_AUDIO_ENDINGS = (".wav", ".mp3", ".m4a", ".aac", ".ogg", ".flac")


class InputKeeper:
    """Keeps and measures what callers give."""

    def __init__(
        self,
        *,
        store: JobStore,
        assets: AssetStore,
        media: MediaWorker,
        new_key: Callable[[], str],
        limit_bytes: int,
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._assets = assets
        self._media = media
        self._new_key = new_key
        self._limit_bytes = limit_bytes
        self._allowed_hosts = allowed_hosts

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        """Stream a file into the asset store. Raises `TooLarge`."""
        async with self._assets.writer(self._new_key(), limit_bytes=self._limit_bytes) as writer:
            async for piece in pieces:
                await writer.write(piece)
            stored = await writer.commit()
        return stored.as_blob(media_type)

    async def unstage(self, blob: Blob) -> None:
        """Remove a staged file whose request came to nothing."""
        await self._assets.delete(blob.key)

    async def settle(self, request: VideoRequest, caller: Caller) -> VideoRequest:
        """Return the request with every input measured and our own videos looked up. Leaves no file when it is refused."""
        inputs = await self.settle_all(request.inputs, caller)
        if request.source_video_id is not None:
            try:
                source = await self._own_video(request.source_video_id, caller)
            except CallerError:
                await self.discard(inputs)
                raise
            inputs = (*inputs, _source_input(source))
        return request.evolve(inputs=inputs)

    async def settle_all(self, given: Iterable[InputReference], caller: Caller) -> tuple[InputReference, ...]:
        """Return the inputs measured, and our own videos looked up. Leaves no file when one of them is refused."""
        inputs: list[InputReference] = []
        try:
            for one in given:
                inputs.append(await self._keep(one))
                inputs[-1] = await self._settle_one(inputs[-1], caller)
        except CallerError:
            await self.discard(inputs)
            raise
        return tuple(inputs)

    async def discard(self, inputs: Iterable[InputReference]) -> None:
        """Remove the files of inputs that came to nothing; videos and characters they only refer to stay."""
        for given in inputs:
            if given.blob is not None and given.blob.key.startswith(INPUT_PREFIX):
                await self._assets.delete(given.blob.key)

    async def _keep(self, given: InputReference) -> InputReference:
        """Return the input with bytes that came inside the request in a file."""
        if given.data is None:
            return given
        blob = await self.stage(_once(given.data), given.media_type or "application/octet-stream")
        return given.evolve(data=None, blob=blob)

    async def _settle_one(self, given: InputReference, caller: Caller) -> InputReference:
        if given.blob is not None:
            return await self._measure(given, given.blob)
        if given.url is not None:
            return self._address(given, given.url)
        if given.video_id is not None:
            source = await self._own_video(given.video_id, caller)
            return given.evolve(kind=MediaKind.VIDEO, blob=source.outputs[0].files[Variant.VIDEO], video_id=None)
        return given if given.kind else given.evolve(kind=MediaKind.IMAGE)

    async def _measure(self, given: InputReference, blob: Blob) -> InputReference:
        if blob.bytes == 0:
            raise MediaUnreadable(
                f"{given.field} is an empty file; send the bytes of an image or a video", param=given.field
            )
        head = b"".join([piece async for piece in self._assets.read(blob.key, 0, _HEAD_BYTES)])
        media_type = sniff(head)
        if media_type is None:
            raise MediaUnreadable(
                f"{given.field} is not an image, video or audio file that can be read (its bytes decide, not its name)",
                param=given.field,
            )
        kind = MediaKind(media_type.partition("/")[0])
        if given.kind not in {None, kind}:
            raise MediaUnreadable(f"{given.field} must be of kind {given.kind} (got {media_type})", param=given.field)
        try:
            async with self._assets.local_copy(blob.key) as path:
                blob = await self._with_facts(blob, kind, media_type, path)
        except MediaUnreadableError as error:
            raise MediaUnreadable(f"{given.field} cannot be read: {error}", param=given.field) from error
        return given.evolve(kind=kind, blob=blob, media_type=blob.media_type)

    async def _with_facts(self, blob: Blob, kind: MediaKind, media_type: str, path: Path) -> Blob:
        if kind is MediaKind.IMAGE:
            image = await self._media.image_facts(path)
            return blob.evolve(media_type=image.media_type, width=image.width, height=image.height)
        facts = await self._media.video_facts(path)
        return blob.evolve(
            media_type=media_type, width=facts.width or None, height=facts.height or None, seconds=facts.seconds
        )

    def check_address(self, field: str, url: str) -> URL:
        """Return the parsed URL, or raise `InvalidRequest` for one that outsiders may not send us to."""
        if len(url) > _URL_LIMIT:
            raise InvalidRequest(f"{field} is an address of more than {_URL_LIMIT} characters", param=field)
        try:
            return check_url(url, allowed_hosts=self._allowed_hosts)
        except AddressRefused as error:
            raise InvalidRequest(f"{field} is refused: {error}", param=field, code="url_refused") from error

    def _address(self, given: InputReference, url: str) -> InputReference:
        path = self.check_address(given.field, url).path.lower()
        if given.kind is not None:
            return given
        if path.endswith(_VIDEO_ENDINGS):
            return given.evolve(kind=MediaKind.VIDEO)
        return given.evolve(kind=MediaKind.AUDIO if path.endswith(_AUDIO_ENDINGS) else MediaKind.IMAGE)

    async def _own_video(self, video_id: str, caller: Caller) -> Job:
        job = await self._store.get(video_id)
        if job is None or job.tenant != caller.tenant or job.parent is not None:
            raise NotFound(f"there is no video {video_id!r}", param="video", code="video_not_found")
        require_finished(job)
        return job


def require_finished(job: Job) -> None:
    """Raise what a caller should hear whose video has no bytes: not yet, never, or not any more."""
    if not job.is_final:
        raise Conflict(f"{job.id} is not finished yet; wait until its status is completed", code="video_not_ready")
    if job.state is not State.COMPLETED:
        raise Conflict(
            f"{job.id} has no content: {job.failure.message if job.failure else 'it failed'}", code="video_failed"
        )
    if job.expired:
        raise Gone(f"the content of {job.id} has expired and was removed; create the video again", code="video_expired")


def _source_input(source: Job) -> InputReference:
    blob = source.outputs[0].files[Variant.VIDEO]
    return InputReference(field="video", kind=MediaKind.VIDEO, role=Role.SOURCE, blob=blob, media_type=blob.media_type)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data

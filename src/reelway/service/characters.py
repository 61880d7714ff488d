"""Characters: kept with files of their own, and put among the inputs of a create that names them.

The one rule: no file without an owner. An errand to remove a character's files is on record before the first of them is written;
keeping the character ends it, and deleting the character plans it anew.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from reelway.assets.spec import AssetStore
from reelway.catalog.catalog import Catalog
from reelway.catalog.spec import ModelCard
from reelway.catalog.subjects import check_subject, no_subjects, uncalled
from reelway.core.characters import Character
from reelway.core.errands import Errand, RemoveBytes
from reelway.core.errors import CallerError, InvalidRequest, MediaUnreadable, NotFound
from reelway.core.ids import is_id
from reelway.core.keys import Caller
from reelway.core.videos import Blob, InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.spec import CreateCharacter, Deleted
from reelway.engine.fetcher import Fetcher
from reelway.media.spec import MediaUnreadableError, MediaWorker
from reelway.service.claims import claim_for
from reelway.service.inputs import CHARACTER_PREFIX, InputKeeper
from reelway.service.reading import require
from reelway.store.spec import IdempotencyClaim, JobStore

__all__ = ["CharacterKeeper"]

_MAKING_SECONDS = 3_600.0
"""Far more than the files of one character take; then what was left behind is removed."""


class CharacterKeeper:
    """Makes, shows and deletes characters, and finds those that a create names."""

    def __init__(
        self,
        *,
        store: JobStore,
        assets: AssetStore,
        inputs: InputKeeper,
        fetcher: Fetcher,
        media: MediaWorker,
        catalog: Catalog,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        limit_bytes: int,
    ) -> None:
        self._store = store
        self._assets = assets
        self._inputs = inputs
        self._fetcher = fetcher
        self._media = media
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._limit_bytes = limit_bytes

    async def create(
        self, call: CreateCharacter, caller: Caller, *, idempotency_key: str | None, body_hash: str
    ) -> Character:
        """Keep a character; of a request that comes again with its key, the one it made the first time."""
        require(caller, "create")
        now = self._clock()
        claim = claim_for(caller, now, idempotency_key=idempotency_key, body_hash=body_hash, sending=None)
        earlier = None if claim is None else await self._store.answered_character(claim, now)
        if earlier is not None:
            await self._inputs.discard(call.inputs)
            return earlier
        settled = await self._inputs.settle_all(call.inputs, caller)
        try:
            settled = await self._gather(settled, caller)
            return await self._keep(call.name, settled, caller, now, claim)
        finally:
            await self._inputs.discard(settled)

    async def _keep(
        self, name: str, shown: tuple[InputReference, ...], caller: Caller, now: float, claim: IdempotencyClaim | None
    ) -> Character:
        character = Character(
            id=self._new_id(), tenant=caller.tenant, key_id=caller.key_id, name=name, pictures=(), created_at=now
        )
        removal = _removal(character.id, now, due_at=now + _MAKING_SECONDS)
        await self._store.plan_errand(removal)
        try:
            pictures = await self._write(character.id, shown)
            kept = await self._store.add_character(character.evolve(pictures=pictures), ends=removal, idempotency=claim)
        except CallerError:
            await self._clear(removal)
            raise
        if kept.replayed:  # a request with the same key was quicker
            await self._clear(removal)
        return kept

    async def read(self, character_id: str, caller: Caller) -> Character:
        """Return one of the caller's own."""
        require(caller, "read")
        return await self._own(character_id, caller, "character_id")

    async def delete(self, character_id: str, caller: Caller) -> Deleted:
        """Remove a character and its files. A video that names it and was not sent to its vendor yet cannot be made any more."""
        require(caller, "create")
        character = await self._own(character_id, caller, "character_id")
        removal = _removal(character.id, self._clock())
        if not await self._store.remove_character(character.id, removal):
            raise _not_found(character_id, "character_id")
        await self._clear(removal)
        return Deleted(id=character.id)

    async def _clear(self, removal: Errand) -> None:
        """Do at once what an errand would do later."""
        await self._assets.delete_under(f"{CHARACTER_PREFIX}{removal.job_id}")
        await self._store.errand_done(removal.id)

    async def put_in(self, request: VideoRequest, card: ModelCard, caller: Caller) -> VideoRequest:
        """Return the request with the pictures of its characters among its inputs, by the names that prompts call them."""
        if not card.subjects:
            raise no_subjects(self._catalog.cards, request.model)
        inputs, warnings = list(request.inputs), list(request.warnings)
        taken = {given.name: given.field for given in inputs if given.name}
        for place, character_id in enumerate(request.characters):
            field = f"characters[{place}]"
            character = await self._own(character_id, caller, field)
            if character.name in taken:
                raise InvalidRequest(
                    f"{field} has the name of {taken[character.name]}, {character.name}; "
                    "the prompt could not tell them apart",
                    param=field,
                )
            taken[character.name] = field
            inputs += _shown(character, field)
            warnings += uncalled(request.prompt, character.name, field)
        return request.evolve(inputs=tuple(inputs), warnings=tuple(warnings))

    async def _own(self, character_id: str, caller: Caller, field: str) -> Character:
        """Return the caller's own character; another tenant's does not exist."""
        character = await self._store.character(character_id) if is_id("char", character_id) else None
        if character is None or character.tenant != caller.tenant:
            raise _not_found(character_id, field)
        return character

    async def _gather(self, given: tuple[InputReference, ...], caller: Caller) -> tuple[InputReference, ...]:
        """Return everything as bytes that some model can be shown: what has an address is fetched, as it may not stay there."""
        found: list[InputReference] = []
        for one in given:
            if one.url is not None:
                blob = await self._fetcher.fetch(one.url, field=one.field)
                (one,) = await self._inputs.settle_all((one.evolve(url=None, blob=blob),), caller)
            if one.blob is None:
                raise InvalidRequest(f"{one.field} must be a file or an address that can be fetched", param=one.field)
            found.append(one)
        return tuple(found)

    async def _write(self, character_id: str, given: tuple[InputReference, ...]) -> tuple[Blob, ...]:
        """Put the pictures under keys of the character, stills in place of a video."""
        prefix = f"{CHARACTER_PREFIX}{character_id}"
        pictures: list[InputReference] = []
        for one in given:
            blob = _held(one)
            if one.kind is MediaKind.VIDEO:
                pictures += await self._stills(one, blob, prefix, len(pictures))
            else:
                copied = await self._copy(blob, f"{prefix}/{len(pictures)}")
                pictures.append(one.evolve(blob=copied))
        check_subject(pictures, self._catalog.cards)
        return tuple(_held(one) for one in pictures)

    async def _copy(self, blob: Blob, key: str) -> Blob:
        async with self._assets.writer(key, limit_bytes=self._limit_bytes) as writer:
            async for piece in self._assets.read(blob.key):
                await writer.write(piece)
            await writer.commit()
        return blob.evolve(key=key)

    async def _stills(self, given: InputReference, blob: Blob, prefix: str, start: int) -> list[InputReference]:
        """Return two stills of a video: the one that shows most, and the last."""
        stills: list[InputReference] = []
        try:
            with tempfile.TemporaryDirectory(dir=self._assets.scratch_folder()) as folder:
                async with self._assets.local_copy(blob.key) as path:
                    made = await self._media.pictures(path, Path(folder))
                for place, still in enumerate((made.thumbnail, made.last_frame), start=start):
                    facts = await self._media.image_facts(still)
                    stored = await self._assets.put_file(f"{prefix}/{place}", still)
                    picture = stored.as_blob(facts.media_type, width=facts.width, height=facts.height)
                    stills.append(given.evolve(kind=MediaKind.IMAGE, blob=picture, media_type=facts.media_type))
        except MediaUnreadableError as error:
            raise MediaUnreadable(f"{given.field} cannot be read: {error}", param=given.field) from error
        return stills


def _shown(character: Character, field: str) -> tuple[InputReference, ...]:
    return tuple(
        InputReference(
            field=field,
            kind=MediaKind.IMAGE,
            role=Role.REFERENCE,
            blob=picture,
            media_type=picture.media_type,
            name=character.name,
        )
        for picture in character.pictures
    )


def _held(given: InputReference) -> Blob:
    if given.blob is None:
        raise AssertionError(f"{given.field}: bytes were to be here by now")
    return given.blob


def _removal(character_id: str, now: float, *, due_at: float | None = None) -> Errand:
    work = RemoveBytes(prefixes=(f"{CHARACTER_PREFIX}{character_id}",))
    due = now if due_at is None else due_at
    return Errand(id=f"character:{character_id}", work=work, created_at=now, due_at=due, job_id=character_id)


def _not_found(character_id: str, param: str) -> NotFound:
    return NotFound(f"there is no character {character_id[:80]!r}", param=param, code="character_not_found")

"""Characters: what is kept of them, whose they are, and what becomes of their files, whoever dies where."""

from pathlib import Path
from typing import Any

import pytest
from tests.engine.scripted import Eyes, Stage

from reelway.assets.folder import FolderAssets
from reelway.core.characters import Character
from reelway.core.errors import CallerError, Conflict, InvalidRequest, NotFound, PermissionDenied
from reelway.core.keys import Caller
from reelway.core.videos import InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.spec import CreateCharacter
from reelway.engine.cleaner import Cleaner
from reelway.media.spec import ImageFacts, VideoFacts
from reelway.service import Service
from reelway.store.sqlite import SqliteStore

CALLER = Caller(tenant="default", key_id="key")
STRANGER = Caller(tenant="other", key_id="their_key")
VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(64)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def every_picture_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are large enough for a subject unless they say otherwise."""

    async def image_facts(self: Eyes, path: Path) -> ImageFacts:
        side = 64 if path.read_bytes().endswith(b"small") else 640
        return ImageFacts(media_type="image/png", width=side, height=side)

    async def video_facts(self: Eyes, path: Path) -> VideoFacts:
        return VideoFacts(
            media_type="video/mp4", seconds=3.0, width=640, height=640, fps=24.0, has_audio=True, codec="h264"
        )

    monkeypatch.setattr(Eyes, "image_facts", image_facts)
    monkeypatch.setattr(Eyes, "video_facts", video_facts)


def given(*files: bytes, kind: MediaKind = MediaKind.IMAGE) -> tuple[InputReference, ...]:
    return tuple(
        InputReference(field=f"images[{number}]", kind=kind, role=Role.REFERENCE, data=data)
        for number, data in enumerate(files)
    )


async def keep(
    service: Service,
    name: str = "Mira",
    *,
    shown: tuple[InputReference, ...] = given(PICTURE),
    caller: Caller = CALLER,
    key: str | None = None,
    body: str = "",
) -> Character:
    call = CreateCharacter(name=name, inputs=shown)
    return await service.characters.create(call, caller, idempotency_key=key, body_hash=body)


def files(stage: Stage, prefix: str = "characters") -> list[Path]:
    return [path for path in (stage.folder / "assets" / prefix).rglob("*") if path.is_file()]


def asked(*characters: Character | str, model: str = "viduq3-turbo", **fields: Any) -> VideoRequest:
    ids = tuple(one if isinstance(one, str) else one.id for one in characters)
    return VideoRequest(model=model, characters=ids, **{"prompt": "@Mira and @Otto bake bread", **fields})


async def named(service: Service, request: VideoRequest, **options: Any) -> list[tuple[str, str]]:
    """Return name and role of each input of a quote."""
    quote = await service.quote(request, CALLER, **options)
    return [(one.get("name"), one["role"]) for one in quote["request"]["inputs"]]


async def test_a_character_has_files_of_its_own(service: Service, stage: Stage) -> None:
    """What was uploaded is let go of, and no errand is left to remove what is kept."""
    made = await keep(service, shown=given(PICTURE, PICTURE + b"2"))

    assert await service.characters.read(made.id, CALLER) == made
    assert made.id.startswith("char_")
    assert sorted(path.read_bytes() for path in files(stage)) == [PICTURE, PICTURE + b"2"]
    assert files(stage, "inputs") == []
    assert await stage.store.errands(made.id) == ()


async def test_a_video_becomes_two_stills(service: Service, stage: Stage) -> None:
    """OpenAI's own clients send one; models take pictures."""
    made = await keep(service, shown=given(VIDEO, kind=MediaKind.VIDEO))

    assert [picture.media_type for picture in made.pictures] == ["image/png"] * 2
    assert len(files(stage)) == 2
    assert await named(service, asked(made)) == [("Mira", "reference")] * 2


@pytest.mark.parametrize(
    "shown",
    [
        given(PICTURE, PICTURE + b"small"),
        given(*[PICTURE] * 4),
        given(PICTURE, b"no picture at all"),
        given(PICTURE, VIDEO),
        (*given(PICTURE), InputReference(field="images[1]", kind=MediaKind.IMAGE, file_id="file-1")),
        (*given(PICTURE), InputReference(field="images[1]", kind=MediaKind.IMAGE, url="http://10.1.2.3/a.png")),
    ],
)
async def test_a_refused_character_leaves_nothing(
    service: Service, stage: Stage, shown: tuple[InputReference, ...]
) -> None:
    """No file, and nothing to be removed later."""
    with pytest.raises(CallerError):
        await keep(service, shown=shown)
    assert files(stage) == files(stage, "inputs") == []
    left = await stage.store.due_errands(stage.clock() + 1e9, 9, stage.clock() + 2e9)
    assert [errand.id for errand in left if errand.id.startswith("character:")] == []


async def test_a_repeated_key_is_one_character(service: Service, stage: Stage) -> None:
    """The second answer is the first; another body is a conflict."""
    first = await keep(service, key="once", body="a")
    again = await keep(service, key="once", body="a")

    assert (again.id, again.replayed) == (first.id, True)
    assert len(files(stage)) == 1
    assert files(stage, "inputs") == []
    with pytest.raises(Conflict):
        await keep(service, key="once", body="b")


async def test_two_at_once_with_one_key_are_one_character(
    service: Service, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower one finds it made, and clears its own files away."""
    quick = await keep(service, key="once", body="a")

    async def unseen(self: SqliteStore, claim: object, now: float) -> None:
        return None

    monkeypatch.setattr(SqliteStore, "answered_character", unseen)
    slow = await keep(service, key="once", body="a")
    assert (slow.id, slow.replayed) == (quick.id, True)
    assert len(files(stage)) == 1


async def test_another_tenants_character_does_not_exist(service: Service) -> None:
    """To read, to delete, or to be named in a create."""
    made = await keep(service)
    calls = (
        service.characters.read(made.id, STRANGER),
        service.characters.delete(made.id, STRANGER),
        service.quote(asked(made), STRANGER),
        service.create(asked("char_nobody"), CALLER),
    )
    for call in calls:
        with pytest.raises(NotFound) as caught:
            await call
        assert caught.value.code == "character_not_found"
    assert await service.characters.read(made.id, CALLER) == made


async def test_a_key_needs_its_scope(service: Service) -> None:
    """To make one and to delete one, as for videos."""
    made, reader = await keep(service), CALLER.evolve(scopes=("read",))
    for call in (keep(service, caller=reader), service.characters.delete(made.id, reader)):
        with pytest.raises(PermissionDenied):
            await call
    assert await service.characters.read(made.id, reader) == made


async def test_a_create_gets_the_pictures_by_name(service: Service) -> None:
    """Beside references of the caller's own."""
    mira, otto = await keep(service, shown=given(PICTURE, PICTURE)), await keep(service, "Otto")
    extra = InputReference(field="images[0]", kind=MediaKind.IMAGE, role=Role.REFERENCE, data=PICTURE)

    found = await named(service, asked(mira, otto, inputs=(extra,)), strict=True)
    assert found == [(None, "reference"), *[("Mira", "reference")] * 2, ("Otto", "reference")]


async def test_a_model_without_subjects_says_which_have_them(service: Service, stage: Stage) -> None:
    """And leaves no file of the request behind."""
    made = await keep(service)
    request = asked(made, model="sora-2", inputs=given(PICTURE))
    with pytest.raises(InvalidRequest, match="models that have: viduq3-turbo") as caught:
        await service.create(request, CALLER)
    assert caught.value.code == "characters_not_supported"
    assert files(stage, "inputs") == []


async def test_a_prompt_that_calls_nobody_is_warned_about(service: Service) -> None:
    """And refused with `Reelway-Strict`."""
    made = await keep(service)
    quote = await service.quote(asked(made, prompt="Mira bakes bread"), CALLER)
    assert [warning["field"] for warning in quote["warnings"]] == ["characters[0]"]
    with pytest.raises(InvalidRequest, match="write @Mira"):
        await service.quote(asked(made, prompt="Mira bakes bread"), CALLER, strict=True)


async def test_names_are_told_apart(service: Service) -> None:
    """Two characters of one name, or a reference with the name of a character, could not be."""
    made, twin = await keep(service), await keep(service)
    shown = InputReference(field="images[0]", kind=MediaKind.IMAGE, role=Role.REFERENCE, data=PICTURE, name="Mira")
    for request in (asked(made, twin), asked(made, inputs=(shown,))):
        with pytest.raises(InvalidRequest, match="tell them apart"):
            await service.quote(request, CALLER)


async def test_a_deleted_character_is_gone_with_its_files(service: Service, stage: Stage) -> None:
    """At once, and no errand is left."""
    made, other = await keep(service), await keep(service)
    assert (await service.characters.delete(made.id, CALLER)).id == made.id

    with pytest.raises(NotFound):
        await service.characters.read(made.id, CALLER)
    assert [path.parent.name for path in files(stage)] == [other.id]
    assert await stage.store.errands(made.id) == ()


async def test_who_dies_while_a_character_is_made_leaves_no_file_for_good(
    service: Service, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The errand was on record before the first file; it runs when the making can no longer be under way."""

    async def die(self: SqliteStore, *arguments: object, **named: object) -> Character:
        raise Killed

    monkeypatch.setattr(SqliteStore, "add_character", die)
    with pytest.raises(Killed):
        await keep(service)
    assert len(files(stage)) == 1
    await Cleaner(stage.tools).clean()
    assert len(files(stage)) == 1
    stage.now += 3_700
    await Cleaner(stage.tools).clean()
    assert files(stage) == []


async def test_who_dies_while_a_character_is_deleted_leaves_no_file(
    service: Service, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is gone, and the removal of its files was written with that."""
    made = await keep(service)

    async def die(self: FolderAssets, prefix: str) -> int:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(FolderAssets, "delete_under", die)
        with pytest.raises(Killed):
            await service.characters.delete(made.id, CALLER)
    with pytest.raises(NotFound):
        await service.characters.read(made.id, CALLER)
    assert len(files(stage)) == 1
    await Cleaner(stage.tools).clean()
    assert files(stage) == []


async def test_retention_of_inputs_leaves_characters_alone(service: Service, stage: Stage) -> None:
    """They are kept until their owner deletes them."""
    made = await keep(service)
    stage.now += 1e9
    await Cleaner(stage.tools).clean()
    assert len(files(stage)) == 1
    assert await named(service, asked(made)) == [("Mira", "reference")]

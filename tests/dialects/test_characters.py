"""Characters in the OpenAI dialect: what making one may say, and what is shown of it."""

from typing import Any

import pytest
from tests.dialects.inputs import PNG_TEXT

from reelway.core.characters import Character
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Blob, MediaKind, Role
from reelway.dialects.openai_videos import make_dialect
from reelway.dialects.spec import (
    CreateCharacter,
    DeleteCharacter,
    Deleted,
    Endpoint,
    FormField,
    Incoming,
    ReadCharacter,
    Upload,
)

PICTURE = "https://media.example.test/mira.png"
MIRA = Character(id="char_1", tenant="t", key_id="k", name="Mira", pictures=(), created_at=1_790_000_000.5)
FILE = Upload(
    filename="mira.mp4",
    media_type="video/mp4",
    blob=Blob(key="inputs/1", sha256="01", bytes=9, media_type="video/mp4"),
)


def endpoint(method: str, path: str, **options: Any) -> Endpoint:
    found = make_dialect(**options).endpoints
    return next(one for one in found if (one.method, one.path) == (method, f"/v1/videos/characters{path}"))


def made(**fields: Any) -> CreateCharacter:
    """Return what is read from a request to keep a character."""
    incoming = Incoming(method="POST", path="/v1/videos/characters", **fields)
    found = endpoint("POST", "").read(incoming)
    assert isinstance(found, CreateCharacter)
    return found


def test_the_official_clients_make_one_from_a_video() -> None:
    """A form with the two fields they have."""
    call = made(form=(FormField(name="name", value=" Mira "), FormField(name="video", value=FILE)))
    (given,) = call.inputs

    assert call.name == "Mira"
    assert (given.field, given.kind, given.role) == ("video", MediaKind.VIDEO, Role.REFERENCE)
    assert given.blob == FILE.blob


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"image": PICTURE}, 1),
        ({"images": [PICTURE, {"url": PICTURE}, PNG_TEXT]}, 3),
        ({"video": {"id": "video_1"}}, 1),
        ({"image": PICTURE, "images": [PICTURE], "video": "https://media.example.test/a.mp4"}, 3),
    ],
)
def test_pictures_are_taken_in_every_way_an_input_is(fields: dict[str, Any], count: int) -> None:
    """By address, as bytes, or from a video of one's own."""
    call = made(json={"name": "Mira", **fields})

    assert len(call.inputs) == count
    assert {given.role for given in call.inputs} == {Role.REFERENCE}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "Mira"}, "video"),
        ({"image": PICTURE}, "name"),
        ({"name": "x" * 81, "image": PICTURE}, "name"),
        ({"name": "a\nb", "image": PICTURE}, "name"),
        ({"name": 5, "image": PICTURE}, "name"),
        ({"name": "Mira", "image": PICTURE, "voice": "low"}, "voice"),
        ({"name": "Mira", "image": {"url": PICTURE, "name": "Otto"}}, "image.name"),
        ({"name": "Mira", "image": "no picture"}, "image"),
        ({"name": "Mira", "images": [PICTURE] * 25}, "images[24]"),
    ],
)
def test_what_says_nothing_of_a_character_is_refused(body: dict[str, Any], param: str) -> None:
    """Each by its name; nothing is dropped in silence."""
    with pytest.raises(InvalidRequest) as caught:
        made(json=body)
    assert caught.value.param == param


def test_a_character_is_shown_as_openai_shows_one() -> None:
    """Its three fields, and ours beside them; a repetition says that it is one."""
    shown = endpoint("POST", "").render(MIRA)

    assert shown.body == {"id": "char_1", "object": "character", "name": "Mira", "created_at": 1_790_000_000}
    assert shown.headers == {}
    assert endpoint("GET", "/{id}", timestamps="ms").render(MIRA).body["created_at"] == 1_790_000_000_500
    assert endpoint("POST", "").render(MIRA.evolve(replayed=True)).headers == {"idempotent-replayed": "true"}


def test_a_character_is_read_and_deleted_by_its_id() -> None:
    """Whether there is one, the service knows."""
    incoming = Incoming(method="GET", path="/v1/videos/characters/char_1", path_parameters={"id": "char_1"})

    assert endpoint("GET", "/{id}").read(incoming) == ReadCharacter(id="char_1")
    assert endpoint("DELETE", "/{id}").read(incoming) == DeleteCharacter(id="char_1")
    gone = endpoint("DELETE", "/{id}").render(Deleted(id="char_1"))
    assert gone.body == {"id": "char_1", "object": "character.deleted", "deleted": True}

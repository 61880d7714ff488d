"""Subjects: which models have them, by how many pictures of which kind they are shown, and what of a prompt is warned about."""

import pytest

from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.subjects import check_subject, no_subjects, uncalled
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Blob, InputReference, MediaKind, Role, VideoRequest

CATALOG = load_catalog()


def picture(number: int = 0, name: str | None = None, *, side: int = 640, kind: str = "image/png") -> InputReference:
    blob = Blob(key=f"inputs/{number}", sha256="01", bytes=9, media_type=kind, width=side, height=side)
    return InputReference(
        field=f"images[{number}]", kind=MediaKind.IMAGE, role=Role.REFERENCE, blob=blob, media_type=kind, name=name
    )


def asked(*inputs: InputReference) -> VideoRequest:
    return VideoRequest(model="viduq3-turbo", prompt="@Mira waves", inputs=inputs)


def test_a_refusal_names_the_models_that_have_subjects() -> None:
    """So that a caller knows which to take."""
    error = no_subjects(CATALOG.cards, "sora-2")

    assert (error.code, error.param) == ("characters_not_supported", "characters")
    assert error.message == "sora-2 has no characters; models that have: viduq3-turbo"
    assert no_subjects(()).message.startswith("no model here has characters; describe")


def test_three_pictures_show_one_subject_and_a_fourth_is_refused() -> None:
    """Before anything is charged; pictures of other names are other subjects."""
    three = [picture(number, "Mira") for number in range(3)]

    assert len(resolve(asked(*three, picture(3, "Otto")), CATALOG.card("viduq3-turbo")).inputs) == 4
    with pytest.raises(InvalidRequest, match="at most 3 pictures") as caught:
        resolve(asked(*three, picture(3, "Mira")), CATALOG.card("viduq3-turbo"))
    assert caught.value.param == "images[3]"


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ([picture(number) for number in range(4)], "at most 3 pictures"),
        ([picture(), picture(1, side=100)], "at least 128 pixels"),
        ([picture(kind="image/gif")], "must be one of image/png"),
    ],
)
def test_pictures_that_no_model_takes_are_refused(pictures: list[InputReference], words: str) -> None:
    """When the character is made, not when it is first named."""
    with pytest.raises(InvalidRequest, match=words):
        check_subject(pictures, CATALOG.cards)


def test_pictures_that_a_model_takes_are_kept() -> None:
    """Where no model has subjects, none are."""
    check_subject([picture(), picture(1)], CATALOG.cards)
    with pytest.raises(InvalidRequest, match="no model here has characters"):
        check_subject([picture()], [CATALOG.card("sora-2")])


def test_a_prompt_that_does_not_call_a_character_is_warned_about() -> None:
    """By the mark that prompts have for it."""
    assert uncalled("@Mira waves", "Mira", "characters[0]") == ()
    for prompt in ("Mira waves", "@mira waves", None):
        (warning,) = uncalled(prompt, "Mira", "characters[0]")
        assert (warning.field, "write @Mira" in warning.message) == ("characters[0]", True)

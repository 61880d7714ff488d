"""Flags in a prompt mean the fields they stand for, on the models whose vendor reads them."""

from typing import Any

import pytest
from tests.catalog.made_up import make_card, make_request

from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest
from reelway.core.videos import ResolvedRequest

CARD = make_card(
    prompt_flags={"dur": "seconds", "rs": "resolution", "rt": "aspect_ratio", "wm": "watermark", "seed": "seed"}
)


def made(prompt: str, **fields: Any) -> ResolvedRequest:
    return resolve(make_request(prompt=prompt, **fields), CARD)


def test_flags_become_fields_and_leave_the_prompt() -> None:
    """What is priced is what the vendor makes."""
    resolved = made("a fox --dur 8 in snow --rs 1080P --rt=9:16 --wm true --seed 11")
    assert resolved.prompt == "a fox in snow"
    assert (resolved.seconds, resolved.size, resolved.seed) == (8, "1080x1920", 11)
    assert resolved.options["watermark"] is True
    assert resolved.warnings == ()


def test_a_flag_never_overrides_a_field() -> None:
    """It fills gaps; what it says in vain is told."""
    resolved = made(
        "a fox --dur 8 --wm true --rs 1080p", seconds=6, options={"watermark": False}, width=1280, height=720
    )
    assert (resolved.prompt, resolved.seconds, resolved.size) == ("a fox", 6, "1280x720")
    assert resolved.options["watermark"] is False
    assert [warning.message for warning in resolved.warnings] == [
        "prompt --dur was left out because seconds is given",
        "prompt --rs was left out because resolution is given",
        "prompt --wm was left out because watermark is given",
    ]


def test_a_flag_that_agrees_is_no_news() -> None:
    """The same thing said twice needs no warning."""
    assert made("a fox --dur 8", seconds=8).warnings == ()


@pytest.mark.parametrize("prompt", ["a fox --zoom 3", "a --dur", "fox--dur 8", "a fox -- dur 8", "--durable 8 goods"])
def test_other_dashes_stay_in_the_prompt(prompt: str) -> None:
    """Only the card's own flags are flags."""
    assert made(prompt).prompt == prompt


def test_a_bad_flag_is_refused_where_it_stands() -> None:
    """Like any other field, under the name the caller wrote."""
    with pytest.raises(InvalidRequest, match="prompt --dur must be one of 4, 6, 8 for acme-1"):
        made("a fox --dur 7")
    with pytest.raises(InvalidRequest, match="prompt --dur must be a whole number for acme-1") as refused:
        made("a fox --dur long")
    assert refused.value.param == "prompt"


def test_a_prompt_of_flags_is_no_prompt() -> None:
    """Nothing is left to show."""
    with pytest.raises(InvalidRequest, match="prompt is required"):
        made("--dur 8")


def test_models_without_flags_leave_prompts_alone() -> None:
    """Elsewhere two dashes are words like any others."""
    assert resolve(make_request(prompt="a fox --dur 8"), make_card()).prompt == "a fox --dur 8"


def test_seedance_reads_its_own_flags() -> None:
    """The flags of the vendor's tutorial."""
    card = load_catalog().card("doubao-seedance-1-0-pro-250528")
    request = make_request(model=card.name, prompt="waves --ratio 1:1 --dur 10 --camerafixed true --rs 480p")
    resolved = resolve(request, card)
    assert (resolved.prompt, resolved.seconds, resolved.ratio, resolved.tier) == ("waves", 10, "1:1", "480p")
    assert resolved.options["camera_fixed"] is True

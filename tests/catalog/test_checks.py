"""A card that contradicts itself is found before it is served."""

from datetime import date
from typing import Any

import pytest
from tests.catalog.made_up import FIRST, REFERENCE, make_card

from reelway.catalog.checks import check_card
from reelway.catalog.spec import (
    AudioRule,
    InputRule,
    Limit,
    ModeCard,
    OptionCard,
    PriceRule,
    RouteCard,
    SecondsRule,
    When,
)
from reelway.core.videos import MediaKind, Mode, Role

TODAY = date(2026, 11, 23)


def mode(**rules: Any) -> dict[str, Any]:
    """Return a change that leaves only a text mode with these rules."""
    return {"modes": {Mode.T2V: ModeCard(**rules)}, "options": {}, "mode_words": {}, "tier_words": {}}


def images(**rules: Any) -> dict[str, Any]:
    """Return a change that leaves only a first-frame mode with this input rule."""
    rule = InputRule(role=Role.FIRST_FRAME, kind=MediaKind.IMAGE, min=1).evolve(**rules)
    return {"modes": {Mode.I2V: ModeCard(inputs=(rule,))}, "options": {}, "mode_words": {}, "tier_words": {}}


def price(**changes: Any) -> dict[str, Any]:
    return {"price": (PriceRule(amount="1", unit="clip", as_of=TODAY).evolve(**changes),)}


def test_a_card_that_holds_together_draws_no_complaint() -> None:
    """The made-up card is the starting point of everything below."""
    assert check_card(make_card()) == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "acme one"}, "the name 'acme one' may hold letters"),
        ({"modes": {}, "default_mode": None}, "has no modes"),
        ({"routes": ()}, "has no routes"),
        ({"default_mode": Mode.REMIX}, "default_mode remix is not one of its modes"),
        ({"fps": (30,), "fps_made": 24}, "fps_made 24 is not one of fps [30]"),
        ({"audio": AudioRule(kind="always", modes=(Mode.T2V,))}, 'only with kind = "switch"'),
        ({"audio": AudioRule(kind="switch", modes=(Mode.REMIX,))}, "audio.modes names remix"),
        ({"prompt_flags": {"--dur": "seconds"}}, "prompt_flags.--dur must be a plain word"),
        ({"n_max": 0}, "n_max and prompt_limit must be at least 1"),
        ({"typical_seconds": 90.0, "deadline_seconds": 10.0}, "typical_seconds must be positive"),
        (mode(tiers=("720p",)), "modes.t2v: tiers are given without a default tier"),
        (mode(tiers=("720p",), tier="4k"), "the default tier 4k is not one of tiers ['720p']"),
        (mode(tiers=("720p",), tier="720p", ratios=("16:9",), ratio="1:1"), "the default ratio 1:1 is not one of"),
        (mode(seconds=SecondsRule(default=5)), "seconds needs either values, or min and max"),
        (
            mode(seconds=SecondsRule(default=5, values=(5,), min=1, max=9)),
            "seconds needs either values, or min and max",
        ),
        (mode(seconds=SecondsRule(default=5, min=9, max=1)), "seconds needs min and max, in this order"),
        (mode(seconds=SecondsRule(default=5, values=(4, 6))), "the default of 5 seconds is not one of 4, 6"),
        (mode(tiers=("std",), tier="std", ratios=("16:9",), ratio="16:9"), "no pixels in sizes.std.'16:9'"),
        ({"modes": {Mode.R2V: ModeCard()}}, "modes.r2v: takes no input with the role reference"),
        ({"modes": {Mode.I2V: ModeCard(inputs=(FIRST, FIRST))}}, "two input rules have the same role and kind"),
        (images(min=2, max=1), "min 2 and max 1 leave no count"),
        (images(max=2), "a first_frame is one image"),
        (images(min_side=10, max_side=5), "min_side 10 is above max_side 5"),
        (images(media_types=("video/mp4",)), "video/mp4 is no type of image"),
        ({"sizes": {"720p": {"1:1": "721x721"}}}, "odd pixels 721x721"),
        (
            {"options": {"a": OptionCard(type="integer", summary="", default="x")}},
            "options.a: the value 'x' is not a whole",
        ),
        ({"options": {"a": OptionCard(type="string", summary="", modes=(Mode.REMIX,))}}, "names the mode remix"),
        ({"mode_words": {"x": {"colour": 1}}}, "mode_words.x may say"),
        ({"mode_words": {"x": {"option": "style"}}}, "option and value go together"),
        ({"mode_words": {"x": {"option": "no", "value": 1}}}, "sets no, which is none of the card's options"),
        ({"mode_words": {"x": {"tier": "8k"}}}, "means the tier 8k"),
        ({"mode_words": {"x": {"mode": "remix"}}}, "means the mode remix"),
        ({"tier_words": {"x": "8k"}}, "tier_words.x means 8k"),
        ({"limits": (Limit(when=When(tier=("8k",)), seconds=(4,)),)}, "limits.0.when: tier 8k can never be"),
        ({"limits": (Limit(when=When(seconds=(50,)), tiers=("720p",)),)}, "seconds 50 can never be"),
        ({"limits": (Limit(when=When(), ratios=("7:3",)),)}, "limits.0: ratio 7:3 can never be"),
        ({"limits": (Limit(when=When(tier=("720p",))),)}, "limits.0 must either narrow something or refuse"),
        ({"limits": (Limit(when=When(tier=("1080p",)), refuse=True),)}, "limits.0 refuses without a because"),
        ({"limits": (Limit(when=When(mode=(Mode.T2V,)), refuse=True, because="no"),)}, "the limits leave nothing"),
        ({"limits": (Limit(when=When(mode=(Mode.EDIT,), seconds=(4,)), tiers=("720p",)),)}, "limits.0 can never apply"),
        (
            {"routes": (RouteCard(vendor="acme", model="x", when=When(tier=("1080p",))),)},
            "modes.t2v: no route for 720p",
        ),
        (price(amount="cheap"), "amount 'cheap' is no decimal number"),
        (price(amount="-1"), "amount is negative"),
        (price(unit="credit"), 'belong to unit = "credit"'),
        (price(when=When(audio=True)), "modes.t2v: no price"),
        (price(extra=True), "no price (add one, or a note that speaks of the price)"),
    ],
)
def test_a_contradiction_is_named_with_its_place(changes: dict[str, Any], complaint: str) -> None:
    """The complaint says where to look and what is wrong there."""
    complaints = check_card(make_card(**changes))
    assert any(complaint in text for text in complaints), complaints


def test_two_options_cannot_share_a_spelling() -> None:
    """`cfgScale` and `cfg_scale` are one name for callers."""
    options = {
        "cfg_scale": OptionCard(type="number", summary=""),
        "guidance": OptionCard(type="number", summary="", aliases=("cfgScale",)),
    }
    assert check_card(make_card(options=options, mode_words={})) == (
        "options.guidance: cfgScale already means options.cfg_scale",
    )


def test_a_note_about_the_price_excuses_a_card_without_one() -> None:
    """Some prices nobody knows; then the card has to say so."""
    assert check_card(make_card(price=(), notes=("The price is not published.",))) == ()


def test_a_reference_mode_needs_a_reference_even_if_each_kind_is_optional() -> None:
    """A combination without any input is not one a request can ask for, so it needs no price."""
    either = ModeCard(inputs=(REFERENCE.evolve(min=0), REFERENCE.evolve(min=0, kind=MediaKind.VIDEO)))
    lines = tuple(
        PriceRule(amount="1", unit="clip", as_of=TODAY, when=When(kind=(kind,)))
        for kind in (MediaKind.IMAGE, MediaKind.VIDEO)
    )
    card = make_card(modes={Mode.R2V: either}, price=lines, options={}, mode_words={}, tier_words={})
    assert check_card(card) == ()

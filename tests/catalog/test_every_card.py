"""All packaged cards, walked from their own data: what they promise is taken, and everything else is refused by name."""

import random
from itertools import islice
from typing import Any

import pytest

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import reachable
from reelway.catalog.conditions import Facts, facts_of, holds
from reelway.catalog.examples import Outside, example, examples, give, outside
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import quote
from reelway.catalog.resolve import resolve
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Mode, Role, VideoRequest

SEED_NAMES = {
    "sora-2",
    "sora-2-pro",
    "gemini-omni",
    "happyhorse-1.0",
    "happyhorse-1.0-i2v",
    "happyhorse-1.0-t2v",
    "happyhorse-1.0-r2v",
    "happyhorse-1.0-video-edit",
    "doubao-seedance-1-0-lite-i2v-250428",
    "doubao-seedance-1-0-lite-t2v-250428",
    "doubao-seedance-1-0-pro-250528",
    "doubao-seedance-1-0-pro-fast-251015",
    "doubao-seedance-1-5-pro-251215",
    "doubao-seedance-2-0-260128",
    "doubao-seedance-2-0-fast-260128",
    "veo3",
    "veo3-fast",
    "veo3-fast-frames",
    "veo3-frames",
    "veo3-pro",
    "veo3-pro-frames",
    "veo3.1",
    "veo3.1-4k",
    "veo3.1-components",
    "veo3.1-fast",
    "veo3.1-pro",
    "veo3.1-pro-4k",
    "kling-video",
    "grok-imagine-1.0-video",
    "grok-imagine-video-1.5-preview",
    "grok-video-3",
    "viduq3-turbo",
    "hailuo-video",
}

CATALOG = load_catalog()
MODES = [(card, mode) for card in CATALOG.cards for mode in card.modes]

each_mode = pytest.mark.parametrize(("card", "mode"), MODES, ids=[f"{card.name}-{mode}" for card, mode in MODES])


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return CATALOG


def ask(card: ModelCard, facts: Facts) -> VideoRequest:
    """Return a request that says every one of these facts explicitly."""
    rules = [
        rule
        for rule in card.modes[facts.mode].inputs
        if (rule.min or rule.role in facts.roles) and rule.kind in facts.kinds and rule.role in facts.roles
    ]
    switched = card.audio.kind == "switch" and (not card.audio.modes or facts.mode in card.audio.modes)
    return example(card, facts.mode).evolve(
        inputs=tuple(given for rule in rules for given in give(rule, max(rule.min, 1))),
        tier=facts.tier,
        ratio=facts.ratio,
        seconds=facts.seconds,
        audio=facts.audio if switched else None,
        options=dict(facts.options),
    )


def test_every_name_of_the_seed_page_is_in_the_catalogue(catalog: Catalog) -> None:
    """All 33, so that nobody who came for one is sent away; models of further vendors may stand beside them."""
    assert len(SEED_NAMES) == 33
    assert set(catalog.names) >= SEED_NAMES


@each_mode
def test_the_smallest_request_of_every_mode_is_taken(card: ModelCard, mode: Mode) -> None:
    """It arrives in its mode, has a route and a price, and draws no warning."""
    resolved = resolve(example(card, mode), card)

    assert resolved.mode is mode
    assert resolved.warnings == ()
    assert any(holds(route.when, facts_of(resolved)) for route in card.routes)
    assert quote(card, resolved).amount > 0
    assert card.modes[mode].seconds is None or resolved.seconds is not None
    assert not card.modes[mode].tiers or resolved.tier is not None


@each_mode
def test_every_value_outside_a_card_is_refused_with_what_is_allowed(card: ModelCard, mode: Mode) -> None:
    """Length, tier, ratio, size, frame rate, seed, number, inputs, options, prompt and mode."""
    wrongs = list(outside(card, mode))
    answers = [_refusal(wrong, card) for wrong in wrongs]

    assert len(wrongs) > 8
    for wrong, refused in zip(wrongs, answers, strict=True):
        assert refused is not None, f"{wrong.what} was taken"
        assert wrong.allowed in refused.message, wrong.what
        assert card.name in refused.message
        assert refused.code == wrong.code
        assert refused.param
        assert len(refused.message) < 1000


def _refusal(wrong: Outside, card: ModelCard) -> InvalidRequest | None:
    try:
        resolve(wrong.request, card)
    except InvalidRequest as error:
        return error
    return None


@pytest.mark.parametrize("card", CATALOG.cards, ids=lambda card: card.name)
def test_every_combination_is_taken_as_asked_or_refused(card: ModelCard) -> None:
    """Where the limits allow it nothing is changed; where they do not, it is refused with something else to ask for."""
    allowed = {repr(facts) for facts in reachable(card)}
    every = list(reachable(card, limited=False))
    # A fixed draw: a card with many dimensions has far more combinations than a test should walk.
    drawn = random.Random(33).sample(every, min(len(every), 400))
    for facts in drawn:
        request = ask(card, facts)
        if repr(facts) in allowed:
            resolved = resolve(request, card)
            made = (resolved.mode, resolved.tier, resolved.ratio, resolved.seconds, resolved.audio)
            assert made == (facts.mode, facts.tier, facts.ratio, facts.seconds, facts.audio)
        else:
            with pytest.raises(InvalidRequest) as refused:
                resolve(request, card)
            assert " must be " in refused.value.message or " cannot be had together " in refused.value.message


@pytest.mark.parametrize("card", CATALOG.cards, ids=lambda card: card.name)
def test_a_forbidden_value_is_answered_with_one_that_works(card: ModelCard) -> None:
    """Whoever follows the message of a refusal gets a video."""
    for facts in islice((facts for facts in reachable(card, limited=False)), 0, 4000, 37):
        request = ask(card, facts)
        try:
            resolve(request, card)
        except InvalidRequest as error:
            if error.param not in ("seconds", "resolution", "aspect_ratio", "audio"):
                continue
            _, _, rest = error.message.partition(" must be ")
            word = rest.removeprefix("one of ").partition(" for ")[0].partition(",")[0]
            changes = {
                "seconds": {"seconds": int(word) if error.param == "seconds" else None},
                "resolution": {"tier": word},
                "aspect_ratio": {"ratio": word},
                "audio": {"audio": word == "true"},
            }[error.param]
            assert resolve(request.evolve(**changes), card)


@pytest.mark.parametrize(
    ("name", "request_changes", "vendor_model"),
    [
        ("happyhorse-1.0", {}, "happyhorse-1.0-t2v"),
        ("happyhorse-1.0", {"mode": "i2v"}, "happyhorse-1.0-i2v"),
        ("happyhorse-1.0", {"mode": "r2v"}, "happyhorse-1.0-r2v"),
        ("happyhorse-1.0", {"mode": "edit"}, "happyhorse-1.0-video-edit"),
        ("kling-video", {}, "kling-3.0"),
        ("kling-video", {"mode": "r2v"}, "kling-3.0-omni"),
        ("hailuo-video", {}, "MiniMax-Hailuo-2.3"),
        ("hailuo-video", {"mode": "i2v_first_last"}, "MiniMax-Hailuo-02"),
        ("hailuo-video", {"seconds": 8}, "MiniMax-H3"),
        ("gemini-omni", {}, "gemini-omni-1.2-flash"),
        ("veo3.1", {}, "veo-3.1-fast-generate-001"),
        ("veo3.1-pro", {}, "veo-3.1-generate-001"),
        ("grok-video-3", {}, "grok-imagine-video"),
    ],
)
def test_generic_names_lead_to_the_vendors_ids(
    catalog: Catalog, name: str, request_changes: dict[str, Any], vendor_model: str
) -> None:
    """The public name stays; what is asked for chooses the vendor's model."""
    card = catalog.card(name)
    mode = Mode(
        {"i2v_first_last": "i2v_first_last"}.get(request_changes.get("mode", ""), request_changes.get("mode", "t2v"))
    )
    other = {key: value for key, value in request_changes.items() if key != "mode"}
    resolved = resolve(example(card, mode).evolve(**other), card)
    route = next(route for route in card.routes if holds(route.when, facts_of(resolved)))
    assert route.model == vendor_model


@pytest.mark.parametrize(
    ("name", "images", "mode"),
    [
        ("veo3-frames", 1, Mode.I2V),
        ("veo3-frames", 2, Mode.FIRST_LAST),
        ("veo3.1-components", 1, Mode.R2V),
        ("veo3.1-components", 2, Mode.R2V),
        ("veo3.1", 0, Mode.T2V),
        ("veo3.1", 1, Mode.I2V),
        ("veo3.1", 2, Mode.FIRST_LAST),
        ("veo3.1", 3, Mode.R2V),
        ("happyhorse-1.0-i2v", 1, Mode.I2V),
        ("happyhorse-1.0", 2, Mode.R2V),
        ("veo3.1-4k", 0, Mode.T2V),
    ],
)
def test_suffixes_decide_what_images_mean(catalog: Catalog, name: str, images: int, mode: Mode) -> None:
    """`-frames`, `-components` and `-i2v` in the name are as good as a `mode` field; `-4k` is a tier."""
    card = catalog.card(name)
    given = give(card.modes[mode].inputs[0], images) if images else ()
    request = VideoRequest(model=name, prompt="A fox", inputs=tuple(item.evolve(role=None) for item in given))
    resolved = resolve(request, card)
    assert resolved.mode is mode
    assert (resolved.tier == "4k") == name.endswith("4k")


def test_examples_cover_every_mode_of_every_card(catalog: Catalog) -> None:
    """Acceptance tests that walk `examples` leave nothing out."""
    walked = {(card.name, mode) for card in catalog.cards for mode, _ in examples(card)}
    assert walked == {(card.name, mode) for card, mode in MODES}
    assert all(item.role is not Role.SOURCE or item.url for card, mode in MODES for item in example(card, mode).inputs)

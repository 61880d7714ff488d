"""Quotes: decimal, rounded up, dated, and on the dear side where something is not known yet."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.made_up import FIRST, REFERENCE, SOURCE, image, make_card, make_request, video

from reelway.catalog.catalog import CatalogInvalid
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import DEFAULT_RATES, Quote, Settlement, quote, settle
from reelway.catalog.resolve import resolve
from reelway.catalog.spec import InputRule, ModeCard, ModelCard, PriceRule, SecondsRule, When
from reelway.core.videos import InputReference, MediaKind, Mode, Role

DAY = date(2026, 11, 1)
TOKENS = PriceRule(amount="10", unit="million_tokens", as_of=DAY)


def line(amount: str = "0.10", unit: Any = "second", **fields: Any) -> PriceRule:
    return PriceRule(amount=amount, unit=unit, as_of=DAY).evolve(**fields)


def priced(*lines: PriceRule, card: ModelCard | None = None, rates: Any = None, **fields: Any) -> Quote:
    card = (card or make_card()).evolve(price=lines)
    return quote(card, resolve(make_request(**fields), card), rates)


@pytest.mark.parametrize(
    ("rule", "fields", "text"),
    [
        (line(), {"seconds": 8}, "0.80"),
        (line(), {"seconds": 8, "n": 3}, "2.40"),
        (line("0.28", "clip"), {"seconds": 8, "n": 2}, "0.56"),
        (line("0.14", "credit", credits="10"), {}, "1.40"),
        (line("0.005", "credit", credits="10", credits_per_second="14"), {"seconds": 6}, "0.47"),
        (TOKENS, {"seconds": 4}, "0.864"),
        (line("0.90", currency="CNY"), {"seconds": 4}, "0.522"),
    ],
)
def test_every_unit(rule: PriceRule, fields: dict[str, Any], text: str) -> None:
    """Seconds, clips, credits and tokens, for all takes together, in dollars."""
    assert priced(rule, **fields).text == text


def test_the_first_line_that_holds_is_used_and_extras_are_added() -> None:
    """A price list is read from the top, as the card's author wrote it."""
    quoted = priced(
        line("0.30", when=When(tier=("1080p",))),
        line("0.10"),
        line("0.02", "input_image", extra=True, as_of=date(2026, 6, 1), unconfirmed="a reseller says so"),
        line("5", "clip", extra=True, when=When(option={"watermark": True})),
        inputs=(image(Role.REFERENCE), image(Role.REFERENCE)),
    )
    assert quoted.text == "0.44"
    assert [entry.text for entry in quoted.lines] == ["4 seconds at 0.10 USD", "2 input images at 0.02 USD"]
    assert quoted.as_of == date(2026, 6, 1)
    assert quoted.unconfirmed == ("a reseller says so",)


def test_units_that_are_free_are_not_charged() -> None:
    """The first five pictures cost nothing, the sixth does."""
    card = make_card(modes={Mode.R2V: ModeCard(inputs=(REFERENCE.evolve(max=9),))}, mode_words={}, tier_words={})
    images = line("0.04", "input_image", extra=True, free=5)
    assert priced(line("1", "clip"), images, card=card, inputs=(image(),) * 5).text == "1.00"
    assert priced(line("1", "clip"), images, card=card, inputs=(image(),) * 7, n=2).text == "2.16"


def test_a_card_without_a_price_costs_nothing_and_says_so() -> None:
    """The note tells the caller that nothing is charged because nothing is known."""
    quoted = priced()
    assert (quoted.amount, quoted.as_of) == (0, None)
    assert quoted.note == "the card of acme-1 has no price for this; nothing is charged"


def test_a_length_the_model_chooses_is_priced_at_its_longest() -> None:
    """What may be made must be paid for."""
    card = make_card(
        modes={Mode.T2V: ModeCard(seconds=SecondsRule(default=5, min=4, max=15, auto=True))}, mode_words={}
    )
    assert priced(line(), card=card, seconds=-1).text == "1.50"


@pytest.mark.parametrize(
    ("inputs", "known", "text"),
    [
        ((video(seconds=3.5),), None, "0.35"),
        ((InputReference(field="video", video_id="video_1"),), 6.0, "0.60"),
        ((InputReference(field="video", video_id="video_1"),), None, "1.00"),
    ],
)
def test_an_edit_is_as_long_as_its_source(inputs: tuple[InputReference, ...], known: float | None, text: str) -> None:
    """By the bytes, else as known elsewhere, else the longest source the card takes."""
    card = make_card(price=(line(),))
    assert quote(card, resolve(make_request(inputs=inputs), card), source_seconds=known).text == text


def test_only_the_part_of_a_source_that_is_used_is_charged() -> None:
    """Some vendors cut a long source short, input and output alike."""
    rules = ModeCard(inputs=(SOURCE.evolve(max_seconds=60),), source_seconds=15)
    card = make_card(modes={Mode.EDIT: rules}, mode_words={}, tier_words={})
    quoted = priced(line(), line("0.01", "input_second", extra=True), card=card, inputs=(video(seconds=40.0),))
    assert quoted.text == "1.65"


def test_reference_clips_count_by_their_length() -> None:
    """Known lengths add up; an unknown one is taken at the longest the card allows."""
    clips = InputRule(role=Role.REFERENCE, kind=MediaKind.VIDEO, max=3, max_seconds=15)
    card = make_card(modes={Mode.R2V: ModeCard(inputs=(clips,))}, mode_words={}, tier_words={})
    linked = InputReference(field="videos[1]", url="https://example.com/b.mp4")
    quoted = priced(
        line("1", "clip"), line("0.01", "input_second", extra=True), card=card, inputs=(video(seconds=2.5), linked)
    )
    assert quoted.lines[1].text == "17.5 seconds of input at 0.01 USD"


def test_tokens_follow_the_shape_of_the_picture_where_the_ratio_is_adaptive() -> None:
    """Without a picture the largest shape of the tier is set aside."""
    rules = ModeCard(
        inputs=(FIRST,),
        seconds=SecondsRule(default=4, values=(4,)),
        tiers=("720p",),
        tier="720p",
        ratios=("adaptive", "16:9", "1:1"),
        ratio="adaptive",
    )
    card = make_card(
        modes={Mode.I2V: rules},
        sizes={"720p": {"16:9": "1280x720", "1:1": "960x960"}},
        mode_words={},
        tier_words={},
        price=(TOKENS,),
    )
    square = quote(card, resolve(make_request(inputs=(image(width=500, height=510),)), card))
    wide = quote(card, resolve(make_request(inputs=(image(width=900, height=500),)), card))
    linked = InputReference(field="image", url="https://example.com/a.png")
    unknown = quote(card, resolve(make_request(inputs=(linked,)), card))

    assert (square.text, wide.text) == ("0.864", "0.864")
    assert unknown.amount == max(square.amount, wide.amount)
    larger = card.evolve(sizes={"720p": {"16:9": "1280x720", "1:1": "1000x1000"}})
    assert quote(larger, resolve(make_request(inputs=(linked,)), larger)).text == "0.9375"


def test_an_operators_rate_replaces_the_default_one() -> None:
    """Rates are data with a date; whoever pays in another currency sets the rate of the day."""
    assert priced(line("1", "clip", currency="CNY"), rates={"CNY": Decimal("0.20")}).text == "0.20"
    assert priced(line("1", "clip", currency="CNY")).text == f"{DEFAULT_RATES['CNY']:.3f}"


def test_a_currency_without_a_rate_is_the_operators_to_mend() -> None:
    """Guessing a rate would be guessing money."""
    with pytest.raises(CatalogInvalid, match="a price is in GBP, for which there is no rate"):
        priced(line(currency="GBP"))


def test_a_fraction_of_a_micro_dollar_is_rounded_up() -> None:
    """A price is never quoted below its cost."""
    assert priced(line("0.0000001", "clip")).amount == 1


@given(st.integers(2, 12), st.integers(1, 4))
def test_a_longer_video_or_more_of_them_never_cost_less(seconds: int, takes: int) -> None:
    """On a real card with token prices."""
    card = load_catalog().card("doubao-seedance-1-0-pro-250528")

    def cost(length: int, count: int) -> int:
        request = make_request(model=card.name, seconds=length, n=count)
        return quote(card, resolve(request, card)).amount

    assert cost(seconds, takes) >= cost(2, takes)
    assert cost(seconds, takes) >= cost(seconds, 1) * takes - takes


def test_the_token_price_of_the_vendors_own_sample() -> None:
    """5 seconds at 1280x720 are 108,000 tokens by the formula; the vendor's real sample had one frame more."""
    card = load_catalog().card("doubao-seedance-2-0-260128")
    request = make_request(model=card.name, seconds=5, tier="720p", ratio="16:9")
    quoted = quote(card, resolve(request, card))
    assert quoted.lines[0].text == "0.108 million tokens at 7.0 USD"
    assert quoted.text == "0.756"


# --- settling


def settled(*lines: PriceRule, usage: dict[str, Any], rates: Any = None, **fields: Any) -> Settlement | None:
    card = make_card().evolve(price=lines)
    return settle(card, resolve(make_request(**fields), card), usage, rates)


@pytest.mark.parametrize(
    ("rule", "usage", "amount", "text"),
    [
        (TOKENS, {"tokens": 108_900}, 1_089_000, "0.1089 million tokens at 10 USD"),
        (TOKENS, {"tokens": "1"}, 10, "0.000001 million tokens at 10 USD"),
        (line("0.14", "credit", credits="10"), {"credits": "4.5"}, 630_000, "4.5 credits at 0.14 USD"),
        (line("2", "million_tokens", currency="CNY"), {"tokens": 1_000_000}, 290_000, "1 million tokens at 2 CNY"),
        (line("0.2"), {"seconds": 7.75}, 1_550_000, "7.75 seconds at 0.2 USD"),
        (line(), {"cost": {"currency": "USD", "settled": "0.31"}}, 310_000, "0.31 USD as the vendor says"),
        (line(), {"cost": {"currency": "CNY", "settled": "2"}}, 290_000, "2 CNY as the vendor says"),
        (TOKENS, {"cost": {"currency": "USD", "settled": 0}, "tokens": 5}, 0, "0 USD as the vendor says"),
    ],
)
def test_the_vendors_count_takes_the_place_of_ours(
    rule: PriceRule, usage: dict[str, Any], amount: int, text: str
) -> None:
    """Tokens and credits by the card's price, money as it was named, all in dollars by the rates."""
    assert settled(rule, usage=usage) == Settlement(amount=amount, text=text)


def test_a_count_without_a_price_settles_nothing() -> None:
    """A price by the second is not changed by how many tokens the vendor counted."""
    assert settled(line(), usage={"tokens": 5}) is None
    assert settled(TOKENS, usage={"credits": 5}) is None
    assert settled(TOKENS, usage={}) is None
    assert settled(usage={"tokens": 5}) is None


def test_additional_lines_are_charged_unless_the_count_has_them() -> None:
    """A vendor's credits are all of its credits; what is counted in another unit comes on top."""
    extras = (
        line("0.14", "credit", credits="3", extra=True),
        line("0.02", "input_image", extra=True),
    )
    found = settled(line("0.14", "credit"), *extras, usage={"credits": 10}, inputs=(image(Role.REFERENCE),))

    assert found == Settlement(amount=1_420_000, text="10 credits at 0.14 USD; 1 input images at 0.02 USD")


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        ({"seconds": 7.75, "input_seconds": 7.75}, "7.75 seconds at 1 USD; 7.75 seconds of input at 1 USD"),
        ({"seconds": 4}, "4 seconds at 1 USD"),
    ],
)
def test_both_sides_of_an_edit_are_counted(usage: dict[str, Any], text: str) -> None:
    """What the vendor says of the source is charged too; what it does not say is as quoted, here nothing."""
    found = settled(line("1"), line("1", "input_second", extra=True), usage=usage)

    assert found is not None
    assert found.text == text


def test_the_vendor_knows_best_whether_there_is_sound() -> None:
    """Where sound was the vendor's to decide, it decides the price."""
    lines = (line("2", "million_tokens", when=When(audio=True)), TOKENS.evolve(amount="1"))
    amounts = [settled(*lines, usage={"tokens": 1_000_000, "audio": audio}) for audio in (True, False)]

    assert [found and found.amount for found in amounts] == [2_000_000, 1_000_000]


@pytest.mark.parametrize(
    "usage",
    [
        {"tokens": -1},
        {"tokens": 0},
        {"tokens": True},
        {"tokens": "many"},
        {"tokens": float("nan")},
        {"tokens": float("inf")},
        {"tokens": "1e999999"},
        {"tokens": [5]},
        {"cost": "cheap"},
        {"cost": {}},
        {"cost": {"currency": "XXX", "settled": "1"}},
        {"cost": {"currency": ["USD"], "settled": "1"}},
        {"cost": {"currency": "USD", "settled": None}},
        {"cost": {"currency": "USD", "settled": "-0.01"}},
    ],
    ids=str,
)
def test_a_figure_that_cannot_be_is_refused(usage: dict[str, Any]) -> None:
    """Whoever settles by it keeps to the quote instead."""
    with pytest.raises(ValueError, match=r"must (be|name)"):
        settled(TOKENS, usage=usage)


def test_rates_of_the_operator_settle_too() -> None:
    """The rates that made the quote make the charge."""
    found = settled(
        line("1", "million_tokens", currency="CNY"), usage={"tokens": 1_000_000}, rates={"CNY": Decimal("0.2")}
    )

    assert found is not None
    assert found.amount == 200_000

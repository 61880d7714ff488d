"""What a finished job is charged, and how the job explains it."""

from decimal import Decimal
from typing import Any

import pytest

from reelway.catalog.load import load_catalog
from reelway.core.jobs import Entry, Job
from reelway.core.lifecycle import State
from reelway.core.videos import Mode, ResolvedRequest
from reelway.engine.charging import Charging

NOW = 1_790_000_000.0
CHARGING = Charging(load_catalog().card, {"CNY": Decimal("0.2")})
SEEDANCE = "doubao-seedance-1-5-pro-251215"


def job(usage: dict[str, Any] | None = None, **changes: Any) -> Job:
    """Return a finished job of five silent seconds in 720p, quoted at 108,000 tokens."""
    request = ResolvedRequest(
        operation="create",
        model=SEEDANCE,
        card=SEEDANCE,
        mode=Mode.T2V,
        prompt="a fox",
        seconds=5,
        width=1280,
        height=720,
        tier="720p",
        ratio="16:9",
        audio=False,
    )
    finished = Job(
        id="video_1",
        tenant="acme",
        key_id="key",
        request=request,
        created_at=NOW,
        updated_at=NOW,
        deadline_at=NOW,
        due_at=NOW,
        state=State.COMPLETED,
        reserved=129_600,
        usage=usage,
    )
    return finished.evolve(**changes)


def test_tokens_are_charged_and_the_difference_explains_itself() -> None:
    """One frame more than the seconds say, at the price of the card."""
    closed, entry = CHARGING.close(job({"tokens": 108_900, "seed": 7}), NOW)

    assert closed.settled == 130_680
    assert entry == Entry(kind="settle", amount=130_680, at=NOW)
    assert closed.usage == {
        "tokens": 108_900,
        "seed": 7,
        "charge": {
            "currency": "USD",
            "amount": "0.13068",
            "quoted": "0.1296",
            "because": "0.1089 million tokens at 1.2 USD",
        },
    }


def test_money_in_another_currency_is_charged_by_the_operators_rate() -> None:
    """What another gateway or a vendor names itself needs no card."""
    closed, _ = CHARGING.close(job({"cost": {"currency": "CNY", "settled": "1"}}), NOW)

    assert closed.settled == 200_000


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"seconds": 5}, {"tokens": -5}, {"tokens": 10**9}, {"cost": {"currency": "XXX", "settled": "1"}}],
    ids=str,
)
def test_without_a_figure_to_believe_the_quote_stands(usage: dict[str, Any] | None) -> None:
    """A slip of the vendor's costs nobody money, and is kept as it was reported."""
    closed, entry = CHARGING.close(job(usage), NOW)

    assert closed.settled == 129_600
    assert closed.usage == usage
    assert entry == Entry(kind="settle", amount=129_600, at=NOW)


def test_a_card_that_has_gone_leaves_the_quote() -> None:
    """An operator took his own model out of the file while it was being made."""
    request = job().request.evolve(card="mine-no-more")
    closed, _ = CHARGING.close(job({"tokens": 5}, request=request), NOW)

    assert closed.settled == 129_600


def test_failures_release_and_late_cancels_keep_what_they_settled() -> None:
    """Whatever the vendor counted: what is not delivered is not charged by count."""
    failed = CHARGING.close(job({"tokens": 108_900}, state=State.FAILED), NOW)
    late = CHARGING.close(job({"tokens": 108_900}, state=State.CANCELLED, settled=129_600), NOW)

    assert failed[1] == Entry(kind="release", amount=129_600, at=NOW)
    assert late[1] == Entry(kind="settle", amount=129_600, at=NOW)


def test_a_take_has_no_money_of_its_own() -> None:
    """Its video has."""
    assert CHARGING.close(job({"tokens": 108_900}, parent="video_0"), NOW)[1] is None


def test_a_video_of_several_takes_costs_what_each_of_them_used() -> None:
    """By count where the vendor counted, by its share where not; what failed costs nothing."""
    takes = (
        job({"tokens": 108_900}, parent="video_0"),
        job(parent="video_0"),
        job(parent="video_0", state=State.FAILED),
    )
    amount, usage = CHARGING.takes(job(reserved=3 * 129_600), takes)

    assert amount == 130_680 + 129_600
    assert usage is not None
    assert usage["charge"]["because"] == "0.1089 million tokens at 1.2 USD"


def test_takes_that_nobody_counted_cost_their_shares() -> None:
    """To the micro-dollar, however the quote divides."""
    takes = (job(parent="video_0"), job(parent="video_0"), job(parent="video_0", state=State.FAILED))

    assert CHARGING.takes(job(reserved=100), takes) == (66, None)

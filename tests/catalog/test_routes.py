"""A route retires, a public name does not."""

from datetime import date

import pytest
from tests.catalog.made_up import make_card, make_request

from reelway.catalog.examples import example
from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.routes import describe_deprecation, retirement_warnings, routes_for
from reelway.catalog.spec import RouteCard, When
from reelway.core.videos import Mode

SWITCHED_OFF = date(2026, 9, 24)
OLD = RouteCard(vendor="acme", service="main", model="acme-one", retires=date(2026, 12, 31), successor="acme-2")
NEW = RouteCard(vendor="acme", model="{model}")


def test_routes_come_in_order_with_the_vendors_id() -> None:
    """The first that fits is preferred, and `{model}` is the card's own name, also behind an alias."""
    card = make_card(routes=(OLD, NEW))
    resolved = resolve(make_request(model="house-name"), card)
    assert [route.model for route in routes_for(card, resolved, date(2026, 11, 23))] == ["acme-one", "acme-1"]


def test_a_route_is_taken_for_what_it_can_do_only() -> None:
    """A condition on a route is part of the choice."""
    card = make_card(routes=(RouteCard(vendor="acme", model="text", when=When(mode=(Mode.T2V,), tier=("720p",))), NEW))
    plain, large = resolve(make_request(), card), resolve(make_request(tier="1080p"), card)
    assert [route.model for route in routes_for(card, plain, SWITCHED_OFF)] == ["text", "acme-1"]
    assert [route.model for route in routes_for(card, large, SWITCHED_OFF)] == ["acme-1"]


@pytest.mark.parametrize(
    ("today", "services"),
    [
        (date(2026, 9, 23), ["openai", "azure", "compatible"]),
        (SWITCHED_OFF, ["azure", "compatible"]),
        (date(2026, 11, 23), ["compatible"]),
        (date(2036, 1, 1), ["compatible"]),
    ],
)
def test_sora_lives_on_through_compatible_servers(today: date, services: list[str]) -> None:
    """From the day the vendor switched it off its route is skipped; the name stays."""
    card = load_catalog().card("sora-2")
    resolved = resolve(example(card, Mode.T2V), card)
    assert [route.service for route in routes_for(card, resolved, today)] == services


def test_before_the_date_a_warning_names_day_and_successor() -> None:
    """Early enough to move, and only while the route still counts."""
    card = load_catalog().card("sora-2")
    resolved = resolve(example(card, Mode.T2V), card)
    messages = [warning.message for warning in retirement_warnings(card, resolved, date(2026, 7, 1))]

    assert "openai_videos (openai) stops making sora-2 on 2026-09-24; move to gemini-omni" in messages
    assert retirement_warnings(card, resolved, date(2026, 1, 1)) == ()
    assert retirement_warnings(card, resolved, date(2026, 11, 23)) == ()


def test_a_route_nobody_can_use_here_needs_no_warning() -> None:
    """With the routes of the accounts there are, only those count."""
    card = make_card(routes=(OLD, NEW))
    resolved = resolve(make_request(), card)
    assert retirement_warnings(card, resolved, date(2026, 11, 23), routes=(NEW,)) == ()
    assert len(retirement_warnings(card, resolved, date(2026, 11, 23), routes=(OLD, OLD))) == 1


@pytest.mark.parametrize(
    ("today", "status", "retired"),
    [(date(2026, 12, 30), "retiring", False), (date(2026, 12, 31), "moved", True)],
)
def test_the_deprecation_of_a_card_that_lives_on(today: date, status: str, retired: bool) -> None:
    """`retiring` while a dated route still works, `moved` when only the others do."""
    shown = describe_deprecation(make_card(routes=(OLD, NEW)), today)
    assert shown is not None
    assert (shown["status"], shown["successor"]) == (status, "acme-2")
    assert shown["routes"][0]["retired"] is retired


def test_a_card_whose_last_route_is_gone_is_retired() -> None:
    """And one without dates has nothing to tell."""
    shown = describe_deprecation(make_card(routes=(OLD,)), date(2027, 1, 1))
    assert shown is not None
    assert shown["status"] == "retired"
    assert describe_deprecation(make_card(routes=(NEW,)), date(2027, 1, 1)) is None

"""Every adapter, against its fixture folders and the rules that hold for all of them."""

import inspect

import pytest
from tests.vendors.conformance import Case, load_cases, replay
from tests.vendors.round_trip import Line, lines

from reelway.core.videos import ResolvedRequest
from reelway.vendors.registry import adapters
from reelway.vendors.spec import CanCancel, CanDelete, CanFind, CanReadCallback

CASES = load_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.vendor}-{case.name}")
def test_the_story_is_played_as_written(case: Case) -> None:
    """The adapter sends what the folder says, and understands what the folder answers."""
    replay(case)


@pytest.mark.parametrize("vendor", sorted(adapters()))
def test_every_step_of_an_adapter_has_a_story(vendor: str) -> None:
    """An ability without a fixture is one nobody has seen working."""
    adapter = adapters()[vendor]
    told = {step.do for case in CASES if case.vendor == vendor for step in case.steps}
    abilities = {"submit", "check"}
    abilities |= {"cancel"} if isinstance(adapter, CanCancel) else set()
    abilities |= {"delete"} if isinstance(adapter, CanDelete) else set()
    abilities |= {"find"} if isinstance(adapter, CanFind) else set()

    assert all(inspect.isgeneratorfunction(getattr(adapter, name)) for name in abilities)
    assert told == abilities | ({"callback"} if isinstance(adapter, CanReadCallback) else set())


@pytest.mark.parametrize("line", [line for line in lines() if line.is_own], ids=str)
def test_every_model_has_a_story_in_every_mode(line: Line) -> None:
    """What the vendor's documents show of a request is replayed for each, and fits the card of that model."""
    rules = line.card.modes[line.mode]

    def fits(asked: ResolvedRequest) -> bool:
        is_long_enough = asked.seconds is None or (rules.seconds is not None and rules.seconds.allows(asked.seconds))
        of_this = (asked.card, asked.mode) == (line.card.name, line.mode)
        return of_this and is_long_enough and asked.tier in (None, *rules.tiers)

    assert any(
        case.vendor == line.leg.vendor
        and case.submission is not None
        and case.steps[0].do == "submit"
        and fits(case.submission.request)
        for case in CASES
    )


@pytest.mark.parametrize("vendor", sorted(adapters()))
def test_an_unknown_state_is_among_the_stories(vendor: str) -> None:
    """What nobody has met raises; it is neither progress nor an end."""
    surprises = [
        case.name
        for case in CASES
        if case.vendor == vendor
        for step in case.steps
        if (step.do, step.gives) == ("check", "UnexpectedResponse")
    ]

    assert surprises


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.vendor}-{case.name}")
def test_the_billable_request_is_the_last_of_a_submit(case: Case) -> None:
    """What precedes it may be repeated after a crash; nothing else costs money."""
    number = 0
    for step in case.steps:
        batch = case.exchanges[number : number + step.exchanges]
        number += step.exchanges
        billable = [exchange.request.get("billable", False) for exchange in batch]
        assert not any(billable[:-1])
        assert billable[-1:] == [True] or step.do != "submit" or not batch


def test_adapters_are_found_by_looking() -> None:
    """Nobody edits a list to add one; each stands under its own name."""
    assert all(name == adapter.vendor for name, adapter in adapters().items())
    assert "openai_videos" in adapters()
    assert {case.vendor for case in CASES} == set(adapters())

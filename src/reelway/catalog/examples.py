"""Requests that a card must take, and requests that it must refuse, drawn from the card itself.

Tests walk these for every card and mode: an example is minimal and valid, and an outside request has one thing wrong.
"""

from collections.abc import Iterator
from typing import Any

from reelway.catalog.combinations import NEEDED_ROLES, seconds_values
from reelway.catalog.messages import listing
from reelway.catalog.sizing import sizes_of
from reelway.catalog.spec import InputRule, ModelCard, OptionCard
from reelway.catalog.values import describe_option
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, Mode, Operation, Role, VideoRequest

__all__ = ["Outside", "example", "examples", "give", "outside"]

_OPERATIONS: dict[Mode, Operation] = {Mode.EDIT: "edit", Mode.EXTEND: "extend", Mode.REMIX: "remix"}
_ENDINGS = {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "mp3"}
_STRANGE_SIZE = (1234, 566)
_STRANGE_RATIO = "13:5"
_STRANGE_TIER = "144p"


class Outside(Record):
    """A request with one thing wrong."""

    what: str
    """The field that is wrong, for the name of a test."""
    request: VideoRequest
    allowed: str
    """What the refusal must name."""
    code: str = "invalid_value"


def example(card: ModelCard, mode: Mode) -> VideoRequest:
    """Return the smallest request that makes a video in this mode; inputs are URLs below `https://example.com`."""
    operation = _OPERATIONS.get(mode, "create")
    return VideoRequest(
        model=card.name,
        operation=operation,
        prompt=None if card.modes[mode].prompt == "ignored" else "A lighthouse in a storm, seen from a small boat",
        mode=str(mode) if operation == "create" else None,
        inputs=tuple(_needed_inputs(card, mode)),
    )


def examples(card: ModelCard) -> Iterator[tuple[Mode, VideoRequest]]:
    """Yield the example of every mode of a card."""
    for mode in card.modes:
        yield mode, example(card, mode)


def outside(card: ModelCard, mode: Mode) -> Iterator[Outside]:
    """Yield, for every value a mode restricts, a request that asks for something else."""
    base = example(card, mode)
    yield from _outside_numbers(card, mode, base)
    yield from _outside_sizes(card, mode, base)
    yield from _outside_inputs(card, mode, base)
    yield from _outside_prompts(card, mode, base)
    for name, option in card.options.items():
        if not option.modes or mode in option.modes:
            yield from _outside_option(name, option, base)
    if mode not in _OPERATIONS:
        strange = base.evolve(mode="sideways")
        yield Outside(what="mode", request=strange, allowed=listing((*card.modes, *card.mode_words)))


def give(rule: InputRule, count: int = 1, *, start: int = 0) -> tuple[InputReference, ...]:
    """Return so many inputs of the kind and role a rule is about."""
    return tuple(
        InputReference(
            field=f"{rule.role}[{index}]",
            kind=rule.kind,
            role=rule.role,
            url=f"https://example.com/{rule.role}-{index}.{_ENDINGS[rule.kind]}",
        )
        for index in range(start, start + count)
    )


def _needed_inputs(card: ModelCard, mode: Mode) -> Iterator[InputReference]:
    present: set[Role] = set()
    for rule in card.modes[mode].inputs:
        wanted = rule.min or int(rule.role in NEEDED_ROLES[mode] and rule.role not in present)
        if wanted:
            present.add(rule.role)
            yield from give(rule, wanted)


def _outside_numbers(card: ModelCard, mode: Mode, base: VideoRequest) -> Iterator[Outside]:
    rule = card.modes[mode].seconds
    if rule is not None:
        inside = {second for second in seconds_values(rule) if second is not None and second > 0}
        wrong = {0, min(inside) - 1, max(inside) + 1, *range(min(inside), max(inside))} - inside
        for seconds in sorted(wrong):
            yield Outside(what=f"seconds={seconds}", request=base.evolve(seconds=seconds), allowed=rule.describe())
        if not rule.auto:
            yield Outside(what="seconds=-1", request=base.evolve(seconds=-1), allowed=rule.describe())
    for takes in (-1, 0, 5, 9):
        yield Outside(what=f"n={takes}", request=base.evolve(n=takes), allowed="a whole number from 1 to 4")
    if card.fps:
        yield Outside(what="fps", request=base.evolve(fps=max(card.fps) + 1), allowed=listing(card.fps))
    if card.seed_max is not None:
        allowed = f"a whole number from 0 to {card.seed_max}"
        yield Outside(what="seed too large", request=base.evolve(seed=card.seed_max + 1), allowed=allowed)
        yield Outside(what="seed too small", request=base.evolve(seed=-2), allowed=allowed)


def _outside_sizes(card: ModelCard, mode: Mode, base: VideoRequest) -> Iterator[Outside]:
    rules = card.modes[mode]
    if rules.tiers:
        yield Outside(what="resolution", request=base.evolve(tier=_STRANGE_TIER), allowed=listing(rules.tiers))
    if rules.ratios:
        yield Outside(what="aspect_ratio", request=base.evolve(ratio=_STRANGE_RATIO), allowed=listing(rules.ratios))
    width, height = _STRANGE_SIZE
    sizes = sizes_of(card, mode).values()
    names = dict.fromkeys(f"{size[0]}x{size[1]}" for size in sizes)
    if rules.tiers or rules.ratios:
        allowed = listing(names or rules.tiers or rules.ratios)
        yield Outside(what="size", request=base.evolve(width=width, height=height), allowed=allowed)
    yield Outside(
        what="width alone", request=base.evolve(width=width), allowed="height", code="missing_required_parameter"
    )


def _outside_inputs(card: ModelCard, mode: Mode, base: VideoRequest) -> Iterator[Outside]:
    rules = card.modes[mode]
    for rule in rules.inputs:
        others = tuple(item for item in base.inputs if (item.role, item.kind) != (rule.role, rule.kind))
        crowd = base.evolve(inputs=(*others, *give(rule, rule.max + 1)))
        yield Outside(what=f"too many {rule.role} {rule.kind}", request=crowd, allowed=str(rule.max))
    for role in NEEDED_ROLES[mode]:
        rest = tuple(item for item in base.inputs if item.role is not role)
        yield Outside(
            what=f"no {role}",
            request=base.evolve(inputs=rest),
            allowed=f"needs a {role.replace('_', ' ')}",
            code="missing_required_parameter",
        )
    taken = {(rule.role, rule.kind) for rule in rules.inputs}
    for role, kind in ((Role.REFERENCE, MediaKind.AUDIO), (Role.LAST_FRAME, MediaKind.VIDEO)):
        if (role, kind) not in taken:
            stray = give(InputRule(role=role, kind=kind))
            request = base.evolve(inputs=(*base.inputs, *stray))
            yield Outside(what=f"stray {kind}", request=request, allowed=f"in mode {mode} takes")


def _outside_prompts(card: ModelCard, mode: Mode, base: VideoRequest) -> Iterator[Outside]:
    if card.modes[mode].prompt == "required":
        for prompt in (None, "", " \n"):
            empty = base.evolve(prompt=prompt)
            yield Outside(what="no prompt", request=empty, allowed="prompt", code="missing_required_parameter")
    long = base.evolve(prompt="x" * (card.prompt_limit + 1))
    yield Outside(what="long prompt", request=long, allowed=f"at most {card.prompt_limit}", code="prompt_too_long")


def _outside_option(name: str, option: OptionCard, base: VideoRequest) -> Iterator[Outside]:
    wrong: list[Any] = [{"boolean": "perhaps", "array": "none", "object": "none"}.get(option.type, [["no"]])]
    wrong += ["no-such-word"] if option.values else []
    wrong += [option.max + 1] if option.max is not None else []
    wrong += [option.min - 1] if option.min is not None else []
    if option.max_length is not None:
        wrong.append(["x"] * (option.max_length + 1) if option.type == "array" else "x" * (option.max_length + 1))
    for value in wrong:
        for place in ("options", "metadata", "parameters"):
            request = base.evolve(**{place: {name: value}})
            yield Outside(what=f"{place} {name}", request=request, allowed=describe_option(option))

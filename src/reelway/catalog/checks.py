"""Whether a card agrees with itself: every default allowed, every limit reachable, every combination routed and priced.

A complaint is a sentence that names the place in the card; an empty answer means that the card can be served.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from reelway.catalog.combinations import NEEDED_ROLES, reachable, seconds_values
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.options import fold_name
from reelway.catalog.sizes import ADAPTIVE, parse_pixels, pixels
from reelway.catalog.spec import InputRule, ModeCard, ModelCard, OptionCard, PriceRule, SecondsRule, When
from reelway.catalog.values import ValueRefused, fit_option
from reelway.core.videos import MediaKind, Mode, Role

__all__ = ["check_card"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MODE_WORD_KEYS = frozenset({"mode", "tier", "ratio", "seconds", "audio", "option", "value"})


def check_card(card: ModelCard) -> tuple[str, ...]:
    """Return what is wrong with a card; empty when it holds together."""
    return (
        *_check_head(card),
        *(f"modes.{mode}: {text}" for mode, rules in card.modes.items() for text in _check_mode(card, mode, rules)),
        *(f"options.{name}: {text}" for name, option in card.options.items() for text in _check_option(card, option)),
        *_check_option_names(card),
        *_check_words(card),
        *_check_conditions(card),
        *(f"price.{index}: {text}" for index, line in enumerate(card.price) for text in _check_price(line)),
        *_check_combinations(card),
    )


def _check_head(card: ModelCard) -> Iterator[str]:
    if not _NAME.fullmatch(card.name):
        yield f"the name {card.name!r} may hold letters, digits, dots, dashes and underscores only"
    if not card.modes:
        yield "has no modes"
    if not card.routes:
        yield "has no routes"
    if card.default_mode is not None and card.default_mode not in card.modes:
        yield f"default_mode {card.default_mode} is not one of its modes"
    if card.fps and card.fps_made not in card.fps:
        yield f"fps_made {card.fps_made} is not one of fps {list(card.fps)}"
    if card.audio.modes and card.audio.kind != "switch":
        yield 'audio.modes says something only with kind = "switch"'
    for mode in card.audio.modes:
        if mode not in card.modes:
            yield f"audio.modes names {mode}, which is not one of its modes"
    if card.n_max < 1 or card.prompt_limit < 1:
        yield "n_max and prompt_limit must be at least 1"
    if not 0 < card.typical_seconds <= card.deadline_seconds:
        yield "typical_seconds must be positive and not above deadline_seconds"


def _check_mode(card: ModelCard, mode: Mode, rules: ModeCard) -> Iterator[str]:
    for kind, default, allowed in (("tier", rules.tier, rules.tiers), ("ratio", rules.ratio, rules.ratios)):
        if allowed and default is None:
            yield f"{kind}s are given without a default {kind}"
        elif default is not None and default not in allowed:
            yield f"the default {kind} {default} is not one of {kind}s {list(allowed)}"
    if rules.seconds is not None:
        yield from _check_seconds(rules.seconds)
    for role in NEEDED_ROLES[mode]:
        if not any(rule.role is role and rule.max > 0 for rule in rules.inputs):
            yield f"takes no input with the role {role}"
    for index, rule in enumerate(rules.inputs):
        yield from (f"inputs.{index}: {text}" for text in _check_input(rule))
    if len({(rule.role, rule.kind) for rule in rules.inputs}) < len(rules.inputs):
        yield "two input rules have the same role and kind"


def _check_seconds(rule: SecondsRule) -> Iterator[str]:
    if bool(rule.values) == (rule.min is not None or rule.max is not None):
        yield "seconds needs either values, or min and max"
    elif (rule.min is None) != (rule.max is None) or (rule.min or 0) > (rule.max or 0):
        yield "seconds needs min and max, in this order"
    elif not rule.allows(rule.default):
        yield f"the default of {rule.default} seconds is not {rule.describe()}"


def _check_input(rule: InputRule) -> Iterator[str]:
    if not 0 <= rule.min <= rule.max or rule.max == 0:
        yield f"min {rule.min} and max {rule.max} leave no count"
    if rule.role in (Role.FIRST_FRAME, Role.LAST_FRAME) and (rule.max > 1 or rule.kind is not MediaKind.IMAGE):
        yield f"a {rule.role} is one image"
    for name in ("side", "ratio", "seconds"):
        least, most = getattr(rule, f"min_{name}"), getattr(rule, f"max_{name}")
        if least is not None and most is not None and least > most:
            yield f"min_{name} {least} is above max_{name} {most}"
    for media_type in rule.media_types:
        if not media_type.startswith(f"{rule.kind}/"):
            yield f"{media_type} is no type of {rule.kind}"


def _check_option(card: ModelCard, option: OptionCard) -> Iterator[str]:
    for mode in option.modes:
        if mode not in card.modes:
            yield f"names the mode {mode}, which the card does not have"
    for value in (*option.values, *(() if option.default is None else (option.default,))):
        try:
            fit_option(option, value)
        except ValueRefused as refused:
            yield f"the value {value!r} is not {refused}"


def _check_option_names(card: ModelCard) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, option in card.options.items():
        for spelling in (name, *option.aliases):
            owner = owners.setdefault(fold_name(spelling), name)
            if owner != name:
                yield f"options.{name}: {spelling} already means options.{owner}"


def _check_words(card: ModelCard) -> Iterator[str]:
    tiers = {tier for rules in card.modes.values() for tier in rules.tiers}
    for flag, field in card.prompt_flags.items():
        if not flag.isidentifier() or not field.isidentifier():
            yield f"prompt_flags.{flag} must be a plain word and mean a field (got {field!r})"
    for word, tier in card.tier_words.items():
        if tier not in tiers:
            yield f"tier_words.{word} means {tier}, which is no tier of any mode"
    for word, meaning in card.mode_words.items():
        # An empty meaning is a word that is known and changes nothing; whoever says it is warned.
        unknown = sorted(set(meaning) - _MODE_WORD_KEYS)
        if unknown:
            yield f"mode_words.{word} may say {', '.join(sorted(_MODE_WORD_KEYS))} (got {', '.join(unknown)})"
        if ("option" in meaning) != ("value" in meaning):
            yield f"mode_words.{word}: option and value go together"
        if "option" in meaning and meaning["option"] not in card.options:
            yield f"mode_words.{word} sets {meaning['option']}, which is none of the card's options"
        if "tier" in meaning and meaning["tier"] not in tiers:
            yield f"mode_words.{word} means the tier {meaning['tier']}, which no mode has"
        if "mode" in meaning and meaning["mode"] not in card.modes:
            yield f"mode_words.{word} means the mode {meaning['mode']}, which the card does not have"


def _check_conditions(card: ModelCard) -> Iterator[str]:
    placed = [
        *((f"limits.{index}", limit.when) for index, limit in enumerate(card.limits)),
        *((f"routes.{index}", route.when) for index, route in enumerate(card.routes)),
        *((f"price.{index}", line.when) for index, line in enumerate(card.price)),
    ]
    for place, when in placed:
        yield from (f"{place}.when: {text}" for text in _check_when(card, when))
    for index, limit in enumerate(card.limits):
        values = limit.seconds or limit.tiers or limit.ratios or limit.audio is not None
        narrows = values or limit.inputs or limit.inputs_total is not None
        if bool(narrows) == limit.refuse:
            yield f"limits.{index} must either narrow something or refuse"
        if limit.refuse and not limit.because:
            yield f"limits.{index} refuses without a because"
        narrowed = When(tier=limit.tiers, ratio=limit.ratios, seconds=limit.seconds)
        yield from (f"limits.{index}: {text}" for text in _check_when(card, narrowed))


def _check_when(card: ModelCard, when: When) -> Iterator[str]:
    modes = card.modes.values()
    known: dict[str, tuple[tuple[object, ...], set[object]]] = {
        "mode": (when.mode, set(card.modes)),
        "tier": (when.tier, {tier for rules in modes for tier in rules.tiers}),
        "ratio": (when.ratio, {ratio for rules in modes for ratio in rules.ratios}),
        "seconds": (when.seconds, {second for rules in modes for second in seconds_values(rules.seconds)}),
        "role": (when.role, {rule.role for rules in modes for rule in rules.inputs}),
        "kind": (when.kind, {rule.kind for rules in modes for rule in rules.inputs}),
        "option": (tuple(when.option), set(card.options)),
    }
    for part, (named, there) in known.items():
        for value in named:
            if value not in there:
                yield f"{part} {value} can never be: the card has no such {part}"


def _check_price(line: PriceRule) -> Iterator[str]:
    for name in ("amount", "credits", "credits_per_second"):
        try:
            if Decimal(getattr(line, name)) < 0:
                yield f"{name} is negative"
        except InvalidOperation:
            yield f"{name} {getattr(line, name)!r} is no decimal number"
    if line.free < 0:
        yield "free is negative"
    if (line.unit == "credit") != (line.credits != "0" or line.credits_per_second != "0"):
        yield 'credits and credits_per_second belong to unit = "credit", which needs one of them'


def _check_combinations(card: ModelCard) -> Iterator[str]:
    """Complain once for each mode and kind of gap, with the first combination that shows it."""
    seen: set[tuple[str, Mode]] = set()
    reached: set[Mode] = set()
    met: set[int] = set()
    for facts in reachable(card, limited=False):
        met.update(index for index, limit in enumerate(card.limits) if holds(limit.when, facts))
    for facts in reachable(card):
        reached.add(facts.mode)
        for gap in _gaps(card, facts):
            if (gap, facts.mode) not in seen:
                seen.add((gap, facts.mode))
                yield f"modes.{facts.mode}: {gap} for {_describe(facts)}"
    for mode in card.modes:
        if mode not in reached:
            yield f"modes.{mode}: the limits leave nothing that could be asked for"
    for index in range(len(card.limits)):
        if index not in met:
            yield f"limits.{index} can never apply"


def _gaps(card: ModelCard, facts: Facts) -> Iterator[str]:
    if not any(holds(route.when, facts) for route in card.routes):
        yield "no route"
    if not _is_excused(card) and not any(not line.extra and holds(line.when, facts) for line in card.price):
        yield "no price (add one, or a note that speaks of the price)"
    if facts.tier and facts.ratio and facts.ratio != ADAPTIVE:
        own = card.sizes.get(facts.tier, {}).get(facts.ratio)
        sides = parse_pixels(own) if own is not None else pixels(card, facts.tier, facts.ratio)
        if sides is None:
            yield f"no pixels in sizes.{facts.tier}.{facts.ratio!r}"
        elif sides[0] % 2 or sides[1] % 2:
            yield f"odd pixels {sides[0]}x{sides[1]} in sizes.{facts.tier}.{facts.ratio!r}"


def _is_excused(card: ModelCard) -> bool:
    return any("price" in text.lower() for text in (*card.notes, *card.unconfirmed))


def _describe(facts: Facts) -> str:
    words = [facts.tier, facts.ratio, f"{facts.seconds} s" if facts.seconds else None]
    words += ["with sound" if facts.audio else "without sound"]
    words += [str(kind) for kind in sorted(facts.kinds)]
    words += [f"{name}={value}" for name, value in facts.options.items()]
    return ", ".join(word for word in words if word)

"""Parts of a card in plain words: conditions, limits and prices as callers read them in `/v1/models` and in the docs."""

from reelway.catalog.messages import listing
from reelway.catalog.spec import InputRule, Limit, ModelCard, PriceRule, RouteCard, When

__all__ = [
    "count_in_words",
    "in_words",
    "input_in_words",
    "limit_in_words",
    "price_in_words",
    "route_name",
    "unconfirmed_facts",
]

_UNITS = {
    "second": "per second",
    "clip": "per video",
    "million_tokens": "per million tokens",
    "input_image": "per input image",
    "input_second": "per second of input video",
}
_MEGABYTE = 1_000_000


def in_words(when: When) -> str:
    """Return a condition: `t2v or i2v, 1080p, with sound`; empty where it always holds."""
    parts = [
        " or ".join(when.mode),
        " or ".join(when.tier),
        " or ".join(when.ratio),
        f"{' or '.join(map(str, when.seconds))} seconds" if when.seconds else "",
        f"not {' or '.join(map(str, when.not_seconds))} seconds" if when.not_seconds else "",
        "" if when.audio is None else "with sound" if when.audio else "without sound",
        f"with a {' or '.join(role.replace('_', ' ') for role in when.role)}" if when.role else "",
        f"with {' or '.join(when.kind)} input" if when.kind else "",
        f"without {' or '.join(when.no_kind)} input" if when.no_kind else "",
        ", ".join(f"{name} {listing([value])}" for name, value in sorted(when.option.items())),
    ]
    return ", ".join(part for part in parts if part)


def limit_in_words(limit: Limit) -> str:
    """Return a limit: `with 1080p: 8 seconds`."""
    left = [
        f"{listing(limit.seconds)} seconds" if limit.seconds else "",
        listing(limit.tiers) if limit.tiers else "",
        listing(limit.ratios) if limit.ratios else "",
        "" if limit.audio is None else "with sound" if limit.audio else "without sound",
        *(f"at most {most} {kind} inputs" for kind, most in sorted(limit.inputs.items())),
        "" if limit.inputs_total is None else f"at most {limit.inputs_total} inputs",
        "refused" if limit.refuse else "",
    ]
    because = f" ({limit.because})" if limit.because else ""
    return f"{in_words(limit.when) or 'always'}: {', '.join(part for part in left if part)}{because}"


def price_in_words(line: PriceRule) -> str:
    """Return a price without its condition: `0.10 USD per second`."""
    if line.unit == "credit":
        fixed = f"{line.credits} credits" if line.credits != "0" else ""
        running = f"{line.credits_per_second} credits per second" if line.credits_per_second != "0" else ""
        text = f"{' and '.join(part for part in (fixed, running) if part)}, {line.amount} {line.currency} each"
    else:
        text = f"{line.amount} {line.currency} {_UNITS[line.unit]}"
    if line.free:
        text += f" after the first {line.free}"
    return f"plus {text}" if line.extra else text


def input_in_words(rule: InputRule) -> str:
    """Return an input rule: `1 to 9 reference images (jpeg, png; at most 20 MB; sides at least 300 pixels)`."""
    noun = f"{count_in_words(rule)} {rule.role.replace('_', ' ')} {rule.kind}{'s' if rule.max > 1 else ''}"
    bounds = [
        ", ".join(media_type.partition("/")[2] for media_type in rule.media_types),
        f"at most {rule.max_bytes / _MEGABYTE:g} MB" if rule.max_bytes else "",
        _bounds("sides", rule.min_side, rule.max_side, "pixels"),
        _bounds("width / height", rule.min_ratio, rule.max_ratio, ""),
        _bounds("length", rule.min_seconds, rule.max_seconds, "seconds"),
        f"{rule.total_seconds:g} seconds in all" if rule.total_seconds else "",
        "exactly the size of the video" if rule.match_size else "",
    ]
    text = "; ".join(part for part in bounds if part)
    return f"{noun} ({text})" if text else noun


def count_in_words(rule: InputRule) -> str:
    """Return how many inputs a rule takes: `1`, `1 to 9` or `up to 3`."""
    if rule.min == rule.max:
        return str(rule.max)
    return f"{rule.min} to {rule.max}" if rule.min else f"up to {rule.max}"


def unconfirmed_facts(card: ModelCard) -> list[str]:
    """Return every sentence of doubt on a card, with the place it is about."""
    facts = [("", text) for text in (*card.unconfirmed, card.audio.unconfirmed)]
    for mode, rules in card.modes.items():
        facts += [(f"{mode}: ", text) for text in (rules.unconfirmed, *(rule.unconfirmed for rule in rules.inputs))]
    facts += [(f"{name}: ", option.unconfirmed) for name, option in card.options.items()]
    facts += [("price: ", line.unconfirmed) for line in card.price]
    facts += [(f"route {route_name(route)}: ", route.unconfirmed) for route in card.routes]
    return list(dict.fromkeys(f"{place}{text}" for place, text in facts if text))


def route_name(route: RouteCard) -> str:
    """Return `bytedance (ark)`."""
    return f"{route.vendor} ({route.service})" if route.service else route.vendor


def _bounds(name: str, least: float | None, most: float | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if most is None:
        text = f"{name} at least {least:g}"
    elif least is None:
        text = f"{name} at most {most:g}"
    else:
        text = f"{name} {least:g} to {most:g}"
    return f"{text} {unit}".rstrip()

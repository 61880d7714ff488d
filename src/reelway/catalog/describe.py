"""A model card as callers see it: the `video` object of `/v1/models`.

Everything shown is read from the card, so that what is documented is what is enforced.
"""

from datetime import date
from typing import Any

from reelway.catalog.combinations import audio_values, seconds_values
from reelway.catalog.routes import describe_deprecation, is_retired
from reelway.catalog.sizes import pixels
from reelway.catalog.sizing import sizes_of
from reelway.catalog.spec import InputRule, ModeCard, ModelCard, OptionCard, PriceRule, SecondsRule
from reelway.catalog.values import describe_option
from reelway.catalog.wording import in_words, limit_in_words, price_in_words, unconfirmed_facts
from reelway.core.videos import Mode

__all__ = ["describe_card", "describe_deprecation"]

_TAKES_MAX = 4


def describe_card(card: ModelCard, today: date) -> dict[str, Any]:
    """Return the card as JSON; `today` decides which routes have retired."""
    return {
        "title": card.title,
        "family": card.family,
        "vendor": card.vendor,
        "summary": card.summary,
        "modes": {str(mode): _mode(card, mode, rules) for mode, rules in card.modes.items()},
        "default_mode": card.default_mode,
        "mode_words": sorted(card.mode_words),
        "resolution_words": dict(sorted(card.tier_words.items())),
        "audio": _audio(card),
        "fps": {"default": card.fps_made, "values": list(card.fps)},
        "seed": None if card.seed_max is None else {"min": 0, "max": card.seed_max},
        "subjects": {"pictures": card.subjects} if card.subjects else None,
        "n": {"min": 1, "max": _TAKES_MAX, "native": card.n_max},
        "prompt": {"max_characters": card.prompt_limit, "flags": dict(sorted(card.prompt_flags.items()))},
        "options": {name: _option(option) for name, option in sorted(card.options.items())},
        "limits": [limit_in_words(limit) for limit in card.limits],
        "price": [_price(line) for line in card.price],
        "routes": [
            {
                "vendor": route.vendor,
                "service": route.service or None,
                "model": route.model.replace("{model}", card.name),
                "when": in_words(route.when) or None,
                "retires": route.retires.isoformat() if route.retires else None,
                "retired": is_retired(route, today),
            }
            for route in card.routes
        ],
        "deprecation": describe_deprecation(card, today),
        "typical_seconds": card.typical_seconds,
        "notes": list(card.notes),
        "unconfirmed": unconfirmed_facts(card),
    }


def _mode(card: ModelCard, mode: Mode, rules: ModeCard) -> dict[str, Any]:
    sizes = sizes_of(card, mode)
    default = pixels(card, rules.tier, rules.ratio) if rules.tier and rules.ratio else None
    return {
        "prompt": rules.prompt,
        "inputs": [_input(rule) for rule in rules.inputs],
        "seconds": None if rules.seconds is None else _seconds(rules.seconds),
        "resolutions": list(rules.tiers),
        "resolution": rules.tier,
        "aspect_ratios": list(rules.ratios),
        "aspect_ratio": rules.ratio,
        "sizes": [_pixels(sides) for sides in dict.fromkeys(sizes.values())],
        "size": _pixels(default) if default else None,
        "audio": list(audio_values(card, mode)),
        "unconfirmed": rules.unconfirmed,
    }


def _input(rule: InputRule) -> dict[str, Any]:
    fields = (
        "max_bytes",
        "min_side",
        "max_side",
        "min_ratio",
        "max_ratio",
        "min_seconds",
        "max_seconds",
        "total_seconds",
    )
    limits = {name: getattr(rule, name) for name in fields if getattr(rule, name) is not None}
    return {
        "role": rule.role,
        "kind": rule.kind,
        "min": rule.min,
        "max": rule.max,
        "media_types": list(rule.media_types),
        **limits,
        "match_size": rule.match_size,
        "unconfirmed": rule.unconfirmed,
    }


def _seconds(rule: SecondsRule) -> dict[str, Any]:
    values = [second for second in seconds_values(rule) if second is not None and second > 0]
    return {"default": rule.default, "values": sorted(values), "auto": rule.auto}


def _audio(card: ModelCard) -> dict[str, Any]:
    rule = card.audio
    return {
        "kind": rule.kind,
        "default": rule.default if rule.kind == "switch" else rule.kind == "always",
        "modes": list(rule.modes or card.modes) if rule.kind == "switch" else [],
        "unconfirmed": rule.unconfirmed,
    }


def _option(option: OptionCard) -> dict[str, Any]:
    return {
        "type": option.type,
        "summary": option.summary,
        "allowed": describe_option(option),
        "values": list(option.values),
        "min": option.min,
        "max": option.max,
        "max_length": option.max_length,
        "default": option.default,
        "modes": list(option.modes),
        "aliases": list(option.aliases),
        "unconfirmed": option.unconfirmed,
    }


def _price(line: PriceRule) -> dict[str, Any]:
    return {
        "text": price_in_words(line),
        "unit": line.unit,
        "amount": line.amount,
        "currency": line.currency,
        "credits": line.credits if line.unit == "credit" else None,
        "credits_per_second": line.credits_per_second if line.unit == "credit" else None,
        "when": in_words(line.when) or None,
        "extra": line.extra,
        "free": line.free,
        "as_of": line.as_of.isoformat(),
        "source": line.source or None,
        "unconfirmed": line.unconfirmed,
    }


def _pixels(sides: tuple[int, int]) -> str:
    return f"{sides[0]}x{sides[1]}"

"""How the card tests read a card: the route, the price and the limits of one request, without the code under test."""

from decimal import Decimal

from reelway.catalog.conditions import Facts, holds
from reelway.catalog.spec import InputRule, ModelCard
from reelway.core.videos import MediaKind, Mode, Role

__all__ = ["FRAMES", "IMAGE", "VIDEO", "bounds", "input_rule", "lengths", "price", "vendor_model"]

FRAMES = frozenset({Mode.I2V, Mode.FIRST_LAST})
IMAGE = frozenset({MediaKind.IMAGE})
VIDEO = frozenset({MediaKind.VIDEO})


def vendor_model(card: ModelCard, facts: Facts, service: str = "") -> str | None:
    """Return the vendor's id that makes such a request; None when only a compatible server can."""
    fitting = [route for route in card.routes if holds(route.when, facts) and service in ("", route.service)]
    return fitting[0].model if fitting[0].vendor != "openai_videos" else None


def price(
    card: ModelCard, facts: Facts, *, seconds: str, input_seconds: str = "0", images: int = 0
) -> tuple[str, Decimal]:
    """Return the currency and the sum of the deciding line and all extra ones."""
    main = next(line for line in card.price if not line.extra and holds(line.when, facts))
    extras = [line for line in card.price if line.extra and holds(line.when, facts)]
    total = Decimal()
    for line in (main, *extras):
        assert line.currency == main.currency
        count = {
            "second": Decimal(seconds),
            "clip": Decimal(1),
            "input_second": Decimal(input_seconds),
            "input_image": Decimal(images),
            "credit": Decimal(line.credits) + Decimal(line.credits_per_second) * Decimal(seconds),
        }[line.unit]
        total += Decimal(line.amount) * max(count - line.free, Decimal())
    return main.currency, total


def input_rule(card: ModelCard, mode: Mode, role: Role, kind: MediaKind = MediaKind.IMAGE) -> InputRule:
    (rule,) = (rule for rule in card.modes[mode].inputs if (rule.role, rule.kind) == (role, kind))
    return rule


def bounds(rule: InputRule) -> tuple[int | None, int | None, int | None, float | None, float | None]:
    return rule.max_bytes, rule.min_side, rule.max_side, rule.min_ratio, rule.max_ratio


def lengths(card: ModelCard, mode: Mode) -> tuple[int | None, int | None, int] | None:
    """Return shortest, longest and default; None where the length follows the source."""
    rule = card.modes[mode].seconds
    return None if rule is None else (rule.min, rule.max, rule.default)

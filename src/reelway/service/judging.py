"""What a request means for its model, what it costs, and what speaks against it. Pure: the day and the rates come in."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from reelway.catalog.pricing import Quote, quote
from reelway.catalog.resolve import refuse_warnings, resolve
from reelway.catalog.routes import retirement_warnings
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import ResolvedRequest, VideoRequest

__all__ = ["judge"]

_BITS_PER_PIXEL = 0.12
"""A generous guess at how well video compresses, for telling early that base64 of it would be too large."""


def judge(
    request: VideoRequest,
    card: ModelCard,
    today: date,
    rates: Mapping[str, Decimal],
    *,
    strict: bool,
    b64_limit_bytes: int,
) -> tuple[ResolvedRequest, Quote]:
    """Return what a request means and its price; with `strict`, what would be a warning is refused."""
    resolved = resolve(request, card)
    if strict:
        refuse_warnings(resolved)
    warnings = retirement_warnings(card, resolved, today)
    if warnings:
        resolved = resolved.evolve(warnings=(*resolved.warnings, *warnings))
    if resolved.response_format == "b64_json":
        _check_b64(resolved, request.spelled.get("response_format", "response_format"), b64_limit_bytes)
    return resolved, quote(card, resolved, rates)


def _check_b64(resolved: ResolvedRequest, field: str, limit_bytes: int) -> None:
    pixels = (resolved.width or 1920) * (resolved.height or 1080)
    seconds = resolved.seconds if resolved.seconds and resolved.seconds > 0 else 10
    guess = pixels * (resolved.fps or 24) * seconds * _BITS_PER_PIXEL / 8
    if guess * resolved.n > limit_bytes:
        raise InvalidRequest(
            f"{field}: a result can be {limit_bytes} bytes large inside of an answer, and this one may be "
            "larger; ask for its address, or for fewer, shorter or smaller videos",
            param=field,
        )

"""Inputs against the rules of a mode: how many, of which type, and how large. Only what is known is judged.

Bytes we hold were measured and are judged here; a URL that is handed on is judged by the vendor.
"""

from collections.abc import Iterable, Iterator, Sequence

from reelway.catalog.combinations import NEEDED_ROLES
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.messages import listing
from reelway.catalog.modes import Given
from reelway.catalog.place import Place
from reelway.catalog.spec import InputRule, ModeCard
from reelway.catalog.wording import count_in_words
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Blob, Input, InputReference, MediaKind, Mode, Role

__all__ = ["check_extension", "check_input_limits", "check_inputs", "check_picture", "describe_inputs", "to_inputs"]

_ROLE_ORDER = (Role.FIRST_FRAME, Role.LAST_FRAME, Role.SOURCE, Role.REFERENCE)
_KIND_ORDER = (MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO)
_USUAL_FIELD = {
    Role.FIRST_FRAME: "input_reference",
    Role.LAST_FRAME: "last_frame",
    Role.REFERENCE: "images",
    Role.SOURCE: "video",
}


def check_inputs(place: Place, given: tuple[Given, ...], *, source_video: bool) -> None:
    """Raise `InvalidRequest` for the first input that breaks a rule, or one that is missing.

    `source_video` says that the video to work on is named by its id; its bytes may be among the inputs as well.
    """
    source_video = source_video and not any(item.role is Role.SOURCE for item in given)
    by_rule = {(rule.role, rule.kind): rule for rule in place.rules.inputs}
    for item in given:
        rule = by_rule.get((item.role or Role.REFERENCE, item.kind))
        if rule is None:
            raise InvalidRequest(
                f"{item.reference.field} cannot be used: {place.text} takes {describe_inputs(place.rules)} "
                f"(got {_name(item.role, item.kind)})",
                param=item.reference.field,
            )
        _check_one(place, rule, item)
    for rule in place.rules.inputs:
        items = [item for item in given if (item.role, item.kind) == (rule.role, rule.kind)]
        _check_count(place, rule, items, extra=int(source_video and rule.role is Role.SOURCE))
        _check_total(place, rule, items)
    present = {item.role for item in given} | ({Role.SOURCE} if source_video else set())
    for role in NEEDED_ROLES[place.mode]:
        if role not in present:
            raise _missing(place, role)


def check_extension(place: Place, given: Iterable[Given], seconds: int | None) -> None:
    """Raise `InvalidRequest` where source and extension together grow longer than the model can."""
    most = place.card.extend_seconds_max
    if place.mode is not Mode.EXTEND or most is None or seconds is None:
        return
    for item in given:
        length = item.reference.blob.seconds if item.role is Role.SOURCE and item.reference.blob else None
        if length is not None and length + seconds > most:
            raise InvalidRequest(
                f"source and extension together may last at most {most} seconds for {place.text} "
                f"(got {length:g} and {seconds})",
                param=place.field("seconds"),
            )


def check_input_limits(place: Place, given: Iterable[Given], facts: Facts) -> None:
    """Raise `InvalidRequest` where a limit of the card leaves room for fewer inputs than the mode alone."""
    items = tuple(given)
    for limit in place.card.limits:
        if not (limit.inputs or limit.inputs_total is not None) or not holds(limit.when, facts):
            continue
        reason = f": {limit.because}" if limit.because else ""
        for kind, most in limit.inputs.items():
            _check_most(place, [item for item in items if item.kind is kind], most, f"{kind} inputs", reason)
        if limit.inputs_total is not None:
            _check_most(place, items, limit.inputs_total, "inputs", reason)


def check_picture(place: Place, given: InputReference, *, role: Role, kind: MediaKind) -> None:
    """Raise `InvalidRequest` for one input that breaks the rule of its role, whatever else is given with it."""
    rule = next((rule for rule in place.rules.inputs if (rule.role, rule.kind) == (role, kind)), None)
    if rule is not None:
        _check_one(place, rule, Given(reference=given, kind=kind, role=role))


def _check_most(place: Place, items: Sequence[Given], most: int, noun: str, reason: str) -> None:
    if len(items) > most:
        raise InvalidRequest(
            f"{place.text} takes at most {most} {noun} with what else is asked for (got {len(items)}){reason}",
            param=items[most].reference.field,
        )


def to_inputs(given: Iterable[Given]) -> tuple[Input, ...]:
    """Return the inputs in one order, whatever order the fields of the request had: by role, by kind, then as given."""
    ordered = sorted(
        given, key=lambda item: (_ROLE_ORDER.index(item.role or Role.REFERENCE), _KIND_ORDER.index(item.kind))
    )
    return tuple(
        Input(
            kind=item.kind,
            role=item.role or Role.REFERENCE,
            blob=item.reference.blob,
            url=None if item.reference.blob else item.reference.url,
            file_id=None if item.reference.blob else item.reference.file_id,
            name=item.reference.name,
        )
        for item in ordered
    )


def describe_inputs(rules: ModeCard) -> str:
    """Return what a mode takes, for messages: `1 first frame image and up to 3 reference images`."""
    if not rules.inputs:
        return "no inputs"
    parts = [
        f"{count_in_words(rule)} {_name(rule.role, rule.kind)}{'s' if rule.max > 1 else ''}" for rule in rules.inputs
    ]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _name(role: Role | None, kind: MediaKind) -> str:
    return f"{str(role or 'input').replace('_', ' ')} {kind}"


def _missing(place: Place, role: Role) -> InvalidRequest:
    kinds = " or ".join(rule.kind for rule in place.rules.inputs if rule.role is role)
    return InvalidRequest(
        f"{place.text} needs a {role.replace('_', ' ')} {kinds}; it takes {describe_inputs(place.rules)}",
        code="missing_required_parameter",
        param=_USUAL_FIELD[role],
    )


def _check_count(place: Place, rule: InputRule, items: list[Given], *, extra: int) -> None:
    count = len(items) + extra
    if rule.min <= count <= rule.max:
        return
    if count == 0:
        raise _missing(place, rule.role)
    field = items[min(rule.max, len(items) - 1)].reference.field if items else _USUAL_FIELD[rule.role]
    raise InvalidRequest(
        f"{place.text} takes {count_in_words(rule)} {_name(rule.role, rule.kind)}{'s' if rule.max > 1 else ''} (got {count})",
        param=field,
    )


def _check_total(place: Place, rule: InputRule, items: list[Given]) -> None:
    if rule.total_seconds is None:
        return
    total = sum(item.reference.blob.seconds or 0.0 for item in items if item.reference.blob)
    if total > rule.total_seconds:
        raise InvalidRequest(
            f"all {_name(rule.role, rule.kind)}s together may last at most {rule.total_seconds:g} seconds for {place.text} "
            f"(got {total:g})",
            param=items[-1].reference.field,
        )


def _check_one(place: Place, rule: InputRule, item: Given) -> None:
    blob = item.reference.blob
    if blob is None:
        return
    for allowed, got in _complaints(rule, blob):
        raise InvalidRequest(
            f"{item.reference.field} must {allowed} for {place.text} (got {got})", param=item.reference.field
        )


def _complaints(rule: InputRule, blob: Blob) -> Iterator[tuple[str, str]]:
    if rule.media_types and blob.media_type not in rule.media_types:
        yield f"be {listing(rule.media_types)}", blob.media_type
    if rule.max_bytes is not None and blob.bytes > rule.max_bytes:
        yield f"have at most {rule.max_bytes} bytes", str(blob.bytes)
    if blob.width and blob.height:
        yield from _picture_complaints(rule, blob.width, blob.height)
    if blob.seconds is not None:
        if rule.min_seconds is not None and blob.seconds < rule.min_seconds:
            yield f"last at least {rule.min_seconds:g} seconds", f"{blob.seconds:g}"
        if rule.max_seconds is not None and blob.seconds > rule.max_seconds:
            yield f"last at most {rule.max_seconds:g} seconds", f"{blob.seconds:g}"


def _picture_complaints(rule: InputRule, width: int, height: int) -> Iterator[tuple[str, str]]:
    pixels = f"{width}x{height}"
    if rule.min_side is not None and min(width, height) < rule.min_side:
        yield f"have at least {rule.min_side} pixels on each side", pixels
    if rule.max_side is not None and max(width, height) > rule.max_side:
        yield f"have at most {rule.max_side} pixels on each side", pixels
    ratio = width / height
    if (rule.min_ratio is not None and ratio < rule.min_ratio) or (
        rule.max_ratio is not None and ratio > rule.max_ratio
    ):
        least, most = rule.min_ratio or 0.0, rule.max_ratio
        bounds = f"from {least:g} to {most:g}" if most is not None else f"of at least {least:g}"
        yield f"have a width divided by height {bounds}", pixels

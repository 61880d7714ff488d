"""A request against its model card: what will be priced, sent and shown (contract 2, rules 1 to 6).

Every field is used, named in a warning, or refused with what would be accepted. The same request in any order or encoding
resolves to an equal value.
"""

from collections.abc import Mapping
from typing import Any

from reelway.catalog.asking import read_choice, read_fps, read_seed
from reelway.catalog.choices import choose
from reelway.catalog.combinations import Choice
from reelway.catalog.conditions import Facts
from reelway.catalog.flags import take_flags
from reelway.catalog.inputs import check_extension, check_input_limits, check_inputs, to_inputs
from reelway.catalog.messages import refusal
from reelway.catalog.modes import Given, assign_roles, decide_mode, mode_meaning, read_given
from reelway.catalog.options import Options, read_options, said_beyond
from reelway.catalog.place import Place
from reelway.catalog.sizes import pixels
from reelway.catalog.spec import ModelCard
from reelway.catalog.subjects import check_shown
from reelway.core.errors import InvalidRequest
from reelway.core.videos import MediaKind, RequestWarning, ResolvedRequest, Role, VideoRequest

__all__ = ["refuse_warnings", "resolve"]

_MOST_TAKES = 4


def resolve(request: VideoRequest, card: ModelCard) -> ResolvedRequest:
    """Return what the request means on this card. Raises `InvalidRequest` for what the card does not allow.

    Bytes that came inside the request must have been stored before: an input holds a blob, a URL, a file id or the id of
    one of our videos (with its blob, where its length and pixels are to be judged).
    """
    request, given = _settle_source(take_flags(request, card), read_given(request))
    meaning = mode_meaning(request, card)
    mode = decide_mode(request, card, given, meaning)
    place = Place(model=request.model, card=card, mode=mode, spelled=request.spelled)
    given = assign_roles(mode, given)
    check_inputs(place, given, source_video=request.source_video_id is not None)
    check_shown(place, (item.reference.evolve(role=item.role) for item in given))
    prompt, prompt_warnings = _read_prompt(request, place)
    beyond = said_beyond(request)
    options = read_options(beyond, place, _named_option(meaning))
    asked, asked_warnings = read_choice(request, place, meaning, given, beyond)
    facts = _facts(place, given, request.source_video_id, options)
    choice = choose(place, asked, facts)
    width, height = (choice.tier and choice.ratio and pixels(card, choice.tier, choice.ratio)) or (None, None)
    check_input_limits(place, given, _with_choice(facts, choice))
    check_extension(place, given, choice.seconds)
    fps, fps_warnings = read_fps(request, place)
    seed, seed_warnings = read_seed(request, place)
    warnings = (*prompt_warnings, *options.warnings, *asked_warnings, *fps_warnings, *seed_warnings)
    return ResolvedRequest(
        operation=request.operation,
        model=request.model,
        card=card.name,
        mode=mode,
        prompt=prompt,
        inputs=to_inputs(given),
        seconds=choice.seconds,
        width=width,
        height=height,
        ratio=choice.ratio,
        tier=choice.tier,
        fps=fps,
        seed=seed,
        n=_read_takes(request),
        audio=choice.audio,
        options=options.options,
        tags=options.tags,
        response_format=request.response_format,
        user=request.user,
        source_video_id=request.source_video_id,
        callback_url=request.callback_url,
        callback_dialect=request.callback_dialect,
        client_reference=request.client_reference,
        warnings=_in_order((*request.warnings, *warnings)),
    )


def refuse_warnings(resolved: ResolvedRequest) -> None:
    """Raise `InvalidRequest` when anything was warned about; for callers that sent `Reelway-Strict: true`."""
    if resolved.warnings:
        text = "; ".join(f"{warning.field}: {warning.message}" for warning in resolved.warnings)
        first = resolved.warnings[0].field
        raise InvalidRequest(f"refused because of Reelway-Strict: {text}", code="unsupported_parameter", param=first)


def _settle_source(request: VideoRequest, given: tuple[Given, ...]) -> tuple[VideoRequest, tuple[Given, ...]]:
    """Move the id of one of our videos from the inputs to `source_video_id`; its blob, if known, stays an input."""
    kept: list[Given] = []
    source = request.source_video_id
    for item in given:
        named = item.reference.video_id
        if item.reference.data is not None and item.reference.blob is None:
            raise ValueError(f"{item.reference.field}: store the bytes of an input before resolving the request")
        if named is None or item.role not in (None, Role.SOURCE):
            kept.append(item)
            continue
        if source not in (None, named):
            raise InvalidRequest(
                f"one video can be worked on at a time (got {source} and {named})",
                code="conflicting_parameters",
                param=item.reference.field,
            )
        source = named
        if item.reference.blob is not None:
            kept.append(item.evolve(role=Role.SOURCE))
    settled = request if source == request.source_video_id else request.evolve(source_video_id=source)
    return settled, tuple(kept)


def _facts(place: Place, given: tuple[Given, ...], source: str | None, options: Options) -> Facts:
    roles = {item.role for item in given if item.role is not None}
    kinds = {item.kind for item in given}
    if source is not None:
        roles.add(Role.SOURCE)
        kinds.add(MediaKind.VIDEO)
    return Facts(mode=place.mode, roles=frozenset(roles), kinds=frozenset(kinds), options=options.options)


def _with_choice(facts: Facts, choice: Choice) -> Facts:
    return facts.evolve(tier=choice.tier, ratio=choice.ratio, seconds=choice.seconds, audio=choice.audio)


def _named_option(meaning: Mapping[str, Any]) -> dict[str, Any]:
    return {meaning["option"]: meaning["value"]} if "option" in meaning else {}


def _read_prompt(request: VideoRequest, place: Place) -> tuple[str, tuple[RequestWarning, ...]]:
    prompt = request.prompt or ""
    rule, limit = place.rules.prompt, place.card.prompt_limit
    if not prompt.strip():
        if rule == "required":
            raise InvalidRequest(
                f"prompt is required for {place.text}: say what the video should show",
                code="missing_required_parameter",
                param="prompt",
            )
        return "", ()
    if len(prompt) > limit:
        raise InvalidRequest(
            f"prompt may have at most {limit} characters for {place.model} (got {len(prompt)})",
            code="prompt_too_long",
            param="prompt",
        )
    if rule == "ignored":
        return prompt, (RequestWarning(field="prompt", message=f"{place.text} does not read the prompt"),)
    return prompt, ()


def _read_takes(request: VideoRequest) -> int:
    if not 1 <= request.n <= _MOST_TAKES:
        raise refusal("n", f"a whole number from 1 to {_MOST_TAKES}", request.model, request.n)
    return request.n


def _in_order(warnings: tuple[RequestWarning, ...]) -> tuple[RequestWarning, ...]:
    """Sort and drop repetitions, so that the order of fields in a body leaves no trace."""
    if len(warnings) < 2:
        return warnings
    unique = {(warning.field, warning.message): warning for warning in warnings}
    return tuple(unique[key] for key in sorted(unique))

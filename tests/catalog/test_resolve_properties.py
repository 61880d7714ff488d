"""What holds for every request on every card: one value, nothing changed, nothing lost, and refusals that help."""

import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from reelway.catalog.combinations import seconds_values
from reelway.catalog.examples import example
from reelway.catalog.examples import give as give_inputs
from reelway.catalog.load import load_catalog
from reelway.catalog.options import fold_name
from reelway.catalog.pricing import quote
from reelway.catalog.resolve import resolve
from reelway.catalog.sizes import same_ratio
from reelway.catalog.spec import ModelCard, OptionCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, ResolvedRequest, VideoRequest

CATALOG = load_catalog()
MODES = [(card, mode) for card in CATALOG.cards for mode in card.modes]
FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
SCALARS = st.one_of(st.booleans(), st.integers(-5, 5), st.floats(-2, 2, allow_nan=False), WORDS)
STRAY = st.dictionaries(st.from_regex(r"x_[a-z]{1,6}", fullmatch=True), SCALARS, max_size=4)


def values_of(option: OptionCard) -> st.SearchStrategy[Any]:
    """Return values an option takes, as JSON or as the text of a form."""
    if option.values:
        return st.sampled_from(option.values)
    least = int(option.min) if option.min is not None else 0
    most = int(option.max) if option.max is not None else least + 10
    plain: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.sampled_from([True, False, "true", "false", "on", "0"]),
        "integer": st.integers(least, most).flatmap(lambda number: st.sampled_from([number, str(number)])),
        "number": st.integers(least, most).flatmap(
            lambda number: st.sampled_from([number, float(number), str(number)])
        ),
        "string": st.just("word"),
        "array": st.sampled_from([[], [{"b": 1, "a": 2}], '[{"a": 2, "b": 1}]']),
        "object": st.sampled_from([{}, {"b": 1, "a": 2}, '{"a": 2, "b": 1}']),
    }
    return plain[option.type]


@st.composite
def requests(draw: st.DrawFn) -> tuple[ModelCard, VideoRequest]:
    """Draw a card, a mode of it, and a request that says many things, most of them possible."""
    card, mode = draw(st.sampled_from(MODES))
    rules = card.modes[mode]
    named = draw(st.lists(st.sampled_from(sorted(card.options)), unique=True, max_size=3)) if card.options else []
    places: dict[str, dict[str, Any]] = {"options": {}, "metadata": {}, "parameters": {}}
    for name in named:
        places[draw(st.sampled_from(sorted(places)))][name] = draw(values_of(card.options[name]))
    for stray in places.values():
        stray.update(draw(STRAY))
    base = example(card, mode)
    sides = draw(st.sampled_from([None, None, None, None, (1280, 720), (720, 1280), (1920, 1080)]))
    request = base.evolve(
        inputs=(*base.inputs, *draw(extra_inputs(card, mode))),
        seconds=draw(st.sampled_from([None, *seconds_values(rules.seconds), *seconds_values(rules.seconds), 7, -1])),
        tier=draw(st.sampled_from([None, None, *rules.tiers, *card.tier_words, "720p"])),
        ratio=draw(st.sampled_from([None, None, *rules.ratios, "32:18"])),
        width=sides and sides[0],
        height=sides and sides[1],
        fps=draw(st.sampled_from([None, 24, 30])),
        seed=draw(st.one_of(st.none(), st.integers(-1, 10_000))),
        n=draw(st.integers(1, 4)),
        audio=draw(st.sampled_from([None, True, False])),
        user=draw(st.sampled_from([None, "ada"])),
        client_reference=draw(st.sampled_from([None, "ref"])),
        callback_url=draw(st.sampled_from([None, "https://example.com/hook"])),
        **places,
    )
    return card, request


@st.composite
def extra_inputs(draw: st.DrawFn, card: ModelCard, mode: Any) -> tuple[InputReference, ...]:
    """Draw optional inputs of a mode."""
    roomy = [rule for rule in card.modes[mode].inputs if rule.max > max(rule.min, 1)]
    if not roomy:
        return ()
    return give_inputs(draw(st.sampled_from(roomy)), draw(st.integers(0, 1)), start=1)


def taken(card: ModelCard, request: VideoRequest) -> ResolvedRequest:
    """Return the resolved request; skip the ones that are refused."""
    try:
        return resolve(request, card)
    except InvalidRequest:
        reject()


def refused(card: ModelCard, request: VideoRequest) -> InvalidRequest | None:
    try:
        resolve(request, card)
    except InvalidRequest as error:
        return error
    return None


def shuffled(values: dict[str, Any], seed: int) -> dict[str, Any]:
    items = list(values.items())
    random.Random(seed).shuffle(items)
    return dict(items)


@FEW
@given(requests(), st.integers())
def test_the_same_request_in_any_order_gives_equal_bytes(drawn: tuple[ModelCard, VideoRequest], seed: int) -> None:
    """The order of fields in a body, and of roles among inputs, leaves no trace."""
    card, request = drawn
    resolved = taken(card, request)
    roles = list(dict.fromkeys(item.role for item in request.inputs))
    random.Random(seed).shuffle(roles)
    again = request.evolve(
        options=shuffled(request.options, seed),
        metadata=shuffled(request.metadata, seed),
        parameters=shuffled(request.parameters, seed),
        inputs=tuple(sorted(request.inputs, key=lambda item: roles.index(item.role))),
    )
    assert msgspec.json.encode(resolve(again, card)) == msgspec.json.encode(resolved)


@FEW
@given(requests())
def test_what_was_resolved_resolves_to_itself(drawn: tuple[ModelCard, VideoRequest]) -> None:
    """Asking for exactly what will be made changes nothing and draws no warning."""
    card, request = drawn
    resolved = taken(card, request)
    again = request.evolve(
        mode=str(resolved.mode) if request.operation == "create" else None,
        seconds=resolved.seconds,
        tier=resolved.tier,
        ratio=resolved.ratio,
        width=resolved.width,
        height=resolved.height,
        fps=resolved.fps,
        seed=resolved.seed,
        audio=resolved.audio,
        options=resolved.options,
        metadata=dict(resolved.tags),
        parameters={},
    )
    assert resolve(again, card) == resolved.evolve(warnings=())


@FEW
@given(requests())
def test_no_field_is_dropped_in_silence(drawn: tuple[ModelCard, VideoRequest]) -> None:
    """Each field of a request is used, or named in a warning; the refused ones were refused by name."""
    card, request = drawn
    resolved = taken(card, request)
    warned = {warning.field for warning in resolved.warnings}

    assert request.seconds in (None, resolved.seconds) or "seconds" in warned
    assert (
        request.tier is None
        or card.tier_words.get(request.tier, request.tier) == resolved.tier
        or "resolution" in warned
    )
    assert (
        request.ratio is None
        or (resolved.ratio is not None and same_ratio(request.ratio, resolved.ratio))
        or request.ratio == "adaptive"
        or "aspect_ratio" in warned
    )
    assert (
        request.width is None
        or (resolved.width, resolved.height) == (request.width, request.height)
        or "size" in warned
    )
    assert request.fps in (None, resolved.fps, card.fps_made) or "fps" in warned
    assert request.seed in (None, -1, resolved.seed) or "seed" in warned
    assert request.audio in (None, resolved.audio) or "audio" in warned
    assert len(resolved.inputs) == len(request.inputs)
    assert (resolved.n, resolved.user, resolved.prompt) == (request.n, request.user, request.prompt or "")
    assert (resolved.callback_url, resolved.client_reference) == (request.callback_url, request.client_reference)
    spellings = {fold_name(word): name for name, option in card.options.items() for word in (name, *option.aliases)}
    for prefix, values in (("", request.options), ("metadata.", request.metadata), ("parameters.", request.parameters)):
        for name in values:
            used = spellings.get(fold_name(name)) in resolved.options or (
                prefix == "metadata." and name in resolved.tags
            )
            assert used or f"{prefix}{name}" in warned, name


@FEW
@given(requests())
def test_defaults_are_explicit_and_everything_agrees(drawn: tuple[ModelCard, VideoRequest]) -> None:
    """One consistent tier, ratio, width and height; every default option of the mode is there; and it can be priced."""
    card, request = drawn
    resolved = taken(card, request)
    rules = card.modes[resolved.mode]

    assert resolved.tier in (rules.tiers or (None,))
    assert resolved.ratio in (rules.ratios or (None,))
    assert rules.seconds is None or (resolved.seconds is not None and rules.seconds.allows(resolved.seconds))
    assert (resolved.width is None) == (resolved.height is None)
    assert resolved.audio is not None
    for name, option in card.options.items():
        if option.default is not None and (not option.modes or resolved.mode in option.modes):
            assert name in resolved.options
    assert quote(card, resolved).amount > 0


@FEW
@given(requests())
def test_a_refusal_names_the_field_and_the_model(drawn: tuple[ModelCard, VideoRequest]) -> None:
    """Whoever reads it knows what to change."""
    card, request = drawn
    error = refused(card, request)
    if error is not None:
        assert card.name in error.message
        assert error.param is not None or error.code == "conflicting_parameters"
        assert error.code in {"invalid_value", "conflicting_parameters", "missing_required_parameter"}

"""Requests for the round trip: drawn from the cards, resolved, and made comparable after they went through a vendor's wire.

One leg is one surface of one vendor; it carries every model and mode whose card has a route there.
"""

from datetime import date
from typing import Any, NamedTuple

import msgspec
from hypothesis import reject
from hypothesis import strategies as st
from tests.vendors.legs import LEGS, Leg
from tests.vendors.peer import Peer, settled

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import seconds_values
from reelway.catalog.examples import example
from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.routes import routes_for
from reelway.catalog.spec import InputRule, ModelCard, OptionCard
from reelway.core.errors import InvalidRequest
from reelway.core.lifecycle import Status
from reelway.core.videos import Blob, InputReference, MediaKind, Mode, ResolvedRequest, Role, Video, VideoRequest
from reelway.dialects.spec import Answer, Call, CreateVideo
from reelway.vendors.registry import adapters
from reelway.vendors.spec import Accepted, Submission

__all__ = [
    "CATALOG",
    "LEGS",
    "STARTED",
    "Leg",
    "Line",
    "carried",
    "drawn",
    "lines",
    "meaning",
    "plain_request",
    "submission_of",
]

CATALOG: Catalog = load_catalog()
BEFORE_ANY_RETIRED = date(2026, 1, 1)
STARTED = 1_790_000_000.0
_THEIR_OWN = (
    "operation",
    "tags",
    "response_format",
    "user",
    "callback_url",
    "callback_dialect",
    "client_reference",
    "warnings",
)
_TYPES = {MediaKind.IMAGE: "image/png", MediaKind.VIDEO: "video/mp4", MediaKind.AUDIO: "audio/mpeg"}
_ENDINGS = {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "mp3"}


class Line(NamedTuple):
    """One model in one mode on one leg."""

    leg: Leg
    card: ModelCard
    mode: Mode

    @property
    def is_own(self) -> bool:
        """Whether the vendor's own model is made there; compatible servers make everybody's."""
        return self.leg.vendor != "openai_videos" or self.card.vendor == "openai"

    def __str__(self) -> str:
        return f"{self.leg.vendor}-{self.leg.service}-{self.card.name}-{self.mode}"


def lines(*vendors: str) -> list[Line]:
    """Return every line that has an adapter, of these vendors or of all."""
    found = []
    for leg in LEGS:
        if leg.vendor not in adapters() or (vendors and leg.vendor not in vendors):
            continue
        found += [Line(leg, card, mode) for card in CATALOG.cards for mode in card.modes if _can_carry(leg, card, mode)]
    return found


def _can_carry(leg: Leg, card: ModelCard, mode: Mode) -> bool:
    if card.modes[mode].prompt == "ignored":
        return False  # made from the vendor's own earlier work by its id alone: see the tests of that vendor
    return _serves(leg, card, resolve(_example(card, mode), card))


def _example(card: ModelCard, mode: Mode) -> VideoRequest:
    request = example(card, mode)
    return request.evolve(inputs=tuple(_sourced(given, True) for given in request.inputs))


def _serves(leg: Leg, card: ModelCard, request: ResolvedRequest) -> bool:
    wanted = leg.route_service or leg.service
    routes = routes_for(card, request, BEFORE_ANY_RETIRED)
    return any(route.vendor == leg.vendor and route.service in ("", wanted) for route in routes)


@st.composite
def drawn(draw: st.DrawFn, line: Line) -> ResolvedRequest:
    """Draw a request that this leg carries: any length, size, sound, seed, number of takes, inputs and options of the card."""
    card, rules = line.card, line.card.modes[line.mode]
    names = [name for name, option in card.options.items() if not option.modes or line.mode in option.modes]
    names = [name for name in names if name not in line.leg.said_otherwise]
    chosen = draw(st.lists(st.sampled_from(sorted(names)), unique=True, max_size=4)) if names else []
    base = example(card, line.mode)
    request = base.evolve(
        prompt=draw(st.sampled_from(["A fox in the snow", 'Rain — "あ" & 🎬 on\nglass'])),
        inputs=draw(_inputs(line, base.inputs)),
        seconds=draw(st.sampled_from([None, *seconds_values(rules.seconds)])),
        tier=draw(st.sampled_from([None, *rules.tiers])),
        ratio=draw(st.sampled_from([None, *rules.ratios])),
        fps=draw(st.sampled_from([None, *card.fps])),
        seed=None if card.seed_max is None else draw(st.sampled_from([None, 0, 7, card.seed_max])),
        n=draw(st.integers(1, card.n_max)),
        audio=draw(st.sampled_from([None, True, False])),
        options={name: draw(_values(card.options[name])) for name in chosen},
    )
    try:
        resolved = resolve(request, card)
    except InvalidRequest:
        reject()
    if resolved.mode is not line.mode or not _serves(line.leg, card, resolved):
        reject()
    return resolved


def plain_request(line: Line) -> ResolvedRequest:
    """Return the smallest request of a line."""
    return resolve(_example(line.card, line.mode), line.card)


def submission_of(line: Line, request: ResolvedRequest, **changes: Any) -> Submission:
    """Return the attempt to have this made, under the public name, as one gateway has it made by another."""
    return Submission(
        request=request,
        model=request.card,
        reference="video_a-1",
        started_at=STARTED,
        service=line.leg.service,
        settings=line.leg.settings,
        **changes,
    )


def carried(line: Line, request: ResolvedRequest) -> tuple[ResolvedRequest, Accepted]:
    """Send a request through adapter, wire and dialect; return it as the other side resolves it, and what was accepted."""
    peer = Peer(line.leg.vendor, _accept)
    accepted = peer.run(line.leg.adapter.submit(submission_of(line, request)))
    creates = [call.request for call in peer.calls if isinstance(call, CreateVideo)]
    assert len(creates) == 1, peer.calls
    assert isinstance(accepted, Accepted)
    assert creates[0].warnings == ()
    arrived = resolve(settled(creates[0]), CATALOG.card(creates[0].model))
    return _without_marks(arrived, request, line.leg.marks), accepted


def _without_marks(arrived: ResolvedRequest, sent: ResolvedRequest, marks: frozenset[str]) -> ResolvedRequest:
    """What an adapter drew where nobody asked for it means nothing."""
    drawn = {name for name in marks if name not in sent.options}
    options = {name: value for name, value in arrived.options.items() if name not in drawn}
    return arrived.evolve(options=options, seed=None if "seed" in marks and sent.seed is None else arrived.seed)


def meaning(request: ResolvedRequest) -> dict[str, Any]:
    """Return what has to be the same on both sides; whose request it is and what it is called there is not among it.

    A remix of a file is an edit: the other side cannot know that it made the file's video.
    """
    shown: dict[str, Any] = msgspec.to_builtins(request)
    for name in _THEIR_OWN:
        shown.pop(name, None)
    if request.mode is Mode.REMIX and request.source_video_id is None:
        shown["mode"] = Mode.EDIT.value
    return shown


def _accept(call: Call) -> Answer:
    assert isinstance(call, CreateVideo), call
    given = call.request
    return Video(
        id="video_b",
        model=given.model,
        status=Status.QUEUED,
        progress=0,
        created_at=STARTED,
        updated_at=STARTED,
        prompt=given.prompt,
        client_reference=given.client_reference,
    )


@st.composite
def _inputs(draw: st.DrawFn, line: Line, needed: tuple[InputReference, ...]) -> tuple[InputReference, ...]:
    """Draw what is needed and perhaps one more of what has room, as files or as addresses the vendor takes."""
    given = list(needed)
    roomy = [rule for rule in line.card.modes[line.mode].inputs if rule.max > max(rule.min, 1)]
    if roomy and draw(st.booleans()):
        rule = draw(st.sampled_from(roomy))
        given += [_reference(rule, index) for index in range(1, 1 + draw(st.integers(1, 2)))]
    return tuple(_sourced(one, draw(st.booleans()) or one.kind not in line.leg.adapter.url_kinds) for one in given)


def _reference(rule: InputRule, index: int) -> InputReference:
    url = f"https://example.com/{rule.role}-{index}.{_ENDINGS[rule.kind]}"
    return InputReference(field=f"{rule.role}[{index}]", kind=rule.kind, role=rule.role, url=url)


def _sourced(given: InputReference, as_file: bool) -> InputReference:
    """Return an input as bytes that fit every rule of the cards, or as the address it has."""
    if not as_file:
        return given
    kind = given.kind or MediaKind.IMAGE
    seconds = None if kind is MediaKind.IMAGE else (5.0 if given.role is Role.SOURCE else 3.0)
    sides = (None, None) if kind is MediaKind.AUDIO else (1280, 720)
    blob = Blob(
        key=f"inputs/{given.role}-{given.field}",
        sha256="0",
        bytes=1000,
        media_type=_TYPES[kind],
        width=sides[0],
        height=sides[1],
        seconds=seconds,
    )
    return given.evolve(url=None, blob=blob, kind=kind)


def _values(option: OptionCard) -> st.SearchStrategy[Any]:
    """Return values an option takes."""
    if option.values:
        return st.sampled_from(option.values)
    least = option.min if option.min is not None else 0
    most = option.max if option.max is not None else least + 10
    plain: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "integer": st.integers(int(least), int(most)),
        "number": st.sampled_from([least, most, (least + most) / 2]),
        "string": st.sampled_from(["word", "some words"]),
        "array": st.just([]),
        "object": st.just({}),
    }
    return plain[option.type]

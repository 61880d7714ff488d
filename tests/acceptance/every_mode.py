"""Every mode of every card as something to ask a server for, and what must come out of it."""

from typing import NamedTuple

import pytest
from tests.acceptance.films import Film, picture
from tests.acceptance.processes import Answer, Gateway
from tests.acceptance.wire import File, as_fields, as_multipart

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import seconds_values
from reelway.catalog.examples import example
from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.sizes import ADAPTIVE, SHORT_SIDES, pixels
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Mode, ResolvedRequest, Role, VideoRequest

__all__ = ["CATALOG", "MODES", "SOURCE_SECONDS", "SOURCE_SIZE", "Asked", "ask_for", "assert_pixels", "seconds_of"]

CATALOG: Catalog = load_catalog()
MODES = [(card, mode) for card in CATALOG.cards for mode in card.modes if card.modes[mode].prompt != "ignored"]
"""Without what is made from a vendor's own draft by its id alone: see the tests with Ark's client."""
SOURCE_SECONDS = 4
SOURCE_SIZE = (1280, 720)
PATHS = {Mode.EDIT: "/v1/videos/edits", Mode.EXTEND: "/v1/videos/extensions"}
FIELDS = {Role.FIRST_FRAME: "input_reference", Role.LAST_FRAME: "last_frame", Role.REFERENCE: "reference_images"}


class Asked(NamedTuple):
    """One video, quoted and asked for."""

    resolved: ResolvedRequest
    """As the catalogue alone understands it."""
    quote: Answer
    create: Answer


def smallest(card: ModelCard, mode: Mode) -> tuple[VideoRequest, ResolvedRequest]:
    """Return the request with the fewest pixels and then seconds that the card takes in this mode."""
    rules = card.modes[mode]
    for tier in sorted(rules.tiers, key=lambda tier: SHORT_SIDES.get(tier, 1024)) or (None,):
        lengths = [second for second in seconds_values(rules.seconds) if second is not None and second > 0]
        for seconds in sorted(lengths) or (None,):
            request = example(card, mode).evolve(tier=tier, seconds=seconds)
            try:
                return request, resolve(request, card)
            except InvalidRequest:
                continue
    raise AssertionError(f"{card.name} takes nothing in mode {mode}")


def ask_for(gateway: Gateway, card: ModelCard, mode: Mode, source_id: str, *, prompt: str | None = None) -> Asked:
    """Quote a video and ask for it, with real pictures, and in the way of its mode: a create, an edit, an extension, a remix."""
    request, resolved = smallest(card, mode)
    request = request if prompt is None else request.evolve(prompt=prompt)
    fields: list[tuple[str, str | File]] = [
        (name, str(value)) for name, value in as_fields(request).items() if name != "content"
    ]
    shot = (resolved.width, resolved.height) if resolved.width and resolved.height else SOURCE_SIZE
    for number, given in enumerate(request.inputs):
        if given.kind is MediaKind.IMAGE:
            fields.append(as_file(given, picture(*shot, shade=60 + 40 * number)))
    quoted = [*fields, ("video[id]", source_id)] if Role.SOURCE in {given.role for given in request.inputs} else fields
    body, headers = as_multipart(quoted)
    quote = gateway.ask("POST", "/v1/videos/quote", data=body, headers=headers)
    if mode is Mode.REMIX:
        told = {name: value for name, value in as_fields(request).items() if name not in {"content", "mode"}}
        return Asked(resolved, quote, gateway.ask("POST", f"/v1/videos/{source_id}/remix", body=told))
    if mode in PATHS:
        quoted = [field for field in quoted if field[0] != "mode"]
        body, headers = as_multipart(quoted)
    create = gateway.ask("POST", PATHS.get(mode, "/v1/videos"), data=body, headers=headers)
    return Asked(resolved, quote, create)


def as_file(given: InputReference, data: bytes) -> tuple[str, File]:
    """Return an input as a part of a form."""
    assert given.role is not None
    return FIELDS[given.role], File(data, "image/png", f"{given.role}.png")


def seconds_of(resolved: ResolvedRequest) -> float:
    """Return how long the file must be: an extension is delivered with what it extends."""
    if resolved.mode is Mode.EXTEND:
        return SOURCE_SECONDS + float(resolved.seconds or 0)
    return float(resolved.seconds or SOURCE_SECONDS)


def assert_pixels(card: ModelCard, resolved: ResolvedRequest, film: Film) -> None:
    """Compare with the card's pixels; where the inputs decide the shape, with theirs at the card's resolution."""
    if resolved.size is not None:
        assert (film.width, film.height) == (resolved.width, resolved.height)
        return
    width, height = SOURCE_SIZE
    assert resolved.ratio in (None, ADAPTIVE)
    assert film.width / film.height == pytest.approx(width / height, rel=0.02)
    if resolved.tier is not None:
        expected = pixels(card, resolved.tier, "16:9")
        assert expected is not None
        assert film.height == pytest.approx(expected[1], rel=0.05)

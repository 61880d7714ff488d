"""Every model of the catalogue, made: in every mode of its card, through a real gateway and a real sandbox, and the file probed.

All videos are asked for first and looked at afterwards, so that both processes always have work.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import Film, picture, probe, still_frames
from tests.acceptance.processes import Answer, Gateway, Sandbox
from tests.acceptance.wire import File, Line, as_fields, as_multipart

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import seconds_values
from reelway.catalog.examples import example, outside
from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.sizes import ADAPTIVE, SHORT_SIDES, pixels
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Mode, ResolvedRequest, Role, VideoRequest

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

CATALOG: Catalog = load_catalog()
MODES = [(card, mode) for card in CATALOG.cards for mode in card.modes]
SOURCE_SECONDS = 4
SOURCE_SIZE = (1280, 720)
PATHS = {Mode.EDIT: "/v1/videos/edits", Mode.EXTEND: "/v1/videos/extensions"}
FIELDS = {Role.FIRST_FRAME: "input_reference", Role.LAST_FRAME: "last_frame", Role.REFERENCE: "reference_images"}

each_mode = pytest.mark.parametrize(("card", "mode"), MODES, ids=[f"{card.name}-{mode}" for card, mode in MODES])
each_card = pytest.mark.parametrize("card", CATALOG.cards, ids=lambda card: card.name)


class Asked(NamedTuple):
    """One video, quoted and asked for."""

    resolved: ResolvedRequest
    """As the catalogue alone understands it."""
    quote: Answer
    create: Answer


class Stage(NamedTuple):
    """A gateway whose only vendor is a sandbox, and everything that was asked of it."""

    gateway: Gateway
    sandbox: Sandbox
    source: dict[str, Any]
    asked: dict[tuple[str, Mode], Asked]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start both, make the video that others are made from, and ask for all the rest at once."""
    with (
        Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox,
        Gateway(tmp_path_factory.mktemp("gateway"), sandbox=sandbox, service="reelway") as gateway,
    ):
        width, height = SOURCE_SIZE
        made = gateway.create(model="sora-2", prompt="A harbour", seconds=SOURCE_SECONDS, size=f"{width}x{height}")
        source = gateway.finished(made["id"])
        assert source["status"] == "completed", source
        asked = {(card.name, mode): ask_for(gateway, card, mode, source["id"]) for card, mode in MODES}
        yield Stage(gateway, sandbox, source, asked)


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


def ask_for(gateway: Gateway, card: ModelCard, mode: Mode, source_id: str) -> Asked:
    """Quote a video and ask for it, with real pictures, and in the way of its mode: a create, an edit, an extension, a remix."""
    request, resolved = smallest(card, mode)
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


def test_the_page_and_the_server_offer_the_same_33_models(stage: Stage) -> None:
    """`/v1/models` lists every name of the catalogue."""
    listed = [model["id"] for model in stage.gateway.ask("GET", "/v1/models").json["data"]]
    assert sorted(listed) == sorted(CATALOG.names)
    assert len(listed) == 33


@each_mode
def test_a_quote_and_its_create_are_the_same_request(card: ModelCard, mode: Mode, stage: Stage) -> None:
    """What was quoted is what was accepted: mode, length, size, resolution, sound and price, as the card resolves them."""
    resolved, quote, create = stage.asked[card.name, mode]
    assert quote.status == 200, quote.body
    assert create.status == 200, create.body
    quoted, video = quote.json["request"], create.json
    assert (quoted["mode"], quoted["card"], quoted.get("tier")) == (mode, card.name, resolved.tier)
    assert (quoted.get("seconds"), quoted["size"]) == (resolved.seconds, resolved.size)
    assert quoted["audio"] is resolved.audio
    assert quote.json["available"] is True
    assert quote.json["warnings"] == video["warnings"]
    assert video["cost"] == {"currency": "USD", "reserved": quote.json["price"]["amount"], "settled": None}
    assert float(video["cost"]["reserved"]) > 0
    assert video["status"] in {"queued", "in_progress"}
    assert video["model"] == card.name
    assert video["seconds"] == (str(resolved.seconds) if resolved.seconds else "auto")
    assert video["size"] == (resolved.size or "auto")


@each_mode
def test_every_mode_of_every_card_is_made(card: ModelCard, mode: Mode, stage: Stage) -> None:
    """The file that is delivered has the length, the pixels, the rate and the sound that were resolved."""
    resolved, _, create = stage.asked[card.name, mode]
    assert create.status == 200, create.body
    video = stage.gateway.finished(create.json["id"])
    assert video["status"] == "completed", video["error"]
    content = stage.gateway.ask("GET", f"/v1/videos/{video['id']}/content")
    assert content.status == 200
    film, (output,) = probe(content.body), video["outputs"]

    assert film.codec == "h264"
    assert film.seconds == pytest.approx(seconds_of(resolved), abs=0.05)
    assert film.frames == round(seconds_of(resolved) * film.fps)
    assert film.fps == (resolved.fps or card.fps_made)
    assert film.has_audio is resolved.audio
    if film.has_audio:
        assert film.audio_seconds == pytest.approx(film.seconds, abs=0.1)
    assert_pixels(card, resolved, film)

    assert output["sha256"] == hashlib.sha256(content.body).hexdigest()
    assert output["bytes"] == len(content.body)
    assert (output["width"], output["height"]) == (film.width, film.height)
    assert (output["seconds"], output["fps"]) == (film.seconds, film.fps)
    assert output["has_audio"] is film.has_audio
    assert (video["seconds"], video["size"]) == (f"{film.seconds:g}", f"{film.width}x{film.height}")
    assert video["cost"]["settled"] == video["cost"]["reserved"]
    assert video["progress"] == 100


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


@each_card
def test_every_value_outside_a_card_is_refused_over_the_wire(card: ModelCard, stage: Stage) -> None:
    """Length, size, resolution, ratio, number, inputs, options, prompt and mode: 400, the field, and what is allowed."""
    wrongs = [wrong for mode in card.modes for wrong in outside(card, mode)]
    assert len(wrongs) > 8
    with Line(stage.gateway.url) as line:
        for wrong in wrongs:
            answer = line.ask("POST", "/v1/videos/quote", as_fields(wrong.request))
            assert answer.status == 400, (wrong.what, answer.body)
            error = answer.json["error"]
            assert wrong.allowed in error["message"], (wrong.what, wrong.allowed, error)
            assert error["code"] == wrong.code, (wrong.what, error)
            assert error["type"] == "invalid_request_error"
            assert error["param"], (wrong.what, error)
            assert answer.headers["x-should-retry"] == "false"


def test_nothing_was_made_but_what_was_accepted(stage: Stage) -> None:
    """The vendor saw one create for each accepted video, and the list holds exactly these."""
    accepted = [asked.create.json["id"] for asked in stage.asked.values() if asked.create.status == 200]
    listed: list[str] = []
    after = ""
    while True:
        page = stage.gateway.ask("GET", f"/v1/videos?limit=50{after}").json
        listed += [video["id"] for video in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert sorted(listed) == sorted([stage.source["id"], *accepted])
    for video_id in accepted:
        stage.gateway.finished(video_id)
    seen = [create for create in stage.sandbox.creates() if re.match("accepted|lost", create["outcome"])]
    assert len(seen) == len(accepted) + 1


def test_several_takes_are_one_video_with_several_files(tmp_path: Path) -> None:
    """`n=3` at full quality, by the sandbox inside the server: three different films that move, for three times the price."""
    with Gateway(tmp_path, environment={"REELWAY_SANDBOX_DRAFT": "false"}) as gateway:
        request = {
            "model": "viduq3-turbo",
            "prompt": "A kite over dunes",
            "seconds": 2,
            "resolution": "540p",
            "seed": 7,
        }
        single = gateway.ask("POST", "/v1/videos/quote", body=request).json["price"]["amount"]
        video = gateway.finished(gateway.create(**request, n=3)["id"])
        assert video["status"] == "completed", video["error"]
        assert [output["index"] for output in video["outputs"]] == [0, 1, 2]
        assert float(video["cost"]["settled"]) == pytest.approx(3 * float(single))

        path = f"/v1/videos/{video['id']}/content"
        files = [gateway.ask("GET", f"{path}?index={index}").body for index in range(3)]
        assert len({hashlib.sha256(file).digest() for file in files}) == 3
        for file, output in zip(files, video["outputs"], strict=True):
            assert hashlib.sha256(file).hexdigest() == output["sha256"]
            assert gateway.ask("GET", output["url"].removeprefix(gateway.url), key=None).body == file
            film = probe(file)
            assert (film.seconds, film.width, film.height, film.has_audio) == (2.0, 960, 540, True)
            assert still_frames(file) == 0
        assert gateway.ask("GET", path).body == files[0]

        beyond = gateway.ask("GET", f"{path}?index=3")
        assert (beyond.status, beyond.json["error"]["code"]) == (404, "output_not_found")
        assert "from 0 to 2" in beyond.json["error"]["message"]
        assert [listed["id"] for listed in gateway.ask("GET", "/v1/videos").json["data"]] == [video["id"]]

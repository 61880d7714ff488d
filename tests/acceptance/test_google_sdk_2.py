"""google-genai 2.x, unmodified and with an API key, against a real gateway: Veo in the shape of the Gemini API."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.google_world import PAINTS_NOTHING, World, google_world
from tests.acceptance.proxy import Loss, LossyProxy

pytestmark = pytest.mark.acceptance

CLIENT = 2
SENDS_AGAIN = {"attempts": 3}
"""By default this client sends a create once; its users switch more on."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with accounts at Google, which the sandbox plays."""
    with google_world(tmp_path_factory.mktemp("google")) as world:
        yield world


def create(prompt: str, *, config: dict[str, Any] | None = None, **source: Any) -> list[Any]:
    return ["create", {"model": "veo3.1", "source": {"prompt": prompt, **source}, "config": config or {}}]


def poll(number: int) -> list[Any]:
    return ["poll", {"operation": {"from": number}}]


@pytest.mark.proves("google", "submit", "check", client="google-genai 2 (Python)")
def test_a_video_is_created_followed_and_downloaded(world: World, tmp_path: Path) -> None:
    """As Google's pages do it: an operation, looks at it, and files by the names in its addresses."""
    prompt = "a paper lantern drifts over a dark lake"
    config = {
        "number_of_videos": 2,
        "duration_seconds": 4,
        "aspect_ratio": "9:16",
        "resolution": "720p",
        "negative_prompt": "text",
        "person_generation": "allow_all",
        "enhance_prompt": True,
    }
    saved = tmp_path / "lantern.mp4"
    made, done, first, second, file, _ = world.calls(
        CLIENT,
        create(prompt, config=config),
        poll(0),
        ["download", {"file": {"video_of": 1}}],
        ["download", {"file": {"video_of": 1, "index": 1}}],
        ["file", {"name": "files/none"}],
        ["save", {"file": {"video_of": 1}, "path": str(saved)}],
    )
    video_id = made["name"].rpartition("/")[2]
    assert made["name"] == f"models/veo3.1/operations/{video_id}"
    assert (done["done"], done["unknown"]) == (True, [])
    assert len(done["response"]["generated_videos"]) == 2
    outputs = world.gateway.ask("GET", f"/v1/videos/{video_id}").json["outputs"]
    assert [first["sha256"], second["sha256"]] == [output["sha256"] for output in outputs]
    film = probe(saved.read_bytes())
    assert (film.width, film.height) == (720, 1280)
    assert (file["code"], file["status"]) == (404, "NOT_FOUND")
    seen = world.seen(prompt)
    assert [(create["outcome"], create["seconds"], create["size"]) for create in seen] == [("accepted", 4, "720p")] * 2


def test_a_public_address_is_cut_as_google_cuts_its_own(tmp_path: Path) -> None:
    """Out of an `https://` address the client takes the name alone, and asks the server it knows."""
    with google_world(tmp_path, REELWAY_PUBLIC_URL="https://films.example.test") as world:
        made, done, loaded = world.calls(
            CLIENT,
            create("a lantern", config={"duration_seconds": 4}),
            poll(0),
            ["download", {"file": {"video_of": 1}}],
        )
        video = done["response"]["generated_videos"][0]["video"]
        assert video["uri"].startswith("https://films.example.test/v1beta/files/")
        assert loaded["sha256"] == world.digest(made["name"].rpartition("/")[2])
        name = video["uri"].partition("/files/")[2].partition(":")[0]
        [file] = world.calls(CLIENT, ["file", {"name": f"files/{name}"}])
        assert (file["state"], file["size_bytes"], file["mime_type"]) == ("ACTIVE", loaded["bytes"], "video/mp4")
        assert file["unknown"] == []


def test_pictures_go_in_with_their_roles(world: World) -> None:
    """The vendor gets these very bytes, as what they were given for."""
    shot = picture(1280, 720)
    image = {"image_bytes": {"bytes": base64.b64encode(shot).decode()}, "mime_type": "image/png"}
    first, frames, references = (f"{what} {PAINTS_NOTHING}" for what in ("one frame", "two frames", "references"))
    given = world.calls(
        CLIENT,
        create(first, image=image),
        create(frames, image=image, config={"last_frame": image}),
        create(references, config={"reference_images": [{"image": image, "reference_type": "ASSET"}] * 2}),
        poll(0),
        poll(1),
        poll(2),
    )
    assert all(answer["error"]["code"] == 13 for answer in given[3:])
    digest = hashlib.sha256(shot).hexdigest()
    roles = [
        [(one["role"], one["sha256"]) for one in world.seen(prompt)[0]["references"]]
        for prompt in (first, frames, references)
    ]
    assert roles == [
        [("first_frame", digest)],
        [("first_frame", digest), ("last_frame", digest)],
        [("reference", digest), ("reference", digest)],
    ]


def test_a_finished_video_is_lengthened(world: World) -> None:
    """By the video the operation gave; the server knows its own file again."""
    longer = f"and on it drifts {PAINTS_NOTHING}"
    made, _, extended, _ = world.calls(
        CLIENT,
        create("a lantern to go on", config={"duration_seconds": 4}),
        poll(0),
        create(
            longer, video={"video_of": 1}, config={"number_of_videos": 1, "resolution": "720p", "duration_seconds": 8}
        ),
        poll(2),
    )
    video = world.gateway.ask("GET", f"/v1/videos/{extended['name'].rpartition('/')[2]}").json
    assert video["remixed_from_video_id"] == made["name"].rpartition("/")[2]
    (seen,) = world.seen(longer)
    assert [(one["role"], one["sha256"]) for one in seen["references"]] == [
        ("source", world.digest(made["name"].rpartition("/")[2]))
    ]


def test_filters_and_failures_are_told_apart(world: World) -> None:
    """What a filter kept back is done without a video; what failed has an error."""
    filtered, failed = world.calls(
        CLIENT,
        create("kept back [[fail:content_policy]]"),
        create("broken [[fail:timed_out]]"),
        poll(0),
        poll(1),
    )[2:]
    assert filtered["response"]["rai_media_filtered_count"] == 1
    assert "usage guidelines" in filtered["response"]["rai_media_filtered_reasons"][0]
    assert (failed["error"]["code"], failed["error"]["details"][0]["reason"]) == (4, "TIMED_OUT")


def test_refusals_raise_the_clients_own_errors(world: World) -> None:
    """With the field that is wrong, in Google's words; and nothing is made of it."""
    unknown = {"http_options": {"extra_body": {"parameters": {"colour": "red"}}}}
    model, length, field, missing = world.calls(
        CLIENT,
        ["create", {"model": "veo9", "source": {"prompt": "refused"}}],
        create("refused", config={"duration_seconds": 5}),
        create("refused", config=unknown),
        ["operation", {"name": "models/veo3.1/operations/video_0"}],
    )
    [stranger] = world.calls(CLIENT, create("refused"), key="sk-of-somebody-else")
    found = [(error["raised"], error["code"], error["status"]) for error in (model, length, field, missing, stranger)]
    assert found == [
        ("ClientError", 404, "NOT_FOUND"),
        ("ClientError", 400, "INVALID_ARGUMENT"),
        ("ClientError", 400, "INVALID_ARGUMENT"),
        ("ClientError", 404, "NOT_FOUND"),
        ("ClientError", 401, "UNAUTHENTICATED"),
    ]
    assert length["details"][0]["fieldViolations"][0]["field"] == "parameters.durationSeconds"
    assert "Unknown name \"colour\" at 'parameters'" in field["message"]
    assert world.seen("refused") == []


# --- its own retries


@pytest.mark.parametrize("loss", ["502", "silence"])
def test_a_lost_answer_is_given_again(world: World, loss: Loss) -> None:
    """The client sends again by itself, without any sign of it: one video, one submit."""
    prompt = f"a lost answer: {loss} {PAINTS_NOTHING}"
    options: dict[str, Any] = {"retry_options": SENDS_AGAIN, **({"timeout": 3000} if loss == "silence" else {})}
    with LossyProxy(world.gateway.port, loss=loss) as proxy:
        made, done = world.calls(CLIENT, create(prompt), poll(0), url=proxy.url, **options)
        assert proxy.creates == ["-", "-"]
    assert (done["name"], done["done"]) == (made["name"], True)
    assert len(world.seen(prompt)) == 1


@pytest.mark.parametrize("loss", ["reset", "close", "half"])
def test_a_caller_who_tries_again_gets_what_was_made(world: World, loss: Loss) -> None:
    """Here the client gives up at once; its user does what it would have done."""
    prompt = f"tried again by hand: {loss} {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, loss=loss) as proxy:
        lost, _, made, _ = world.calls(
            CLIENT, create(prompt), ["sleep", {"seconds": 0.5}], create(prompt), poll(2), url=proxy.url
        )
        assert proxy.creates == ["-", "-"]
    assert lost["raised"] in {"ReadError", "RemoteProtocolError"}
    assert made["name"].startswith("models/veo3.1/operations/video_")
    assert len(world.seen(prompt)) == 1

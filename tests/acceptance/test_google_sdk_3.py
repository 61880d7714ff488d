"""google-genai 3.x, unmodified, against a real gateway: the Interactions API on both surfaces, and Veo on Vertex AI."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.google_world import PAINTS_NOTHING, World, accounts, google_world
from tests.acceptance.processes import Gateway, Sandbox, free_port
from tests.acceptance.proxy import Loss, LossyProxy

pytestmark = pytest.mark.acceptance

CLIENT = 3
VERTEX = "acme"
BY_ADDRESS = {"type": "video", "delivery": "uri", "duration": "3s", "resolution": "360p"}
INLINE = {"type": "video", "duration": "3s", "resolution": "360p"}
SHOT = picture(1280, 720)
IMAGE = {"type": "image", "data": base64.b64encode(SHOT).decode(), "mime_type": "image/png"}
DIGEST = hashlib.sha256(SHOT).hexdigest()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with accounts at Google, which the sandbox plays."""
    with google_world(tmp_path_factory.mktemp("google")) as world:
        yield world


def create(given: Any, *, name: str = "create", **fields: Any) -> list[Any]:
    """Return the call that creates an interaction in the background."""
    usual = {"model": "gemini-omni", "background": True, "response_format": BY_ADDRESS}
    return [name, {**usual, "input": given, **fields}]


def poll(number: int) -> list[Any]:
    return ["poll", {"id": {"id_of": number}}]


def task(word: str) -> dict[str, Any]:
    return {"generation_config": {"video_config": {"task": word}}}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


# --- interactions


@pytest.mark.proves("google", "submit", "check", "delete", client="google-genai 3 (Python)")
def test_an_interaction_is_created_followed_downloaded_and_deleted(world: World) -> None:
    """As Google's pages do it; the client's own models know every field but the kind of the object."""
    prompt = "a paper lantern drifts over a dark lake"
    fields = {
        "model": "gemini-omni-1.2-flash",
        "response_format": {**BY_ADDRESS, "aspect_ratio": "9:16"},
        "generation_config": {"seed": 7, "video_config": {"task": "text_to_video"}},
        "labels": {"team": "films"},
    }
    made, done, loaded, shown, deleted, gone = world.calls(
        CLIENT,
        create(prompt, **fields),
        poll(0),
        ["download", {"file": {"uri_of": 1}}],
        ["get", {"id": {"id_of": 0}, "include_input": True}],
        ["delete", {"id": {"id_of": 0}}],
        ["get", {"id": {"id_of": 0}}],
    )
    assert made["unknown"] == done["unknown"] == ["object"]
    assert (made["status"], done["status"], done["labels"]) == ("queued", "completed", {"team": "films"})
    assert done["usage"]["output_tokens_by_modality"] == [{"modality": "video", "tokens": 17376}]
    assert shown["steps"][0] == {"type": "user_input", "content": [text(prompt)]}
    assert done["output_video"]["mime_type"] == "video/mp4"
    assert loaded["bytes"] > 1000
    assert (deleted, gone["raised"], gone["code"]) == (None, "BadRequestError", 400)
    assert gone["body"] == {"error": {"code": "invalid_request", "message": "Invalid interaction name."}}
    (seen,) = world.seen(prompt)
    assert (seen["outcome"], seen["seconds"], seen["size"], seen["seed"]) == ("accepted", 3, "360p", 7)


@pytest.mark.parametrize("project", [None, VERTEX])
def test_without_background_the_answer_is_the_video(world: World, project: str | None) -> None:
    """Its bytes, as Google's first example reads them."""
    prompt = f"at once, for {project}"
    [done] = world.calls(
        CLIENT, ["create", {"model": "gemini-omni", "input": prompt, "response_format": INLINE}], project=project
    )
    assert done["status"] == "completed"
    film = base64.urlsafe_b64decode(done["output_video"]["data"])
    assert (probe(film).width, probe(film).height) == (640, 360)
    assert hashlib.sha256(film).hexdigest() == world.digest(done["id"])


@pytest.mark.proves("google", "cancel", client="google-genai 3 (Python)")
@pytest.mark.parametrize("project", [None, VERTEX])
def test_a_running_interaction_is_cancelled(world: World, project: str | None) -> None:
    """It stays cancelled, and says so."""
    _, cancelled, later = world.calls(
        CLIENT,
        create(f"a slow one [[delay:60]] for {project}"),
        ["cancel", {"id": {"id_of": 0}}],
        poll(0),
        project=project,
    )
    assert cancelled["status"] == later["status"] == "cancelled"


def test_media_go_in_with_what_they_are_for(world: World) -> None:
    """The vendor gets these very bytes, as the task or the tags say."""
    prompts = [
        f"{what} {PAINTS_NOTHING}" for what in ("one frame", "two frames", "With <IMAGE_REF_0> and <IMAGE_REF_1>:")
    ]
    world.calls(
        CLIENT,
        create([IMAGE, text(prompts[0])], **task("image_to_video")),
        create([IMAGE, IMAGE, text(prompts[1])], **task("image_to_video")),
        create([IMAGE, IMAGE, text(prompts[2])]),
        poll(0),
        poll(1),
        poll(2),
    )
    roles = [[(one["role"], one["sha256"]) for one in world.seen(prompt)[0]["references"]] for prompt in prompts]
    assert roles == [
        [("first_frame", DIGEST)],
        [("first_frame", DIGEST), ("last_frame", DIGEST)],
        [("reference", DIGEST), ("reference", DIGEST)],
    ]


def test_an_earlier_interaction_is_edited_and_lengthened(world: World) -> None:
    """By its id, or by the address of its video; the vendor goes on from what it made."""
    night, on = (f"{what} {PAINTS_NOTHING}" for what in ("make it night", "and on it drifts"))
    first, _, edited, longer, *_ = world.calls(
        CLIENT,
        create("a lantern to go on"),
        poll(0),
        create(night, previous_interaction_id={"id_of": 0}, response_format={"type": "video", "delivery": "uri"}),
        create([{"type": "video", "uri": {"uri_of": 1}}, text(on)], **task("extend")),
        poll(2),
        poll(3),
    )
    for made in (edited, longer):
        assert made["previous_interaction_id"] == first["id"]
    assert [world.seen(prompt)[0]["operation"] for prompt in (night, on)] == ["edit", "extend"]


def test_what_a_filter_kept_back_is_completed_without_a_video(world: World) -> None:
    """With a text instead; whatever else went wrong has failed, and says why."""
    filtered, failed = world.calls(
        CLIENT, create("kept back [[fail:content_policy]]"), create("broken [[fail:timed_out]]"), poll(0), poll(1)
    )[2:]
    assert filtered["status"] == "completed"
    assert filtered["output_text"]
    assert "output_video" not in filtered
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", "timed_out")
    assert failed["steps"][-1]["error"]["code"] == 4


def test_refusals_raise_the_clients_own_errors(world: World) -> None:
    """In the shape of interactions; what is wrong with a request is said once, not five times."""
    with LossyProxy(world.gateway.port, losses=0) as proxy:
        made, unfinished, length, model, missing = world.calls(
            CLIENT,
            create("a slow one [[delay:30]]"),
            create("refused", previous_interaction_id={"id_of": 0}),
            create("refused", response_format={"type": "video", "duration": "99s"}),
            create("refused", model="gemini-9"),
            ["get", {"id": "v1_nothing"}],
            url=proxy.url,
        )
        assert len(proxy.creates) == 4
    [stranger] = world.calls(CLIENT, create("refused"), key="sk-of-somebody-else")
    found = [(error["raised"], error["code"]) for error in (unfinished, length, model, missing, stranger)]
    assert found == [
        ("BadRequestError", 400),
        ("BadRequestError", 400),
        ("NotFoundError", 404),
        ("BadRequestError", 400),
        ("AuthenticationError", 401),
    ]
    assert "response_format.duration" in length["message"]
    assert world.seen("refused") == []
    world.calls(CLIENT, ["delete", {"id": made["id"]}])


# --- Veo on Vertex AI


def generate(prompt: str, *, model: str = "veo3.1", config: dict[str, Any] | None = None, **source: Any) -> list[Any]:
    return ["generate", {"model": model, "source": {"prompt": prompt, **source}, "config": config or {}}]


def fetch(number: int) -> list[Any]:
    return ["fetch", {"operation": {"from": number}}]


@pytest.mark.proves("vertex", "submit", "check", client="google-genai 3 (Python)")
def test_veo_on_vertex_has_the_bytes_in_the_operation(world: World) -> None:
    """Without a bucket; with every option that only Vertex AI has, and Google's own name of the model."""
    prompt = "an oak grows in one slow turn"
    config = {
        "duration_seconds": 4,
        "aspect_ratio": "9:16",
        "seed": 42,
        "generate_audio": True,
        "compression_quality": "OPTIMIZED",
        "negative_prompt": "logos",
        "person_generation": "allow_adult",
        "labels": {"team": "films"},
    }
    model = "veo-3.1-fast-generate-001"
    made, done = world.calls(CLIENT, generate(prompt, model=model, config=config), fetch(0), project=VERTEX)
    video_id = made["name"].rpartition("/")[2]
    places = f"projects/{VERTEX}/locations/us-central1/publishers/google/models/{model}"
    assert made["name"] == done["name"] == f"{places}/operations/{video_id}"
    assert (done["done"], done["unknown"]) == (True, [])
    film = base64.urlsafe_b64decode(done["response"]["generated_videos"][0]["video"]["video_bytes"])
    assert hashlib.sha256(film).hexdigest() == world.digest(video_id)
    assert (probe(film).width, probe(film).height) == (720, 1280)
    (seen,) = world.seen(prompt)
    assert (seen["outcome"], seen["seconds"], seen["seed"]) == ("accepted", 4, 42)


def test_veo_on_vertex_takes_pictures_and_its_own_videos(world: World) -> None:
    """A frame, and the bytes of a finished video to lengthen."""
    image = {"image_bytes": {"bytes": IMAGE["data"]}, "mime_type": "image/png"}
    framed, longer = (f"{what} {PAINTS_NOTHING}" for what in ("an oak in a frame", "an oak goes on"))
    world.calls(
        CLIENT,
        generate(framed, image=image, config={"resize_mode": "PAD", "last_frame": image}),
        generate("an oak to go on", config={"duration_seconds": 4}),
        fetch(1),
        generate(longer, video={"video_of": 2}),
        fetch(0),
        fetch(3),
        project=VERTEX,
    )
    assert [one["role"] for one in world.seen(framed)[0]["references"]] == ["first_frame", "last_frame"]
    assert [one["role"] for one in world.seen(longer)[0]["references"]] == ["source"]


def test_veo_on_vertex_says_what_it_cannot_and_what_went_wrong(world: World) -> None:
    """A bucket of the caller's is refused before anything is paid."""
    bucket, _, _, filtered, failed = world.calls(
        CLIENT,
        generate("refused", config={"output_gcs_uri": "gs://films/"}),
        generate("an oak kept back [[fail:content_policy]]"),
        generate("an oak that broke [[fail:vendor_error]]"),
        fetch(1),
        fetch(2),
        project=VERTEX,
    )
    assert (bucket["raised"], bucket["status"]) == ("ClientError", "INVALID_ARGUMENT")
    assert "parameters.storageUri" in bucket["message"]
    assert world.seen("refused") == []
    assert filtered["response"]["rai_media_filtered_count"] == 1
    assert (failed["done"], failed["error"]["code"]) == (True, 13)


# --- its own retries


def test_five_sendings_of_a_create_are_one_video(world: World) -> None:
    """A balancer answers four times in our place. Every header is the same each time; that nobody named the video is the sign."""
    prompt = f"lost four times {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, loss="502", losses=4) as proxy:
        [made] = world.calls(CLIENT, create(prompt, name="raw_create"), url=proxy.url)
        assert proxy.creates == ["-"] * 5
    assert made["headers"]["idempotent-replayed"] == "true"
    assert world.gateway.finished(made["id"])["status"] == "failed"
    assert len(world.seen(prompt)) == 1


@pytest.mark.parametrize("project", [None, VERTEX])
def test_a_create_that_waits_is_sent_again_and_waits_for_the_same_video(world: World, project: str | None) -> None:
    """The balancer lost patience, not the client: it gets the video in the end."""
    prompt = f"waited for twice, for {project}"
    body = {"model": "gemini-omni", "input": prompt, "response_format": INLINE}
    with LossyProxy(world.gateway.port, loss="502") as proxy:
        [done] = world.calls(CLIENT, ["create", body], url=proxy.url, project=project)
        assert proxy.creates == ["-", "-"]
    assert (done["status"], len(world.seen(prompt))) == ("completed", 1)


def test_a_lost_operation_of_vertex_is_given_again(world: World) -> None:
    """With retries switched on, as its users do."""
    prompt = f"an oak was lost {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, loss="502", losses=2) as proxy:
        made, done = world.calls(
            CLIENT, generate(prompt), fetch(0), url=proxy.url, project=VERTEX, retry_options={"attempts": 4}
        )
        assert proxy.creates == ["-"] * 3
    assert done["name"] == made["name"]
    assert len(world.seen(prompt)) == 1


@pytest.mark.parametrize("loss", ["reset", "close", "half", "silence"])
def test_a_caller_who_tries_again_gets_what_was_made(world: World, loss: Loss) -> None:
    """When the connection breaks this client gives up at once; its user does what it would have done."""
    prompt = f"tried again by hand: {loss} {PAINTS_NOTHING}"
    patience = {"timeout": 3000} if loss == "silence" else {}
    with LossyProxy(world.gateway.port, loss=loss) as proxy:
        lost, _, made, done = world.calls(
            CLIENT, create(prompt), ["sleep", {"seconds": 0.5}], create(prompt), poll(2), url=proxy.url, **patience
        )
        assert proxy.creates == ["-", "-"]
    assert lost["raised"] in {"APIConnectionError", "APITimeoutError"}
    assert (made["id"], done["status"]) == (done["id"], "failed")
    assert len(world.seen(prompt)) == 1


def test_equal_creates_that_are_no_repetition_are_interactions_of_their_own(world: World) -> None:
    """All at once, one after another, and again after a look at the first."""
    prompts = [f"{word} {PAINTS_NOTHING}" for word in ("together", "looked at")]
    rows = [f"in a row {number} {PAINTS_NOTHING}" for number in range(5)]
    together, *_ = world.calls(
        CLIENT,
        ["together", {"times": 3, "create": create(prompts[0])[1]}],
        create(prompts[1]),
        poll(1),
        create(prompts[1]),
        poll(3),
        *(create(row) for row in rows for _ in range(2)),
    )
    for video_id in together["ids"]:
        world.gateway.finished(video_id)
    assert [len(world.seen(prompt)) for prompt in prompts] == [3, 2]
    # On a busy machine the second of a row may come so late that it must be taken for a repetition.
    assert max(len(world.seen(row)) for row in rows) == 2


def test_a_gateway_killed_before_it_answered_gives_its_answer_after(tmp_path: Path) -> None:
    """A restart remembers what was made, and that nobody has named it."""
    prompt = f"killed {PAINTS_NOTHING}"
    port = free_port()
    with Sandbox(tmp_path / "vendor") as vendor:
        folder, settings = tmp_path / "gateway", accounts(vendor)
        dying = Gateway(folder, settings=settings, port=port, environment={"REELWAY_DIE_AT": "created"})
        [lost] = World(dying, vendor).calls(CLIENT, create(prompt))
        assert (lost["raised"], dying.wait()) == ("APIConnectionError", -9)
        with Gateway(folder, settings=settings, port=port) as again:
            world = World(again, vendor)
            made, done = world.calls(CLIENT, create(prompt), poll(0))
            assert (made["id"], done["status"]) == (done["id"], "failed")
            assert [video["id"] for video in again.ask("GET", "/v1/videos").json["data"]] == [made["id"]]
            assert len(world.seen(prompt)) == 1

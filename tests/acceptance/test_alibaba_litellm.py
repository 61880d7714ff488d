"""LiteLLM's own DashScope client, unmodified, against a gateway that has its videos made through DashScope's API by the sandbox."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture
from tests.acceptance.judges import run_judge
from tests.acceptance.processes import KEY, Gateway, Sandbox
from tests.acceptance.proxy import LossyProxy

pytestmark = pytest.mark.acceptance

TEXT, IMAGE, REFERENCES = (f"dashscope/happyhorse-1.0-{kind}" for kind in ("t2v", "i2v", "r2v"))
PAINTS_NOTHING = "[[fail:vendor_error]]"
"""For videos that nobody will look at."""


class World(NamedTuple):
    gateway: Gateway
    vendor: Sandbox

    def calls(self, *calls: Any, url: str | None = None, key: str = KEY) -> list[Any]:
        """Return what the client got for each call."""
        address = {"JUDGE_BASE": url or self.gateway.url, "JUDGE_KEY": key}
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        given: list[Any] = run_judge("litellm", "litellm_videos.py", json.dumps(calls), environment=address | quiet)
        return given

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with an account at DashScope, which the sandbox plays."""
    with Sandbox(tmp_path_factory.mktemp("vendor")) as vendor:
        settings = (
            f'[[account]]\nname = "dashscope"\nvendor = "alibaba"\n'
            f'base_url = "{vendor.url}/api/v1"\nkey = "{KEY}"\nprivate_network = true\n'
        )
        with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as gateway:
            yield World(gateway, vendor)


def create(prompt: str, model: str = TEXT, **fields: Any) -> list[Any]:
    return ["create", {"model": model, "prompt": prompt, "seconds": "3", "resolution": "720P", **fields}]


def poll(call: int) -> list[Any]:
    return ["poll", {"video_id": {"from": call}}]


@pytest.mark.proves("alibaba", "submit", "check", client="litellm 1.108.7")
def test_a_video_is_created_followed_and_fetched(world: World) -> None:
    """In LiteLLM's words for DashScope's states, with the seconds that are billed, and one create reaches the vendor."""
    prompt = "a paper boat crosses a pond, asked for by litellm"
    made, video, content = world.calls(
        create(prompt, size="720x1280", seed=4711, watermark=True), poll(0), ["content", {"video_id": {"from": 0}}]
    )
    assert "raised" not in made, made
    assert video["states"][-1] == "completed"
    assert set(video["states"]) <= {"queued", "in_progress", "completed"}
    assert (video["seconds"], video["size"]) == ("3.0", "720x1280")
    assert video["usage"] == {"duration_seconds": 3.0, "video_resolution": "720p"}
    assert video["completed_at"] >= video["created_at"] > 1_700_000_000
    assert (content["type"], content["bytes"] > 1000) == ("ftyp", True)
    (seen,) = world.seen(prompt)
    assert (seen["seconds"], seen["outcome"], seen["warnings"]) == (3, "accepted", [])


def test_pictures_become_what_the_model_takes(world: World) -> None:
    """A first frame or a reference by the name of the model, inside of the body, byte for byte."""
    shot = picture(848, 480)
    prompts = {IMAGE: "litellm frame", REFERENCES: "litellm references"}
    image = {"base64": base64.b64encode(shot).decode()}
    calls = [create(prompt, model, input_reference=image) for model, prompt in prompts.items()]
    videos = world.calls(*calls, poll(0), poll(1))[2:]

    assert [video.get("status") for video in videos] == ["completed", "completed"], videos
    given = [
        [(one["role"], one["sha256"]) for one in world.seen(prompt)[0]["references"]] for prompt in prompts.values()
    ]
    digest = hashlib.sha256(shot).hexdigest()
    assert given == [[("first_frame", digest)], [("reference", digest)]]


def test_refusals_and_failures_keep_their_meaning(world: World) -> None:
    """A wrong key, what the model cannot, a model that is nobody's, and content that is refused after it was accepted."""
    (denied,) = world.calls(create("x"), key="rw_nobody")
    too_long, nobody, gone, _, failed, content = world.calls(
        create("x", seconds="16"),
        create("x", "dashscope/happyhorse-9.9-t2v"),
        ["poll", {"video_id": "nobody", "custom_llm_provider": "dashscope"}],
        create("y [[fail:content_policy]]"),
        poll(3),
        ["content", {"video_id": {"from": 3}}],
    )
    assert (denied["raised"], denied["status"]) == ("AuthenticationError", 401)
    assert (too_long["raised"], too_long["status"]) == ("BadRequestError", 400)
    assert "parameters.duration" in too_long["message"]
    assert (nobody["raised"], nobody["status"]) == ("NotFoundError", 404)
    assert (gone["status"], "Task not found" in gone["message"]) == (400, True)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "DataInspectionFailed")
    assert content["status"] == 400


def test_a_lost_answer_is_one_video(world: World) -> None:
    """The client raises what it lost and does not send again, also when it is told to: its retries are for its chats alone."""
    prompt = f"litellm lost {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port) as line:
        (lost,) = world.calls(create(prompt, num_retries=2), url=line.url)
        assert line.creates == ["-"]
    assert "raised" in lost
    (listed,) = [one for one in world.gateway.ask("GET", "/v1/videos").json["data"] if one["prompt"] == prompt]
    world.gateway.finished(listed["id"])
    assert len(world.seen(prompt)) == 1

"""LiteLLM's own MiniMax client, unmodified, against a gateway that has its videos made through MiniMax's API by the sandbox."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture
from tests.acceptance.judges import run_judge
from tests.acceptance.processes import KEY, Gateway, Sandbox

pytestmark = pytest.mark.acceptance

MODEL = "minimax/MiniMax-H3"


class World(NamedTuple):
    gateway: Gateway
    vendor: Sandbox

    def calls(self, *calls: Any, key: str = KEY) -> list[Any]:
        """Return what the client got for each call."""
        address = {"JUDGE_BASE": f"{self.gateway.url}/minimax", "JUDGE_KEY": key}
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        given: list[Any] = run_judge("litellm", "litellm_videos.py", json.dumps(calls), environment=address | quiet)
        return given

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with an account at MiniMax, which the sandbox plays."""
    with Sandbox(tmp_path_factory.mktemp("vendor")) as vendor:
        settings = (
            f'[[account]]\nname = "minimax"\nvendor = "minimax"\nbase_url = "{vendor.url}/minimax"\nkey = "{KEY}"\n'
        )
        with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as gateway:
            yield World(gateway, vendor)


def create(prompt: str, **fields: Any) -> list[Any]:
    return ["create", {"model": MODEL, "prompt": prompt, **fields}]


@pytest.mark.proves("minimax", "submit", "check", "find", client="litellm 1.108.7")
def test_a_video_is_created_followed_fetched_and_listed(world: World) -> None:
    """In LiteLLM's words for MiniMax's states, and one create reaches the vendor."""
    prompt = "a paper boat crosses a puddle"
    made, video, content, page = world.calls(
        create(prompt, seconds="4", size="1280x720"),
        ["poll", {"video_id": {"from": 0}}],
        ["content", {"video_id": {"from": 0}}],
        ["list", {"custom_llm_provider": "minimax", "limit": 5}],
    )
    assert "raised" not in made, made
    assert video["states"][-1] == "completed"
    assert set(video["states"]) <= {"queued", "in_progress", "completed"}
    assert (video["seconds"], video["usage"]) == ("4", {"output_seconds": 4})
    assert (content["type"], content["bytes"] > 1000) == ("ftyp", True)
    assert video["id"] in [one["id"] for one in page["data"]]
    (seen,) = world.seen(prompt)
    assert str(seen["seconds"]) == "4"


def test_a_picture_becomes_the_first_frame(world: World) -> None:
    """As a data URI, and the frame decides the shape."""
    prompt = "the picture begins to move"
    uri = f"data:image/png;base64,{base64.b64encode(picture(640, 640)).decode()}"
    made, video = world.calls(create(prompt, seconds="4", input_reference=uri), ["poll", {"video_id": {"from": 0}}])
    assert video.get("status") == "completed", (made, video)
    (seen,) = world.seen(prompt)
    assert [given["role"] for given in seen["references"]] == ["first_frame"]


def test_refusals_and_failures_keep_their_meaning(world: World) -> None:
    """A wrong key, what the model cannot, and content that is refused after it was accepted."""
    (denied,) = world.calls(create("x", seconds="4"), key="rw_nobody")
    too_long, _, failed = world.calls(
        create("x", seconds="99"),
        create("y [[fail:content_policy]]", seconds="4"),
        ["poll", {"video_id": {"from": 1}}],
    )
    assert (denied["raised"], denied["status"]) == ("AuthenticationError", 401)
    assert (too_long["raised"], too_long["status"]) == ("BadRequestError", 400)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "1026")

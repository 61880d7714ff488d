"""LiteLLM's proxy, unmodified, between a gateway and its vendor: another program's reading of the OpenAI Videos API."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.judges import program_of
from tests.acceptance.processes import KEY, Gateway, Process, Sandbox, free_port

pytestmark = pytest.mark.acceptance

LITELLM = program_of("litellm", "litellm")
MODELS = ("sora-2", "veo3.1")
QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
FRAME = picture(1280, 720)


class Chain(NamedTuple):
    """Three processes in a row."""

    gateway: Gateway
    sandbox: Sandbox

    def made(self, **fields: Any) -> dict[str, Any]:
        """Return a video when it is finished."""
        return self.gateway.finished(self.gateway.create(**fields)["id"])

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.sandbox.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """LiteLLM with two models of the sandbox's, as anybody configures it: its own retries are on."""
    if not LITELLM.is_file():
        pytest.skip("the LiteLLM proxy is not installed; run scripts/setup-judges")
    folder, port = tmp_path_factory.mktemp("litellm"), free_port()
    with Sandbox(tmp_path_factory.mktemp("vendor")) as sandbox:
        models = [
            {
                "model_name": model,
                "litellm_params": {"model": f"openai/{model}", "api_base": f"{sandbox.url}/v1", "api_key": KEY},
            }
            for model in MODELS
        ]
        config = folder / "config.yaml"
        config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
        arguments = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        account = (
            '[[account]]\nname = "vendor"\nvendor = "openai_videos"\nservice = "litellm"\n'
            f'base_url = "http://127.0.0.1:{port}/v1"\nkey = "{KEY}"\n'
        )
        with (
            Process(arguments, QUIET, "Uvicorn running on", program=str(LITELLM)),
            Gateway(tmp_path_factory.mktemp("gateway"), settings=account) as gateway,
        ):
            yield Chain(gateway, sandbox)


@pytest.mark.proves("openai_videos", "submit", "check", client="LiteLLM proxy")
def test_a_video_is_made_through_litellm(chain: Chain) -> None:
    """Options and the picture arrive at the vendor, and the file comes back."""
    prompt = "a stair, seen through another proxy"
    video = chain.made(
        model="veo3.1",
        prompt=prompt,
        seconds="4",
        size="1280x720",
        seed=7,
        input_reference={"image_url": f"data:image/png;base64,{base64.b64encode(FRAME).decode()}"},
    )

    assert (video["status"], video["error"]) == ("completed", None)
    (seen,) = chain.seen(prompt)
    assert (seen["model"], seen["seconds"], seen["size"], seen["seed"]) == ("veo3.1", 4, "1280x720", 7)
    assert [given["sha256"] for given in seen["references"]] == [hashlib.sha256(FRAME).hexdigest()]
    film = chain.gateway.ask("GET", f"/v1/videos/{video['id']}/content").body
    assert probe(film).seconds == pytest.approx(4, abs=0.2)


def test_a_breakdown_behind_litellm_is_one_create(chain: Chain) -> None:
    """By itself it would have sent it three times, and the third would have been made."""
    prompt = "a stair that breaks down [[http:503x2]]"
    video = chain.made(model="sora-2", prompt=prompt, seconds="4")

    assert (video["status"], video["error"]["code"]) == ("failed", "submission_unknown")
    assert len(chain.seen(prompt)) == 1


@pytest.mark.parametrize("directive", ["[[moderation]]", "[[fail:content_policy]]"])
def test_a_refusal_keeps_its_meaning_through_litellm(chain: Chain, directive: str) -> None:
    """Whether the create was refused or the video failed."""
    prompt = f"something unwanted {directive}"
    video = chain.made(model="sora-2", prompt=prompt, seconds="4")

    assert (video["status"], video["error"]["code"]) == ("failed", "content_policy")
    assert len(chain.seen(prompt)) == 1


def test_a_remix_goes_through_litellm(chain: Chain) -> None:
    """By the id that LiteLLM made up for the source."""
    source = chain.made(model="sora-2", prompt="a harbour", seconds="4")
    answer = chain.gateway.ask("POST", f"/v1/videos/{source['id']}/remix", body={"prompt": "a harbour at night"})
    video = chain.gateway.finished(answer.json["id"])

    assert (video["status"], video["remixed_from_video_id"]) == ("completed", source["id"])
    (seen,) = chain.seen("a harbour at night")
    assert seen["operation"] == "remix"

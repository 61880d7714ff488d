"""Vidu's own client, vidu-mcp, unmodified, against a real gateway that has its videos made through Vidu's API by the sandbox."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.judges import run_judge
from tests.acceptance.processes import KEY, Gateway, Sandbox, ask

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TURBO = {"model": "viduq3-turbo", "resolution": "540p"}
TEXT, IMAGE, FRAMES, REFERENCES = (
    "generate_text_to_video",
    "generate_img_to_video",
    "generate_startend2video_to_video",
    "generate_reference2video_to_video",
)


class World(NamedTuple):
    gateway: Gateway
    vendor: Sandbox

    def calls(self, *calls: Any, key: str = KEY) -> list[Any]:
        """Return what the client answered to each call."""
        address = {"VIDU_API_HOST": self.gateway.url, "VIDU_API_KEY": key}
        given: list[Any] = run_judge("vidu-mcp", "vidu.py", json.dumps(calls), environment=address)
        return given

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with an account at Vidu, which the sandbox plays."""
    with Sandbox(tmp_path_factory.mktemp("vendor")) as vendor:
        settings = f'[[account]]\nname = "vidu"\nvendor = "vidu"\nbase_url = "{vendor.url}"\nkey = "{KEY}"\n'
        with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as gateway:
            yield World(gateway, vendor)


@pytest.mark.proves("vidu", "submit", "check", client="vidu-mcp (Python)")
def test_all_four_kinds_of_work_are_made(world: World, tmp_path: Path) -> None:
    """Created, followed to success, and fetched without a key; each is one submit at the vendor, of the right kind."""
    shot = tmp_path / "shot.png"
    shot.write_bytes(picture(1280, 720))
    prompts = {tool: f"a paper lantern, {tool}" for tool in (TEXT, IMAGE, FRAMES, REFERENCES)}
    inputs: dict[str, dict[str, Any]] = {
        TEXT: {"aspect_ratio": "9:16", "duration": 2},
        IMAGE: {"image": str(shot), "duration": 2},
        FRAMES: {"images": [str(shot), str(shot)], "duration": 2},
        REFERENCES: {"images": [str(shot), str(shot)], "duration": 3, "seed": 7},
    }
    answers = world.calls(
        *([tool, {**TURBO, **given, "prompt": prompts[tool]}] for tool, given in inputs.items()),
    )

    for (tool, given), answer in zip(inputs.items(), answers, strict=True):
        assert isinstance(answer, dict), answer
        assert answer["status"] == "success"
        film = probe(ask("GET", answer["video_url"], key=None).body)
        assert film.seconds == pytest.approx(given["duration"], abs=0.05)
        assert film.has_audio
        video = world.gateway.ask("GET", f"/v1/videos/{answer['task_id']}").json
        assert (video["status"], video["model"]) == ("completed", "viduq3-turbo")
        assert (
            video["cost"]["settled"] == {2: "0.14", 3: "0.21"}[given["duration"]]
        )  # 14 credits a second at half a cent
        (create,) = world.seen(prompts[tool])
        roles = {TEXT: [], IMAGE: ["first_frame"], FRAMES: ["first_frame", "last_frame"], REFERENCES: ["reference"] * 2}
        assert [reference["role"] for reference in create["references"]] == roles[tool]


def test_refusals_and_failures_reach_the_assistant(world: World) -> None:
    """In the client's own sentences; nothing is made of what was refused."""
    failed, too_long, nobody = world.calls(
        [TEXT, {**TURBO, "prompt": "broken [[refuse:content_policy]]"}],
        [TEXT, {**TURBO, "prompt": "too long", "duration": 17}],
        [TEXT, {"prompt": "another model", "model": "viduq1"}],
    )

    assert failed.startswith("Error: Video generation failed")
    assert too_long.startswith("Error: Request failed: 400")
    assert nobody.startswith("Error: Request failed: 400")
    assert world.seen("too long") == world.seen("another model") == []


def test_a_wrong_key_is_no_key(world: World) -> None:
    """As Vidu says it."""
    (refused,) = world.calls([TEXT, {**TURBO, "prompt": "nothing"}], key="vda_of_somebody_else")

    assert refused.startswith("Error: Request failed: 401")

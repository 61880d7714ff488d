"""The sandbox inside a gateway plays the vendors too, below its own path and for the gateway's admins."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.processes import KEY, Gateway, Sandbox, ask

pytestmark = pytest.mark.acceptance

PAGE = Path(__file__).parents[2] / "docs/howto/sandbox.md"
MODELS = {
    "kling-video": "kling",
    "doubao-seedance-1-0-pro-fast-251015": "bytedance",
    "gemini-omni": "google_interactions",
    "happyhorse-1.0-t2v": "alibaba",
    "hailuo-video": "minimax",
    "viduq3-turbo": "vidu",
    "grok-imagine-1.0-video": "xai",
}
TASKS = "/sandbox/api/v3/contents/generations/tasks"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway without a vendor, so its sandbox is on."""
    with Gateway(tmp_path_factory.mktemp("gateway"), environment={"REELWAY_SANDBOX_LINK_SECONDS": "3600"}) as running:
        yield running


def test_vendors_are_played_below_the_gateways_sandbox(gateway: Gateway) -> None:
    """A video ordered in Ark's words is finished, and its link leads back below the sandbox without a key."""
    text = {"type": "text", "text": "a fox [[delay:0]]"}
    model = "seedance-1-0-pro-fast-251015"
    body = {"model": model, "content": [text], "resolution": "480p", "ratio": "16:9", "duration": 2}
    made = gateway.ask("POST", TASKS, body=body)
    assert made.status == 200, made.body
    gateway.ask("GET", f"/sandbox/v1/videos/{made.json['id']}?wait=30")
    task = gateway.ask("GET", f"{TASKS}/{made.json['id']}").json
    assert task["status"] == "succeeded"
    link = task["content"]["video_url"]
    assert link.startswith(f"{gateway.url}/sandbox/v1/videos/")
    assert ask("GET", link, key=None).body[4:8] == b"ftyp"


def test_only_admins_open_the_gateways_sandbox(gateway: Gateway) -> None:
    """Everybody's videos lie together there, so an unknown key, none, and one that is no admin's are refused."""
    for key in (None, "sk-nobodys"):
        refused = gateway.ask("GET", TASKS, key=key)
        assert (refused.status, refused.json["error"]["code"]) == (401, "AuthenticationError")
    assert gateway.ask("GET", TASKS, key=KEY).status == 200


def test_wrong_path_below_the_sandbox_says_what_there_is(gateway: Gateway) -> None:
    """In the words of the vendor it looks like."""
    refused = gateway.ask("GET", "/sandbox/kling/v1/nothing")
    assert refused.json["code"] == 1201
    assert "kling at /kling" in refused.json["message"]


def test_accounts_on_the_page_work_as_pasted(tmp_path: Path) -> None:
    """One sandbox is every vendor of a gateway: each model is made through its vendor's own API, without a warning."""
    (accounts,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with Sandbox(tmp_path / "sandbox") as sandbox:
        settings = accounts.replace("http://127.0.0.1:8090", sandbox.url).replace("anything", KEY)
        with Gateway(tmp_path / "gateway", settings=settings) as gateway:
            made = {name: gateway.create(model=name, prompt=f"a fox, {name}") for name in MODELS}
            assert {gateway.finished(video["id"])["status"] for video in made.values()} == {"completed"}
        seen = sandbox.creates()
    assert {one["prompt"].rpartition(" ")[2]: one["dialect"] for one in seen} == MODELS
    assert [one["warnings"] for one in seen] == [[]] * len(MODELS)

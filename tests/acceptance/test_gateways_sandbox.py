"""The sandbox inside a gateway plays the vendors too, below its own path and for the gateway's admins."""

from collections.abc import Iterator

import pytest
from tests.acceptance.processes import KEY, Gateway, ask

pytestmark = pytest.mark.acceptance

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

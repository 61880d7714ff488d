"""Vercel's AI SDK against a real gateway: `tests/node/xai.test.mjs` calls, this file looks at what arrived at xAI."""

from collections.abc import Iterator

import pytest
from tests.acceptance.ai_sdk import World, run_client
from tests.acceptance.processes import KEY

pytestmark = pytest.mark.acceptance

ACCOUNT = f"""
[[account]]
name = "xai"
vendor = "xai"
base_url = "{{vendor}}/xai"
key = "{KEY}"
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run the client's tests once, at a gateway with an account at xAI, which the sandbox plays."""
    with run_client("xai", ACCOUNT, tmp_path_factory) as world:
        yield world


@pytest.mark.proves("xai", "submit", "check", client="@ai-sdk/xai 3.0.138")
def test_the_ai_sdk_is_served(world: World) -> None:
    """Every mode it has, moderation, failures and refusals."""
    world.assert_served(tests=12)


def test_a_lost_answer_is_one_video(world: World) -> None:
    """The client sends again by itself, without any sign of it, and the vendor has heard once."""
    world.assert_lost_answer_is_one_video("xai lost [[fail:vendor_error]]")


def test_pictures_and_videos_arrive_as_they_were_sent(world: World) -> None:
    """Byte for byte, each in its role, through both gateways' words."""
    (frame,), (references,) = world.seen("xai frame"), world.seen("xai references")
    (edit,), (extension,) = world.seen("xai edit"), world.seen("xai extend")

    assert [(given["role"], given["sha256"]) for given in frame["references"]] == [("first_frame", world.frame)]
    assert [(given["role"], given["sha256"]) for given in references["references"]] == [("reference", world.frame)] * 2
    assert [given["role"] for given in edit["references"]] == ["source"]
    assert edit["references"] == extension["references"]

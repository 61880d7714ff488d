"""Vercel's AI SDK against a real gateway: `tests/node/alibaba.test.mjs` calls, this file looks at what arrived at DashScope."""

from collections.abc import Iterator

import pytest
from tests.acceptance.ai_sdk import World, run_client
from tests.acceptance.processes import KEY

pytestmark = pytest.mark.acceptance

ACCOUNT = f"""
[[account]]
name = "dashscope"
vendor = "alibaba"
base_url = "{{vendor}}/api/v1"
key = "{KEY}"
private_network = true
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run the client's tests once, at a gateway with an account at DashScope, which the sandbox plays."""
    with run_client("alibaba", ACCOUNT, tmp_path_factory, fetches_inputs=True) as world:
        yield world


@pytest.mark.proves("alibaba", "submit", "check", client="@ai-sdk/alibaba 1.0.61")
def test_the_ai_sdk_is_served(world: World) -> None:
    """Text, frame and references in both of its forms, failures and refusals."""
    world.assert_served(tests=10)


def test_a_lost_answer_is_one_video(world: World) -> None:
    """The client sends again by itself, without any sign of it, and the vendor has heard once."""
    world.assert_lost_answer_is_one_video("alibaba lost [[fail:vendor_error]]")


def test_pictures_arrive_as_they_were_sent(world: World) -> None:
    """Byte for byte, in their roles: a frame as bare base64, which this client makes of it, references by their addresses."""
    (frame,), (references,) = world.seen("alibaba frame"), world.seen("alibaba references")

    assert [(given["role"], given["sha256"]) for given in frame["references"]] == [("first_frame", world.frame)]
    assert [(given["role"], given["sha256"]) for given in references["references"]] == [("reference", world.frame)] * 2

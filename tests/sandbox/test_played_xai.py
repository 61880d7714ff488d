"""xAI's requests, as its pages show them, against the sandbox: its states, its moderation, its errors."""

from typing import Any

import pytest
from tests.mounting.asgi import Got
from tests.sandbox.stage import Stage

VIDEOS = "/xai/v1/videos"


async def create(stage: Stage, prompt: str = "a fox", **fields: Any) -> Got:
    body = {"model": "grok-imagine-video", "prompt": prompt, "duration": 2, "resolution": "480p", **fields}
    return await stage.send("POST", f"{VIDEOS}/generations", body)


async def look(stage: Stage, request_id: str) -> Got:
    return await stage.send("GET", f"{VIDEOS}/{request_id}")


async def test_a_create_becomes_a_video(stage: Stage) -> None:
    """Known by its `request_id` alone, and done with a link that lives for a while."""
    made = await create(stage)
    assert (made.status, list(made.json)) == (200, ["request_id"])
    await stage.finish(made.json["request_id"])

    video = await look(stage, made.json["request_id"])

    assert (video.status, video.json["status"], video.json["progress"]) == (200, "done", 100)
    assert (video.json["video"]["duration"], video.json["video"]["respect_moderation"]) == (2, True)
    assert video.json["video"]["url"].startswith("http")


async def test_what_waits_is_accepted_and_sometimes_without_a_body(stage: Stage) -> None:
    """The answer on which clients broke."""
    made = (await create(stage, "a fox [[delay:600]]")).json

    waiting = await look(stage, made["request_id"])

    assert (waiting.status, waiting.body) == (202, b"")


async def test_what_moderation_blocks_is_done_without_an_address(stage: Stage) -> None:
    """And says so by a switch."""
    made = (await create(stage, "a fox [[fail:content_policy]]")).json
    await stage.finish(made["request_id"])

    video = (await look(stage, made["request_id"])).json

    assert (video["status"], video["video"]["url"], video["video"]["respect_moderation"]) == ("done", "", False)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"duration": 16}, 400, "duration"),
        ({"duration": "2"}, 422, "duration"),
        ({"model": "grok-imagine-video-9"}, 404, "grok-imagine-video-9"),
        ({"prompt": "a fox [[refuse:content_policy]]"}, 400, "moderation"),
    ],
)
async def test_a_refusal_is_in_xais_words(stage: Stage, fields: dict[str, Any], status: int, words: str) -> None:
    """A code and a text."""
    got = await create(stage, **fields)

    assert (got.status, set(got.json)) == (status, {"code", "error"})
    assert words in got.json["error"]


async def test_too_many_requests_are_told_as_openai_does(stage: Stage) -> None:
    """The other of xAI's shapes."""
    got = await create(stage, "a fox [[rate:429x1]]")

    assert (got.status, got.json["error"]["type"]) == (429, "rate_limit_error")

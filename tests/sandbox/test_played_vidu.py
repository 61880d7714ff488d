"""Vidu's requests, as its pages show them, against the sandbox: its states, names, credits, list and cancel."""

from typing import Any

import pytest
from tests.mounting.asgi import Got
from tests.sandbox.stage import Stage

TASKS = "/ent/v2/tasks"


async def create(stage: Stage, prompt: str = "a fox", **fields: Any) -> Got:
    body = {"model": "viduq3-turbo", "prompt": prompt, "duration": 2, "resolution": "540p", **fields}
    return await stage.send("POST", "/ent/v2/text2video", body)


async def look(stage: Stage, task_id: str) -> Any:
    return (await stage.send("GET", f"{TASKS}/{task_id}/creations")).json


async def test_a_create_becomes_a_video(stage: Stage) -> None:
    """From created to success, with the payload all the way and the credits of its length, tier and hour."""
    made = await create(stage, payload="mine", off_peak=True)
    assert (made.status, made.json["state"], made.json["payload"]) == (200, "created", "mine")
    assert (await stage.seen())[-1]["warnings"] == []
    await stage.finish(made.json["task_id"])

    task = await look(stage, made.json["task_id"])

    assert (task["state"], task["err_code"], task["payload"]) == ("success", "", "mine")
    assert (task["credits"], task["off_peak"]) == (14, True)  # 2 seconds at 7
    assert task["creations"][0]["url"].startswith("http")


async def test_the_list_shows_the_payload(stage: Stage) -> None:
    """By which a lost create is known."""
    made = (await create(stage, payload="mine-2")).json

    page = (await stage.send("GET", f"{TASKS}?created_at.from=2020-01-01T00:00:00Z&pager.page=0&pager.pagesz=100")).json

    assert [task["id"] for task in page["tasks"] if task["payload"] == "mine-2"] == [made["task_id"]]


async def test_two_tasks_may_have_one_payload(stage: Stage) -> None:
    """It is no idempotency key."""
    first, second = [(await create(stage, payload="same")).json["task_id"] for _ in range(2)]

    assert first != second


async def test_a_waiting_task_can_be_cancelled(stage: Stage) -> None:
    """And says so at the next look."""
    made = (await create(stage, "a fox [[delay:60]]")).json

    got = await stage.send("POST", f"{TASKS}/{made['task_id']}/cancel", {"id": made["task_id"]})

    assert (got.status, got.json) == (200, {})
    task = await look(stage, made["task_id"])
    assert (task["state"], task["err_code"], task["credits"]) == ("failed", "UserCancelled", 0)


@pytest.mark.parametrize(
    ("fields", "status", "name"),
    [
        ({"duration": 17}, 400, "FieldInvalid"),
        ({"model": "viduq9"}, 400, "ModelUnavailable"),
        ({"images": ["https://media.example.test/a.png"]}, 400, "FieldUnwanted"),
        ({"prompt": ""}, 400, "FieldLacking"),
        ({"prompt": "a fox [[refuse:content_policy]]"}, 400, "TaskPromptPolicyViolation"),
        ({"prompt": "a fox [[rate:429x1]]"}, 429, "TooManyRequests"),
    ],
)
async def test_refusals_have_vidus_names(stage: Stage, fields: dict[str, Any], status: int, name: str) -> None:
    """In its one shape."""
    got = await create(stage, **fields)

    assert (got.status, got.json["code"], got.json["reason"]) == (status, status, name), got.json


async def test_a_failed_task_has_a_name(stage: Stage) -> None:
    """What came out breaks the rules."""
    made = (await create(stage, "a fox [[fail:content_policy]]")).json
    await stage.finish(made["task_id"])

    assert (await look(stage, made["task_id"]))["err_code"] == "CreationPolicyViolation"


async def test_an_odd_state_and_a_missing_file_are_played(stage: Stage) -> None:
    """A word nobody has met, and a success that shows nothing."""
    odd = (await create(stage, "a fox [[poll:oddx1]]")).json["task_id"]
    empty = (await create(stage, "a fox [[result:missing]]")).json["task_id"]
    await stage.finish(empty)

    assert (await look(stage, odd))["state"] == "pondering"
    task = await look(stage, empty)
    assert (task["state"], task["creations"]) == ("success", [])

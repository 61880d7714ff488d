"""DashScope's own requests against the sandbox: its words, states, codes, and what it is odd about."""

from typing import Any

from tests.mounting.asgi import Got
from tests.sandbox.stage import Stage

CREATE = "/api/v1/services/aigc/video-generation/video-synthesis"
TASKS = "/api/v1/tasks"


async def create(stage: Stage, prompt: str, **parameters: Any) -> Got:
    body = {
        "model": "happyhorse-1.0-t2v",
        "input": {"prompt": prompt},
        "parameters": {"resolution": "480P", "ratio": "1:1", "duration": 3, **parameters},
    }
    return await stage.send("POST", CREATE, body, x_dashscope_async="enable")


async def look(stage: Stage, made: Got) -> Any:
    return (await stage.send("GET", f"{TASKS}/{made.json['output']['task_id']}")).json["output"]


async def test_create_becomes_a_video_in_dashscopes_words(stage: Stage) -> None:
    """It waits first; its link opens without a key, and its seconds are counted."""
    made = await create(stage, "a fox")
    assert (made.status, made.json["output"]["task_status"]) == (200, "PENDING")
    assert made.json["request_id"] == made.headers["x-request-id"]
    task_id = made.json["output"]["task_id"]
    await stage.finish(task_id)
    shown = (await stage.send("GET", f"{TASKS}/{task_id}")).json
    assert (shown["output"]["task_status"], shown["output"]["orig_prompt"]) == ("SUCCEEDED", "a fox")
    assert (shown["usage"]["duration"], shown["usage"]["SR"], shown["usage"]["ratio"]) == (3, 480, "1:1")
    film = await stage.ask("GET", shown["output"]["video_url"].removeprefix("http://test"), key=None)
    assert film.body[4:8] == b"ftyp"


async def test_only_what_waits_is_cancelled(stage: Stage) -> None:
    """One that is being made is refused in the vendor's word, and so is one that nobody knows."""
    waiting = await create(stage, "x [[delay:100]]")
    name = waiting.json["output"]["task_id"]
    assert (await stage.send("POST", f"{TASKS}/{name}/cancel")).json.keys() == {"request_id"}
    assert (await look(stage, waiting))["task_status"] == "CANCELED"
    running = await create(stage, "x [[progress:stuck]]")
    assert (await look(stage, running))["task_status"] == "RUNNING"
    for task_id in (running.json["output"]["task_id"], name, "nobody"):
        refused = await stage.send("POST", f"{TASKS}/{task_id}/cancel")
        assert (refused.status, refused.json["code"]) == (400, "UnsupportedOperation")
    assert (await look(stage, running))["task_status"] == "RUNNING"


async def test_a_task_that_is_not_there_is_unknown(stage: Stage) -> None:
    """With HTTP 200."""
    got = await stage.send("GET", f"{TASKS}/1f0c6a52-77d1-4b1e-9a55-3c2f5f1c0a01")

    assert (got.status, got.json["output"]["task_status"]) == (200, "UNKNOWN")


async def test_errors_have_dashscopes_codes(stage: Stage) -> None:
    """What the model cannot do, too many requests, refused words, a synchronous call, and a failed task."""
    for got, status, code in (
        (await create(stage, "x", duration=16), 400, "InvalidParameter"),
        (await create(stage, "x [[rate:429]]"), 429, "Throttling.RateQuota"),
        (await create(stage, "x [[refuse:content_policy]]"), 400, "DataInspectionFailed"),
        (await stage.send("POST", CREATE, {"model": "happyhorse-1.0-t2v", "input": {}}), 403, "AccessDenied"),
    ):
        assert (got.status, got.json["code"]) == (status, code), got.body
    failed = await create(stage, "x [[fail:content_policy]]")
    assert (await look(stage, failed))["code"] == "DataInspectionFailed"


async def test_the_list_shows_what_fits(stage: Stage) -> None:
    """By model and state; a state nobody has met stands where the vendor has its own."""
    first = (await create(stage, "x [[progress:stuck]]")).json["output"]["task_id"]
    await create(stage, "x [[fail:vendor_error]]")
    page = (await stage.send("GET", f"{TASKS}?status=RUNNING&model_name=happyhorse-1.0-t2v&page_size=1")).json
    assert ([row["task_id"] for row in page["data"]], page["total"], page["total_page"]) == ([first], 1, 1)
    assert (await stage.send("GET", f"{TASKS}?model_name=happyhorse-1.0")).json["total"] == 0
    odd = await create(stage, "a fox [[poll:odd]]")
    assert (await look(stage, odd))["task_status"] == "pondering"

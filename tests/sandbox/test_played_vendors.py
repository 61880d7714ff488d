"""The vendors' own requests, as their pages show them, against the sandbox: words, states, codes and results of each."""

import base64
import hashlib
import hmac
import io
import json
import time
from typing import Any

import pytest
from PIL import Image
from tests.mounting.asgi import Got
from tests.sandbox.stage import Stage

ARK = "/api/v3/contents/generations/tasks"
VEO = "/v1beta/models/veo3.1-fast:predictLongRunning"
VERTEX = "/v1/projects/p/locations/global/publishers/google/models/veo3.1-fast"
OMNI = "/v1/interactions"
LEGACY = "/kling/v1/videos/text2video"
CURRENT = "/kling/text-to-video/kling-3.0"


def ark(text: str, **fields: Any) -> dict[str, Any]:
    body = {"model": "seedance-1-0-pro-fast-251015", "content": [{"type": "text", "text": text}], "duration": 2}
    return {**body, "resolution": "480p", "ratio": "16:9", **fields}


def veo(text: str, **parameters: Any) -> dict[str, Any]:
    return {"instances": [{"prompt": text}], "parameters": {"durationSeconds": 4, **parameters}}


def omni(text: str, **fields: Any) -> dict[str, Any]:
    wanted = {"type": "video", "duration": "3s", "delivery": "uri"}
    return {"model": "gemini-omni", "background": True, "input": text, "response_format": wanted, **fields}


def legacy(text: str, **fields: Any) -> dict[str, Any]:
    return {"model_name": "kling-v3", "mode": "std", "duration": "3", "prompt": text, **fields}


def current(text: str, **settings: Any) -> dict[str, Any]:
    return {"prompt": text, "settings": {"duration": 3, **settings}}


VENDORS = {
    "ark": (ARK, ark),
    "veo": (VEO, veo),
    "vertex": (f"{VERTEX}:predictLongRunning", veo),
    "omni": (OMNI, omni),
    "kling legacy": (LEGACY, legacy),
    "kling current": (CURRENT, current),
}


async def create(stage: Stage, vendor: str, text: str) -> Got:
    path, body = VENDORS[vendor]
    return await stage.send("POST", path, body(text))


async def look(stage: Stage, vendor: str, made: Any) -> Any:
    """Look once, as this vendor's clients do, and return what shows the state."""
    match vendor:
        case "ark":
            return (await stage.send("GET", f"{ARK}/{made['id']}")).json
        case "veo":
            return (await stage.send("GET", f"/v1beta/{made['name']}")).json
        case "vertex":
            got = await stage.send("POST", f"{VERTEX}:fetchPredictOperation", {"operationName": made["name"]})
            return got.json
        case "omni":
            return (await stage.send("GET", f"{OMNI}/{made['id']}")).json
        case "kling legacy":
            return (await stage.send("GET", f"{LEGACY}/{made['data']['task_id']}")).json["data"]
        case _:
            (task,) = (await stage.send("GET", f"/kling/tasks?task_ids={made['data']['id']}")).json["data"]
            return task


def word_of(vendor: str, shown: Any) -> Any:
    key = {"veo": "done", "vertex": "done", "kling legacy": "task_status"}.get(vendor, "status")
    return shown.get(key)


def id_of(vendor: str, made: Any) -> str:
    if vendor.startswith("kling"):
        made = made["data"]
    name: str = made.get("id") or made.get("task_id") or made["name"].rpartition("/")[2]
    return name


@pytest.mark.parametrize(
    ("vendor", "done"),
    [
        ("ark", "succeeded"),
        ("veo", True),
        ("vertex", True),
        ("omni", "completed"),
        ("kling legacy", "succeed"),
        ("kling current", "succeeded"),
    ],
)
async def test_create_becomes_a_video_in_every_vendors_words(stage: Stage, vendor: str, done: Any) -> None:
    """The create is accepted without a warning, the states come in order, and the result can be fetched."""
    got = await create(stage, vendor, "a fox")
    assert got.status == 200, got.body
    assert (await stage.seen())[-1]["warnings"] == []
    await stage.finish(id_of(vendor, got.json))
    shown = await look(stage, vendor, got.json)
    assert word_of(vendor, shown) == done
    assert (await fetch(stage, vendor, shown))[4:8] == b"ftyp"


async def fetch(stage: Stage, vendor: str, shown: Any) -> bytes:
    match vendor:
        case "ark":
            url = shown["content"]["video_url"]
        case "veo":
            url = shown["response"]["generateVideoResponse"]["generatedSamples"][0]["video"]["uri"]
        case "vertex":
            return base64.b64decode(shown["response"]["videos"][0]["bytesBase64Encoded"])
        case "omni":
            url = shown["steps"][-1]["content"][0]["uri"]
        case "kling legacy":
            url = shown["task_result"]["videos"][0]["url"]
        case _:
            url = shown["outputs"][0]["url"]
    needs_key = vendor in ("veo", "omni")  # Google's files are opened with the key, all others by whoever has the link
    got = await stage.ask("GET", url.removeprefix("http://test"), key="sk-test" if needs_key else None)
    assert got.status == 200, got.body
    return got.body


@pytest.mark.parametrize("vendor", list(VENDORS))
async def test_unknown_state_in_every_vendors_place_for_it(stage: Stage, vendor: str) -> None:
    """Wherever the vendor has its state, the odd one stands there."""
    got = await create(stage, vendor, "a fox [[poll:odd]]")
    assert word_of(vendor, await look(stage, vendor, got.json)) == "pondering"


@pytest.mark.parametrize(
    ("vendor", "refused", "limited"),
    [
        ("ark", (400, "InvalidParameter"), (429, "RateLimitExceeded")),
        ("veo", (400, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED")),
        ("vertex", (400, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED")),
        ("omni", (400, "invalid_request"), (429, "resource_exhausted")),
        ("kling legacy", (400, 1201), (429, 1302)),
        ("kling current", (400, 1201), (429, 1302)),
    ],
)
async def test_errors_in_every_vendors_codes(
    stage: Stage, vendor: str, refused: tuple[int, Any], limited: tuple[int, Any]
) -> None:
    """What the model cannot do, and too many requests."""
    path, body = VENDORS[vendor]
    text = json.dumps(body("a fox")).replace('"duration": 2', '"duration": 99').replace('Seconds": 4', 'Seconds": 99')
    text = text.replace('"3s"', '"99s"').replace('"duration": "3"', '"duration": "99"').replace(": 3}", ": 99}")
    got = await stage.send("POST", path, json.loads(text))
    assert (got.status, code_of(got)) == refused, got.body
    got = await create(stage, vendor, "x [[rate:429]]")
    assert (got.status, code_of(got), got.headers["retry-after"]) == (*limited, "1")


def code_of(got: Got) -> Any:
    body = got.json
    if "error" not in body:
        return body["code"]
    return body["error"].get("status") or body["error"]["code"]


@pytest.mark.parametrize("vendor", list(VENDORS))
async def test_success_without_a_video_in_every_vendors_way(stage: Stage, vendor: str) -> None:
    """Completed, and nothing to fetch."""
    got = await create(stage, vendor, "x [[result:missing]]")
    shown = await look(stage, vendor, got.json)
    assert word_of(vendor, shown) in ("succeeded", "succeed", "completed", True)
    with pytest.raises((KeyError, IndexError)):
        await fetch(stage, vendor, shown)


async def test_kling_refuses_a_reference_it_has_seen(stage: Stage) -> None:
    """1201 says that it exists, in either design; by it the first one is found."""
    body = legacy("x [[progress:stuck]]", external_task_id="mine")
    first = (await stage.send("POST", LEGACY, body)).json["data"]["task_id"]
    for path, again in ((LEGACY, body), (CURRENT, {**current("y"), "options": {"external_task_id": "mine"}})):
        got = await stage.send("POST", path, again)
        assert (got.status, got.json["code"], "already exists" in got.json["message"]) == (400, 1201, True)
    (found,) = (await stage.send("GET", "/kling/tasks?external_task_ids=mine")).json["data"]
    assert found["id"] == first
    assert (await stage.send("GET", f"{LEGACY}/mine")).json["data"]["task_id"] == first


async def test_kling_checks_its_tokens(tmp_path: Any) -> None:
    """A token must be signed with the key it names, and not be over."""
    stage = Stage(tmp_path, keys=frozenset({"sk"}))

    async def asked(key: str, secret: str, seconds: float) -> tuple[int, int]:
        claims = {"iss": key, "exp": int(time.time() + seconds), "nbf": int(time.time() - 5)}
        got = await stage.send("GET", LEGACY, authorization=f"Bearer {token(claims, secret)}")
        return got.status, got.json["code"]

    assert await asked("sk", "sk", 60) == (200, 0)
    assert await asked("sk", "other", 60) == (401, 1002)
    assert await asked("no", "no", 60) == (401, 1002)
    assert await asked("sk", "sk", -1) == (401, 1004)
    await stage.close()


def token(claims: dict[str, Any], secret: str) -> str:
    """Return an HS256 token."""

    def text(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = f"{text(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{text(json.dumps(claims).encode())}"
    return f"{head}.{text(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"


async def test_ark_shows_last_frame_tokens_and_both_meanings_of_delete(stage: Stage) -> None:
    """Tokens follow pixels and frames; a queued task is cancelled by what deletes a finished one."""
    got = await stage.send("POST", ARK, ark("a fox", return_last_frame=True))
    name = got.json["id"]
    await stage.finish(name)
    task = await look(stage, "ark", got.json)
    assert task["usage"]["completion_tokens"] == 864 * 480 * 49 // 1024
    last = await stage.ask("GET", task["content"]["last_frame_url"].removeprefix("http://test"), key=None)
    assert last.headers["content-type"] == "image/png"
    assert (await stage.send("DELETE", f"{ARK}/{name}")).status == 200
    assert (await stage.send("GET", f"{ARK}/{name}")).status == 404
    waiting = (await stage.send("POST", ARK, ark("x [[delay:100]]"))).json
    assert (await stage.send("DELETE", f"{ARK}/{waiting['id']}")).status == 200
    assert (await look(stage, "ark", waiting))["status"] == "cancelled"


async def test_google_shows_refused_content_as_done(stage: Stage) -> None:
    """Veo is done with a filter's reasons, Omni completed with words in place of a video."""
    made = (await create(stage, "veo", "x [[fail:content_policy]]")).json
    shown = await look(stage, "veo", made)
    assert shown["response"]["generateVideoResponse"]["raiMediaFilteredCount"] == 1
    made = (await create(stage, "omni", "x [[fail:content_policy]]")).json
    shown = await look(stage, "omni", made)
    assert (shown["status"], shown["steps"][-1]["content"][0]["type"]) == ("completed", "text")


async def test_omni_that_does_not_go_to_the_background_waits(stage: Stage) -> None:
    """Its create is answered with the finished interaction, bytes and all."""
    wanted = {"type": "video", "duration": "3s"}
    got = await stage.send("POST", OMNI, omni("a fox", background=False, response_format=wanted))
    assert got.json["status"] == "completed"
    assert base64.b64decode(got.json["steps"][-1]["content"][0]["data"])[4:8] == b"ftyp"


async def test_inputs_of_every_vendor_are_taken_in(stage: Stage) -> None:
    """Pictures inside a request become what the vendor's words say they are."""
    buffer = io.BytesIO()
    Image.new("RGB", (640, 360), (20, 90, 160)).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    uri = f"data:image/png;base64,{text}"
    first, last = (
        {"type": "image_url", "image_url": {"url": uri}, "role": f"{side}_frame"} for side in ("first", "last")
    )
    picture = {"bytesBase64Encoded": text, "mimeType": "image/png"}
    for path, body in (
        (ARK, ark("x", model="seedance-1-0-pro-250528", content=[first, last])),
        (VEO, {"instances": [{"prompt": "x", "image": picture, "lastFrame": picture}], "parameters": {}}),
        (
            "/kling/v1/videos/image2video",
            {"model_name": "kling-v3", "image": text, "image_tail": text, "duration": "5"},
        ),
        (
            "/kling/image-to-video/kling-3.0",
            {"contents": [{"type": f"{side}_frame", "url": text} for side in ("first", "last")]},
        ),
    ):
        got = await stage.send("POST", path, body)
        assert got.status == 200, (path, got.body)
        seen = (await stage.seen())[-1]
        assert [given["role"] for given in seen["references"]] == ["first_frame", "last_frame"]
        assert seen["warnings"] == []

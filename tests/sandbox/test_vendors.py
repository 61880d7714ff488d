"""One sandbox plays every vendor: each in its own words, with its own manners, over the same videos."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.mounting.asgi import Got
from tests.sandbox.made_up import ACME, CODES, TERSE
from tests.sandbox.stage import Stage

from reelway.dialects.openai_videos import make_dialect
from reelway.dialects.registry import make_dialects
from reelway.sandbox.app import SandboxSettings

TASKS = "/acme/v1/tasks"
MODEL = "veo3.1"
DIALECTS = (ACME, make_dialect(), TERSE)


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Stage]:
    """A sandbox that plays two made-up vendors beside OpenAI, as fast as it can."""
    stage = Stage(tmp_path, dialects=DIALECTS)
    yield stage
    await stage.close()


async def order(stage: Stage, text: str = "a fox", **fields: Any) -> Got:
    """Create a video in the words of the made-up vendor."""
    return await stage.send("POST", TASKS, {"model": MODEL, "text": text, "seconds": 4, **fields})


async def ordered(stage: Stage, text: str = "a fox", **fields: Any) -> str:
    got = await order(stage, text, **fields)
    assert got.status == 200, got.body
    made: str = got.json["data"]["id"]
    return made


async def task(stage: Stage, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (await stage.send("GET", f"{TASKS}/{name}")).json["data"]
    return found


async def state(stage: Stage, name: str) -> str:
    word: str = (await task(stage, name))["made"]["state"]
    return word


# --- words


async def test_every_dialect_there_is_is_played(stage: Stage) -> None:
    """A wrong path below a dialect's own is answered with everything that is played."""
    got = await stage.ask("GET", "/v1/imagine")
    assert (got.status, got.error["code"]) == (404, "unknown_path")
    for dialect in make_dialects():
        assert f"{dialect.name} at /" in got.error["message"]


async def test_unknown_path_is_refused_in_the_words_of_the_vendor_it_looks_like(played: Stage) -> None:
    """A client that went astray below a vendor's paths reads an error that it understands."""
    got = await played.send("GET", "/acme/v1/nothing")
    assert (got.status, got.json["code"]) == (404, "unknown_path")
    assert "acme at /acme/v1/tasks" in got.json["msg"]


async def test_video_of_one_vendor_is_seen_in_the_words_of_every_other(played: Stage) -> None:
    """All share their videos."""
    name = await ordered(played)
    assert (await played.finish(name))["status"] == "completed"
    assert await state(played, name) == "READY"
    assert (await played.send("POST", f"/terse/jobs/{name}/look", {})).json["done"] is True


async def test_states_come_in_order_and_none_is_left_out(tmp_path: Path) -> None:
    """A create is answered with the word for waiting, then come working and a final one."""
    stage = Stage(tmp_path, dialects=DIALECTS, settings=SandboxSettings(draft=True))
    got = await order(stage, "a fox [[delay:10]]")
    words = [got.json["data"]["made"]["state"]]
    name = got.json["data"]["id"]
    for seconds in (0.5, 1.0, 5.0):
        stage.clock.now += seconds
        words.append(await state(stage, name))
    stage.clock.now += 10
    await stage.finish(name)
    words.append(await state(stage, name))
    assert words == ["WAITING", "WAITING", "WORKING", "WORKING", "READY"]
    await stage.close()


async def test_create_is_queued_however_fast_the_video_is_made(played: Stage) -> None:
    """Also a sandbox that takes no time never answers a create with another state."""
    assert (await order(played, "x [[result:missing]]")).json["data"]["made"]["state"] == "WAITING"


async def test_create_that_waits_is_answered_with_the_finished_video(played: Stage) -> None:
    """Where a dialect says so, the answer comes when the video is there."""
    got = await played.send("POST", f"{TASKS}?wait=60", {"model": MODEL, "text": "a fox", "seconds": 4})
    assert got.json["data"]["made"]["state"] == "READY"


@pytest.mark.parametrize("kind", list(CODES))
async def test_refusals_carry_the_vendors_code(played: Stage, kind: str) -> None:
    """A dialect chooses its code by what a refusal means."""
    got = await order(played, f"x [[refuse:{kind}]]")
    assert got.json["errno"] == CODES[kind]  # type: ignore[index]  # kinds are their values


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "authentication"), (403, "permission"), (429, "rate_limited"), (503, "vendor_unavailable")],
)
async def test_bare_statuses_carry_the_vendors_code_too(played: Stage, status: int, kind: str) -> None:
    """A status that is asked for means to a vendor what it usually means."""
    got = await order(played, f"x [[http:{status}]]")
    assert (got.status, got.json["errno"]) == (status, CODES[kind])  # type: ignore[index]


async def test_facts_of_a_video_are_those_of_its_model_card(played: Stage) -> None:
    """Tier, ratio, mode, options and usage are kept and shown."""
    name = await ordered(played, seed=7, negative_prompt="text")
    await played.finish(name)
    shown = await task(played, name)
    assert (shown["mode"], shown["tier"], shown["ratio"], shown["seed"]) == ("t2v", "720p", "16:9", 7)
    assert shown["options"]["negative_prompt"] == "text"
    assert shown["usage"] == {"tokens": 1280}
    assert shown["changed"] == played.clock.now


async def test_bytes_come_in_the_answer_where_they_were_asked_for(played: Stage) -> None:
    """A finished video of a create that said so holds its file as base64."""
    name = await ordered(played, inline=True)
    await played.finish(name)
    (text,) = (await task(played, name))["inline"]
    assert base64.b64decode(text) == (await played.content(name)).body


# --- keys


async def test_each_vendor_looks_for_its_key_where_it_has_it(tmp_path: Path) -> None:
    """A key in another vendor's place is none; a token that has expired is refused by the dialect."""
    stage = Stage(tmp_path, keys=frozenset({"ak"}), dialects=DIALECTS)
    assert (await stage.send("GET", TASKS, x_acme_key="ak")).status == 200
    assert (await stage.send("GET", TASKS, x_acme_key=f"ak@{time.time() + 60}")).status == 200
    for headers in ({"authorization": "Bearer ak"}, {"x_acme_key": "no"}, {"x_acme_key": f"ak@{time.time() - 1}"}):
        got = await stage.send("GET", TASKS, **headers)
        assert (got.status, got.json["errno"]) == (401, 12)
    await stage.close()


# --- what the card says


async def test_model_card_refuses_in_the_vendors_words(played: Stage) -> None:
    """A mistake in a request is found as the vendor would find it, and leaves nothing behind."""
    got = await order(played, seconds=7)
    assert (got.status, got.json["errno"]) == (400, 10)
    assert "seconds must be one of 4, 6, 8" in got.json["msg"]
    assert (await played.seen())[0]["outcome"] == "refused"
    assert list((played.folder / "tasks").iterdir()) == []


async def test_unknown_model_is_not_found(played: Stage) -> None:
    """A name that is in no card is the vendor's own "no such model"."""
    got = await order(played, model="veo-17")
    assert (got.status, got.json["errno"]) == (404, 14)


async def test_vendors_own_id_of_a_model_will_do(played: Stage) -> None:
    """A request names a model by the catalogue's name or by the vendor's."""
    name = await ordered(played, model="seedance-1-0-pro-250528")
    assert (await task(played, name))["tier"] == "1080p"


async def test_what_one_model_of_a_vendors_id_allows_is_made(played: Stage) -> None:
    """Several names of ours may be one model of the vendor's; a request in its words need fit only one of them."""
    for model, tier, allowed in (("veo-3.1-generate-001", "4k", True), ("veo-3.1-generate-001", "9k", False)):
        got = await order(played, model=model, tier=tier, seconds=8)
        assert (got.status == 200) is allowed, got.body


async def test_what_the_card_warns_about_is_accepted_in_silence(played: Stage) -> None:
    """A field the model does not have is passed over as vendors do, and stands in the log."""
    await ordered(played, sparkle=3)
    (seen,) = await played.seen()
    assert [warning["field"] for warning in seen["warnings"]] == ["sparkle"]
    assert (seen["dialect"], seen["judged"]) == ("acme", True)


async def test_openai_dialect_takes_any_model_unless_asked(tmp_path: Path) -> None:
    """Servers that clone it serve whatever they like; `strict` holds them to the cards."""
    stage = Stage(tmp_path, dialects=DIALECTS)
    await stage.create("x [[progress:stuck]]", model="anything", seconds="7")
    stage.settings = SandboxSettings(pace=0, draft=True, strict=True)
    stage.restart()
    fields = {"model": "anything", "prompt": "x", "seconds": "7"}
    assert (await stage.post(fields)).error["code"] == "model_not_found"
    assert (await stage.post({**fields, "model": MODEL})).error["param"] == "seconds"
    assert (await stage.post({**fields, "model": MODEL, "seconds": "4"})).status == 200
    await stage.close()


async def test_inputs_are_judged_by_their_bytes(tmp_path: Path, picture: bytes) -> None:
    """A picture too small for the model is refused; a good one gets its role from the card."""
    stage = Stage(tmp_path, dialects=DIALECTS, settings=SandboxSettings(pace=0, draft=True, strict=True))
    fields = {"prompt": "x", "seconds": "5", "input_reference": ("a.png", "image/png", picture)}
    got = await stage.post({**fields, "model": "kling-video"})  # wants 300 pixels on each side
    assert (got.status, got.error["param"]) == (400, "input_reference")
    got = await stage.post({**fields, "model": MODEL, "seconds": "8"})
    assert got.status == 200
    assert (await stage.seen())[-1]["references"][0]["role"] == "first_frame"
    await stage.close()


async def test_extension_of_a_video_is_judged_by_its_source(played: Stage) -> None:
    """A video that is worked on by id counts as the input it is."""
    source = await ordered(played)
    await played.finish(source)
    got = await order(played, model="kling-video", source=source, seconds=None)
    assert got.status == 200, got.body
    assert (await task(played, got.json["data"]["id"]))["mode"] in ("edit", "remix")


# --- manners


async def test_reference_used_twice_is_refused_where_the_vendor_does(played: Stage) -> None:
    """The second create makes nothing; the first is found by its reference, also after a restart."""
    name = await ordered(played, mark="mine", text="x [[progress:stuck]]")
    for _ in range(2):
        got = await order(played, mark="mine")
        assert (got.status, got.json["code"]) == (409, "reference_exists")
        assert (await task(played, "mine"))["id"] == name
        played.restart()
    assert [seen["outcome"] for seen in await played.seen()] == ["accepted", "reference_exists", "reference_exists"]


async def test_reference_may_be_used_twice_elsewhere(played: Stage) -> None:
    """Vendors without that manner make another video, and the newest is the one that is found."""
    first, second = [(await played.create("x [[progress:stuck]]", client_request_id="mine"))["id"] for _ in range(2)]
    assert first != second
    assert (await played.read("mine"))["id"] == second


async def test_only_what_is_queued_can_be_stopped_where_the_vendor_says_so(tmp_path: Path) -> None:
    """Deleting a queued video cancels it; a running one is refused; a finished one is gone for ever."""
    stage = Stage(tmp_path, dialects=DIALECTS, settings=SandboxSettings(draft=True))
    waiting, working = [await ordered(stage, "x [[delay:100]]") for _ in range(2)]
    assert (await stage.send("DELETE", f"{TASKS}/{waiting}")).status == 200
    assert await state(stage, waiting) == "BROKEN"
    assert (await stage.send("DELETE", f"{TASKS}/{waiting}")).json["code"] == "video_final"
    assert [item["id"] for item in (await stage.send("GET", f"{TASKS}?cancelled=1")).json["data"]["items"]] == [waiting]
    stage.clock.now += 50
    got = await stage.send("DELETE", f"{TASKS}/{working}")
    assert (got.status, got.json["code"]) == (409, "video_running")
    assert await state(stage, working) == "WORKING"
    stage.clock.now += 60
    await stage.finish(working)
    assert (await stage.send("DELETE", f"{TASKS}/{working}")).status == 200
    assert (await stage.send("GET", f"{TASKS}/{working}")).status == 404
    await stage.close()


# --- lists


async def test_lists_are_narrowed_counted_and_turned(played: Stage) -> None:
    """By ids, by references, by mode; so many passed over; and how many there are in all."""
    names = []
    for number in range(3):
        played.clock.now += 1
        names.append(await ordered(played, "x [[progress:stuck]]", mark=f"m{number}"))

    async def listed(query: str) -> tuple[list[str], bool, int | None]:
        page = (await played.send("GET", f"{TASKS}?{query}")).json["data"]
        return [item["id"] for item in page["items"]], page["more"], page["all"]

    assert await listed(f"ids={names[0]},{names[2]},nobodys") == ([names[2], names[0]], False, None)
    assert await listed("marks=m1,m7") == ([names[1]], False, None)
    assert await listed("modes=i2v,r2v&counted=1") == ([], False, 0)
    assert await listed("limit=1&skip=1&counted=1&modes=t2v") == ([names[1]], True, 3)
    assert await listed("limit=1&skip=2&counted=1") == ([names[0]], False, 3)


# --- oddities


async def test_unknown_state_stands_wherever_the_dialect_has_its_state(played: Stage) -> None:
    """Deep in an envelope, in a list, and where there is no word but a switch: and nothing else is touched."""
    sound = await ordered(played, "y")
    await played.finish(sound)
    odd = await ordered(played, "x [[poll:oddx2]]")
    shown = await task(played, odd)
    assert shown["made"] == {"state": "pondering", "why": None}
    assert (shown["id"], shown["mode"]) == (odd, "t2v")
    page = (await played.send("GET", f"{TASKS}?ids={odd},{sound}")).json["data"]["items"]
    assert {item["id"]: item["made"]["state"] for item in page} == {odd: "pondering", sound: "READY"}
    assert await state(played, odd) in ("WORKING", "READY")


async def test_dialect_without_a_word_gets_an_odd_switch(played: Stage) -> None:
    """Of a vendor that only says `done`, that becomes the odd thing."""
    made = await played.send("POST", "/terse/jobs", {"model": MODEL, "text": "x [[poll:oddx1]]", "seconds": 4})
    path = f"/terse/jobs/{made.json['name']}/look"
    assert (await played.send("POST", path, {})).json["done"] == "pondering"
    assert (await played.send("POST", path, {})).json.get("done") in (None, True)


async def test_looks_at_named_videos_of_a_list_fail_like_others(played: Stage) -> None:
    """Vendors are asked about several videos at once; those looks are counted too."""
    name = await ordered(played, "x [[poll:500x2]]")
    statuses = [(await played.send("GET", f"{TASKS}?ids={name}")).status for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert (await played.send("GET", TASKS)).status == 200


async def test_success_without_a_file(played: Stage) -> None:
    """The video is completed in the vendor's words, with nothing to fetch."""
    name = await ordered(played, "x [[result:missing]]")
    shown = await task(played, name)
    assert (shown["made"]["state"], shown["files"]) == ("READY", [])
    assert played.worker.specs == []
    assert (await played.content(name)).status == 404


async def test_bytes_in_an_answer_are_spoiled_like_files(played: Stage) -> None:
    """What is wrong with a file is wrong with its base64 too, as often as asked."""
    name = await ordered(played, "x [[result:emptyx1]]", inline=True)
    while await state(played, name) != "READY":
        await asyncio.sleep(0.005)
    (sound,) = (await task(played, name))["inline"]
    assert base64.b64decode(sound)[4:8] == b"ftyp"


async def test_file_of_another_type_and_file_that_is_refused(played: Stage) -> None:
    """The bytes are right and their type is not; or there is an error in place of the file, as often as asked."""
    mistyped, refused = await ordered(played, "x [[result:mistyped]]"), await ordered(played, "x [[result:403x1]]")
    await asyncio.gather(played.finish(mistyped), played.finish(refused))
    got = await played.content(mistyped)
    assert (got.status, got.headers["content-type"], got.body[4:8]) == (200, "text/html", b"ftyp")
    assert [(await played.content(refused)).status for _ in range(2)] == [403, 200]

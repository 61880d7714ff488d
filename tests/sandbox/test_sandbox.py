"""The sandbox as a client sees it: an OpenAI-compatible server that really renders."""

import base64
from pathlib import Path
from typing import Any

import aiohttp.web
import pytest
from tests.sandbox.stage import Stage

from reelway.media.images import read_image_facts
from reelway.media.probe import read_video_facts
from reelway.sandbox.app import SandboxSettings


async def facts_of(stage: Stage, video_id: str, tmp_path: Path, query: str = "") -> Any:
    got = await stage.content(video_id, query)
    assert got.status == 200, got.body
    path = tmp_path / "content"
    path.write_bytes(got.body)
    return read_image_facts(path) if "variant" in query else read_video_facts(path)


async def test_create_becomes_a_playable_video(stage: Stage, tmp_path: Path) -> None:
    """The file is exactly as long and large as was asked, and marked as make-believe."""
    created = await stage.create("a fox in snow", seconds="2", fps="30")
    assert created["status"] in ("queued", "in_progress")
    done = await stage.finish(created["id"])
    assert (done["status"], done["progress"], done["seconds"], done["size"]) == ("completed", 100, "2", "320x180")
    assert done["metadata"]["sandbox"] is True
    facts = await facts_of(stage, created["id"], tmp_path)
    assert (facts.seconds, facts.width, facts.height, facts.fps, facts.has_audio) == (2.0, 320, 180, 30.0, True)


async def test_time_passes_as_if_a_model_worked(tmp_path: Path) -> None:
    """With the usual pace a video waits, works and ends by the clock alone."""
    stage = Stage(tmp_path, settings=SandboxSettings(draft=True))
    video = await stage.create("a fox", seconds="10")
    assert (await stage.read(video["id"]))["status"] == "queued"
    stage.clock.now += 1.5
    shown = await stage.read(video["id"])
    assert (shown["status"], shown["progress"]) == ("in_progress", 49)
    assert (await stage.content(video["id"])).error["code"] == "video_not_ready"
    stage.clock.now += 1.5
    assert (await stage.finish(video["id"]))["status"] == "completed"
    await stage.close()


@pytest.mark.parametrize(
    ("variant", "media_type", "size"),
    [
        ("thumbnail", "image/webp", (320, 180)),
        ("spritesheet", "image/jpeg", (1600, 900)),
        ("last_frame", "image/png", (320, 180)),
    ],
)
async def test_pictures(stage: Stage, tmp_path: Path, variant: str, media_type: str, size: tuple[int, int]) -> None:
    """Every variant is there, made when it is first asked for."""
    video = await stage.create("a fox", seconds="2")
    await stage.finish(video["id"])
    facts = await facts_of(stage, video["id"], tmp_path, f"?variant={variant}")
    assert (facts.media_type, facts.width, facts.height) == (media_type, *size)


async def test_same_request_gives_the_same_bytes(stage: Stage) -> None:
    """Model, words and seed decide; nothing else does."""
    videos = [await stage.create("a fox", seed="3") for _ in range(2)]
    first, second = [(await stage.finish(video["id"]))["outputs"][0]["sha256"] for video in videos]
    assert first == second


async def test_several_takes(stage: Stage) -> None:
    """`n` makes so many files, all different."""
    video = await stage.create("a fox", n="3")
    outputs = (await stage.finish(video["id"]))["outputs"]
    assert len({output["sha256"] for output in outputs}) == 3
    assert (await stage.content(video["id"], "?index=2")).status == 200
    assert (await stage.content(video["id"], "?index=3")).status == 404


async def test_first_frame_as_a_file(stage: Stage, picture: bytes) -> None:
    """An uploaded picture is animated."""
    video = await stage.create("hold", input_reference=("a.png", "image/png", picture))
    assert (await stage.finish(video["id"]))["status"] == "completed"
    (spec,) = stage.worker.specs
    assert spec.first_frame is not None
    assert spec.first_frame.read_bytes() == picture


async def test_first_frame_as_a_data_uri(stage: Stage, picture: bytes) -> None:
    """A picture in the request itself needs no fetching."""
    uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    video = await stage.create("hold", **{"input_reference[image_url]": uri})
    assert (await stage.finish(video["id"]))["status"] == "completed"
    assert stage.worker.specs[0].first_frame is not None


async def test_first_last_and_references(stage: Stage, picture: bytes) -> None:
    """Roles are told apart by field."""
    file = ("a.png", "image/png", picture)
    await stage.finish((await stage.create("blend", first_frame=file, last_frame=file))["id"])
    await stage.finish((await stage.create("refs", **{"reference_images[]": file}))["id"])
    blended, referred = stage.worker.specs
    assert blended.first_frame is not None
    assert blended.last_frame is not None
    assert len(referred.references) == 1
    assert referred.first_frame is None


async def test_address_is_not_fetched_unless_allowed(stage: Stage) -> None:
    """A make-believe vendor reaches nobody by default."""
    got = await stage.post({"model": "m", "prompt": "x", "input_reference[image_url]": "http://127.0.0.1:9/a.png"})
    assert (got.status, got.error["code"]) == (400, "url_refused")


async def test_address_is_fetched_where_allowed(tmp_path: Path, picture: bytes) -> None:
    """With the setting on, a picture comes from its address, guarded and bounded."""

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(body=picture * (1 if "small" in request.path else 2000), content_type="image/png")

    site = aiohttp.web.Application()
    site.router.add_get("/{name}", answer)
    runner = aiohttp.web.AppRunner(site)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    settings = SandboxSettings(
        pace=0, draft=True, fetch_urls=True, allowed_hosts=frozenset({"127.0.0.1"}), upload_bytes=100_000
    )
    stage = Stage(tmp_path, settings=settings)
    try:
        small, large = f"http://127.0.0.1:{port}/small.png", f"http://127.0.0.1:{port}/large.png"
        video = await stage.create("hold", **{"input_reference[image_url]": small})
        assert (await stage.finish(video["id"]))["status"] == "completed"
        got = await stage.post({"model": "m", "prompt": "x", "input_reference[image_url]": large})
        assert got.status == 413
        got = await stage.post({"model": "m", "prompt": "x", "input_reference[image_url]": "http://localhost:81/x"})
        assert got.status == 400
        assert [entry.name for entry in (tmp_path / "uploads").iterdir()] == []
    finally:
        await stage.close()
        await runner.cleanup()


async def test_remix_edit_and_extend_by_id(stage: Stage) -> None:
    """New videos are made from finished ones, each as long as it should be."""
    source = (await stage.create("the sea", seconds="2"))["id"]
    await stage.finish(source)
    remix = (
        await stage.ask(
            "POST", f"/v1/videos/{source}/remix", body=b'{"prompt":"at night"}', content_type="application/json"
        )
    ).json
    edit = (await stage.post({"prompt": "rain", "video[id]": source}, "/v1/videos/edits")).json
    extension = (await stage.post({"prompt": "on", "seconds": "4", "video[id]": source}, "/v1/videos/extensions")).json
    assert remix["remixed_from_video_id"] == source
    assert [video["seconds"] for video in (remix, edit, extension)] == ["2", "2", "6"]
    for video in (remix, edit, extension):
        assert (await stage.finish(video["id"]))["status"] == "completed"
    assert [spec.operation for spec in stage.worker.specs] == ["create", "remix", "edit", "extend"]
    assert all(spec.source_video is not None for spec in stage.worker.specs[1:])


async def test_source_may_be_deleted_meanwhile(tmp_path: Path) -> None:
    """A video made from another one keeps what it needs."""
    stage = Stage(tmp_path)
    source = (await stage.create("the sea"))["id"]
    await stage.finish(source)
    edit = (await stage.post({"prompt": "rain", "video[id]": source}, "/v1/videos/edits")).json
    assert (await stage.ask("DELETE", f"/v1/videos/{source}")).json["deleted"] is True
    assert (await stage.finish(edit["id"]))["status"] == "completed"
    await stage.close()


async def test_edit_of_an_uploaded_video(stage: Stage) -> None:
    """A video that comes as a file sets length and size."""
    source = (await stage.create("the sea", seconds="2"))["id"]
    await stage.finish(source)
    data = (await stage.content(source)).body
    got = await stage.post({"model": "m", "prompt": "rain", "video": ("a.mp4", "video/mp4", data)}, "/v1/videos/edits")
    assert (got.json["seconds"], got.json["size"]) == ("2", "320x180")
    assert (await stage.finish(got.json["id"]))["status"] == "completed"


async def test_video_that_is_not_there_cannot_be_remixed(stage: Stage) -> None:
    """An unknown source and an unfinished one are refused."""
    waiting = await stage.create("x [[delay:100]]")
    got = await stage.ask("POST", "/v1/videos/nothing/remix", body=b'{"prompt":"x"}', content_type="application/json")
    assert got.status == 404
    got = await stage.post({"prompt": "x", "video[id]": waiting["id"]}, "/v1/videos/edits")
    assert got.status == 400


@pytest.mark.parametrize("data", [b"just text", b"\x89PNG\r\n\x1a\n" + b"\0" * 30])
async def test_unreadable_input_is_refused(stage: Stage, data: bytes) -> None:
    """What is no picture makes no video and leaves no file."""
    got = await stage.post({"model": "m", "prompt": "x", "input_reference": ("a.png", "image/png", data)})
    assert (got.status, got.error["code"]) == (422, "media_unreadable")
    assert [seen["outcome"] for seen in await stage.seen()] == ["refused"]
    assert [entry.name for name in ("uploads", "files", "tasks") for entry in (stage.folder / name).iterdir()] == []


async def test_request_log_proves_what_arrived(stage: Stage, picture: bytes) -> None:
    """Every create is listed with words, times and the digest of each input; the list can be emptied."""
    video = await stage.create(
        "a fox", seed="9", input_reference=("a.png", "image/png", picture), client_request_id="mine"
    )
    (seen,) = await stage.seen()
    assert (seen["prompt"], seen["model"], seen["seed"], seen["task"]) == ("a fox", "veo3.1", 9, video["id"])
    assert (seen["outcome"], seen["at"], seen["client_reference"]) == ("accepted", stage.clock.now, "mine")
    assert seen["references"][0]["role"] == "first_frame"
    assert seen["references"][0]["bytes"] == len(picture)
    assert (await stage.ask("GET", "/requests")).json["total"] == 1
    assert (await stage.ask("DELETE", "/sandbox/requests")).json["total"] == 0
    assert await stage.seen() == []


async def test_repeated_key_makes_one_video(stage: Stage) -> None:
    """The same Idempotency-Key is answered with the same video."""
    fields = {"model": "m", "prompt": "a fox", "seconds": "1", "size": "320x180"}
    first = await stage.post(fields, idempotency_key="k1")
    second = await stage.post(fields, idempotency_key="k1")
    other = await stage.post(fields, idempotency_key="k2")
    assert first.json["id"] == second.json["id"] != other.json["id"]
    assert second.headers["idempotent-replayed"] == "true"
    assert [seen["outcome"] for seen in await stage.seen()] == ["accepted", "replayed", "accepted"]


async def test_list_pages_through_everything(stage: Stage) -> None:
    """Newest first, in pages, each video once."""
    made = []
    for number in range(5):
        stage.clock.now += 1
        made.append((await stage.create(f"x{number} [[progress:stuck]]"))["id"])
    ids: list[str] = []
    after = ""
    while True:
        page = (await stage.ask("GET", f"/v1/videos?limit=2{after}")).json
        ids += [video["id"] for video in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert ids == made[::-1]
    assert (await stage.ask("GET", "/v1/videos?after=nothing")).status == 400


async def test_cancel_and_delete(stage: Stage) -> None:
    """A running video can be cancelled once; a deleted one is not there any more."""
    video = await stage.create("x [[delay:100]]")
    path = f"/v1/videos/{video['id']}"
    cancelled = (await stage.ask("POST", f"{path}/cancel")).json
    assert (cancelled["status"], cancelled["error"]["code"]) == ("failed", "cancelled")
    assert (await stage.ask("POST", f"{path}/cancel")).status == 409
    assert (await stage.content(video["id"])).error["code"] == "video_failed"
    assert (await stage.ask("DELETE", path)).json["deleted"] is True
    assert (await stage.ask("GET", path)).status == 404
    assert list((stage.folder / "tasks").iterdir()) == []


async def test_content_expires(stage: Stage) -> None:
    """After its lifetime a video is shown, and its file is gone."""
    video = await stage.create("a fox")
    await stage.finish(video["id"])
    stage.clock.now += 25 * 3600
    got = await stage.content(video["id"])
    assert (got.status, got.error["code"]) == (410, "content_expired")


async def test_old_videos_make_room(tmp_path: Path) -> None:
    """Beyond the bound the oldest finished video goes, with its files."""
    stage = Stage(tmp_path, settings=SandboxSettings(pace=0, draft=True, most_tasks=2))
    ids = []
    for number in range(3):
        stage.clock.now += 1
        video = await stage.create(f"x{number}")
        await stage.finish(video["id"])
        ids.append(video["id"])
    listed = (await stage.ask("GET", "/v1/videos")).json["data"]
    assert [video["id"] for video in listed] == ids[:0:-1]
    assert sorted(entry.name for entry in (tmp_path / "files").iterdir()) == ids[1:]
    await stage.close()


async def test_quote_costs_nothing(stage: Stage) -> None:
    """A dry run makes nothing."""
    got = await stage.post({"model": "m", "prompt": "x", "seconds": "4", "size": "720p"}, "/v1/videos/quote")
    assert (got.json["seconds"], got.json["size"], got.json["cost"]["reserved"]) == ("4", "1280x720", "0.00")
    assert await stage.seen() == []


async def test_keys(tmp_path: Path, picture: bytes) -> None:
    """With keys given, only those open the door, before a file is taken in; without, any will do."""
    stage = Stage(tmp_path, keys=frozenset({"sk-good"}))
    for path in ("/v1/videos", "/sandbox/requests"):
        assert (await stage.ask("GET", path, key="sk-bad")).error["code"] == "invalid_api_key"
        assert (await stage.ask("GET", path, key=None)).status == 401
        assert (await stage.ask("GET", path, key="sk-good")).status == 200
    stage.keys = None
    stage.restart()
    assert (await stage.ask("GET", "/v1/videos", key=None)).status == 200


async def test_unknown_path_is_answered_in_the_same_shape(stage: Stage) -> None:
    """A wrong address gets the error envelope."""
    got = await stage.ask("GET", "/v1/imagine")
    assert (got.status, got.error["code"]) == (404, "unknown_path")


async def test_nothing_is_lost_by_a_kill(tmp_path: Path) -> None:
    """A new sandbox on the same folder goes on with the videos, renders what was not rendered, and knows its log."""
    stage = Stage(tmp_path)
    done = (await stage.create("a fox"))["id"]
    await stage.finish(done)
    lost = (await stage.create("a wolf"))["id"]
    await stage.close()  # ends the render that has just begun
    (tmp_path / "uploads" / "half").write_bytes(b"x")
    with (tmp_path / "requests.jsonl").open("ab") as log:
        log.write(b'{"at":1,"oper')
    stage.restart()
    assert (await stage.read(done))["status"] == "completed"
    assert (await stage.finish(lost))["status"] == "completed"
    assert [seen["prompt"] for seen in await stage.seen()] == ["a fox", "a wolf"]
    assert list((tmp_path / "uploads").iterdir()) == []
    await stage.close()


async def test_log_is_bounded(tmp_path: Path) -> None:
    """However many creates come, the log keeps the newest."""
    from reelway.sandbox.folder import SandboxFolder, SeenRequest

    folder = SandboxFolder(tmp_path, most_requests=3)
    folder.open()
    for number in range(20):
        folder.note(SeenRequest(at=number, operation="create", model="m", prompt=None, outcome="accepted"))
    assert [seen.at for seen in folder.requests] == [17, 18, 19]
    assert len((tmp_path / "requests.jsonl").read_bytes().splitlines()) <= 6

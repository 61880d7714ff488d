"""Thousands of videos for tests: stock footage, books that survive a kill, and faults that come and go while it runs."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.sandbox.stage import Stage

from reelway.media.probe import read_video_facts
from reelway.sandbox.app import SandboxSettings


def lines_of(path: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["kind"] == kind]


async def test_copies_of_one_clip_play_alike_and_hash_differently(tmp_path: Path) -> None:
    """One render, however many videos; the mark is what tells them apart."""
    stage = Stage(tmp_path / "sandbox", settings=SandboxSettings(pace=0, stock=True))
    bodies = []
    for number in range(3):
        video = await stage.create(f"fox {number}", seconds="8")
        await stage.finish(video["id"])
        bodies.append((await stage.content(video["id"])).body)
    assert len(stage.worker.specs) == 1
    assert len({hashlib.sha256(body).hexdigest() for body in bodies}) == 3
    for body in bodies:
        path = tmp_path / "copy.mp4"
        path.write_bytes(body)
        assert read_video_facts(path).seconds == 1.0
    await stage.close()


async def test_the_log_tells_what_was_submitted_made_and_handed_out(tmp_path: Path) -> None:
    """Every submit with its outcome; of every file the hash of what was made, and each time somebody fetched it."""
    log = tmp_path / "log.jsonl"
    stage = Stage(tmp_path / "sandbox", settings=SandboxSettings(pace=0, stock=True, log=log))
    refused = await stage.post({"model": "veo3.1", "prompt": "a wolf [[moderation]]"})
    assert refused.status == 400
    video = await stage.create("a fox [[result:truncatedx1]]")
    await stage.finish(video["id"])
    spoiled, whole = [(await stage.content(video["id"])).body for _ in range(2)]
    assert [line["outcome"] for line in lines_of(log, "submit")] == ["refused", "accepted"]
    [made] = lines_of(log, "made")
    assert (made["task"], made["sha256"]) == (video["id"], hashlib.sha256(whole).hexdigest())
    assert len(spoiled) < made["bytes"] == len(whole)
    assert [line["fault"] for line in lines_of(log, "served")] == ["truncated", None]
    await stage.close()


async def test_the_log_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Lines are only ever added, also by the next run."""
    log = tmp_path / "log.jsonl"
    stage = Stage(tmp_path / "sandbox", settings=SandboxSettings(pace=0, stock=True, log=log))
    await stage.create("a fox")
    stage.restart()
    await stage.create("a wolf")
    assert [line["prompt"] for line in lines_of(log, "submit")] == ["a fox", "a wolf"]
    await stage.close()


async def test_faults_come_and_go_while_it_runs(stage: Stage) -> None:
    """A storm begins and ends by one request each; nonsense is refused and changes nothing."""
    fields = {"model": "veo3.1", "prompt": "a fox", "seconds": "1", "size": "320x180"}
    begun = await stage.ask("PUT", "/sandbox/faults?directives=[[rate:429x1000]]")
    assert begun.status == 200
    assert [(await stage.post(fields)).status for _ in range(3)] == [429, 429, 429]
    assert (await stage.ask("PUT", "/sandbox/faults?directives=[[pardon]]")).status == 400
    assert (await stage.post(fields)).status == 429
    assert (await stage.ask("PUT", "/sandbox/faults")).status == 200
    assert (await stage.post(fields)).status == 200
    assert (await stage.ask("GET", "/sandbox/faults")).status == 405

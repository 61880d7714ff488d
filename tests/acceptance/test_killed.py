"""`kill -9` at every named line of the engine: at the next start the video finishes, and the vendor saw one submit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.processes import Gateway, Sandbox

pytestmark = pytest.mark.acceptance

POINTS = (
    "created",
    "attempt_recorded",
    "sending",
    "accepted",
    "accepted_recorded",
    "rendered",
    "rendered_recorded",
    "downloaded",
    "kept",
    "completed",
)
REQUEST = {"model": "sora-2", "prompt": "a fox in snow", "seconds": "4", "size": "1280x720"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One vendor for all."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.mark.parametrize("point", POINTS)
def test_killed_there_it_goes_on(point: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """The process dies by SIGKILL exactly there; nothing is lost and nothing is submitted twice."""
    before = len(sandbox.creates())
    dying = Gateway(tmp_path, sandbox=sandbox, environment={"REELWAY_DIE_AT": point})
    answer = None
    try:
        answer = dying.create(**{**REQUEST, "prompt": f"a fox in snow, killed at {point}"})
    except OSError:
        assert point == "created"
    assert dying.wait() == -9

    again = Gateway(tmp_path, sandbox=sandbox)
    listed = again.ask("GET", "/v1/videos").json["data"]
    assert len(listed) == 1
    if answer is not None:
        assert listed[0]["id"] == answer["id"]
    video = again.finished(listed[0]["id"])
    assert video["status"] == "completed"
    assert video["outputs"][0]["seconds"] == 4
    content = again.ask("GET", f"/v1/videos/{video['id']}/content")
    assert len(content.body) == video["outputs"][0]["bytes"]
    assert again.stop() == 0
    assert len(sandbox.creates()) - before == 1


@pytest.mark.parametrize("point", ["unknown_recorded", "found"])
def test_killed_while_a_lost_answer_is_looked_for(point: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """The vendor made it and the answer was lost: whoever comes next finds the same work."""
    before = len(sandbox.creates())
    dying = Gateway(tmp_path, sandbox=sandbox, environment={"REELWAY_DIE_AT": point})
    video = dying.create(**{**REQUEST, "prompt": f"a fox, killed at {point} [[submit:lost_answer]]"})
    assert dying.wait() == -9
    again = Gateway(tmp_path, sandbox=sandbox)
    assert again.finished(video["id"])["status"] == "completed"
    assert again.stop() == 0
    assert len(sandbox.creates()) - before == 1


def test_killed_all_the_way_to_a_second_submit(tmp_path: Path, sandbox: Sandbox) -> None:
    """Before the first byte, at the first empty look, and when absence is proven: three deaths, and one submit."""
    before = len(sandbox.creates())
    video = None
    for point in ("sending", "not_found_recorded", "not_accepted_recorded"):
        dying = Gateway(tmp_path, sandbox=sandbox, environment={"REELWAY_DIE_AT": point})
        if video is None:
            video = dying.create(**{**REQUEST, "prompt": "a fox, killed again and again"})
        assert dying.wait() == -9
    again = Gateway(tmp_path, sandbox=sandbox)
    assert video is not None
    assert again.finished(video["id"])["status"] == "completed"
    assert again.stop() == 0
    assert len(sandbox.creates()) - before == 1


def test_killed_while_the_vendor_works(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Death between two looks, at no named point: the next start watches the same operation."""
    sandbox = Sandbox(tmp_path_factory.mktemp("slow"), render_seconds=2)
    gateway = Gateway(tmp_path, sandbox=sandbox)
    video = gateway.create(**REQUEST)
    events = gateway.ask("GET", f"/v1/videos/{video['id']}").json
    assert events["status"] in {"queued", "in_progress"}
    gateway.kill()
    again = Gateway(tmp_path, sandbox=sandbox)
    assert again.finished(video["id"])["status"] == "completed"
    assert len(sandbox.creates()) == 1
    again.stop()
    sandbox.stop()


def test_a_graceful_stop_hands_everything_back(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SIGTERM ends with 0 within the time limit, and the next start finishes what was begun."""
    sandbox = Sandbox(tmp_path_factory.mktemp("slow"), render_seconds=2)
    gateway = Gateway(tmp_path, sandbox=sandbox)
    videos = [gateway.create(**{**REQUEST, "prompt": f"fox number {number}"}) for number in range(5)]
    assert gateway.stop() == 0
    again = Gateway(tmp_path, sandbox=sandbox)
    assert {again.finished(video["id"])["status"] for video in videos} == {"completed"}
    assert len(sandbox.creates()) == 5
    again.stop()
    sandbox.stop()


@pytest.mark.parametrize(
    "directive",
    ["[[submit:lost_answer]]", "[[http:503x2]]", "[[rate:429x2]]", "[[poll:500x3]]", "[[result:truncated]]"],
)
def test_trouble_on_the_way_costs_one_submit(directive: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Lost answers, outages, rate limits and broken files: one task at the vendor, or a truthful failure."""
    before = len(sandbox.creates())
    gateway = Gateway(tmp_path, sandbox=sandbox)
    video = gateway.finished(gateway.create(**{**REQUEST, "prompt": f"a fox {directive}"})["id"])
    made = [seen for seen in sandbox.creates()[before:] if seen["outcome"] in {"accepted", "lost_answer"}]
    gateway.stop()
    assert len(made) == 1
    expected = "failed" if "truncated" in directive else "completed"
    assert video["status"] == expected
    if expected == "failed":
        assert video["error"]["code"] == "media_invalid"

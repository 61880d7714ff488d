"""Nodes on one PostgreSQL act as one gateway: killed, frozen, cut off or restarted, nothing is lost and nothing is paid twice."""

import asyncio
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.fleet import Caller, Fleet
from tests.acceptance.processes import KEY, PATIENCE_SECONDS, PROGRAM, Sandbox, wait_until
from tests.postgres import PostgresServer, missing_postgres, start_postgres

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(missing_postgres() is not None, reason=str(missing_postgres())),
]

REQUEST = {"model": "sora-2", "prompt": "a fox in snow", "seconds": "4", "size": "1280x720"}
SHORT = {"REELWAY_LEASE_SECONDS": "2"}
STOCK = {"REELWAY_SANDBOX_STOCK": "true"}
IN_FLIGHT = 1_000


@pytest.fixture
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A vendor that takes three seconds over a video."""
    with Sandbox(tmp_path_factory.mktemp("vendor"), render_seconds=3, environment=STOCK) as sandbox:
        yield sandbox


@pytest.fixture
def fleet(tmp_path: Path, postgres_url: str, sandbox: Sandbox) -> Iterator[Fleet]:
    """Nodes with a short lease."""
    fleet = Fleet(tmp_path, postgres_url, sandbox, SHORT)
    yield fleet
    fleet.close()


def held(postgres: PostgresServer, url: str) -> dict[str, int]:
    """Return how many unfinished jobs each node holds by the records."""
    rows = postgres.run_sql(
        "SELECT owner, count(*) FROM jobs WHERE state NOT IN ('completed', 'failed', 'cancelled') GROUP BY owner",
        database=url.rpartition("/")[2],
    )
    return {owner: int(count) for owner, _, count in (row.partition("|") for row in rows.splitlines())}


async def test_a_killed_nodes_thousand_jobs_are_adopted_and_nothing_is_sent_twice(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SIGKILL with a thousand videos at the vendor: the other node has them all within fifteen seconds, at the usual lease."""
    with Sandbox(tmp_path_factory.mktemp("vendor"), render_seconds=45, environment=STOCK) as sandbox:
        fleet = Fleet(tmp_path, postgres_url, sandbox)
        try:
            doomed = fleet.start("one")
            async with Caller(fleet.urls()) as caller:
                prompts = [f"fox {number}" for number in range(IN_FLIGHT)]
                ids = await asyncio.gather(*(caller.create(prompt) for prompt in prompts))
                await asyncio.to_thread(wait_until, lambda: fleet.submits().total() >= IN_FLIGHT, "all submits")
            fleet.start("two")
            before = held(postgres, postgres_url)
            assert sum(before.values()) == IN_FLIGHT
            doomed.kill()
            killed_at = time.monotonic()
            holders = before
            async with asyncio.timeout(PATIENCE_SECONDS):
                while set(holders) == set(before) or len(holders) > 1:
                    await asyncio.sleep(0.1)
                    holders = held(postgres, postgres_url)
            adopted_after = time.monotonic() - killed_at
            assert set(holders).isdisjoint(before)
            async with Caller([fleet.nodes["two"].url]) as caller:
                videos = await asyncio.gather(*(caller.finished(video_id) for video_id in ids))
            print(f"{IN_FLIGHT} jobs adopted after {adopted_after:.1f} s")
            assert adopted_after < 15
            assert {video["status"] for video in videos} == {"completed"}
            assert fleet.submits() == dict.fromkeys(prompts, 1)
        finally:
            fleet.close()


async def test_a_rolling_restart_fails_no_call(fleet: Fleet) -> None:
    """Both nodes, twice, under load: a caller that retries with its key notices pauses, and every video is made once."""
    for name in ("one", "two"):
        fleet.start(name)
    over = asyncio.Event()
    ids: dict[str, str] = {}

    async def load(caller: Caller, worker: int) -> None:
        number = 0
        while not over.is_set():
            prompt = f"fox {worker}-{number}"
            ids[prompt] = await caller.create(prompt)
            await caller.finished(ids[prompt])
            number += 1

    async with Caller(fleet.urls()) as caller:
        async with asyncio.TaskGroup() as tasks:
            for worker in range(16):
                tasks.create_task(load(caller, worker))
            for name in ("one", "two", "one", "two"):
                await asyncio.sleep(2)
                assert await asyncio.to_thread(fleet.nodes[name].stop) == 0
                await asyncio.to_thread(fleet.start, name)
            over.set()
        videos = [await caller.finished(video_id) for video_id in ids.values()]
    print(f"{len(ids)} videos; met on the way: {dict(caller.trouble)}")
    assert caller.failed == []
    assert len(ids) > 32
    assert {video["status"] for video in videos} == {"completed"}
    assert fleet.submits() == dict.fromkeys(ids, 1)


def test_one_answers_and_another_works(fleet: Fleet) -> None:
    """Create, long poll, events and cancel at a node that makes nothing; the one that makes them answers no callers."""
    answering = fleet.start("answering", environment={"REELWAY_ROLE": "api"})
    working = fleet.start("working", environment={"REELWAY_ROLE": "worker"})

    video = answering.create(**REQUEST)
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{answering.url}/v1/videos/{video['id']}/events", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request, timeout=60) as stream:  # noqa: S310 - loopback
        story = [line.split()[1] for line in stream.read().decode().splitlines() if line.startswith("event:")]
    assert [story[0], story[-1]] == ["video.queued", "video.completed"]
    assert "video.in_progress" in story
    assert len(answering.ask("GET", f"/v1/videos/{video['id']}/content").body) > 1_000

    doomed = answering.create(**{**REQUEST, "prompt": "nobody wants this [[delay:60]]"})
    assert answering.ask("GET", f"/v1/videos/{doomed['id']}?wait=2").json["status"] == "in_progress"
    cancelled = answering.ask("POST", f"/v1/videos/{doomed['id']}/cancel").json
    assert (cancelled["status"], cancelled["error"]["code"]) == ("failed", "cancelled")

    assert {path: working.ask("GET", path).status for path in ("/healthz", "/readyz", "/v1/videos")} == {
        "/healthz": 200,
        "/readyz": 200,
        "/v1/videos": 404,
    }
    assert [answering.ask("GET", "/readyz").json[word] for word in ("status", "role")] == ["ready", "api"]


def test_a_frozen_node_learns_that_it_was_replaced(fleet: Fleet) -> None:
    """SIGSTOP for longer than its lease: the other one goes on; awake again it drops what is not its own any more."""
    one = fleet.start("one")
    videos = [one.create(**{**REQUEST, "prompt": f"fox {number}"}) for number in range(20)]
    wait_until(lambda: fleet.submits().total() >= len(videos), "all submits")
    two = fleet.start("two")
    os.kill(one.process.pid, signal.SIGSTOP)
    try:
        assert {two.finished(video["id"])["status"] for video in videos} == {"completed"}
    finally:
        os.kill(one.process.pid, signal.SIGCONT)
    fresh = None
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while (
        fresh is None and time.monotonic() < give_up_at
    ):  # what it accepts meanwhile, it accepts for whoever can make it
        answer = one.ask("POST", "/v1/videos", body={**REQUEST, "prompt": "after the thaw"})
        fresh = answer.json if answer.status == 200 else None
    assert fresh is not None
    assert one.finished(fresh["id"])["status"] == "completed"
    wait_until(lambda: len(fleet.logged("one", "node_joined")) >= 2, "the thawed node to join again")
    assert set(fleet.submits().values()) == {1}


def test_the_database_may_be_away_for_a_while(tmp_path: Path, sandbox: Sandbox) -> None:
    """Creates and reads are refused for the moment, readiness says why, and afterwards everything goes on."""
    server = start_postgres()
    fleet = Fleet(tmp_path, server.url(server.make_database()), sandbox, SHORT)
    try:
        node = fleet.start("one")
        videos = [node.create(**{**REQUEST, "prompt": f"fox {number}"}) for number in range(10)]
        server.stop()
        away_until = time.monotonic() + 8
        while time.monotonic() < away_until:
            made = node.ask("POST", "/v1/videos", body={**REQUEST, "prompt": "too early"})
            read = node.ask("GET", f"/v1/videos/{videos[0]['id']}")
            assert (made.status, read.status) == (503, 503)
            assert int(made.headers["retry-after"]) > 0
        ready = node.ask("GET", "/readyz")
        assert (ready.status, ready.json["status"]) == (503, "not_ready")
        assert any("database" in problem for problem in ready.json["problems"])
        server.start()
        wait_until(lambda: node.ask("GET", "/readyz").status == 200, "the node to be ready again")
        assert {node.finished(video["id"])["status"] for video in videos} == {"completed"}
        assert {fleet.submits()[f"fox {number}"] for number in range(10)} == {1}
    finally:
        fleet.close()
        server.remove()


def test_a_node_is_drained_from_the_command_line(fleet: Fleet, tmp_path: Path, postgres_url: str) -> None:
    """It hands its work over at once, takes no more, and still answers reads."""
    one, two = fleet.start("one"), fleet.start("two")
    video = one.create(**{**REQUEST, "prompt": "slow [[delay:6]]"})
    wait_until(lambda: fleet.submits().total() >= 1, "the submit")

    def reelway(*arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "REELWAY_DATABASE_URL": postgres_url, "HOME": str(tmp_path)}
        done = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    listed = json.loads(reelway("nodes", "--json"))["data"]
    [holder] = [node for node in listed if node["process_id"] == one.process.pid]
    assert (holder["jobs"], holder["state"]) == (1, "working")
    assert reelway("drain", holder["node"]) == f"{holder['node']}: drained\n"

    refused = one.ask("POST", "/v1/videos", body=REQUEST)
    assert (refused.status, refused.headers["connection"], refused.json["error"]["code"]) == (
        503,
        "close",
        "unavailable",
    )
    assert (one.ask("GET", "/readyz").status, one.ask("GET", "/readyz").json["status"]) == (503, "draining")
    assert one.finished(video["id"])["status"] == "completed"
    assert two.ask("GET", "/readyz").status == 200
    assert set(fleet.submits().values()) == {1}
    assert one.stop() == 0


@pytest.mark.parametrize("point", ["attempt_recorded", "sending"])
async def test_a_node_frozen_before_its_send_does_not_send_when_it_wakes(fleet: Fleet, point: str) -> None:
    """SIGSTOP between the attempt and the first byte, the connection standing or not: the other node submits, and only it."""
    one = fleet.start("one", environment={"REELWAY_FREEZE_AT": point})
    async with Caller(fleet.urls()) as caller:
        video = await caller.create("a fox, frozen")
    try:
        await asyncio.to_thread(wait_until, lambda: _state_of(one.process.pid) == "T", "the node to stand still")
        two = fleet.start("two")
        assert (await asyncio.to_thread(two.finished, video))["status"] == "completed"
        assert fleet.submits() == {"a fox, frozen": 1}
    finally:
        os.kill(one.process.pid, signal.SIGCONT)
    async with asyncio.timeout(30):
        await asyncio.to_thread(wait_until, lambda: bool(fleet.logged("one", "lease_lost")), "the node to learn of it")
    assert fleet.submits() == {"a fox, frozen": 1}


def _state_of(process_id: int) -> str:
    """Return the letter under which the kernel has a process: `T` while it is stopped."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2][0]

"""`reelway keys`, `db` and `doctor`: directly on the data folder, without a server."""

import asyncio
import json
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.fake_server import FakeServer, Reply
from tests.store.records import creation, forgetting, make_job, route

from reelway.cli.checkup import check_everything
from reelway.cli.vendor_calls import VendorAnswer, call_vendor
from reelway.core.lifecycle import State
from reelway.settings import AccountSettings, accounts_from_environment
from reelway.store.sqlite import SqliteStore


def test_a_key_is_shown_once(run: Run) -> None:
    """The text is alone on standard output; the list has a hint only."""
    made = run("keys", "create", "for the studio", "--tenant", "studio", "--scope", "read", "--days", "7")
    listed = run("keys", "list")

    key = made.out.strip()
    assert key.startswith("sk-")
    assert "may read" in made.err
    assert key not in listed.out
    assert f"sk-…{key[-4:]}" in listed.out
    assert "studio" in listed.out
    assert "until" in listed.out


def test_a_key_can_be_revoked_once(run: Run) -> None:
    """The second time there is nothing to revoke."""
    key = json.loads(run("keys", "create", "old", "--json").out)

    assert run("keys", "revoke", key["id"]).code == 0
    assert json.loads(run("keys", "list", "--json").out)["data"][0]["revoked_at"] is not None
    assert run("keys", "revoke", "key_unknown").code == 2


def test_an_unknown_scope_is_refused(run: Run) -> None:
    """And the message names those there are."""
    result = run("keys", "create", "k", "--scope", "everything")

    assert (result.code, "create, read, admin" in result.err) == (2, True)


def test_a_database_is_made_checked_and_copied(run: Run, tmp_path: Path) -> None:
    """The copy is a database of its own, and never overwrites."""
    assert run("db", "upgrade").code == 0
    assert "no problems" in run("db", "check").out
    assert run("db", "backup", "copy.db").code == 0

    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again = run("db", "backup", "copy.db")
    assert (again.code, "choose another name" in again.err) == (7, True)


def test_a_database_of_a_newer_version_is_refused(run: Run, tmp_path: Path) -> None:
    """By every command, with the same exit code."""
    run("db", "upgrade")
    with closing(sqlite3.connect(tmp_path / "data" / "reelway.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert run("db", "upgrade").code == 7
    assert run("keys", "list").code == 7
    assert run("db", "check").code == 1
    findings = {one.subject: one for one in check_everything(config=None, data_dir=None)}
    assert findings["database"].level == "bad"
    assert "newer version" in findings["database"].found


def test_another_kind_of_database_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is that PostgreSQL has its own way of being copied."""
    monkeypatch.setenv("REELWAY_DATABASE_URL", "mysql://db/reelway")
    assert run("db", "check").code == 2

    monkeypatch.setenv("REELWAY_DATABASE_URL", "postgresql://db/reelway")
    result = run("db", "backup", "copy.db")
    assert (result.code, "pg_dump" in result.err) == (2, True)


def test_what_was_given_up_can_be_seen_and_tried_again(run: Run, tmp_path: Path) -> None:
    """With the reason, and the vendor's name of the work; after that it is due, and no longer among what was given up."""
    assert "nothing was given up" in run("db", "errands").err
    job = make_job()

    async def give_up() -> None:
        store = SqliteStore(tmp_path / "data" / "reelway.db")
        await store.open()
        await store.plan_errand(forgetting(job))
        await store.errand_put_off(forgetting(job).id, None, 12, "HTTP 403")
        await store.close()

    async def due() -> list[str]:
        store = SqliteStore(tmp_path / "data" / "reelway.db")
        await store.open()
        found = await store.due_errands(time.time(), 9, time.time() + 60)
        await store.close()
        return [errand.id for errand in found]

    asyncio.run(give_up())
    listed = run("db", "errands").out
    assert (job.id in listed, "HTTP 403" in listed) == (True, True)
    [shown] = json.loads(run("db", "errands", "--json").out)["data"]
    assert (shown["job_id"], shown["work"]["operation"]) == (job.id, forgetting(job).work.operation)
    assert asyncio.run(due()) == []
    assert "1 to be tried again" in run("db", "errands", "--again").err
    assert asyncio.run(due()) == [forgetting(job).id]
    assert "nothing was given up" in run("db", "errands").err


def test_postgres_is_made_checked_and_filled_from_a_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    """The commands of a file, and the way from one to the other; a password is never shown."""
    run("keys", "create", "k")
    exported = run("db", "export", "moved.jsonl")
    assert (exported.code, "api_keys" in exported.out) == (0, True)

    monkeypatch.setenv("REELWAY_DATABASE_URL", postgres_url)
    results = [
        run("db", "upgrade"),
        run("db", "import", "moved.jsonl"),
        run("db", "check"),
        run("keys", "list"),
        run("doctor"),
        run("db", "export", "again.jsonl"),
        run("db", "downgrade", "0001"),
    ]
    assert [result.code for result in results] == [0] * 7
    assert "no problems" in results[2].out
    assert "127.0.0.1" in results[0].out
    assert not any("reelway-tests" in result.out + result.err for result in results)
    again = run("db", "import", "moved.jsonl")
    assert (again.code, "it is not empty" in again.err) == (7, True)


def test_a_healthy_machine_has_no_complaints(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line is there, and nothing was made by looking."""
    monkeypatch.setenv("REELWAY_PORT", str(_free_port()))

    result = run("doctor", "--json")

    report = json.loads(result.out)
    assert (result.code, report["healthy"]) == (0, True)
    subjects = {finding["subject"] for finding in report["findings"]}
    assert {"python", "sqlite", "codecs", "settings", "data folder", "disk", "database", "port", "vendors"} <= subjects
    assert not Path("data").exists()


def test_accounts_that_do_nothing_or_are_missed_are_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service nobody has, and an account that is gone while its videos are being made."""
    monkeypatch.setenv("REELWAY_PORT", str(_free_port()))
    run("db", "upgrade")
    asyncio.run(_keep_running(tmp_path / "data" / "reelway.db"))
    Path("reelway.toml").write_text(
        '[[account]]\nname = "box"\nvendor = "bytedance"\nservice = "arc"\n'
        f'base_url = "http://127.0.0.1:{_free_port()}"\nkey = "sk-a"\n'
    )

    result = run("doctor")

    assert "bytedance has no service 'arc', so it gets no video; use one of ark, byteplus." in result.out
    assert "1 video(s) are being made at the account 'gone', which is not configured any more" in result.out
    assert result.code == 1


def test_a_port_in_use_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("REELWAY_PORT", str(taken.getsockname()[1]))
        result = run("doctor")

    assert result.code == 1
    assert "FAIL  port" in result.out
    assert "REELWAY_PORT" in result.out


def test_a_folder_that_cannot_be_used_is_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a file is in its place."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("REELWAY_DATA_DIR", str(tmp_path / "file" / "data"))

    assert "FAIL  data folder" in run("doctor").out


def test_wrong_settings_are_a_finding(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor does not faint at what it is there to find."""
    monkeypatch.setenv("REELWAY_PORT", "http")
    monkeypatch.setenv("REELWAY_PROT", "1")

    result = run("doctor")

    assert result.code == 1
    assert "REELWAY_PORT: " in result.out


def test_misspelt_variables_are_noted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do nothing, which is worth knowing."""
    monkeypatch.setenv("REELWAY_PORT", str(_free_port()))
    monkeypatch.setenv("REELWAY_PROT", "1")

    assert "REELWAY_PROT is not a setting" in run("doctor").out


def test_a_wrong_clock_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared with what the vendors say the time is."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://video.example/v1")

    def call(account: AccountSettings) -> VendorAnswer:
        return VendorAnswer("good", f"{account.base_url} answers", date=1_000_000_000.0)

    findings = {one.subject: one for one in check_everything(config=None, data_dir=None, call=call)}

    assert findings["vendor openai"].level == "good"
    assert findings["clock"].level == "bad"
    assert "ahead of" in findings["clock"].found


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        (200, "good", "takes the key"),
        (401, "bad", "refuses the key"),
        (404, "good", "answers"),
        (502, "warning", "502"),
    ],
)
def test_a_vendor_is_asked_what_costs_nothing(server: FakeServer, status: int, level: str, words: str) -> None:
    """One authorised read of an empty list; its answer tells about address, key and clock."""
    server.on("GET", "/v1/videos", Reply(status, {"data": []}))
    environment = {"OPENAI_API_KEY": "sk-a", "OPENAI_BASE_URL": f"{server.address}/v1"}

    answer = call_vendor(accounts_from_environment(environment)[0])

    assert (answer.level, words in answer.text) == (level, True)
    assert answer.date is not None
    [request] = server.requests
    assert (request.method, request.query, request.headers["authorization"]) == ("GET", {"limit": "1"}, "Bearer sk-a")


def test_a_vendor_out_of_reach_is_told() -> None:
    """A closed port, here."""
    environment = {"OPENAI_API_KEY": "sk-a", "OPENAI_BASE_URL": f"http://127.0.0.1:{_free_port()}/v1"}

    answer = call_vendor(accounts_from_environment(environment)[0])

    assert (answer.level, "cannot be reached" in answer.text) == ("bad", True)


def test_an_account_that_cannot_sign_in_is_told(tmp_path: Path) -> None:
    """Where a token is needed, it is fetched first; why there is none is for the operator to read."""
    environment = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"), "GOOGLE_CLOUD_PROJECT": "acme"}

    answer = call_vendor(accounts_from_environment(environment)[0])

    assert (answer.level, answer.text.startswith("vertex cannot sign in: ")) == ("bad", True)
    assert "key.json" in answer.text


def test_a_vendor_of_a_later_version_is_left_alone() -> None:
    """No adapter, no call."""
    answer = call_vendor(AccountSettings(name="a", vendor="tomorrow", base_url="https://tomorrow.example"))

    assert (answer.level, answer.text) == ("warning", "tomorrow is not served by this version")


async def _keep_running(path: Path) -> None:
    """Write a video that is being made at an account called `gone`."""
    store = SqliteStore(path)
    await store.open()
    await store.create(creation(make_job(state=State.RUNNING, route=route("gone"))))
    await store.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_nodes_are_listed_and_asked_to_drain(run: Run, tmp_path: Path) -> None:
    """Straight from the database; a node that holds something is waited for, one that nobody knows is refused."""
    assert run("db", "upgrade").code == 0
    assert run("drain", "--all").code == 2
    [file] = tmp_path.rglob("reelway.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        row = ("one", 7, time.time() + 60, "host-1", 42, "1.2.3", "all", time.time())
        connection.execute(
            "INSERT INTO nodes (node, epoch, lease_until, host, process_id, version, role, started_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    listed = run("nodes")
    assert [word for word in ("one", "working", "host-1", "1.2.3") if word not in listed.out] == []
    assert run("drain", "one").out == "one: drained\n"
    [node] = json.loads(run("nodes", "--json").out)["data"]
    assert (node["node"], node["state"], node["jobs"]) == ("one", "draining", 0)
    assert [run("drain", name).code for name in ("stranger", "--timeout")] == [2, 2]
    assert run("drain").code == 2

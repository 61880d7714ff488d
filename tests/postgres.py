"""A real PostgreSQL server for tests, on a free loopback port and a folder of its own, which can be restarted, killed and frozen.

The one rule: it is configured as a user would have it, commits to disk included, and every process is ended by its id.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.ports import quiet_port

__all__ = ["PostgresServer", "missing_postgres", "postgres_programs", "start_postgres"]

_USER = "reelway"
_PASSWORD = "reelway-tests"
_OLDEST = 15
_PATIENCE_SECONDS = 60.0
_numbers = itertools.count(1)


def postgres_programs() -> Path | None:
    """Return the folder with the newest server's programs, None when there is none new enough."""
    found = [(int(home.name), home / "bin") for home in Path("/usr/lib/postgresql").glob("[0-9]*")]
    usable = sorted(version for version in found if version[0] >= _OLDEST and (version[1] / "initdb").is_file())
    if usable:
        return usable[-1][1]
    elsewhere = shutil.which("initdb")
    return None if elsewhere is None else Path(elsewhere).resolve().parent


def missing_postgres() -> str | None:
    """Return why no server can be started here, None when one can."""
    if postgres_programs() is None:
        return "no PostgreSQL 15 or newer is installed: run scripts/setup-postgres"
    if os.geteuid() == 0 and _postgres_user() is None:
        return "PostgreSQL does not run as root, and there is no user named postgres: run scripts/setup-postgres"
    return None


class PostgresServer:
    """One server. `start` it, `stop` it as an operator would, `kill` it as a power cut would; then `start` it again."""

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str]) -> None:
        programs = postgres_programs()
        assert programs is not None, missing_postgres()
        self.folder = folder
        self.port = port
        self._programs = programs
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_line_prefix": "%m [%p] %a ",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """Return the address of a database; `port` is a proxy's that stands before the server."""
        return f"postgresql://{_USER}:{_PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def make_database(self, *, template: str = "template0") -> str:
        """Make an empty database, or a copy of another; return its name."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run_sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run one statement as the owner of everything; return its rows, a line each, columns parted by `|`."""
        command = [str(self._programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]
        ran = subprocess.run([*command, self.url(database)], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{statement}: {ran.stderr}"
        return ran.stdout.strip()

    def shape(self, database: str) -> list[str]:
        """Return how PostgreSQL writes down the tables of a database."""
        command = [str(self._programs / "pg_dump"), "--schema-only", "--no-comments", self.url(database)]
        dumped = subprocess.run(command, capture_output=True, text=True, check=False)
        assert dumped.returncode == 0, dumped.stderr
        lines = (line.rstrip() for line in dumped.stdout.splitlines())
        return [line for line in lines if line and not line.startswith(("--", "\\"))]

    # --- its life

    def make(self) -> None:
        """Make the folder's contents."""
        secret = self.folder / "password"
        secret.write_text(_PASSWORD)
        _hand_over(self.folder, secret)
        options = ["-U", _USER, f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(
            [*_as_postgres(), str(self._programs / "initdb"), "-D", str(self._data), "--no-sync", *options],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        secret.unlink()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert not self.is_running
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_postgres(), str(self._programs / "postgres"), "-D", str(self._data), *options],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop it as an operator does: sessions are ended, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it and all its processes at once, as a power cut would; the next start recovers from its log."""
        if self._process is None:
            return
        children = _children(self._process.pid)
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()
        self._process = None
        for child in children:  # they hold the shared memory, without which no other server may start here
            _wait(lambda child=child: not _is_alive(child), "a killed process of the server to end")  # type: ignore[misc]

    def restart(self) -> None:
        """Stop and start it: every session is lost."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop all its processes where they stand; connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_PATIENCE_SECONDS)
            self._process = None

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        for process in (self._process.pid, *_children(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _wait_until_it_answers(self) -> None:
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]

        def answers() -> bool:
            assert self.is_running, f"the server ended at once:\n{self.log}"
            return subprocess.run(ready, check=False).returncode == 0

        _wait(answers, "the server to answer")


def start_postgres(**settings: str) -> PostgresServer:
    """Make and start a server with these settings of `postgresql.conf` over the usual ones; whoever starts it removes it."""
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="reelway-postgres-")), quiet_port(), settings)
    try:
        server.make()
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server for as long as the context lasts; skip the test where there can be none."""
    reason = missing_postgres()
    if reason is not None:
        pytest.skip(reason)
    server = start_postgres()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of a session. A test that ends it starts one of its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[str]:
    """Return the name of an empty database of this test's own."""
    name = postgres.make_database()
    yield name
    postgres.drop_database(name)


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_database: str) -> str:
    """Return the address of an empty database of this test's own."""
    return postgres.url(postgres_database)


def _postgres_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


def _as_postgres() -> list[str]:
    """Return what a command begins with so that it does not run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


def _hand_over(*paths: Path) -> None:
    """Make the server's user the owner, where that is somebody else."""
    user = _postgres_user()
    if os.geteuid() == 0 and user is not None:
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid)


def _children(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    try:
        return [int(child) for child in children.read_text().split()]
    except OSError:
        return []


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _wait(condition: object, what: str) -> None:
    assert callable(condition)
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        time.sleep(0.02)

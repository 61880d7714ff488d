"""A real S3-compatible server for tests: OpenStack Swift with its S3 layer, on free loopback ports and a folder of its own.

The one rule: it is configured as its own documents set up a single machine, and every process is ended by its id.
"""

import contextlib
import getpass
import http.client
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

import obstore
import pytest
from obstore.store import S3Store
from tests.ports import quiet_port

__all__ = ["S3Server", "missing_s3", "start_s3"]

_ACCESS_KEY = "reelway:tester"
_SECRET_KEY = "reelway-tests"
_REGION = "us-east-1"
_PYTHON = "/usr/bin/python3"
"""Debian's Swift belongs to Debian's Python."""
_SERVERS = ("account", "container", "object", "proxy")
_PATIENCE_SECONDS = 60.0
_numbers = itertools.count(1)

_SWIFT = """
[swift-hash]
swift_hash_path_prefix = tests
swift_hash_path_suffix = tests

[storage-policy:0]
name = one
default = yes
"""

_COMMON = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}/etc
devices = {folder}/disks
mount_check = false
log_level = WARNING
"""

_STORAGE = """
[pipeline:main]
pipeline = {name}-server

[app:{name}-server]
use = egg:swift#{name}
container_update_timeout = 30
"""

_PROXY = """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# There is one of each: to leave it alone for a minute after errors would be to be down for a minute.
error_suppression_limit = 1000000
conn_timeout = 5

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache_port}

[filter:s3api]
use = egg:swift#s3api
location = us-east-1

[filter:tempauth]
use = egg:swift#tempauth
user_reelway_tester = reelway-tests .admin
user_reelway_guest = reelway-tests

[filter:bulk]
use = egg:swift#bulk

[filter:slo]
use = egg:swift#slo
"""

_RINGS = """
import sys
from swift.common.ring import RingBuilder
for name, port in zip(sys.argv[2::2], sys.argv[3::2]):
    ring = RingBuilder(2, 1, 1)
    ring.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "disk", "weight": 1.0})
    ring.rebalance()
    ring.get_ring().save(f"{sys.argv[1]}/{name}.ring.gz")
"""


def missing_s3() -> str | None:
    """Return why no server can be started here, None when one can."""
    programs = [*(f"swift-{name}-server" for name in _SERVERS), "memcached"]
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        return f"{' and '.join(missing)} cannot be found: run scripts/setup-s3"
    if _disk() is None:
        return "no folder here keeps the extended attributes of files that Swift needs"
    return None


class S3Server:
    """One server: a proxy, the three that store, and a cache. What was written survives `kill` and the next `start`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._cache_port, *ports = (quiet_port() for _ in range(5))
        self._ports = dict(zip(_SERVERS, (*ports, self.port), strict=True))
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What all of them have said so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def environment(self, *, port: int | None = None) -> dict[str, str]:
        """Return the variables by which a client finds the server; `port` is a proxy's that stands before it."""
        return {
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port or self.port}",
            "AWS_REGION": _REGION,
        }

    def guest(self) -> dict[str, str]:
        """Return the variables of somebody the server knows and lets do nothing."""
        return {**self.environment(), "AWS_ACCESS_KEY_ID": "reelway:guest"}

    def make_bucket(self) -> str:
        """Make an empty bucket; return its name."""
        name = f"tests-{os.getpid()}-{next(_numbers)}-{secrets.token_hex(3)}"
        address = obstore.sign(self._store(name), "PUT", "", timedelta(seconds=60))
        status, _, said = _call("PUT", address, {})
        assert status == 200, said
        return name

    def objects(self, bucket: str) -> dict[str, int]:
        """Return every object of a bucket with its size."""
        return {meta["path"]: meta["size"] for page in obstore.list(self._store(bucket)) for meta in page}

    def parts(self, bucket: str) -> list[str]:
        """Return all that is kept of uploads by parts: of finished ones, which the objects refer to, and of unfinished ones.

        S3 shows no such list to the owner of a bucket; this asks the server underneath.
        """
        who = {"X-Auth-User": _ACCESS_KEY, "X-Auth-Key": _SECRET_KEY}
        _, answered, _ = _call("GET", f"{self.endpoint}/auth/v1.0", who)
        token = {"X-Auth-Token": answered["X-Storage-Token"]}
        status, _, said = _call("GET", f"{answered['X-Storage-Url']}/{bucket}%2Bsegments?format=json", token)
        if status == 404:
            return []  # nothing was ever uploaded by parts
        assert status == 200, said
        return [part["name"] for part in json.loads(said)]

    # --- its life

    def make(self) -> None:
        """Make the folder's contents."""
        etc = self.folder / "etc"
        etc.mkdir()
        (self.folder / "disks" / "disk").mkdir(parents=True)
        (etc / "swift.conf").write_text(_SWIFT)
        for name, port in self._ports.items():
            common = _COMMON.format(port=port, user=getpass.getuser(), folder=self.folder)
            kind = _PROXY.format(cache_port=self._cache_port) if name == "proxy" else _STORAGE.format(name=name)
            (etc / f"{name}.conf").write_text(common + kind)
        rings = [str(part) for name, port in self._ports.items() if name != "proxy" for part in (name, port)]
        subprocess.run([_PYTHON, "-c", _RINGS, str(etc), *rings], check=True, env=self._environment())

    def start(self) -> None:
        """Start all of it, and wait until it answers."""
        assert not self._processes
        cache = ["-l", "127.0.0.1", "-p", str(self._cache_port), "-u", getpass.getuser(), "-m", "16"]
        self._run("memcached", *cache)
        for name in _SERVERS:
            self._run(f"swift-{name}-server", str(self.folder / "etc" / f"{name}.conf"), "-v")
        for port in (self._cache_port, *self._ports.values()):
            self._wait_for(port)

    def kill(self) -> None:
        """End all of it at once."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._processes.clear()

    def restart(self) -> None:
        """Kill and start it."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop all of it where it stands; connections stay open and nothing answers."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _store(self, bucket: str) -> S3Store:
        return S3Store(
            bucket,
            aws_endpoint_url_s3=self.endpoint,  # the name that stands above what a test set for others
            access_key_id=_ACCESS_KEY,
            secret_access_key=_SECRET_KEY,
            region=_REGION,
            client_options={"allow_http": True},
        )

    def _run(self, *command: str) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def _environment(self) -> dict[str, str]:
        """Return next to nothing: what is set for our Python is not for Debian's."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder)}

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            assert all(process.poll() is None for process in self._processes), f"a part ended at once:\n{self.log}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                return
            assert time.monotonic() < deadline, f"nothing answers on port {port}:\n{self.log}"
            time.sleep(0.05)


def start_s3() -> S3Server:
    """Make and start a server; whoever starts it removes it."""
    server = S3Server(Path(tempfile.mkdtemp(prefix="reelway-s3-", dir=_disk())))
    try:
        server.make()
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One server for all tests of a session. A test that ends it starts one of its own."""
    reason = missing_s3()
    if reason is not None:
        pytest.skip(reason)
    server = start_s3()
    yield server
    server.remove()


@pytest.fixture
def s3_url(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty bucket of this test's own; the variables that lead there are set."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3.make_bucket()}"


def _call(method: str, address: str, headers: dict[str, str]) -> tuple[int, HTTPMessage, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def _disk() -> Path | None:
    """Return a folder that keeps extended attributes: memory disks of older kernels do not."""
    for folder in (Path(tempfile.gettempdir()), Path.cwd() / ".cache", Path("/var/tmp")):  # noqa: S108
        with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=folder) as probe:
            os.setxattr(probe.name, "user.reelway", b"1")
            return folder
    return None

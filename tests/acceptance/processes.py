"""Real processes for acceptance tests: started with a folder of their own, waited for by what they say, ended by process id."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

__all__ = ["KEY", "PROGRAM", "Answer", "Gateway", "Process", "Sandbox", "ask", "free_port", "make_key"]

KEY = "sk-acceptance"
PATIENCE_SECONDS = 60.0
PROGRAM = str(Path(sys.executable).with_name("reelway"))
_QUIET = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again until it holds; fail when that takes too long."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up_at, f"waited {PATIENCE_SECONDS} s in vain for {what}"
        time.sleep(0.05)


class Process:
    """One `reelway` command, running, or another program's."""

    running: ClassVar[set["Process"]] = set()
    """Every one that has not ended, so that a test that fails leaves none behind."""

    def __init__(
        self, arguments: list[str], environment: Mapping[str, str], marker: str, *, program: str = PROGRAM
    ) -> None:
        self.lines: list[str] = []
        self._said: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [program, *arguments],
            env={**{name: os.environ[name] for name in _QUIET if name in os.environ}, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        Process.running.add(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(marker)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._said.put(line)
        self._said.put(None)

    def wait_for(self, marker: str) -> str:
        """Return the next line with the marker in it; fail with everything said when the process ends without it."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                line = self._said.get(timeout=max(give_up_at - time.monotonic(), 0.0))
            except queue.Empty:
                self.kill()
                raise AssertionError(f"no {marker!r} in {PATIENCE_SECONDS} s:\n" + "\n".join(self.lines)) from None
            if line is None:
                raise AssertionError(f"ended with {self.process.wait()} before {marker!r}:\n" + "\n".join(self.lines))
            if marker in line:
                return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self) -> int:
        """Return the exit code when it has ended by itself."""
        code = self.process.wait(PATIENCE_SECONDS)
        self._close()
        return code

    def stop(self) -> int:
        """End it as an operator would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.wait()

    def _close(self) -> None:
        Process.running.discard(self)
        self._reader.join(PATIENCE_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Answer:
    """An HTTP answer, read."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    method: str,
    url: str,
    *,
    body: Any = None,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    key: str | None = KEY,
) -> Answer:
    """Send one request to loopback."""
    sent = dict(headers or {})
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    if body is not None:
        data = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, headers=sent, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - loopback
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


class Sandbox(Process):
    """The make-believe vendor as a server of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        render_seconds: float = 0.0,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        defaults = {"REELWAY_SANDBOX_RENDER_SECONDS": str(render_seconds), "REELWAY_SANDBOX_DRAFT": "true"}
        arguments = ["sandbox", "--port", str(self.port), "--data-dir", str(folder), "--key", KEY]
        super().__init__(arguments, {**defaults, **(environment or {})}, "listens on")
        self.url = f"http://127.0.0.1:{self.port}"

    def creates(self) -> list[dict[str, Any]]:
        """Return every create it saw, in order."""
        seen: list[dict[str, Any]] = ask("GET", f"{self.url}/sandbox/requests").json["data"]
        return seen

    def callbacks(self) -> list[dict[str, Any]]:
        """Return every callback it sent since it was started, in order."""
        sent: list[dict[str, Any]] = ask("GET", f"{self.url}/sandbox/callbacks").json["data"]
        return sent


class Gateway(Process):
    """A server with a data folder; with a sandbox given, that is its only vendor, and one that helps with nothing."""

    def __init__(
        self,
        folder: Path,
        *,
        sandbox: Sandbox | None = None,
        service: str = "compatible",
        environment: Mapping[str, str] | None = None,
        settings: str = "",
        port: int | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        if sandbox is not None:
            settings += (
                f'[[account]]\nname = "vendor"\nvendor = "openai_videos"\nservice = "{service}"\n'
                f'base_url = "{sandbox.url}/v1"\nkey = "{KEY}"\n'
            )
        (folder / "reelway.toml").write_text(settings)
        arguments = ["serve", "--port", str(self.port), "--data-dir", str(folder)]
        defaults = {
            "REELWAY_API_KEY": KEY,
            "REELWAY_POLL_SHORTEST_SECONDS": "0.05",
            "REELWAY_POLL_LONGEST_SECONDS": "0.2",
            "REELWAY_LOOKUP_SECONDS": "0.2",
            "REELWAY_ARRIVAL_SECONDS": "0.5",
            "REELWAY_SANDBOX_RENDER_SECONDS": "0",
            "REELWAY_SANDBOX_DRAFT": "true",
        }
        super().__init__(arguments, {**defaults, **(environment or {})}, "listens on")
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Send one request."""
        return ask(method, self.url + path, **options)

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a video, which must be accepted."""
        answer = self.ask("POST", "/v1/videos", body=fields)
        assert answer.status == 200, answer.body
        made: dict[str, Any] = answer.json
        return made

    def wait_for_status(self, video_id: str, status: str) -> None:
        """Wait until a video has this status, by polls."""
        wait_until(
            lambda: self.ask("GET", f"/v1/videos/{video_id}").json["status"] == status, f"{video_id} to be {status}"
        )

    def finished(self, video_id: str) -> dict[str, Any]:
        """Return the video when it is finished, by long polls."""
        for _ in range(4):
            video: dict[str, Any] = self.ask("GET", f"/v1/videos/{video_id}?wait=30").json
            if video["status"] in {"completed", "failed"}:
                return video
        raise AssertionError(f"{video_id} is not finished: {video}\n" + "\n".join(self.lines[-40:]))


def make_key(folder: Path, name: str, *options: str) -> str:
    """Make a key as an operator does, while the server of this folder runs."""
    arguments = [PROGRAM, "keys", "create", name, *options, "--data-dir", str(folder), "--json"]
    made = subprocess.run(arguments, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    key: str = json.loads(made.stdout)["key"]
    return key

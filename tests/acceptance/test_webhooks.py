"""Webhooks of a real server, read with the libraries that receivers use; the page about them is run as it stands."""

import http.server
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.acceptance.processes import KEY, Gateway

pytestmark = pytest.mark.acceptance

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "webhooks.md"
PATIENCE_SECONDS = 60.0
ALLOWED = {"REELWAY_PRIVATE_HOSTS": "127.0.0.1"}

Post = tuple[bytes, dict[str, str]]


class Receiver:
    """A server on loopback that answers 204 to every post and keeps it."""

    def __init__(self) -> None:
        self.posts: queue.Queue[Post] = queue.Queue()
        posts = self.posts

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
                posts.put((body, {name.lower(): value for name, value in self.headers.items()}))

            def log_message(self, *arguments: Any) -> None:
                """Keep quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/done"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who wants to be told."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts servers over one data folder, and ends what a test leaves running."""
    started: list[Gateway] = []

    def begin(**environment: str) -> Gateway:
        started.append(Gateway(tmp_path, environment=environment))
        return started[-1]

    yield begin
    for gateway in started:
        gateway.kill()


def blocks(language: str) -> list[str]:
    """Return the page's code in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def secret_of(folder: Path) -> str:
    """Return what the page's first command puts into the environment."""
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "REELWAY_DATA_DIR": str(folder)}
    script = f"{blocks('sh')[0]}\nprintenv REELWAY_WEBHOOK_SECRET"
    return subprocess.run(
        ["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")
def test_the_page_is_true(
    tmp_path: Path, start: Callable[..., Gateway], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example asks to be told, is told, and both ways to verify accept the message and refuse a changed one."""
    gateway = start(**ALLOWED)
    monkeypatch.setenv("REELWAY_API_KEY", KEY)
    monkeypatch.setenv("REELWAY_WEBHOOK_SECRET", secret_of(tmp_path))
    ask, *ways = blocks("python")
    assert len(ways) == 2
    for said, meant in (("http://127.0.0.1:8080", gateway.url), ("https://app.example.com/videos/done", receiver.url)):
        assert said in ask
        ask = ask.replace(said, meant)
    names: dict[str, Any] = {}
    exec(ask, names)  # noqa: S102 - our own page
    body, headers = receiver.posts.get(timeout=PATIENCE_SECONDS)
    for way in ways:
        exec(way, names)  # noqa: S102 - our own page
        assert names["video_done"](body, headers) == 204
        assert names["finished"].get_nowait() == names["video"].id
        assert names["video_done"](body.replace(b"completed", b"complete"), headers) == 400
    names["client"].close()
    assert gateway.stop() == 0
    assert receiver.posts.empty()


@pytest.mark.parametrize("point", ["kept", "completed"])
def test_killed_at_the_end_it_is_told_once(
    tmp_path: Path, start: Callable[..., Gateway], receiver: Receiver, point: str
) -> None:
    """Right before and right after the video's end is on disk: the next start tells its caller."""
    dying = start(**ALLOWED, REELWAY_DIE_AT=point)
    made = dying.create(model="sora-2", prompt="a fox in snow", seconds="4", callback_url=receiver.url)
    assert dying.wait() == -9
    assert receiver.posts.empty()
    again = start(**ALLOWED)
    body, headers = receiver.posts.get(timeout=PATIENCE_SECONDS)
    event = Webhook(secret_of(tmp_path)).verify(body, headers)
    assert (event["type"], event["data"]) == ("video.completed", {"id": made["id"]})
    assert again.stop() == 0
    assert receiver.posts.empty()


def test_a_caller_of_a_vendors_dialect_is_told_in_its_words(
    tmp_path: Path, start: Callable[..., Gateway], receiver: Receiver
) -> None:
    """Every status in order, signed like our own messages; the last one has the link to the video."""
    gateway = start(**ALLOWED)
    body = {"model_name": "kling-v3", "prompt": "a fox in snow", "duration": "5", "callback_url": receiver.url}
    answer = gateway.ask("POST", "/kling/v1/videos/text2video", body=body)
    assert answer.status == 200, answer.body
    webhook = Webhook(secret_of(tmp_path))
    told = [webhook.verify(*receiver.posts.get(timeout=PATIENCE_SECONDS)) for _ in range(3)]
    assert [task["task_status"] for task in told] == ["submitted", "processing", "succeed"]
    assert {task["task_id"] for task in told} == {answer.json["data"]["task_id"]}
    [made] = told[-1]["task_result"]["videos"]
    assert len(gateway.ask("GET", made["url"].removeprefix(gateway.url), key=None).body) > 1000
    assert gateway.stop() == 0
    assert receiver.posts.empty()


def test_killed_in_the_middle_a_caller_of_a_dialect_hears_everything_in_order(
    tmp_path: Path, start: Callable[..., Gateway], receiver: Receiver
) -> None:
    """Right after a change was written down, message and all: what arrives twice has one id, and nothing is missing."""
    dying = start(**ALLOWED, REELWAY_DIE_AT="accepted_recorded")
    body = {"model_name": "kling-v3", "prompt": "a fox in snow", "duration": "5", "callback_url": receiver.url}
    assert dying.ask("POST", "/kling/v1/videos/text2video", body=body).status == 200
    assert dying.wait() == -9
    again = start(**ALLOWED)
    webhook, told = Webhook(secret_of(tmp_path)), dict[str, str]()
    while "succeed" not in told.values():
        post, headers = receiver.posts.get(timeout=PATIENCE_SECONDS)
        told.setdefault(headers["webhook-id"], webhook.verify(post, headers)["task_status"])
    assert list(told.values()) == ["submitted", "processing", "succeed"]
    assert again.stop() == 0


def test_an_address_of_the_private_network_is_refused(start: Callable[..., Gateway], receiver: Receiver) -> None:
    """Unless the operator allows it, and before anything is made."""
    gateway = start()
    answer = gateway.ask("POST", "/v1/videos", body={"model": "sora-2", "prompt": "a fox", "webhook_url": receiver.url})
    assert answer.status == 400
    assert (answer.json["error"]["code"], answer.json["error"]["param"]) == ("url_refused", "webhook_url")
    assert gateway.ask("GET", "/v1/videos").json["data"] == []
    assert gateway.stop() == 0

"""A vendor that takes videos by address alone fetches one from a real gateway; without a public address it is not asked to."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.processes import KEY, Gateway, Process, ask, free_port

pytestmark = pytest.mark.acceptance

SOURCE = {"model": "kling-video", "prompt": "a fox in snow", "seconds": "5"}


class FetchingSandbox(Process):
    """Kling, played by the sandbox: it fetches what it is given an address of, also on loopback."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        environment = {
            "REELWAY_SANDBOX_RENDER_SECONDS": "0",
            "REELWAY_SANDBOX_DRAFT": "true",
            "REELWAY_SANDBOX_FETCH_URLS": "true",
            "REELWAY_PRIVATE_HOSTS": "127.0.0.1",
        }
        arguments = ["sandbox", "--port", str(self.port), "--data-dir", str(folder), "--key", KEY]
        super().__init__(arguments, environment, "listens on")
        self.url = f"http://127.0.0.1:{self.port}"

    def creates(self) -> list[dict[str, Any]]:
        """Return every create it saw, in order."""
        seen: list[dict[str, Any]] = ask("GET", f"{self.url}/sandbox/requests").json["data"]
        return seen


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FetchingSandbox]:
    sandbox = FetchingSandbox(tmp_path_factory.mktemp("vendor"))
    yield sandbox
    sandbox.stop()


def gateway_of(folder: Path, vendor: FetchingSandbox, *, is_public: bool) -> Gateway:
    port = free_port()
    settings = f'[[account]]\nname = "kling"\nvendor = "kling"\nbase_url = "{vendor.url}/kling"\nkey = "{KEY}"\n'
    environment = {"REELWAY_PUBLIC_URL": f"http://127.0.0.1:{port}"} if is_public else {}
    return Gateway(folder, environment=environment, settings=settings, port=port)


def test_the_vendor_fetches_the_very_bytes(tmp_path: Path, vendor: FetchingSandbox) -> None:
    """The source of an edit is a video of ours, given as a signed address."""
    gateway = gateway_of(tmp_path, vendor, is_public=True)
    source = gateway.finished(gateway.create(**SOURCE)["id"])
    content = gateway.ask("GET", f"/v1/videos/{source['id']}/content").body
    answer = gateway.ask("POST", "/v1/videos/edits", body={"video": {"id": source["id"]}, "prompt": "make it snow"})
    assert answer.status == 200, answer.body
    edit = gateway.finished(answer.json["id"])
    assert edit["status"] == "completed", edit
    assert hashlib.sha256(content).hexdigest() in str(vendor.creates()[-1])
    assert gateway.stop() == 0
    assert not any("/files/" in line for line in gateway.lines)


def test_without_a_public_address_nothing_is_sent(tmp_path: Path, vendor: FetchingSandbox) -> None:
    """Refused in a sentence that says what to do, and nothing is charged."""
    gateway = gateway_of(tmp_path, vendor, is_public=False)
    source = gateway.finished(gateway.create(**SOURCE)["id"])
    before = len(vendor.creates())
    body = {"video": {"id": source["id"]}, "prompt": "make it snow"}
    answer = gateway.ask("POST", "/v1/videos/edits", body=body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "public_url_required")
    assert "REELWAY_PUBLIC_URL" in answer.json["error"]["message"]
    assert [video["id"] for video in gateway.ask("GET", "/v1/videos").json["data"]] == [source["id"]]
    assert len(vendor.creates()) == before
    assert gateway.stop() == 0

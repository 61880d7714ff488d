"""Vendors that call a real gateway back, over real sockets: played by the sandbox, whose tasks the gateway hardly ever looks at."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.processes import KEY, Gateway, Process, ask, free_port

pytestmark = pytest.mark.acceptance

SELDOM = {"REELWAY_POLL_SHORTEST_SECONDS": "900", "REELWAY_POLL_LONGEST_SECONDS": "3600"}
PLACES = {
    "kling": "/kling",
    "bytedance": "/api/v3",
    "google": "",
    "minimax": "/minimax",
    "minimax with sound": "/minimax",
    "vidu": "",
}
"""By vendor, and by what is asked of it: where the sandbox plays it."""
REQUESTS = {
    "kling": {"model": "kling-video"},
    "bytedance": {"model": "doubao-seedance-1-5-pro-251215"},
    "google": {"model": "gemini-omni"},
    "minimax": {"model": "hailuo-video"},
    "minimax with sound": {"model": "hailuo-video", "seconds": "8"},
    "vidu": {"model": "viduq3-turbo", "seconds": "2"},
}


class CallingSandbox(Process):
    """The make-believe vendor, allowed to call loopback."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        environment = {
            "REELWAY_SANDBOX_RENDER_SECONDS": "0.5",
            "REELWAY_SANDBOX_DRAFT": "true",
            "REELWAY_PRIVATE_HOSTS": "127.0.0.1",
        }
        arguments = ["sandbox", "--port", str(self.port), "--data-dir", str(folder), "--key", KEY]
        super().__init__(arguments, environment, "listens on")
        self.url = f"http://127.0.0.1:{self.port}"

    def creates(self) -> int:
        """Return how many creates arrived."""
        return len(ask("GET", f"{self.url}/sandbox/requests").json["data"])


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallingSandbox]:
    """One for all."""
    sandbox = CallingSandbox(tmp_path_factory.mktemp("vendor"))
    yield sandbox
    sandbox.stop()


def gateway_of(folder: Path, vendor: CallingSandbox, name: str, **environment: str) -> Gateway:
    """Start a gateway whose only vendor this is, and which that vendor can reach."""
    port = free_port()
    settings = (
        f'[[account]]\nname = "vendor"\nvendor = "{name.split()[0]}"\nservice = "{"gemini-api" if name == "google" else ""}"\n'
        f'base_url = "{vendor.url}{PLACES[name]}"\nkey = "{KEY}"\n'
    )
    reachable = {"REELWAY_PUBLIC_URL": f"http://127.0.0.1:{port}", **SELDOM, **environment}
    return Gateway(folder, environment=reachable, settings=settings, port=port)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_video_is_finished_because_its_vendor_called(tmp_path: Path, vendor: CallingSandbox, name: str) -> None:
    """The next look of its own accord is a quarter of an hour away."""
    gateway = gateway_of(tmp_path, vendor, name)
    video = gateway.finished(gateway.create(**REQUESTS[name], prompt="a fox in snow")["id"])
    assert video["status"] == "completed", video.get("error")
    assert gateway.stop() == 0
    assert not any(re.search(r"/callbacks/", line) for line in gateway.lines)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_lost_answer_costs_one_create(tmp_path: Path, vendor: CallingSandbox, name: str) -> None:
    """The vendor took it and the answer was lost: what it calls about is adopted, and nothing is sent twice."""
    before = vendor.creates()
    gateway = gateway_of(tmp_path, vendor, name, REELWAY_LOOKUP_SECONDS="900")
    made = gateway.create(**REQUESTS[name], prompt=f"a fox in snow by {name} [[submit:lost_answer]]")
    video = gateway.finished(made["id"])
    assert video["status"] == "completed", video.get("error")
    assert vendor.creates() - before == 1
    assert gateway.stop() == 0


@pytest.mark.parametrize("fault", ["callback:twice", "callback:forged"])
@pytest.mark.parametrize("lost", ["", "[[submit:lost_answer]]"], ids=["answered", "lost"])
def test_a_call_that_is_repeated_or_forged_does_no_harm(
    tmp_path: Path, vendor: CallingSandbox, fault: str, lost: str
) -> None:
    """To the right address: one that says that it failed, one about a task nobody ordered, everything twice."""
    before = vendor.creates()
    gateway = gateway_of(tmp_path, vendor, "google", REELWAY_LOOKUP_SECONDS="1")
    video = gateway.finished(gateway.create(**REQUESTS["google"], prompt=f"a fox in snow {lost}[[{fault}]]")["id"])
    assert video["status"] == "completed", video
    assert vendor.creates() - before == 1
    assert gateway.stop() == 0


def test_another_gateway_calls_as_the_vendor_would(tmp_path: Path) -> None:
    """Its Kling dialect tells in Kling's words, signed and in order; our Kling adapter understands them."""
    far = Gateway(tmp_path / "far", environment={"REELWAY_PRIVATE_HOSTS": "127.0.0.1"})
    port = free_port()
    near = Gateway(
        tmp_path / "near",
        environment={"REELWAY_PUBLIC_URL": f"http://127.0.0.1:{port}", **SELDOM},
        settings=(
            f'[[account]]\nname = "far"\nvendor = "kling"\nbase_url = "{far.url}/kling"\nkey = "{KEY}"\n'
            'private_network = true\nmodels = { "*" = "{model}" }\n'
        ),
        port=port,
    )
    video = near.finished(near.create(**REQUESTS["kling"], prompt="a fox in snow")["id"])
    assert video["status"] == "completed", video.get("error")
    assert near.stop() == far.stop() == 0


@pytest.mark.parametrize("point", ["accepted", "heard_recorded", "heard_confirmed"])
def test_killed_around_a_call_it_goes_on(tmp_path: Path, vendor: CallingSandbox, point: str) -> None:
    """A vendor without a list: before the answer is written down, and at each step of adopting what a call named."""
    before = vendor.creates()
    fault = "" if point == "accepted" else "[[submit:lost_answer]]"
    dying = gateway_of(tmp_path, vendor, "google", REELWAY_LOOKUP_SECONDS="900", REELWAY_DIE_AT=point)
    made = dying.create(**REQUESTS["google"], prompt=f"a fox in snow, killed at {point} {fault}[[delay:3]]")
    assert dying.wait() == -9
    again = Gateway(
        tmp_path,
        environment={**SELDOM, "REELWAY_PUBLIC_URL": dying.url},
        settings=(tmp_path / "reelway.toml").read_text(),
        port=dying.port,
    )
    video = again.finished(made["id"])
    assert video["status"] == "completed", video.get("error")
    assert vendor.creates() - before == 1
    assert again.stop() == 0

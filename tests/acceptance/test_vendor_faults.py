"""What goes wrong at vendors, played by the sandbox in each vendor's own words: every adapter understands it, and pays once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.processes import KEY, Gateway, Sandbox, free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


class Road(NamedTuple):
    """One vendor's API: how it is reached, and the smallest thing to ask it for."""

    service: str
    base: str
    model: str
    fields: dict[str, Any]
    more: str = f'key = "{KEY}"'


ROADS = {
    "bytedance": Road("ark", "/api/v3", "doubao-seedance-1-0-pro-fast-251015", {"seconds": 2, "size": "480p"}),
    "google": Road("gemini-api", "", "gemini-omni", {"seconds": 3, "size": "360p"}),
    "kling": Road("current", "/kling", "kling-video", {"seconds": 3, "size": "720p"}),
    "vertex": Road(
        "vertex",
        "",
        "veo3.1-fast",
        {"seconds": 4, "size": "720p"},
        f'secrets = {{ access_token = "{KEY}" }}\nsettings = {{ project = "acme", location = "us-central1" }}',
    ),
}
FAULTS = {
    "": None,
    "[[fail:content_policy]]": "content_policy",
    "[[fail:vendor_error]]": "vendor_error",
    "[[moderation]]": "content_policy",
    "[[refuse:insufficient_quota]]": "insufficient_quota",
    "[[refuse:authentication]]": "authentication",
    "[[refuse:permission]]": "permission",
    "[[refuse:model_not_found]]": "model_not_found",
    "[[rate:429x2]]": None,
    "[[submit:slow:2]]": None,
    "[[submit:lost_answer]]": None,
    "[[submit:lost_answer]] [[callback:forged]] [[delay:2]]": None,
    "[[poll:500x3]]": None,
    "[[poll:oddx3]]": None,
    "[[result:truncatedx1]]": None,
    "[[result:missing]]": "vendor_error",
    "[[callback:twice]]": None,
    "[[callback:late:1]]": None,
    "[[callback:forged]] [[delay:2]]": None,
}
"""What is asked of the sandbox, and what becomes of the video: None where it is made all the same."""

FOR_SOME = {
    ("vertex", "[[submit:lost_answer]]"): "submission_unknown",
    ("vertex", "[[submit:lost_answer]] [[callback:forged]] [[delay:2]]"): "submission_unknown",
}
"""Vertex AI has no list and calls nobody back: a lost answer stays lost there."""


class Story(NamedTuple):
    videos: dict[tuple[str, str], dict[str, Any]]
    creates: list[dict[str, Any]]
    callbacks: list[dict[str, Any]]


def account(vendor: str, road: Road, sandbox: Sandbox) -> str:
    return (
        f'[[account]]\nname = "{vendor}"\nvendor = "{vendor}"\nservice = "{road.service}"\n'
        f'base_url = "{sandbox.url}{road.base}"\nprivate_network = true\nmodels = ["{road.model}"]\n{road.more}\n'
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Ask every vendor for a video with every fault, and wait for the end of it."""
    folder, port = tmp_path_factory.mktemp("faults"), free_port()
    with Sandbox(folder / "sandbox", environment={"REELWAY_PRIVATE_HOSTS": "127.0.0.1"}) as sandbox:
        settings = "".join(account(vendor, road, sandbox) for vendor, road in ROADS.items())
        public = {"REELWAY_PUBLIC_URL": f"http://127.0.0.1:{port}", "REELWAY_CALLBACK_WAIT_SECONDS": "10"}
        with Gateway(folder / "gateway", port=port, settings=settings, environment=public) as gateway:
            made = {
                (vendor, fault): gateway.create(model=road.model, prompt=f"a kite, {vendor} {fault}", **road.fields)
                for vendor, road in ROADS.items()
                for fault in FAULTS
            }
            videos = {key: gateway.finished(video["id"]) for key, video in made.items()}
            yield Story(videos, sandbox.creates(), sandbox.callbacks())


def test_every_fault_is_understood(story: Story) -> None:
    """Each ends as it must: made all the same, or failed with the kind that was meant."""
    ended = {key: (video["error"] or {}).get("code") for key, video in story.videos.items()}
    expected = {(vendor, fault): FOR_SOME.get((vendor, fault), FAULTS[fault]) for vendor, fault in ended}
    assert ended == expected


def test_no_video_is_made_twice(story: Story) -> None:
    """Whatever was lost, refused or forged: one video for each, and nothing is sent that its model does not take."""
    made = Counter(one["prompt"] for one in story.creates if one["outcome"] in ("accepted", "lost_answer"))
    assert set(made.values()) == {1}
    assert [one for one in story.creates if one["warnings"]] == []


def test_every_callback_was_taken(story: Story) -> None:
    """True, forged, doubled and late ones are all answered with 200: nothing a caller could learn from."""
    assert {one["outcome"] for one in story.callbacks} == {"http_200"}
    assert any(one["forged"] for one in story.callbacks)

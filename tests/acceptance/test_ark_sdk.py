"""ByteDance's own client for Ark, unmodified, against a real gateway that has its videos made through Ark's API by the sandbox."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.judges import run_judge
from tests.acceptance.processes import KEY, Gateway, Sandbox, ask
from tests.acceptance.proxy import Loss, LossyProxy

pytestmark = pytest.mark.acceptance

PRO = "doubao-seedance-1-0-pro-250528"
DRAFTS = "doubao-seedance-1-5-pro-251215"
NEWEST = "doubao-seedance-2-0-260128"
PAINTS_NOTHING = "[[fail:vendor_error]]"
"""For videos that nobody will look at."""


class World(NamedTuple):
    gateway: Gateway
    vendor: Sandbox

    def calls(self, *calls: Any, url: str | None = None, key: str = KEY, **environment: str) -> list[Any]:
        """Return what the client got for each call."""
        address = {"ARK_BASE_URL": f"{url or self.gateway.url}/api/v3", "ARK_API_KEY": key, **environment}
        given: list[Any] = run_judge("ark", "ark.py", json.dumps(calls), environment=address)
        return given

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with an account at Ark, which the sandbox plays."""
    with Sandbox(tmp_path_factory.mktemp("vendor")) as vendor:
        settings = (
            f'[[account]]\nname = "ark"\nvendor = "bytedance"\nservice = "ark"\n'
            f'base_url = "{vendor.url}/api/v3"\nkey = "{KEY}"\n'
        )
        with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as gateway:
            yield World(gateway, vendor)


def text(prompt: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": prompt}]


def create(prompt: str, model: str = PRO, **fields: Any) -> list[Any]:
    return ["create", {"model": model, "content": text(prompt), **fields}]


@pytest.mark.proves("bytedance", "submit", "check", "delete", "find", client="volcengine-ark-runtime")
def test_a_task_is_created_followed_fetched_listed_and_deleted(world: World) -> None:
    """With the vendor's numbers: pixels, length, tokens, times in seconds, and both links."""
    prompt = "a paper lantern drifts over a dark lake"
    made, task, page, deleted, gone = world.calls(
        create(
            prompt,
            resolution="480p",
            ratio="9:16",
            duration=3,
            seed=73110247,
            camera_fixed=True,
            watermark=False,
            return_last_frame=True,
            safety_identifier="u-4c1d9e",
            execution_expires_after=7417,
        ),
        ["poll", {"task_id": {"from": 0}}],
        ["list", {"page_num": 1, "page_size": 2, "task_ids": [{"from": 0}]}],
        ["delete", {"task_id": {"from": 0}}],
        ["get", {"task_id": {"from": 0}}],
    )
    assert made["id"].startswith("video_")
    assert made["safety_identifier"] == "u-4c1d9e"
    assert task["states"][-1] == "succeeded"
    assert set(task["states"]) <= {"queued", "running", "succeeded"}
    wanted = {
        "id": made["id"],
        "model": PRO,
        "seed": 73110247,
        "resolution": "480p",
        "ratio": "9:16",
        "duration": 3,
        "framespersecond": 24,
        "service_tier": "default",
        "execution_expires_after": 7417,
        "safety_identifier": "u-4c1d9e",
    }
    assert {name: task.get(name) for name in wanted} == wanted
    assert task["usage"] == {"completion_tokens": 29565, "total_tokens": 29565}  # 480 x 864 x 73 / 1024
    assert task["created_at"] <= task["updated_at"] < task["created_at"] + 60
    assert (page["total"], [item["id"] for item in page["items"]]) == (1, [made["id"]])
    assert page["items"][0]["content"].keys() == {"video_url", "last_frame_url"}
    assert (deleted.get("id"), gone["raised"], gone["status"]) == (None, "ArkNotFoundError", 404)
    (seen,) = world.seen(prompt)
    assert (seen["seconds"], seen["outcome"]) == (3, "accepted")


def test_both_links_lead_to_their_files_without_a_key(world: World) -> None:
    """Ark's links are signed by themselves, and so are ours."""
    _, task = world.calls(
        create("links", resolution="480p", ratio="1:1", duration=2, return_last_frame=True),
        ["poll", {"task_id": {"from": 0}}],
    )
    video = ask("GET", task["content"]["video_url"], key=None)
    frame = ask("GET", task["content"]["last_frame_url"], key=None)

    assert (video.status, video.headers["content-type"]) == (200, "video/mp4")
    film = probe(video.body)
    assert (film.width, film.height) == (640, 640)
    assert (frame.status, frame.body[:4]) == (200, b"\x89PNG")


def test_a_job_made_here_is_read_in_our_own_words(world: World) -> None:
    """The same video, its price settled by the tokens that the vendor counted."""
    _, task = world.calls(
        create("in two tongues", resolution="480p", ratio="16:9", duration=2),
        ["poll", {"task_id": {"from": 0}}],
    )
    video = world.gateway.ask("GET", f"/v1/videos/{task['id']}").json

    assert (video["status"], video["model"], video["size"]) == ("completed", PRO, "864x480")
    # 864 x 480 x 49 / 1024 = 19845 tokens at 2.5 dollars a million; the quote knows of 48 frames.
    assert task["usage"]["completion_tokens"] == 19845
    assert video["cost"] == {"currency": "USD", "reserved": "0.0486", "settled": "0.049613"}


def test_pictures_go_in_as_addresses_of_data_with_their_roles(world: World) -> None:
    """The vendor gets these very bytes, as what they were given for."""
    shot = picture(1280, 720)
    uri = f"data:image/png;base64,{base64.b64encode(shot).decode()}"
    frames = [{"type": "image_url", "image_url": {"url": uri}, "role": role} for role in ("first_frame", "last_frame")]
    references = [{"type": "image_url", "image_url": {"url": uri}, "role": "reference_image"}]
    prompts = {f"two frames {PAINTS_NOTHING}": frames, f"a reference [Image 1] {PAINTS_NOTHING}": references}
    world.calls(
        *(
            call
            for number, (prompt, items) in enumerate(prompts.items())
            for call in (
                ["create", {"model": NEWEST, "content": [*text(prompt), *items], "generate_audio": False}],
                ["poll", {"task_id": {"from": 2 * number}}],
            )
        )
    )
    digest = hashlib.sha256(shot).hexdigest()
    roles = {
        prompt: [(given["role"], given["sha256"]) for given in world.seen(prompt)[0]["references"]]
        for prompt in prompts
    }
    assert list(roles.values()) == [
        [("first_frame", digest), ("last_frame", digest)],
        [("reference", digest)],
    ]


def test_a_draft_becomes_the_video_it_is_a_draft_of(world: World) -> None:
    """By our id of it; the vendor is given its own."""
    _, draft, _, video = world.calls(
        create("a draft", DRAFTS, draft=True, resolution="480p", ratio="16:9", duration=4, generate_audio=False),
        ["poll", {"task_id": {"from": 0}}],
        [
            "create",
            {
                "model": DRAFTS,
                "content": [{"type": "draft_task", "draft_task": {"id": {"from": 0}}}],
                "resolution": "720p",
            },
        ],
        ["poll", {"task_id": {"from": 2}}],
    )
    assert (draft["status"], draft["draft"], draft["resolution"]) == ("succeeded", True, "480p")
    assert (video["status"], video["draft_task_id"], video["resolution"]) == ("succeeded", draft["id"], "720p")


def test_a_failure_and_a_refusal_have_the_vendors_shape(world: World) -> None:
    """The client raises its own exceptions, once each: none of these is worth repeating."""
    _, failed, *refused = world.calls(
        create("broken [[fail:content_policy]]"),
        ["poll", {"task_id": {"from": 0}}],
        create("too long", duration=13),
        create("flex", NEWEST, service_tier="flex"),
        create("nobody", "ep-20261120180001-a1b2c"),
        create("a word", resolution="900p"),
        ["create", {"model": PRO, "content": []}],
        ["create", {"model": PRO, "content": text("x"), "extra_body": {"fps": 24}}],
        ["get", {"task_id": "cgt-20261120180001-a1b2c"}],
    )
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "OutputVideoSensitiveContentDetected"
    found = [(error["raised"], error["code"], error["param"]) for error in refused]
    assert found == [
        ("ArkBadRequestError", "InvalidParameter", "duration"),
        ("ArkBadRequestError", "InvalidParameter", "service_tier"),
        ("ArkNotFoundError", "InvalidEndpointOrModel.NotFound", "model"),
        ("ArkBadRequestError", "InvalidParameter", "resolution"),
        ("ArkBadRequestError", "MissingParameter", "content"),
        ("ArkBadRequestError", "InvalidParameter.UnsupportedParameter", "fps"),
        ("ArkNotFoundError", "NotFound.id", "video_id"),
    ]
    assert all(re.search(r"Request id: req_\w+", error["message"]) for error in refused)


def test_a_wrong_key_is_no_key(world: World) -> None:
    """As Ark says it."""
    (refused,) = world.calls(create("nothing"), key="ark-of-somebody-else")

    assert (refused["raised"], refused["code"], refused["type"]) == (
        "ArkAuthenticationError",
        "AuthenticationError",
        "Unauthorized",
    )


def test_running_tasks_are_not_deleted(world: World) -> None:
    """DELETE ends a queued task, destroys a finished one, and is refused for a running one, at once and without repeating."""
    made, running, refused = world.calls(
        create("long [[delay:6]]", duration=2, resolution="480p"),
        ["poll", {"task_id": {"from": 0}, "until": "running"}],
        ["delete", {"task_id": {"from": 0}}],
    )
    assert running["status"] == "running"
    assert (refused["raised"], refused["code"]) == ("ArkConflictError", "OperationDenied.InvalidState")
    assert world.gateway.finished(made["id"])["status"] == "completed"


def test_lists_tell_states_apart(world: World) -> None:
    """By Ark's words, page by page, with the number of all."""
    _, _, failed, cancelled, pages = world.calls(
        create(f"listed {PAINTS_NOTHING}"),
        ["poll", {"task_id": {"from": 0}}],
        ["list", {"status": "failed", "task_ids": [{"from": 0}]}],
        ["list", {"status": "cancelled", "task_ids": [{"from": 0}]}],
        ["list", {"page_num": 2, "page_size": 1}],
    )
    assert (failed["total"], cancelled["total"]) == (1, 0)
    assert len(pages["items"]) == 1
    assert pages["total"] > 1


def test_a_create_that_the_vendor_never_answered_is_found_by_its_mark(world: World) -> None:
    """Among tasks that ask for the very same: the list repeats what was drawn for each attempt alone."""
    prompts = [f"twins {word}" for word in ("", "[[submit:lost_answer]]", "")]
    made = [world.gateway.create(model=PRO, prompt=prompt, seconds=2, resolution="480p") for prompt in prompts]

    assert [world.gateway.finished(video["id"])["status"] for video in made] == ["completed"] * 3
    assert [len(world.seen(prompt)) for prompt in set(prompts)] in ([1, 2], [2, 1])


# --- its own retries


@pytest.mark.parametrize("loss", ["reset", "close", "half", "silence", "502"])
def test_a_lost_answer_is_given_again(world: World, loss: Loss) -> None:
    """The client sends again by itself, without any sign of it: one video, one submit."""
    prompt = f"a lost answer: {loss} {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, loss=loss) as proxy:
        patience = {"ARK_TIMEOUT": "3"} if loss == "silence" else {}
        made, task = world.calls(
            ["raw_create", {"model": PRO, "content": text(prompt)}],
            ["poll", {"task_id": {"from": 0}}],
            url=proxy.url,
            **patience,
        )
        assert proxy.creates == ["-", "-"]
    assert made["headers"]["idempotent-replayed"] == "true"
    assert (task["id"], task["status"]) == (made["id"], "failed")
    assert len(world.seen(prompt)) == 1


def test_two_lost_answers_are_one_task_too(world: World) -> None:
    """The third sending gets through."""
    prompt = f"lost twice {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, losses=2) as proxy:
        world.calls(create(prompt), ["poll", {"task_id": {"from": 0}}], url=proxy.url)
        assert proxy.creates == ["-", "-", "-"]
    assert len(world.seen(prompt)) == 1


def test_equal_creates_that_are_no_repetition_are_tasks_of_their_own(world: World) -> None:
    """All at once, one after another, and again after a look at the first."""
    prompts = [f"{word} {PAINTS_NOTHING}" for word in ("together", "looked at")]
    rows = [f"in a row {number} {PAINTS_NOTHING}" for number in range(5)]
    at_once, looked, _, again, *_ = world.calls(
        ["together", {"times": 3, "create": create(prompts[0])[1]}],
        create(prompts[1]),
        ["poll", {"task_id": {"from": 1}}],
        create(prompts[1]),
        *(create(row) for row in rows for _ in range(2)),
    )
    assert len({task["id"] for task in at_once}) == 3
    assert looked["id"] != again["id"]
    for task in (*at_once, again):
        world.gateway.finished(task["id"])
    assert [len(world.seen(prompt)) for prompt in prompts] == [3, 2]
    # On a busy machine the second of a row may come so late that it must be taken for a repetition.
    assert max(len(world.seen(row)) for row in rows) == 2

"""Alibaba's own client for DashScope, unmodified, against a real gateway that has its videos made through DashScope's API by the
sandbox."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.judges import run_judge
from tests.acceptance.processes import KEY, Gateway, Sandbox, ask
from tests.acceptance.proxy import Loss, LossyProxy

pytestmark = pytest.mark.acceptance

TEXT, IMAGE, REFERENCES = (f"happyhorse-1.0-{kind}" for kind in ("t2v", "i2v", "r2v"))
SMALL = {"resolution": "480P", "ratio": "1:1", "duration": 3}
PAINTS_NOTHING = "[[fail:vendor_error]]"
"""For videos that nobody will look at."""


class World(NamedTuple):
    gateway: Gateway
    vendor: Sandbox

    def calls(self, *calls: Any, url: str | None = None, key: str = KEY, **environment: str) -> list[Any]:
        """Return what the client got for each call."""
        address = f"{url or self.gateway.url}/api/v1"
        given: list[Any] = run_judge(
            "dashscope",
            "dashscope_videos.py",
            json.dumps(calls),
            environment={
                "DASHSCOPE_API_KEY": key,
                "DASHSCOPE_BASE_URL": address,
                "DASHSCOPE_HTTP_BASE_URL": address,
                "DASHSCOPE_CONFIG": "/nowhere",
                **environment,
            },
        )
        return given

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with an account at DashScope, which the sandbox plays."""
    with Sandbox(tmp_path_factory.mktemp("vendor")) as vendor:
        settings = (
            f'[[account]]\nname = "dashscope"\nvendor = "alibaba"\n'
            f'base_url = "{vendor.url}/api/v1"\nkey = "{KEY}"\nprivate_network = true\n'
        )
        with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as gateway:
            yield World(gateway, vendor)


def create(prompt: str, model: str = TEXT, form: str = "new", **fields: Any) -> list[Any]:
    return [form, "create" if form == "new" else "async_call", {"model": model, "prompt": prompt, **SMALL, **fields}]


def poll(call: int, form: str = "new") -> list[Any]:
    return [form, "poll", {"task_id": {"from": call}}]


@pytest.mark.proves("alibaba", "submit", "check", "find", client="dashscope 2.0.2")
@pytest.mark.parametrize("form", ["new", "old"])
def test_a_task_is_created_followed_fetched_and_listed(world: World, form: str) -> None:
    """With the vendor's states, seconds and times, in either form of its client."""
    prompt = f"a paper boat crosses a rain puddle, {form}"
    made, task, page = world.calls(
        create(prompt, form=form, seed=4711, watermark=True),
        poll(0, form),
        [form, "list", {"model_name": TEXT, "status": "SUCCEEDED", "page_size": 50}],
    )
    assert (made["task_id"][:6], made["status"]) == ("video_", "PENDING")
    assert task["states"][-1] == "SUCCEEDED"
    assert set(task["states"]) <= {"PENDING", "RUNNING", "SUCCEEDED"}
    assert task["output"]["orig_prompt"] == prompt
    wanted = {"duration": 3, "input_video_duration": 0, "output_video_duration": 3, "SR": 480, "ratio": "1:1"}
    assert {name: task["usage"].get(name) for name in wanted} == wanted
    rows = page["tasks"] if form == "new" else page["output"]["data"]
    assert made["task_id"] in [row["task_id"] for row in rows]
    (seen,) = world.seen(prompt)
    assert (seen["seconds"], seen["outcome"], seen["warnings"]) == (3, "accepted", [])
    film = probe(ask("GET", task["output"]["video_url"], key=None).body)
    assert (film.width, film.height, film.has_audio) == (480, 480, True)


@pytest.mark.parametrize("form", ["new", "old"])
def test_its_own_waiting_ends_with_the_video(world: World, form: str) -> None:
    """The client looks by itself; a task that is not there ends its waiting at once."""
    _, task, unknown = world.calls(
        create(f"waited for, {form}", form=form),
        [form, "wait", {"task_id": {"from": 0}}],
        [form, "wait", {"task_id": "1f0c6a52-77d1-4b1e-9a55-3c2f5f1c0a01"}],
    )
    assert task["status"] == "SUCCEEDED"
    assert task["output"]["video_url"].startswith(world.gateway.url)
    assert unknown["status"] == "UNKNOWN"


def test_a_job_made_here_is_read_in_our_own_words(world: World) -> None:
    """The same video, its price settled by the seconds that the vendor counted: 3 at 0.90 yuan, of 0.145 dollars each."""
    _, task = world.calls(create("in two tongues"), poll(0))
    video = world.gateway.ask("GET", f"/v1/videos/{task['task_id']}").json

    assert (video["status"], video["model"], video["size"]) == ("completed", TEXT, "480x480")
    assert video["cost"] == {"currency": "USD", "reserved": "0.3915", "settled": "0.3915"}


def test_pictures_go_in_with_their_types(world: World) -> None:
    """The vendor gets these very bytes, as what they were given for, also from the field that older models have."""
    shot = picture(1280, 720)
    uri = f"data:image/png;base64,{base64.b64encode(shot).decode()}"
    followed = {"resolution": "480P", "ratio": None, "duration": 3}
    calls = {
        f"a frame {PAINTS_NOTHING}": (IMAGE, {**followed, "media": [{"type": "first_frame", "url": uri}]}),
        f"an older field {PAINTS_NOTHING}": (IMAGE, {**followed, "image_url": uri}),
        f"[Image 1] {PAINTS_NOTHING}": (REFERENCES, {"media": [{"type": "reference_image", "url": uri}]}),
    }
    world.calls(
        *(
            call
            for number, (prompt, (model, fields)) in enumerate(calls.items())
            for call in (create(prompt, model, **fields), poll(2 * number))
        )
    )
    roles = [[(given["role"], given["sha256"]) for given in world.seen(prompt)[0]["references"]] for prompt in calls]
    digest = hashlib.sha256(shot).hexdigest()
    assert roles == [[("first_frame", digest)], [("first_frame", digest)], [("reference", digest)]]


@pytest.mark.proves("alibaba", "cancel", client="dashscope 2.0.2")
@pytest.mark.parametrize("form", ["new", "old"])
def test_what_waits_is_cancelled(world: World, form: str) -> None:
    """Asked without a gateway in between, the sandbox has it wait for as long as it is told to."""
    _, _, task = world.calls(
        create(f"late [[delay:100]], {form}", form=form),
        [form, "cancel", {"task_id": {"from": 0}}],
        [form, "fetch", {"task_id": {"from": 0}}],
        url=world.vendor.url,
    )
    assert task["status"] == "CANCELED"


@pytest.mark.parametrize("form", ["new", "old"])
def test_what_is_being_made_is_not_cancelled(world: World, form: str) -> None:
    """In the vendor's word for it, and the video is finished."""
    made, _, refused, nobody = world.calls(
        create(f"long [[delay:3]], {form}", form=form),
        ["new", "sleep", {"seconds": 1}],
        [form, "cancel", {"task_id": {"from": 0}}],
        [form, "cancel", {"task_id": "nobody"}],
    )
    assert (refused["code"], nobody["code"]) == ("UnsupportedOperation", "UnsupportedOperation")
    assert world.gateway.finished(made["task_id"])["status"] == "completed"


def test_a_failure_and_a_refusal_have_the_vendors_shape(world: World) -> None:
    """The client raises its own exceptions, once each: none of these is worth repeating."""
    _, failed, *refused = world.calls(
        create("broken [[fail:content_policy]]"),
        poll(0),
        create("too long", duration=16),
        create("a shape", ratio="2:1"),
        create("nobody", "happyhorse-9.9-t2v"),
        create("a last frame", IMAGE, media=[{"type": "last_frame", "url": "https://a.example/a.png"}]),
        create("a sound", IMAGE, media=[{"type": "driving_audio", "url": "https://a.example/a.mp3"}]),
        create("numbers", parameters={"seed": "7"}),
    )
    assert (failed["raised"], failed["code"]) == ("ContentFilterError", "DataInspectionFailed")
    assert [(error["raised"], error["code"], error["status"]) for error in refused] == [
        ("BadRequestError", "InvalidParameter", 400),
        ("BadRequestError", "InvalidParameter", 400),
        ("NotFoundError", "ModelNotFound", 404),
        ("BadRequestError", "InvalidParameter", 400),
        ("BadRequestError", "InvalidParameter", 400),
        ("BadRequestError", "InvalidParameter", 400),
    ]
    assert all(error["request_id"].startswith("req_") for error in refused)
    assert "parameters.duration" in refused[0]["message"]


@pytest.mark.parametrize("form", ["new", "old"])
def test_a_wrong_key_is_no_key(world: World, form: str) -> None:
    """As DashScope says it."""
    (refused,) = world.calls(create("nothing", form=form), key="sk-of-somebody-else")

    assert refused["code"] == "InvalidApiKey"
    assert refused["raised" if form == "new" else "status_code"] == ("AuthenticationError" if form == "new" else 401)


# --- its own retries


@pytest.mark.parametrize("loss", ["reset", "close", "half", "silence", "502"])
def test_a_lost_answer_is_given_again(world: World, loss: Loss) -> None:
    """The client sends again by itself, without any sign of it: one video, one submit."""
    prompt = f"a lost answer: {loss} {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, loss=loss) as proxy:
        patience = {"JUDGE_TIMEOUT": "3"} if loss == "silence" else {}
        made, task = world.calls(create(prompt), poll(0), url=proxy.url, **patience)
        assert proxy.creates == ["-", "-"]
    assert made["task_id"].startswith("video_")
    assert task["raised"] == "InternalServerError"
    assert len(world.seen(prompt)) == 1


def test_two_lost_answers_are_one_task_too(world: World) -> None:
    """The third sending gets through."""
    prompt = f"lost twice {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port, losses=2) as proxy:
        world.calls(create(prompt), poll(0), url=proxy.url)
        assert proxy.creates == ["-", "-", "-"]
    assert len(world.seen(prompt)) == 1


def test_the_older_form_repeats_too_soon_to_be_told_from_another_take(world: World) -> None:
    """Once, at once, and only when the connection breaks: that one makes a second video, as the decision about it says."""
    prompt = f"sent twice at once {PAINTS_NOTHING}"
    with LossyProxy(world.gateway.port) as proxy:
        (made,) = world.calls(create(prompt, form="old"), url=proxy.url)
        assert proxy.creates == ["-", "-"]
    world.gateway.finished(made["task_id"])
    assert len(world.seen(prompt)) == 2


def test_equal_creates_that_are_no_repetition_are_tasks_of_their_own(world: World) -> None:
    """All at once, one after another, and again after a look at the first."""
    prompts = [f"{word} {PAINTS_NOTHING}" for word in ("together", "looked at")]
    rows = [f"in a row {number} {PAINTS_NOTHING}" for number in range(5)]
    at_once, looked, _, again, *_ = world.calls(
        ["new", "together", {"times": 3, "create": create(prompts[0])[2]}],
        create(prompts[1]),
        poll(1),
        create(prompts[1]),
        *(create(row) for row in rows for _ in range(2)),
    )
    assert len({task["task_id"] for task in at_once}) == 3
    assert looked["task_id"] != again["task_id"]
    for task in (*at_once, again):
        world.gateway.finished(task["task_id"])
    assert [len(world.seen(prompt)) for prompt in prompts] == [3, 2]
    # On a busy machine the second of a row may come so late that it must be taken for a repetition.
    assert max(len(world.seen(row)) for row in rows) == 2

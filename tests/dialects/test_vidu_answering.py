"""What the Vidu dialect answers: tasks, lists, callbacks, cancels, and errors under Vidu's names."""

from typing import Any

import msgspec
import pytest
from tests.dialects.vidu_calls import ENDPOINTS, read

from reelway.core.errors import (
    AuthenticationRequired,
    BudgetExceeded,
    CallerError,
    Conflict,
    InvalidRequest,
    MediaUnreadable,
    NoRoute,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Cost, Mode, Output, RequestWarning, Video
from reelway.dialects.spec import Answer, CancelVideo, Deleted, ReadVideo, VideoPage
from reelway.dialects.vidu import key_of, make_dialect, render_error
from reelway.mounting.exchange import InternalError, StorageRefused

LINK = "https://gw.example.test/v1/videos/video_1/content?expires=1&signature=0"
TASKS = "/ent/v2/tasks"
LOOK = f"{TASKS}/{{id}}/creations"
CANCEL = f"{TASKS}/{{id}}/cancel"


def video(status: Status = Status.COMPLETED, **changes: Any) -> Video:
    """Return a video of 5 seconds; finished with one output unless another status is wanted."""
    plain = Video(
        id="video_1",
        model="viduq3-turbo",
        status=status,
        progress=0,
        created_at=1795339771.25,
        prompt="A boat",
        mode=Mode.T2V,
        seconds="5.042" if status is Status.COMPLETED else "5",
        ratio="16:9",
        tier="720p",
        seed=7,
        audio=True,
        options={"off_peak": False, "watermark": False},
        tags={"payload": "gw:1"},
        outputs=(output(),) if status is Status.COMPLETED else (),
        cost=Cost(reserved="0.75", settled="0.30" if status is Status.COMPLETED else None),
    )
    return plain.evolve(**changes)


def output(index: int = 0, seconds: float = 5.0416) -> Output:
    return Output(
        index=index,
        seconds=seconds,
        width=1280,
        height=720,
        fps=24.0,
        bytes=1,
        sha256="0",
        has_audio=True,
        url=LINK,
    )


def shown(answer: Answer, method: str = "GET", path: str = LOOK) -> Any:
    return msgspec.json.decode(msgspec.json.encode(ENDPOINTS[method, path].render(answer).body))


# --- tasks


def test_a_create_is_answered_with_what_was_asked() -> None:
    """The shape of the sheet's golden example A; the credits are what is set aside."""
    assert shown(video(Status.QUEUED), "POST", "/ent/v2/text2video") == {
        "task_id": "video_1",
        "type": "text2video",
        "state": "created",
        "model": "viduq3-turbo",
        "prompt": "A boat",
        "duration": 5,
        "seed": 7,
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "movement_amplitude": "auto",
        "audio": True,
        "watermark": False,
        "payload": "gw:1",
        "off_peak": False,
        "credits": 150,
        "created_at": "2026-11-22T09:29:31.250000Z",
    }


def test_a_finished_task_shows_its_file() -> None:
    """And the credits that were charged."""
    assert shown(video()) == {
        "id": "video_1",
        "state": "success",
        "err_code": "",
        "credits": 60,
        "payload": "gw:1",
        "bgm": False,
        "off_peak": False,
        "creations": [{"id": "video_1", "url": LINK, "cover_url": "", "watermarked_url": ""}],
    }


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.QUEUED, "queueing"),
        (Status.IN_PROGRESS, "processing"),
        (Status.COMPLETED, "success"),
        (Status.FAILED, "failed"),
    ],
)
def test_every_status_has_its_word(status: Status, word: str) -> None:
    """A repeated create of a finished video says so too; only one that waits is `created`."""
    assert shown(video(status))["state"] == word
    said = shown(video(status), "POST", "/ent/v2/text2video")["state"]
    assert said == ("created" if status is Status.QUEUED else word)


def test_success_without_a_video_is_shown_as_it_is() -> None:
    """The oddity that the sandbox plays."""
    assert shown(video(outputs=()))["creations"] == []


def test_the_marked_copy_is_both_copies() -> None:
    """Whoever asked for the mark finds it under either name."""
    (creation,) = shown(video(options={"watermark": True}))["creations"]

    assert creation["url"] == creation["watermarked_url"] == LINK


def test_the_payload_of_another_dialect_is_its_reference() -> None:
    """A job made elsewhere can be read here."""
    assert shown(video(tags={}, client_reference="ref-1"))["payload"] == "ref-1"
    assert shown(video(tags={}))["payload"] == ""


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({}, 60),
        ({"cost": Cost(settled="0.302")}, 61),
        ({"cost": Cost(settled="0.00")}, 0),
        ({"cost": Cost(), "usage": {"credits": "75"}}, 75),
        ({"cost": Cost(), "usage": {"credits": "7.5"}}, 8),
        ({"cost": Cost(reserved="0.75")}, 0),
        ({"cost": Cost(currency="EUR", settled="0.30")}, 0),
    ],
)
def test_what_it_cost_is_told_in_whole_credits(changes: dict[str, Any], amount: int) -> None:
    """Half a cent each: what is charged here, else what a vendor counted, and nothing while that is open."""
    assert shown(video(**changes))["credits"] == amount


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FailureKind.CONTENT_POLICY, "CreationPolicyViolation"),
        (FailureKind.CANCELLED, "UserCancelled"),
        (FailureKind.INVALID_REQUEST, "FieldInvalid"),
        (FailureKind.INSUFFICIENT_QUOTA, "CreditInsufficient"),
        (FailureKind.TIMED_OUT, "InternalServiceFailure"),
        (FailureKind.PERMISSION, "InternalServiceFailure"),
    ],
)
def test_a_failed_task_has_vidus_name_and_our_words(kind: FailureKind, name: str) -> None:
    """What only concerns our keys and routes is Vidu's own failure; nothing is charged."""
    task = shown(video(Status.FAILED, failure=Failure(kind=kind, message="Not this.")))

    assert (task["err_code"], task["message"], task["credits"], task["creations"]) == (name, "Not this.", 0, [])
    assert shown(video(Status.FAILED))["err_code"] == "InternalServiceFailure"


def test_warnings_stand_beside_the_create() -> None:
    """Nothing is dropped in silence."""
    warned = video(Status.QUEUED, warnings=(RequestWarning(field="bgm", message="was left out"),))

    assert shown(warned, "POST", "/ent/v2/text2video")["warnings"] == ["bgm: was left out"]


def test_a_callback_is_the_task() -> None:
    """As a look shows it."""
    render = make_dialect().render_callback

    assert render is not None
    assert render(video()) == shown(video())


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({}, "150"),
        ({"tier": "540p"}, "70"),
        ({"tier": "1080p", "options": {"off_peak": True}}, "80"),
        ({"options": {"is_rec": True}}, "160"),
        ({"outputs": (output(seconds=7.0),), "tier": "540p", "options": {"off_peak": True}}, "49"),
    ],
)
def test_the_sandbox_counts_by_vidus_table(changes: dict[str, Any], amount: str) -> None:
    """Of whole seconds, half of it off-peak, and ten for a recommended prompt."""
    usage_of = make_dialect().manners.usage_of

    assert usage_of is not None
    assert usage_of(video(**changes)) == {"credits": amount}


# --- lists


def test_a_page_shows_tasks_with_what_was_asked_and_made() -> None:
    """Its token leads on."""
    page = VideoPage(videos=(video(), video(Status.QUEUED, id="video_0")), has_more=True)
    body = shown(page, "GET", TASKS)

    assert body["next_page_token"] == "video_0"
    assert [task["id"] for task in body["tasks"]] == ["video_1", "video_0"]
    assert body["tasks"][0]["payload"] == "gw:1"
    assert body["tasks"][0]["created_at"] == "2026-11-22T09:29:31.250000Z"
    assert body["tasks"][0]["creations"][0]["video"] == {
        "duration": 5.042,
        "fps": 24,
        "resolution": {"width": 1280, "height": 720},
    }
    assert shown(VideoPage(videos=(video(),), has_more=False), "GET", TASKS)["next_page_token"] == ""


# --- looks and cancels


def test_a_look_is_for_one_task() -> None:
    """By our id."""
    assert read("GET", LOOK, id="video_1") == ReadVideo(id="video_1")


@pytest.mark.parametrize("body", [None, {}, {"id": "video_1"}])
def test_a_cancel_may_repeat_the_id(body: Any) -> None:
    """The vendor's page has it in the body, a public client has not."""
    assert read("POST", CANCEL, json=body, id="video_1") == CancelVideo(id="video_1")
    assert shown(video(Status.FAILED), "POST", CANCEL) == {}


@pytest.mark.parametrize("body", [{"id": "video_2"}, {"force": True}])
def test_a_cancel_of_something_else_is_refused(body: Any) -> None:
    """Nobody can tell which is meant."""
    with pytest.raises(InvalidRequest):
        read("POST", CANCEL, json=body, id="video_1")


@pytest.mark.parametrize("path", ["multiframe", "extend", "upscale-new", "template2video"])
def test_other_paths_of_vidus_say_what_there_is(path: str) -> None:
    """Instead of a page that is not found."""
    with pytest.raises(NotFound, match="text2video"):
        read("POST", f"/ent/v2/{path}", json={})


def test_answers_of_another_kind_are_a_mistake_of_ours() -> None:
    """Never rendered as something they are not."""
    with pytest.raises(TypeError):
        shown(Deleted(id="x"))
    with pytest.raises(TypeError):
        shown(video(), "GET", TASKS)


# --- errors


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (InvalidRequest("no", code="missing_required_parameter"), 400, "FieldLacking"),
        (InvalidRequest("no", code="unsupported_parameter"), 400, "FieldUnwanted"),
        (InvalidRequest("no", code="too_many_inputs"), 400, "FieldItemCountOutOfRange"),
        (InvalidRequest("no", code="invalid_json"), 400, "BadRequest"),
        (InvalidRequest("no"), 400, "FieldInvalid"),
        (MediaUnreadable("no"), 400, "ImageFormatInvalid"),
        (AuthenticationRequired("no"), 401, "Unauthorized"),
        (PermissionDenied("no"), 403, "Forbidden"),
        (BudgetExceeded("no"), 400, "CreditInsufficient"),
        (NotFound("no", code="model_not_found"), 400, "ModelUnavailable"),
        (NotFound("no", code="video_not_found"), 404, "TaskNotFound"),
        (NotFound("no", code="not_supported"), 404, "NotFound"),
        (Conflict("no"), 400, "BadRequest"),
        (TooLarge("no"), 413, "BadRequest"),
        (RateLimited("no", retry_after_seconds=2.5), 429, "TooManyRequests"),
        (NoRoute("no"), 429, "SystemThrottling"),
        (StorageRefused("no"), 503, "InternalServiceFailure"),
        (InternalError("no"), 500, "InternalServiceFailure"),
    ],
)
def test_errors_have_vidus_names(error: CallerError, status: int, name: str) -> None:
    """In the one shape the vendor shows; the code repeats the status."""
    outgoing = render_error(error, "req_1")

    assert outgoing.status == status
    assert outgoing.body == {"code": status, "reason": name, "message": "no", "metadata": {"trace_id": "req_1"}}
    assert outgoing.headers.get("retry-after") == ("3" if error.retry_after_seconds else None)


def test_the_field_stands_in_the_message() -> None:
    """Vidu has no other place for it."""
    body = render_error(InvalidRequest("must be 1 to 16", param="duration"), "req_1").body

    assert body["message"] == "duration: must be 1 to 16"


def test_a_refused_prompt_has_the_name_for_it() -> None:
    """Told apart from what breaks the rules in a result."""
    error = InvalidRequest("no", code="content_policy")
    error.kind = FailureKind.CONTENT_POLICY

    assert render_error(error, "req_1").body["reason"] == "TaskPromptPolicyViolation"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Token vda_1", "vda_1"),
        ("token  vda_1 ", "vda_1"),
        ("Bearer k", "k"),
        ("Basic k", None),
        ("vda_1", None),
        ("", None),
    ],
)
def test_the_key_is_a_token(header: str, key: str | None) -> None:
    """Resellers' clients call it a bearer."""
    assert key_of({"authorization": header}) == key

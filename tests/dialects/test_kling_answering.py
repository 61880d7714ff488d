"""What the Kling dialect answers: tasks in both designs' words, lists, callbacks, and errors in Kling's codes."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.catalog.card_facts import price
from tests.dialects.kling_calls import CARD, ENDPOINTS

from reelway.catalog.conditions import Facts
from reelway.core.errors import (
    AuthenticationRequired,
    BudgetExceeded,
    CallerError,
    Conflict,
    InvalidRequest,
    NoRoute,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Cost, MediaKind, Mode, Output, RequestWarning, Video
from reelway.dialects.kling import make_dialect, render_error
from reelway.dialects.kling_answers import usage_of
from reelway.dialects.spec import Answer, VideoPage
from reelway.mounting.exchange import InternalError, MethodNotAllowed, StorageRefused

LINK = "https://gw.example.test/v1/videos/video_1/content?expires=1&signature=0"
LEGACY_WORDS = {
    Status.QUEUED: "submitted",
    Status.IN_PROGRESS: "processing",
    Status.COMPLETED: "succeed",
    Status.FAILED: "failed",
}


def video(status: Status = Status.COMPLETED, **changes: Any) -> Video:
    """Return a video of 5 seconds; finished with one output unless another status is wanted."""
    plain = Video(
        id="video_1",
        model="kling-v3",
        status=status,
        progress=0,
        created_at=1793000100.25,
        updated_at=1793000190.0,
        mode=Mode.T2V,
        client_reference="gw-1",
        outputs=(output(),) if status is Status.COMPLETED else (),
    )
    return plain.evolve(**changes)


def output(index: int = 0) -> Output:
    return Output(
        index=index,
        seconds=5.041,
        width=1280,
        height=720,
        fps=24.0,
        bytes=1,
        sha256="0",
        has_audio=False,
        url=LINK,
    )


def shown(answer: Answer, path: str, method: str = "GET") -> Any:
    body = ENDPOINTS[method, path].render(answer).body
    return msgspec.json.decode(msgspec.json.encode(body))


def legacy(answer: Video) -> dict[str, Any]:
    body: dict[str, Any] = shown(answer, "/kling/v1/videos/text2video/{id}")
    return body


def current(answer: Video) -> dict[str, Any]:
    (task,) = shown(VideoPage(videos=(answer,), has_more=False), "/kling/tasks")["data"]
    assert isinstance(task, dict)
    return task


# --- tasks


def test_a_finished_task_of_the_older_api() -> None:
    """The shape of the sheet's golden example A, times in milliseconds and ids as texts."""
    body = legacy(video(usage={"credits": "2.5"}))

    assert (body["code"], body["message"]) == (0, "SUCCEED")
    assert body["data"] == {
        "task_id": "video_1",
        "task_status": "succeed",
        "task_status_msg": "",
        "task_info": {"external_task_id": "gw-1"},
        "created_at": 1793000100250,
        "updated_at": 1793000190000,
        "watermark_info": {"enabled": False},
        "task_result": {"videos": [{"id": "video_1", "url": LINK, "watermark_url": "", "duration": "5.041"}]},
        "final_unit_deduction": "2.5",
    }


def test_a_finished_task_of_the_current_api() -> None:
    """The shape of the golden example C."""
    assert current(video(usage={"credits": "4.0"})) == {
        "id": "video_1",
        "status": "succeeded",
        "message": "",
        "create_time": 1793000100250,
        "update_time": 1793000190000,
        "external_id": "gw-1",
        "outputs": [{"type": "video", "id": "video_1", "url": LINK, "watermark_url": "", "duration": "5.041"}],
        "billing": [{"charge_type": "unit", "amount": "4.0", "package_type": "video"}],
    }


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_word(status: Status) -> None:
    """Success ends differently in the two designs."""
    word = LEGACY_WORDS[status]

    assert legacy(video(status))["data"]["task_status"] == word
    assert current(video(status))["status"] == ("succeeded" if word == "succeed" else word)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS, Status.FAILED])
def test_only_success_has_results(status: Status) -> None:
    """Nor does anything else cost units."""
    task = legacy(video(status, cost=Cost(settled="0.42")))["data"]

    assert task.keys().isdisjoint({"task_result", "final_unit_deduction"})
    assert (current(video(status))["outputs"], current(video(status))["billing"]) == ([], [])


def test_success_without_a_video_is_shown_as_it_is() -> None:
    """The oddity that the sandbox plays: a success word and nothing to fetch."""
    assert legacy(video(outputs=()))["data"]["task_result"] == {"videos": []}
    assert current(video(outputs=()))["outputs"] == []


def test_the_marked_copy_is_both_copies() -> None:
    """Whoever asked for the mark finds it under either name."""
    marked = video(options={"watermark": True})

    assert legacy(marked)["data"]["watermark_info"] == {"enabled": True}
    (result,) = legacy(marked)["data"]["task_result"]["videos"]
    assert result["url"] == result["watermark_url"] == LINK


def test_further_takes_have_ids_of_their_own() -> None:
    """The first is called by the task's id, by which it can be lengthened."""
    results = current(video(outputs=(output(), output(1))))["outputs"]

    assert [result["id"] for result in results] == ["video_1", "video_1-1"]


@pytest.mark.parametrize(
    ("changes", "units"),
    [
        ({"usage": {"credits": "3.0"}, "cost": Cost(settled="9.99")}, "3.0"),
        ({"cost": Cost(settled="0.42")}, "3"),
        ({"cost": Cost(settled="0.63")}, "4.5"),
        ({"cost": Cost(settled="1.00")}, "7.142857"),
        ({"cost": Cost(settled="0.00")}, None),
        ({"cost": Cost(settled=None)}, None),
        ({"cost": Cost(currency="EUR", settled="0.42")}, None),
    ],
)
def test_what_it_cost_is_told_in_units(changes: dict[str, Any], units: str | None) -> None:
    """Kling's own count where Kling made it; else what is charged here, at 14 cents a unit."""
    assert legacy(video(**changes))["data"].get("final_unit_deduction") == units


def test_a_refusal_by_policy_is_told_in_klings_words() -> None:
    """Clients look for this sentence, because there is no code; ours stands beside it."""
    failed = video(Status.FAILED, failure=Failure(kind=FailureKind.CONTENT_POLICY, message="Not this."))

    assert legacy(failed)["data"]["task_status_msg"] == "Failure to pass the risk control system: Not this."
    assert current(failed)["message"] == "Failure to pass the risk control system: Not this."
    assert current(failed)["failure_code"] == "content_policy"


def test_other_failures_say_what_happened() -> None:
    """Also a video that was cancelled, for which Kling has no word."""
    failed = video(Status.FAILED, failure=Failure(kind=FailureKind.CANCELLED, message="The video was cancelled."))

    assert legacy(failed)["data"]["task_status_msg"] == "The video was cancelled."
    assert legacy(video(Status.FAILED))["data"]["task_status_msg"] != ""


def test_warnings_stand_in_the_message_of_the_success() -> None:
    """Kling has no other place for them, and nothing is dropped in silence."""
    warned = video(Status.QUEUED, warnings=(RequestWarning(field="cfg_scale", message="was left out"),))

    assert shown(warned, "/kling/v1/videos/text2video", "POST")["message"] == "SUCCEED; cfg_scale: was left out"


def test_clients_of_resellers_find_their_words_beside_the_envelope() -> None:
    """Their page answers flat: the task's id, one of four statuses, and in the end the link."""
    queued, finished = legacy(video(Status.QUEUED)), legacy(video())

    assert (queued["task_id"], queued["status"], "url" in queued) == ("video_1", "queued", False)
    assert (finished["status"], finished["url"]) == ("completed", LINK)


def test_a_callback_is_the_task_without_its_envelope() -> None:
    """In the older design's shape."""
    render = make_dialect().render_callback

    assert render is not None
    assert render(video()) == legacy(video())["data"]


# --- lists


def test_a_page_of_the_older_api_is_a_plain_list() -> None:
    """Of the same tasks."""
    page = VideoPage(videos=(video(), video(Status.QUEUED, id="video_0")), has_more=True)

    body = shown(page, "/kling/v1/videos/image2video")

    assert [task["task_id"] for task in body["data"]] == ["video_1", "video_0"]


@pytest.mark.parametrize(("has_more", "cursor"), [(True, "video_0"), (False, "")])
def test_a_page_of_the_current_api_says_where_to_go_on(has_more: bool, cursor: str) -> None:
    """The cursor is empty where there is nothing more."""
    page = VideoPage(videos=(video(), video(id="video_0")), has_more=has_more)

    data = shown(page, "/kling/tasks", "POST")["data"]

    assert (data["count"], data["next_cursor"], data["has_more"]) == (2, cursor, has_more)
    assert [task["id"] for task in data["result"]] == ["video_1", "video_0"]


def test_ids_of_nobody_are_an_empty_list() -> None:
    """With code 0, as at Kling: a 404 would be another API."""
    body = shown(VideoPage(videos=(), has_more=False), "/kling/tasks")

    assert (body["code"], body["data"]) == (0, [])


# --- errors


def policy() -> InvalidRequest:
    error = InvalidRequest("The prompt breaks the rules.", code="content_policy")
    error.kind = FailureKind.CONTENT_POLICY
    return error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AuthenticationRequired("no key"), 401, 1002),
        (AuthenticationRequired("early", code="token_not_yet_valid"), 401, 1003),
        (AuthenticationRequired("late", code="token_expired"), 401, 1004),
        (BudgetExceeded("spent"), 429, 1102),
        (PermissionDenied("not yours"), 403, 1103),
        (InvalidRequest("not JSON", code="invalid_json"), 400, 1200),
        (InvalidRequest("seconds must be 5", param="duration"), 400, 1201),
        (TooLarge("too large"), 400, 1201),
        (Conflict("seen", code="reference_exists"), 400, 1201),
        (Conflict("other body", code="idempotency_mismatch"), 400, 1201),
        (NotFound("no video", code="video_not_found"), 400, 1201),
        (NotFound("unknown model", code="model_not_found", param="model"), 404, 1203),
        (NotFound("no lip sync", code="not_supported"), 404, 1203),
        (MethodNotAllowed("PUT", "/kling/tasks", ["GET"]), 404, 1202),
        (policy(), 400, 1301),
        (RateLimited("slow down", retry_after_seconds=2.5), 429, 1302),
        (NoRoute("no account", retry_after_seconds=10), 503, 5001),
        (StorageRefused("disk full"), 503, 5001),
        (InternalError("broken"), 500, 5000),
    ],
)
def test_errors_have_klings_codes(error: CallerError, status: int, code: int) -> None:
    """And the HTTP status that Kling gives with each."""
    answer = render_error(error, "req_1")

    assert (answer.status, answer.body["code"], answer.body["request_id"]) == (status, code, "req_1")
    assert error.message in answer.body["message"]
    assert answer.body.keys() == {"code", "message", "request_id"}


def test_an_error_says_what_clients_look_for() -> None:
    """The field, that the reference exists, that the task is not there; and when to come back."""
    assert render_error(InvalidRequest("must be 5", param="duration"), "r").body["message"] == "duration: must be 5"
    exists = render_error(Conflict("seen before", code="reference_exists"), "r").body["message"]
    assert exists == "external_task_id already exists: seen before"
    missing = render_error(NotFound("there is no video 'x'", code="video_not_found"), "r").body["message"]
    assert missing == "Task not found: there is no video 'x'"
    assert render_error(RateLimited("slow down", retry_after_seconds=2.5), "r").headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        (Facts(mode=mode, tier=tier, audio=audio), frozenset({MediaKind.VIDEO} if mode is Mode.EDIT else ()))
        for mode in (Mode.T2V, Mode.I2V, Mode.R2V, Mode.EDIT)
        for tier in ("720p", "1080p", "4k")
        for audio in (False, True)
        if not (audio and mode is Mode.EDIT)
    ],
)
def test_the_sandbox_takes_the_units_of_the_card(facts: Facts, kinds: frozenset[MediaKind]) -> None:
    """What it says it took comes to what was quoted."""
    made = video(mode=facts.mode, tier=facts.tier, audio=facts.audio)
    _, dollars = price(CARD, facts.evolve(kinds=kinds), seconds="5")

    assert Decimal(usage_of(made)["credits"]) * Decimal("0.14") == dollars


def test_what_is_asked_twice_is_refused_by_klings_manners() -> None:
    """For the sandbox: a reference is good once in an account."""
    assert make_dialect().manners.reference_once

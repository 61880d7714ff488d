"""An interaction in Google's words: in every state, as an event, and the errors of its own shape."""

from typing import Any

import pytest
from tests.dialects.google_server import CREATED, ID, NAME, Google, finished, output

from reelway.core.errors import CallerError, Conflict, InvalidRequest, NoRoute, NotFound, RateLimited
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.dialects.google_interactions import make_dialect
from reelway.dialects.spec import CancelVideo, DeleteVideo, ReadVideo

PATHS = [
    "/v1/interactions",
    "/v1beta/interactions",
    "/v1/projects/acme/locations/global/interactions",
    "/v1beta1/projects/acme/locations/global/interactions",
]
HERE = PATHS[0]
URI = f"https://films.example.test/v1beta/files/{NAME}:download?alt=media"


@pytest.fixture
def google() -> Google:
    return Google()


# --- interactions


@pytest.mark.parametrize("path", PATHS)
async def test_each_call_has_its_path(google: Google, path: str) -> None:
    """Read, cancel and delete, wherever the interaction was created."""
    google.video = google.video.evolve(model="gemini-omni")
    for query in ("", "?stream=false", "?include_input=true&stream=false"):
        answer = await google.ask("GET", f"{path}/{ID}{query}")
        assert (answer.status, answer.json["id"]) == (200, ID)
    assert (await google.ask("POST", f"{path}/{ID}/cancel")).status == 200
    answer = await google.ask("DELETE", f"{path}/{ID}")
    assert (answer.status, answer.json) == (200, {})
    assert google.calls == [ReadVideo(id=ID)] * 3 + [CancelVideo(id=ID), DeleteVideo(id=ID)]
    answer = await google.ask("GET", f"{path}/{ID}?stream=true")
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


async def shown(google: Google, **changes: Any) -> dict[str, Any]:
    google.video = google.video.evolve(model="gemini-omni", prompt="An oak", **changes)
    body: dict[str, Any] = (await google.ask("GET", f"{HERE}/{ID}")).json
    return body


async def test_a_running_interaction_shows_what_was_asked(google: Google) -> None:
    """Its times are those of the video, its labels the caller's tags."""
    seen = await shown(
        google,
        status=Status.IN_PROGRESS,
        updated_at=CREATED + 5,
        tags={"team": "films"},
        remixed_from_video_id="video_0",
    )
    assert seen == {
        "id": ID,
        "object": "interaction",
        "model": "gemini-omni",
        "status": "in_progress",
        "created": "2026-09-21T14:13:20Z",
        "updated": "2026-09-21T14:13:25Z",
        "steps": [{"type": "user_input", "content": [{"type": "text", "text": "An oak"}]}],
        "labels": {"team": "films"},
        "previous_interaction_id": "video_0",
    }
    answer = await google.ask("POST", HERE, {"model": "gemini-omni", "input": "An oak", "background": True})
    assert answer.json == {**seen, "steps": []}


async def test_a_finished_interaction_has_the_video(google: Google) -> None:
    """By its address, or in itself where its bytes were asked for; with the tokens the vendor counted."""
    usage = {"total_output_tokens": 46336, "output_tokens_by_modality": [{"modality": "video", "tokens": 46336}]}
    google.video = finished(google.video, usage={**usage, "credits": 3})
    seen = await shown(google)
    assert seen["status"] == "completed"
    assert seen["updated"] == "2026-09-21T14:14:41Z"
    assert seen["usage"] == usage
    video = {"type": "video", "mime_type": "video/mp4"}
    assert seen["steps"][-1] == {"type": "model_output", "content": [video | {"uri": URI}]}
    seen = await shown(google, b64_json=("ZmlsbQ==",))
    assert seen["steps"][-1]["content"] == [video | {"data": "ZmlsbQ=="}]


@pytest.mark.parametrize("kind", FailureKind)
async def test_each_failure_is_said_in_googles_way(google: Google, kind: FailureKind) -> None:
    """What a filter kept back is completed with a text, what was cancelled has a word of its own, all else failed."""
    seen = await shown(google, status=Status.FAILED, failure=Failure(kind=kind, message="It failed."))
    last = seen["steps"][-1]
    if kind is FailureKind.CONTENT_POLICY:
        assert (seen["status"], last) == (
            "completed",
            {"type": "model_output", "content": [{"type": "text", "text": "It failed."}]},
        )
        assert "errors" not in seen
    elif kind is FailureKind.CANCELLED:
        assert (seen["status"], last["type"]) == ("cancelled", "user_input")
    else:
        assert (seen["status"], last["error"]["message"]) == ("failed", "It failed.")
        assert seen["errors"] == [{"code": kind.value, "message": "It failed."}]


async def test_success_without_a_video_is_shown_as_that(google: Google) -> None:
    """Completed, with nothing in it."""
    google.video = finished(google.video, outputs=())
    assert (await shown(google))["steps"][-1] == {"type": "model_output", "content": []}


# --- events


def test_events_come_at_the_end_alone() -> None:
    """With the id and what the caller wanted back; a failure says why."""
    render = make_dialect().render_callback
    assert render is not None
    video = Google().video.evolve(tags={"order": "7"})
    assert render(video) is None
    assert render(finished(video)) == {
        "type": "interaction.completed",
        "version": "v1",
        "timestamp": "2026-09-21T14:14:41Z",
        "data": {"id": ID, "user_metadata": {"order": "7"}},
    }
    failed = video.evolve(status=Status.FAILED, failure=Failure(kind=FailureKind.TIMED_OUT, message="Late."))
    assert render(failed)["type"] == "interaction.failed"
    assert render(failed)["data"].items() >= {"error_code": "timed_out", "error_message": "Late."}.items()
    cancelled = failed.evolve(failure=Failure(kind=FailureKind.CANCELLED, message="Stopped."))
    assert render(cancelled)["type"] == "interaction.cancelled"


def test_what_the_sandbox_counts() -> None:
    """As many tokens as Google has for a second of video, and none for no video."""
    usage_of = make_dialect().manners.usage_of
    assert usage_of is not None
    video = finished(Google().video, prompt="An oak")
    assert usage_of(video)["total_output_tokens"] == 46336
    assert usage_of(video.evolve(outputs=()))["output_tokens_by_modality"] == []
    assert usage_of(video.evolve(outputs=(output(0), output(1))))["total_output_tokens"] == 2 * 46336


# --- errors


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("there is no video", code="video_not_found"), 400, "invalid_request"),
        (NotFound("no such model", code="model_not_found"), 404, "not_found"),
        (InvalidRequest("No."), 400, "invalid_request"),
        # A 409 would be sent again four times by google-genai.
        (Conflict("No.", code="video_not_ready"), 400, "failed_precondition"),
        (RateLimited("No.", retry_after_seconds=2), 429, "resource_exhausted"),
        (NoRoute("No."), 503, "unavailable"),
    ],
)
async def test_errors_have_the_shape_of_interactions(
    google: Google, error: CallerError, status: int, code: str
) -> None:
    """A word for a code; an interaction that is not there is a bad request."""
    google.fails_with = error
    answer = await google.ask("GET", f"{HERE}/{ID}")
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers.get("retry-after") == ("2" if error.retry_after_seconds else None)
    if error.code == "video_not_found":
        assert answer.json == {"error": {"code": "invalid_request", "message": "Invalid interaction name."}}


async def test_no_key_is_refused(google: Google) -> None:
    """In the shape of interactions too."""
    answer = await google.ask("POST", HERE, {"model": "gemini-omni", "input": "An oak"}, key="")
    assert (answer.status, answer.error["code"]) == (401, "unauthenticated")

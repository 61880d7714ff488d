"""What is peculiar to servers that speak the OpenAI Videos API."""

import json
from typing import Any

import pytest
from tests.vendors.openai_cases import (
    CLIP,
    IMAGE,
    OPERATION,
    REQUEST,
    first_request,
    play,
    response,
    sent,
    shown,
    submission,
)

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.openai_videos import ADAPTER
from reelway.vendors.spec import Accepted, Credential, DataUri, FilePart, Running, Succeeded, VendorFailed

# --- submitting


def test_strict_servers_get_openais_six_fields_and_no_more() -> None:
    """OpenAI, Azure and Sora clones refuse fields they do not know; there is no sound switch among them."""
    request = REQUEST.evolve(audio=True, tier="720p", ratio="16:9", tags={"shot": "3"})

    for service in ("openai", "azure", "compatible", ""):
        assert sent(submission(request, service)) == {
            "prompt": "a fox",
            "model": "sora-2",
            "seconds": "8",
            "size": "1280x720",
        }


def test_a_reseller_gets_what_is_set_and_not_our_callers_tags() -> None:
    """Options lie in `metadata` with their types, where the page this project began with looks for them."""
    request = REQUEST.evolve(
        model="kling-video",
        card="kling-video",
        mode=Mode.FIRST_LAST,
        width=None,
        height=None,
        ratio="16:9",
        tier="1080p",
        fps=24,
        seed=7,
        n=2,
        audio=True,
        options={"cfg_scale": 0.5, "watermark": False},
        tags={"shot": "3"},
        inputs=(
            Input(kind=MediaKind.IMAGE, role=Role.LAST_FRAME, url="https://a.example.test/last.png"),
            Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, blob=IMAGE),
        ),
    )
    form = first_request(ADAPTER.submit(submission(request, "compatible"))).form

    assert [name for name, _ in form] == [
        "prompt",
        "images[]",
        "images[]",
        "model",
        "seconds",
        "aspect_ratio",
        "resolution",
        "fps",
        "seed",
        "n",
        "audio",
        "mode",
        "metadata",
    ]
    assert isinstance(form[1][1], FilePart)
    assert form[2][1] == "https://a.example.test/last.png"
    assert dict(form)["mode"] == "i2v_first_last"
    assert dict(form)["metadata"] == '{"cfg_scale":0.5,"watermark":false}'


@pytest.mark.parametrize("service", ["openai", "azure", "sglang", "litellm", "newapi", "google"])
def test_what_a_server_cannot_say_is_refused_before_anything_is_sent(service: str) -> None:
    """A second image that the server would overlook is a video paid for and not wanted."""
    images = tuple(Input(kind=MediaKind.IMAGE, role=role, blob=IMAGE) for role in (Role.FIRST_FRAME, Role.LAST_FRAME))
    request = REQUEST.evolve(mode=Mode.FIRST_LAST, inputs=images)
    with pytest.raises(VendorRefused) as caught:
        first_request(ADAPTER.submit(submission(request, service)))

    assert caught.value.failure.kind is FailureKind.INVALID_REQUEST
    assert caught.value.failure.message.startswith(f"`{service}` cannot make this: ")


def test_a_source_that_is_nowhere_is_refused() -> None:
    """Without an id at this account and without bytes there is nothing to edit."""
    for mode in (Mode.EDIT, Mode.EXTEND, Mode.REMIX):
        with pytest.raises(VendorRefused, match="send it as a file"):
            first_request(ADAPTER.submit(submission(REQUEST.evolve(mode=mode))))


def test_a_remix_of_a_video_from_elsewhere_becomes_an_edit() -> None:
    """A server can only remix what it made; the bytes go along as a source instead."""
    source = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=CLIP)
    request = first_request(ADAPTER.submit(submission(REQUEST.evolve(mode=Mode.REMIX, inputs=(source,)))))

    assert request.path == "/videos/edits"
    assert [name for name, _ in request.form] == ["prompt", "video", "model"]


def test_a_remix_by_another_model_goes_by_its_bytes() -> None:
    """By its id most servers would use the model that made the source; another Reelway is told which to use."""
    given = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=CLIP)
    request = REQUEST.evolve(mode=Mode.REMIX, inputs=(given,))
    source = {"source": {"id": "video_1"}, "source_model": "sora-2-pro"}
    elsewhere = first_request(ADAPTER.submit(submission(request, "compatible", **source)))
    ours = first_request(ADAPTER.submit(submission(request, "reelway", **source)))

    assert (elsewhere.path, dict(elsewhere.form)["model"]) == ("/videos/edits", "sora-2")
    assert (ours.path, ours.json["model"]) == ("/videos/video_1/remix", "sora-2")


@pytest.mark.parametrize("service", ["reelway", "sandbox", "compatible"])
@pytest.mark.parametrize("mode", [Mode.REMIX, Mode.EDIT, Mode.EXTEND])
def test_what_is_made_from_a_video_has_its_own_resolution_sound_and_options(service: str, mode: Mode) -> None:
    """What was priced is sent, also where a video is made from another one by its id."""
    request = REQUEST.evolve(
        model="gemini-omni",
        card="gemini-omni",
        mode=mode,
        width=None,
        height=None,
        tier="360p",
        seed=7,
        audio=False,
        options={"watermark": True},
    )
    fields = sent(submission(request, service, source={"id": "video_1"}, source_model="gemini-omni"))

    assert (fields["resolution"], fields["seed"], fields["audio"]) == ("360p", "7", "false")
    metadata = fields["metadata"]
    assert (metadata if isinstance(metadata, dict) else json.loads(metadata))["watermark"] is True


def test_openais_own_remix_is_a_prompt_and_nothing_else() -> None:
    """Fields it does not know would be refused."""
    request = REQUEST.evolve(mode=Mode.REMIX, audio=True, tier="720p")
    for service in ("openai", "azure", "compatible"):
        assert sent(submission(request, service, source={"id": "video_1"})) == {"prompt": "a fox"}


def test_an_id_from_a_vendor_cannot_leave_its_place_in_the_path() -> None:
    """Ids are opaque, also where they hold a slash."""
    request = first_request(ADAPTER.check({"id": "a/../b?c", "service": "openai"}))

    assert request.path == "/videos/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize(
    ("kind", "vllm", "sglang"),
    [
        (MediaKind.IMAGE, ("image_reference", '{"image_url":"https://a.example.test/x"}'), "reference_url"),
        (MediaKind.VIDEO, ("video_reference", '{"video_url":"https://a.example.test/x"}'), "video_url"),
    ],
)
def test_self_hosted_servers_have_their_own_names_for_addresses(
    kind: MediaKind, vllm: tuple[str, str], sglang: str
) -> None:
    """vLLM-Omni reads JSON text in a field, SGLang a plain one."""
    given = Input(kind=kind, role=Role.REFERENCE, url="https://a.example.test/x")
    request = REQUEST.evolve(mode=Mode.R2V, inputs=(given,))

    assert sent(submission(request, "vllm"))[vllm[0]] == vllm[1]
    assert sent(submission(request, "sglang"))[sglang] == "https://a.example.test/x"


def test_a_source_video_goes_to_self_hosted_servers_as_their_reference() -> None:
    """They have no endpoint for edits."""
    source = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=CLIP)
    request = REQUEST.evolve(mode=Mode.EDIT, inputs=(source,))

    assert sent(submission(request, "vllm"))["input_reference"] == {"file": "input.mp4", "media_type": "video/mp4"}
    assert sent(submission(request, "sglang"))["video_reference"] == {"file": "input.mp4", "media_type": "video/mp4"}


def test_names_of_references_travel_to_another_reelway() -> None:
    """The prompt speaks of them by name."""
    named = Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, blob=IMAGE, name="ann")
    plain = Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, url="https://a.example.test/bob.png")
    request = REQUEST.evolve(mode=Mode.R2V, inputs=(named, plain))
    form = first_request(ADAPTER.submit(submission(request, "reelway"))).form

    assert form[1:4] == (
        ("reference_images[0][url]", DataUri(blob=IMAGE)),
        ("reference_images[0][name]", "ann"),
        ("reference_images[1]", "https://a.example.test/bob.png"),
    )


# --- refusals


def error(message: str = "No.", code: Any = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(code="invalid_value"), FailureKind.INVALID_REQUEST),
        (400, error(code="moderation_blocked"), FailureKind.CONTENT_POLICY),
        (400, error(code="content_policy_violation"), FailureKind.CONTENT_POLICY),
        (400, error(code="ResponsibleAIPolicyViolation"), FailureKind.CONTENT_POLICY),
        (400, error(code="model_not_found"), FailureKind.MODEL_NOT_FOUND),
        (401, error(code="invalid_api_key"), FailureKind.AUTHENTICATION),
        (402, error(), FailureKind.INSUFFICIENT_QUOTA),
        (403, error(), FailureKind.PERMISSION),
        (403, error(code="model_not_found"), FailureKind.MODEL_NOT_FOUND),
        (403, error(code="insufficient_user_quota"), FailureKind.INSUFFICIENT_QUOTA),
        (404, error(code="DeploymentNotFound"), FailureKind.MODEL_NOT_FOUND),
        (404, {"detail": "Not Found"}, FailureKind.MODEL_NOT_FOUND),
        (405, {"detail": "Method Not Allowed"}, FailureKind.MODEL_NOT_FOUND),
        (410, error(), FailureKind.MODEL_NOT_FOUND),
        (413, error(), FailureKind.INVALID_REQUEST),
        (422, {"detail": [{"msg": "bad"}]}, FailureKind.INVALID_REQUEST),
        (429, error(code="rate_limit_exceeded"), FailureKind.RATE_LIMITED),
        (429, error(code="insufficient_quota"), FailureKind.INSUFFICIENT_QUOTA),
        (429, error(kind="insufficient_quota"), FailureKind.INSUFFICIENT_QUOTA),
        (503, error(code="no_route", kind="server_error"), FailureKind.VENDOR_UNAVAILABLE),
    ],
)
def test_a_refusal_has_a_kind(status: int, body: Any, kind: FailureKind) -> None:
    """The code decides where there is one we know, else the status; what follows is read from the kind."""
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(submission()), response(body, status=status, headers={"retry-after": "7"}))

    assert caught.value.failure.kind is kind
    assert caught.value.retry_after_seconds == 7
    assert caught.value.failure.message.startswith("`openai` refused the request: ")
    assert caught.value.failure.message.endswith(".")


@pytest.mark.parametrize("status", [301, 408, 409, 425, 500, 502, 503, 504, 529])
def test_an_outcome_nobody_knows_is_no_refusal(status: int) -> None:
    """A job may exist: the engine looks it up before anything is sent again."""
    with pytest.raises(UnexpectedResponse, match=f"HTTP {status}"):
        play(ADAPTER.submit(submission()), response(error(), status=status))


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": 5}, [], "ok"])
def test_an_acceptance_without_an_id_is_an_unknown_outcome(body: Any) -> None:
    """Something was accepted, and nobody can say what."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.submit(submission()), response(body))


def test_a_source_the_server_lost_is_no_missing_model() -> None:
    """Another route would not have it either."""
    given = submission(REQUEST.evolve(mode=Mode.REMIX), source={"id": "video_0"})
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(given), response(error("No such video."), status=404))

    assert caught.value.failure.kind is FailureKind.INVALID_REQUEST


def test_a_look_that_is_refused_says_when_to_come_back() -> None:
    """The video may be well; only the look was not allowed."""
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.check(OPERATION), response(error(), status=429, headers={"retry-after": "3"}))

    assert (caught.value.failure.kind, caught.value.retry_after_seconds) == (FailureKind.RATE_LIMITED, 3)


# --- looking


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"status": "queued"}, {}, Running()),
        ({"status": " Queued "}, {}, Running()),
        ({"status": "in_progress", "progress": 41.7}, {}, Running(progress=41)),
        ({"status": "in_progress", "progress": 400}, {}, Running(progress=100)),
        ({"status": "in_progress", "progress": "41%"}, {}, Running()),
        ({"status": "in_progress"}, {"openai-poll-after-ms": "2500"}, Running(poll_after_seconds=2.5)),
        (
            {"status": "in_progress"},
            {"openai-poll-after-ms": "soon", "retry-after": "9"},
            Running(poll_after_seconds=9),
        ),
        ({"status": "in_progress"}, {"openai-poll-after-ms": "99999999"}, Running(poll_after_seconds=600)),
    ],
)
def test_progress_and_pauses_are_the_servers_own(
    body: dict[str, Any], headers: dict[str, str], expected: Running
) -> None:
    """As far as they make sense."""
    assert play(ADAPTER.check(OPERATION), response(body, headers=headers)) == expected


@pytest.mark.parametrize("state", ["processing", "succeeded", "cancelled", "deleted", ""])
def test_unknown_state_is_never_mistaken_for_progress(state: str) -> None:
    """A state we have not met raises instead of polling forever."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check(OPERATION), response({"status": state}))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"code": "cancelled", "message": "m"}, FailureKind.CANCELLED),
        ({"code": "content_policy", "message": "m"}, FailureKind.CONTENT_POLICY),
        ({"code": "sentinel_safety_block", "message": "m"}, FailureKind.CONTENT_POLICY),
        ({"code": "authentication", "message": "m"}, FailureKind.VENDOR_ERROR),
        ({"code": "submission_unknown", "message": "m"}, FailureKind.VENDOR_ERROR),
        ({"code": "billing_hard_limit_reached", "message": "m"}, FailureKind.INSUFFICIENT_QUOTA),
        ({"code": 500, "message": "m"}, FailureKind.VENDOR_ERROR),
        ({"message": "video_9 broke"}, FailureKind.VENDOR_ERROR),
        ("broke", FailureKind.VENDOR_ERROR),
        (None, FailureKind.VENDOR_ERROR),
    ],
)
def test_a_failure_keeps_its_reason_and_not_the_vendors_id(given: Any, kind: FailureKind) -> None:
    """Codes are an open list; what is not known is the vendor's failure."""
    status = play(ADAPTER.check(OPERATION), response({"status": "failed", "error": given}))

    assert isinstance(status, VendorFailed)
    assert status.failure.kind is kind
    assert "video_9" not in status.failure.message
    assert status.failure.message.startswith("`openai` did not make the video: ")


def test_a_link_is_followed_where_the_account_says_so() -> None:
    """For servers without a content endpoint; a completed video without a link is not one."""
    given = submission(settings={"results": "url"})
    accepted = play(ADAPTER.submit(given), response(shown()))
    assert isinstance(accepted, Accepted)

    for body in ({"url": "https://cdn.example.test/v"}, {"metadata": {"url": "https://cdn.example.test/v"}}):
        status = play(ADAPTER.check(accepted.operation), response({"status": "completed", **body}))
        assert isinstance(status, Succeeded)
        (output,) = status.outputs
        assert (output.video.request.path, output.video.authorize) == ("https://cdn.example.test/v", False)
    with pytest.raises(UnexpectedResponse, match="no link"):
        play(ADAPTER.check(accepted.operation), response({"status": "completed", "url": "file:///etc/passwd"}))


# --- cancelling, deleting, signing


@pytest.mark.parametrize("service", ["openai", "azure", "compatible", "sglang", ""])
def test_most_servers_cannot_stop_and_are_not_asked(service: str) -> None:
    """The step ends without a request."""
    assert play(ADAPTER.cancel({"id": "video_9", "service": service})) == "refused"


def test_a_cancel_that_is_not_understood_is_refused() -> None:
    """An older server has no such endpoint."""
    assert play(ADAPTER.cancel({"id": "v", "service": "reelway"}), response({}, status=404)) == "refused"
    assert play(ADAPTER.cancel({"id": "v", "service": "vllm"}), response({}, status=404)) == "refused"


def test_deleting_what_is_gone_is_fine_and_an_error_is_not() -> None:
    """Gone is gone; a breakdown is looked at again."""
    assert play(ADAPTER.delete(OPERATION), response({}, status=404)) is None
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.delete(OPERATION), response({}, status=500))


def test_the_key_goes_where_the_server_looks() -> None:
    """A bearer token, Azure's own header, or nothing for a server without keys."""
    plain = first_request(ADAPTER.check(OPERATION))
    azure = first_request(ADAPTER.check({"id": "v", "service": "azure"}))
    key = Credential(values={"api_key": "sk-1"})

    assert ADAPTER.authorize(plain, key, 0.0).headers == (("Authorization", "Bearer sk-1"),)
    assert ADAPTER.authorize(azure, key, 0.0).headers == (("api-key", "sk-1"),)
    assert ADAPTER.authorize(azure, Credential(), 0.0).headers == ()

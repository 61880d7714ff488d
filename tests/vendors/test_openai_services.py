"""What the kinds of servers do otherwise, each fact as its source or documents have it."""

from typing import Any

import pytest
from tests.vendors.openai_cases import CLIP, IMAGE, OPERATION, REQUEST, first_request, play, response, sent, submission

from reelway.core.errors import NoWayToLook, UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.openai_services import SERVICES, service_of
from reelway.vendors.openai_videos import ADAPTER
from reelway.vendors.spec import Credential, DataUri, Running, Succeeded, VendorFailed

RELAYS = ("litellm", "newapi", "google")
FIRST = Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, blob=IMAGE)
LAST = Input(kind=MediaKind.IMAGE, role=Role.LAST_FRAME, blob=IMAGE)
SOURCE = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=CLIP)
VEO = REQUEST.evolve(
    model="veo3.1",
    card="veo3.1",
    ratio="16:9",
    tier="720p",
    seed=7,
    audio=True,
    options={"negative_prompt": "rain"},
)


def refusal(request: ResolvedRequest, service: str, **changes: Any) -> str:
    with pytest.raises(VendorRefused) as caught:
        first_request(ADAPTER.submit(submission(request, service, **changes)))
    assert caught.value.failure.kind is FailureKind.INVALID_REQUEST
    return caught.value.failure.message


# --- words and codes


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_word_a_service_has_is_understood(service: str) -> None:
    """Its own words mean one of the six states, and a word of nobody's raises."""
    operation = {"id": "video_9", "service": service}
    kinds: dict[str, type] = {"queued": Running, "in_progress": Running, "completed": Succeeded}
    for word, state in SERVICES[service].further_words.items():
        body = {"id": "video_9", "status": word, "url": "https://cdn.example.test/v"}
        status: Any = play(ADAPTER.check(operation), response(body))
        assert type(status) is kinds.get(state, VendorFailed), word
        if isinstance(status, VendorFailed) and state != "failed":
            assert status.failure.vendor_code == state
    with pytest.raises(UnexpectedResponse, match="pondering"):
        play(ADAPTER.check(operation), response({"status": "pondering"}))


def test_an_account_without_a_service_is_an_unknown_clone() -> None:
    """It is taken for what most resellers run, and messages call it by the vendor's name."""
    assert service_of("").further_words == SERVICES["compatible"].further_words
    assert service_of("house-brand").name == "house-brand"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (500, FailureKind.VENDOR_ERROR),
        (400, FailureKind.INVALID_REQUEST),
        (422, FailureKind.INVALID_REQUEST),
    ],
)
def test_vllm_answers_a_look_at_a_failed_video_with_an_error(code: int, kind: FailureKind) -> None:
    """The status is that of the failure and its code as well; it is the end, no trouble with the look."""
    body = {"id": "video_9", "status": "failed", "error": {"code": code, "message": "CUDA out of memory."}}
    status = play(ADAPTER.check({"id": "video_9", "service": "vllm"}), response(body, status=code))

    assert isinstance(status, VendorFailed)
    assert (status.failure.kind, status.failure.vendor_code) == (kind, str(code))
    assert "CUDA out of memory" in status.failure.message


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "Video not found"},
        {"id": "video_8", "status": "failed"},
        {"id": "video_9", "status": "in_progress"},
        "<html>",
    ],
)
def test_any_other_error_of_vllm_is_a_look_that_failed(body: Any) -> None:
    """What does not show this very video as failed says nothing about it."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check({"id": "video_9", "service": "vllm"}), response(body, status=500))


def test_no_other_server_ends_a_video_by_an_error_status() -> None:
    """A breakdown that repeats an old body would be taken for a failure."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check(OPERATION), response({"id": "video_9", "status": "failed"}, status=500))


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (
            400,
            'BadRequestError: OpenAIException - {"error": {"code": "moderation_blocked"}}',
            FailureKind.CONTENT_POLICY,
        ),
        (400, "litellm.ContentPolicyViolationError: not this", FailureKind.CONTENT_POLICY),
        (400, 'litellm.BadRequestError: {"error": {"code": "model_not_found"}}', FailureKind.MODEL_NOT_FOUND),
        (400, 'litellm.BadRequestError: {"error": {"code": "invalid_value"}}', FailureKind.INVALID_REQUEST),
        (429, 'litellm.RateLimitError: {"error": {"code": "insufficient_quota"}}', FailureKind.INSUFFICIENT_QUOTA),
    ],
)
def test_litellm_wraps_the_vendors_code_into_its_text(status: int, message: str, kind: FailureKind) -> None:
    """Its own code is the status once more."""
    body = {"error": {"message": message, "type": "x", "param": None, "code": str(status)}}
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(submission(service="litellm")), response(body, status=status))

    assert caught.value.failure.kind is kind


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "insufficient_user_quota", FailureKind.INSUFFICIENT_QUOTA),
        (403, "pre_consume_token_quota_failed", FailureKind.INSUFFICIENT_QUOTA),
        (400, "sensitive_words_detected", FailureKind.CONTENT_POLICY),
        (400, "prompt_blocked", FailureKind.CONTENT_POLICY),
        (400, "invalid_request", FailureKind.INVALID_REQUEST),
        (503, "model_not_found", FailureKind.MODEL_NOT_FOUND),
    ],
)
def test_new_api_says_its_codes_without_an_envelope(status: int, code: str, kind: FailureKind) -> None:
    """A 503 with `model_not_found` is a model for which it has no channel: nothing was sent to anybody."""
    with pytest.raises(VendorRefused) as caught:
        play(
            ADAPTER.submit(submission(service="newapi")),
            response({"code": code, "message": "No.", "data": None}, status=status),
        )

    assert caught.value.failure.kind is kind


def test_a_breakdown_behind_new_api_is_an_unknown_outcome() -> None:
    """`fail_to_fetch_task` carries the status of the vendor behind it, which may have taken the request."""
    with pytest.raises(UnexpectedResponse):
        play(
            ADAPTER.submit(submission(service="newapi")),
            response({"code": "fail_to_fetch_task", "message": "No.", "data": None}, status=500),
        )


# --- creates


def test_litellm_is_told_not_to_send_a_create_again() -> None:
    """By itself it sends it three times where the vendor answers 408, 409, 429 or 5xx."""
    request = first_request(ADAPTER.submit(submission(service="litellm")))

    assert ("x-litellm-num-retries", "0") in request.headers


def test_litellm_gets_every_option_as_a_field() -> None:
    """It keeps `metadata` to itself and hands on what it does not know."""
    fields = sent(
        submission(VEO.evolve(width=None, height=None, options={"negative_prompt": "rain", "x": 1}), "litellm")
    )

    assert fields == {
        "prompt": "a fox",
        "model": "veo3.1",
        "seconds": "8",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "seed": "7",
        "audio": "true",
        "negative_prompt": "rain",
        "x": "1",
    }


def test_litellm_finds_the_source_in_json_only() -> None:
    """`video[id]` of a form it does not see, and sends the request to OpenAI itself."""
    edit = submission(REQUEST.evolve(mode=Mode.EDIT), "litellm", source={"id": "video_1"})
    extend = submission(REQUEST.evolve(mode=Mode.EXTEND), "litellm", source={"id": "video_1"})

    assert sent(edit) == {"prompt": "a fox", "video": {"id": "video_1"}}
    assert sent(extend) == {"prompt": "a fox", "video": {"id": "video_1"}, "seconds": "8"}
    assert "as a file" in refusal(REQUEST.evolve(mode=Mode.EDIT, inputs=(SOURCE,)), "litellm")


@pytest.mark.parametrize("service", ["litellm", "newapi"])
@pytest.mark.parametrize("mode", [Mode.EDIT, Mode.EXTEND, Mode.REMIX])
def test_relays_make_nothing_from_a_video_but_with_sora(service: str, mode: Mode) -> None:
    """LiteLLM drops all but the prompt; new-api's other channels overlook the video itself and make a new one."""
    assert "nothing but a prompt" in refusal(VEO.evolve(mode=mode), service, source={"id": "video_1"})


def test_new_api_remixes_what_it_made_and_knows_no_edits() -> None:
    """It has one endpoint for that."""
    remix = submission(REQUEST.evolve(mode=Mode.REMIX), "newapi", source={"id": "task_1"})

    assert first_request(ADAPTER.submit(remix)).path == "/videos/task_1/remix"
    assert "no endpoint for edit" in refusal(REQUEST.evolve(mode=Mode.EDIT), "newapi", source={"id": "task_1"})


def test_new_api_hands_on_the_form_of_sora() -> None:
    """OpenAI's own fields, the picture as a file."""
    fields = sent(submission(REQUEST.evolve(mode=Mode.I2V, inputs=(FIRST,)), "newapi"))

    assert fields["input_reference"] == {"file": "first_frame.png", "media_type": "image/png"}
    assert set(fields) == {"prompt", "input_reference", "model", "seconds", "size"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (FIRST, {"data_uri": "inputs/a.png"}),
        (FIRST.evolve(blob=None, url="https://a.example.test/a.png"), "https://a.example.test/a.png"),
    ],
)
def test_new_api_gets_a_picture_as_text_under_both_names(given: Input, expected: Any) -> None:
    """Kling's channel reads `image`, all others the list; a file would be overlooked, and the video charged."""
    body = sent(submission(VEO.evolve(mode=Mode.I2V, inputs=(given,)), "newapi"))

    assert (body["image"], body["images"]) == (expected, [expected])


def test_new_api_gets_the_rest_in_metadata_in_every_vendors_spelling() -> None:
    """Kling reads `aspect_ratio` and `sound`, Seedance `ratio` and `generate_audio`, Veo camel case."""
    body = sent(submission(VEO, "newapi"))

    assert (body["seconds"], body["duration"], body["size"]) == ("8", 8, "1280x720")
    assert body["metadata"] == {
        "resolution": "720p",
        "seed": 7,
        "negative_prompt": "rain",
        "negativePrompt": "rain",
        "aspect_ratio": "16:9",
        "aspectRatio": "16:9",
        "ratio": "16:9",
        "generate_audio": True,
        "generateAudio": True,
        "sound": "on",
    }


def test_googles_layer_gets_the_fields_that_google_documents() -> None:
    """A model, a prompt, and Veo's parameters under names of their own."""
    fields = sent(submission(VEO.evolve(tier="4k", fps=24), "google"))

    assert fields == {
        "model": "veo3.1",
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "resolution": "4K",
        "duration_seconds": "8",
        "frame_rate": "24",
        "seed": "7",
        "negative_prompt": "rain",
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"mode": Mode.I2V, "inputs": (FIRST,)}, "Google's own API"),
        ({"mode": Mode.EXTEND, "inputs": (SOURCE,)}, "Google's own API"),
        ({"audio": False}, "has sound"),
        ({"options": {"enhance_prompt": True}}, "no enhance_prompt"),
        ({"n": 2}, "one video for each create"),
    ],
)
def test_googles_layer_is_asked_for_nothing_else(changes: dict[str, Any], why: str) -> None:
    """What is not documented would be dropped, and the rest charged."""
    assert why in refusal(VEO.evolve(**changes), "google")


@pytest.mark.parametrize("service", ["openai", "azure", "vllm", *RELAYS])
def test_more_than_one_video_is_refused_where_one_is_made(service: str) -> None:
    """The others would be missing without a word."""
    assert "one video for each create" in refusal(REQUEST.evolve(n=2), service)


def test_vllm_finds_what_it_has_no_field_for_in_extra_params() -> None:
    """FastAPI drops a form field nobody declared; the model is shown `extra_params` as they are."""
    fields = sent(submission(VEO.evolve(options={"guidance_scale": 4.5, "camera_fixed": True}), "vllm"))

    assert (fields["guidance_scale"], fields["extra_params"]) == ("4.5", '{"camera_fixed":true}')
    assert "camera_fixed" not in fields


def test_vllm_is_told_a_shape_without_pixels() -> None:
    """As MiniMax H3 wants it there; a resolution that names no edge cannot be said."""
    shape = VEO.evolve(width=None, height=None)
    fields = sent(submission(shape.evolve(tier="1080p"), "vllm"))

    assert (fields["aspect_ratio"], fields["short_edge"]) == ("16:9", "1080")
    assert "size in pixels" in refusal(shape.evolve(tier="hd"), "vllm")
    assert "size in pixels" in refusal(shape, "sglang")


def test_vllm_takes_several_inputs_as_files_in_one_order() -> None:
    """First, last, references, whatever the order they were given in."""
    request = first_request(ADAPTER.submit(submission(VEO.evolve(mode=Mode.FIRST_LAST, inputs=(LAST, FIRST)), "vllm")))
    files = [(name, value.filename) for name, value in request.form if name.startswith("input_reference")]

    assert files == [("input_references", "image_1.png"), ("input_references", "image_2.png")]
    named = LAST.evolve(blob=None, url="https://a.example.test/l.png")
    assert "as a file" in refusal(VEO.evolve(inputs=(FIRST, named)), "vllm")


@pytest.mark.parametrize("service", ["vllm", "sglang"])
def test_nothing_is_made_from_a_video_that_is_not_sent(service: str) -> None:
    """They have no endpoint that takes an id, so without a file there is no source."""
    assert "send it as a file" in refusal(REQUEST.evolve(mode=Mode.REMIX), service, source={"id": "video_1"})


def test_sglang_gets_options_with_their_types() -> None:
    """In JSON a number is a number and an object an object."""
    body = sent(submission(REQUEST.evolve(options={"guidance_scale": 4.5, "diffusers_kwargs": {"a": 1}}), "sglang"))

    assert (body["guidance_scale"], body["diffusers_kwargs"]) == (4.5, {"a": 1})


def test_pictures_that_were_made_into_text_are_bytes_we_hold() -> None:
    """A data URI is filled in while it is sent; nothing else leaves as text."""
    body = first_request(ADAPTER.submit(submission(VEO.evolve(mode=Mode.I2V, inputs=(FIRST,)), "newapi"))).json

    assert body["image"] == DataUri(blob=IMAGE)


# --- results, lists, ends


def test_sglang_numbers_its_files_by_variant() -> None:
    """A file that was moved to a bucket is behind its link, all others at the content endpoint."""
    operation = {"id": "req-1", "service": "sglang"}
    links = ["https://bucket.example.test/0.mp4", None]
    status = play(
        ADAPTER.check(operation), response({"id": "req-1", "status": "completed", "num_outputs": 2, "urls": links})
    )

    assert isinstance(status, Succeeded)
    first, second = (output.video for output in status.outputs)
    assert (first.request.path, first.authorize) == (links[0], False)
    assert (second.request.path, second.request.query) == ("/videos/req-1/content", (("variant", "1"),))


def test_googles_result_is_behind_a_link_that_wants_the_key() -> None:
    """There is no content endpoint; the engine gives the key to Google's own host alone."""
    operation = {"id": "operations/1", "service": "google"}
    body = {"status": "completed", "url": "https://generativelanguage.googleapis.com/v1beta/files/1:download"}
    status = play(ADAPTER.check(operation), response(body))

    assert isinstance(status, Succeeded)
    assert status.outputs[0].video.request.path == body["url"]
    assert status.outputs[0].video.authorize
    with pytest.raises(UnexpectedResponse, match="no link"):
        play(ADAPTER.check(operation), response({"status": "completed"}))


@pytest.mark.parametrize("service", RELAYS)
def test_what_a_relay_has_no_endpoint_for_is_not_asked(service: str) -> None:
    """No list to look a lost create up in, and nothing to delete."""
    with pytest.raises(NoWayToLook, match=service):
        play(ADAPTER.find(submission(service=service)))
    assert play(ADAPTER.delete({"id": "v", "service": service})) is None
    assert play(ADAPTER.cancel({"id": "v", "service": service})) == "refused"


def test_a_cancel_that_vllm_is_still_at_is_asked_for() -> None:
    """409 says that the abort goes on, or that the video has just finished."""
    assert play(ADAPTER.cancel({"id": "v", "service": "vllm"}), response({}, status=409)) == "asked"


@pytest.mark.parametrize("service", ["openai", "azure"])
def test_a_token_is_a_bearer_token_also_at_azure(service: str) -> None:
    """Entra's tokens do not go into `api-key`."""
    request = first_request(ADAPTER.check({"id": "v", "service": service}))
    credential = Credential(values={"access_token": "eyJ", "api_key": "sk-1"})

    assert ADAPTER.authorize(request, credential, 0.0).headers == (("Authorization", "Bearer eyJ"),)

"""What is peculiar to Google with an API key: Omni's interactions, and Veo in the shape it had there."""

from typing import Any

import pytest
from tests.vendors.google_cases import CLIP, IMAGE, OMNI, VEO, error, first_request, play, response, submission

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.google import ADAPTER
from reelway.vendors.spec import Base64, Credential, HttpRequest, Running, Succeeded, VendorFailed

OPERATION = {"interaction": "v1_1", "service": "gemini-api"}


def omni_body(request: Any = OMNI, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = first_request(ADAPTER.submit(submission(request, **changes))).json
    return body


def veo_body(request: Any = VEO, **changes: Any) -> dict[str, Any]:
    return omni_body(request, **changes)


# --- submitting


@pytest.mark.parametrize(
    ("request_", "model", "path"),
    [
        (OMNI, "gemini-omni-1.2-flash", "/v1/interactions"),
        (OMNI, "somebody-elses-name", "/v1/interactions"),
        (VEO, "veo-3.1-generate-preview", "/v1beta/models/veo-3.1-generate-preview:predictLongRunning"),
        (VEO, "somebody-elses-name", "/v1beta/models/somebody-elses-name:predictLongRunning"),
        (VEO, "veo/../../v1", "/v1beta/models/veo%2F..%2F..%2Fv1:predictLongRunning"),
    ],
)
def test_the_family_decides_the_surface(request_: Any, model: str, path: str) -> None:
    """Whatever the operator's names are; and no name leaves its place in the path."""
    request = first_request(ADAPTER.submit(submission(request_, model=model)))

    assert (request.method, request.path, request.billable) == ("POST", path, True)


def test_a_background_render_is_asked_for_in_googles_words() -> None:
    """Without `background` the answer would come with the video; a length without its unit is refused."""
    body = omni_body(OMNI.evolve(seed=7))

    assert body["background"] is True
    assert body["input"] == "a fox"
    assert body["response_format"]["duration"] == "8s"
    assert body["generation_config"] == {"seed": 7, "video_config": {"task": "text_to_video"}}
    assert body["labels"] == {"reelway_attempt": "video_1-1"}
    assert "webhook_config" not in body


def test_labels_have_googles_alphabet() -> None:
    """Lower case, digits, lines and dashes, 63 of them at most."""
    body = omni_body(reference="Job.1/" + "x" * 80)

    assert body["labels"] == {"reelway_attempt": "job-1-" + "x" * 57}


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("night falls", "<FIRST_FRAME> <LAST_FRAME> night falls"),
        ("from <FIRST_FRAME> to <LAST_FRAME>", "from <FIRST_FRAME> to <LAST_FRAME>"),
    ],
)
def test_two_frames_are_told_apart_once(prompt: str, sent: str) -> None:
    """Tags say which image is which; a prompt that has them stays as it is."""
    frames = (IMAGE.evolve(role=Role.LAST_FRAME), IMAGE)
    body = omni_body(OMNI.evolve(mode=Mode.FIRST_LAST, inputs=frames, prompt=prompt))

    assert body["generation_config"]["video_config"]["task"] == "image_to_video"
    assert body["input"][0]["content"][-1] == {"type": "text", "text": sent}


def test_googles_words_for_types_are_its_own() -> None:
    """A QuickTime film is `video/mov`, and a file uploaded to Google has the type of its name."""
    film = CLIP.evolve(
        role=Role.REFERENCE, blob=CLIP.blob and CLIP.blob.evolve(media_type="video/quicktime"), name="ride"
    )
    uploaded = Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, file_id="https://files.example.test/a.webp", name="toy")
    content = omni_body(OMNI.evolve(mode=Mode.R2V, inputs=(film, uploaded)))["input"][0]["content"]

    assert content[0]["mime_type"] == "video/mov"
    assert content[0]["name"] == "ride"
    assert content[1] == {"type": "image", "uri": "https://files.example.test/a.webp", "mime_type": "image/webp"}


@pytest.mark.parametrize("mode", [Mode.EDIT, Mode.REMIX, Mode.EXTEND])
def test_a_source_goes_by_its_interaction_where_the_same_model_made_it(mode: Mode) -> None:
    """Else by its bytes; and what is nowhere is refused before anything is sent."""
    request = OMNI.evolve(mode=mode, seconds=None, ratio=None, inputs=(CLIP,))
    source = {"source": {"interaction": "v1_0"}}
    by_id = omni_body(request, **source)
    by_bytes = omni_body(request, **source, source_model="gemini-omni-1.1-flash")
    from_veo = omni_body(request, source={"operation": "models/veo/operations/1"})

    assert (by_id["previous_interaction_id"], by_id["input"]) == ("v1_0", "a fox")
    for body in (by_bytes, from_veo):
        assert "previous_interaction_id" not in body
        assert isinstance(body["input"][0]["content"][0]["data"], Base64)
    assert "duration" not in by_id["response_format"]
    with pytest.raises(VendorRefused, match="send it as a file"):
        omni_body(request.evolve(inputs=()))


def test_veo_has_its_sound_without_asking() -> None:
    """The field is unknown with a key; silence is asked for all the same, so that it is refused and not overlooked."""
    assert "generateAudio" not in veo_body()["parameters"]
    assert veo_body(VEO.evolve(audio=False))["parameters"]["generateAudio"] is False


def test_veo_is_lengthened_in_its_own_spelling() -> None:
    """With a key a video is `uri` or `encodedVideo`."""
    request = VEO.evolve(mode=Mode.EXTEND, seconds=7, ratio=None)
    by_bytes = veo_body(request.evolve(inputs=(CLIP,)))["instances"][0]["video"]
    by_address = veo_body(request.evolve(inputs=(CLIP.evolve(blob=None, file_id="https://g.example/files/1"),)))

    assert by_bytes == {"encodedVideo": Base64(blob=CLIP.blob), "encoding": "video/mp4"}
    assert by_address["instances"][0]["video"] == {"uri": "https://g.example/files/1"}
    with pytest.raises(VendorRefused, match="send it as a file"):
        veo_body(request)


def test_options_of_an_operators_own_card_are_not_lost() -> None:
    """An option without a spelling of Google's keeps its name."""
    request = VEO.evolve(options={"negative_prompt": "rain", "storage": 1})

    assert veo_body(request)["parameters"]["negativePrompt"] == "rain"
    assert veo_body(request)["parameters"]["storage"] == 1
    assert omni_body(OMNI.evolve(options={"service_tier": "flex"}))["service_tier"] == "flex"


# --- refusals


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "Bad field.", "INVALID_ARGUMENT"), FailureKind.INVALID_REQUEST),
        (error(400, "Custom safety_settings are not supported.", "INVALID_ARGUMENT"), FailureKind.INVALID_REQUEST),
        (error(400, "Violates our usage guidelines.", "INVALID_ARGUMENT"), FailureKind.CONTENT_POLICY),
        (error(400, "Blocked. Support codes: 58061214", "INVALID_ARGUMENT"), FailureKind.CONTENT_POLICY),
        (error(400, "User location is not supported.", "FAILED_PRECONDITION"), FailureKind.PERMISSION),
        (error(400, "Precondition check failed.", "FAILED_PRECONDITION"), FailureKind.INVALID_REQUEST),
        (error(400, details=[{"reason": "API_KEY_INVALID"}]), FailureKind.AUTHENTICATION),
        (error(401, word="UNAUTHENTICATED"), FailureKind.AUTHENTICATION),
        (error(403, word="PERMISSION_DENIED"), FailureKind.PERMISSION),
        (error(403, details=[{"reason": "BILLING_DISABLED"}]), FailureKind.INSUFFICIENT_QUOTA),
        (error(404, "models/x is no longer available.", "NOT_FOUND"), FailureKind.MODEL_NOT_FOUND),
        (error(429, word="RESOURCE_EXHAUSTED"), FailureKind.RATE_LIMITED),
        (response([{"error": {"code": 403, "status": "PERMISSION_DENIED"}}], status=403), FailureKind.PERMISSION),
        (response({"error": {"code": "invalid_request", "message": "No."}}, status=400), FailureKind.INVALID_REQUEST),
        (response({"error": {"code": "billing_disabled"}}, status=403), FailureKind.INSUFFICIENT_QUOTA),
        (response({"error": "no"}, status=413), FailureKind.INVALID_REQUEST),
        (response({"error": {"details": [{"reason": 7}]}}, status=403), FailureKind.PERMISSION),
    ],
)
def test_a_refusal_has_a_kind(answer: Any, kind: FailureKind) -> None:
    """Google's words say what is refused for safety, its reasons what is wrong with the account, its codes the rest."""
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(submission()), answer)

    assert caught.value.failure.kind is kind
    assert caught.value.failure.message.startswith("`google` refused the request: ")


@pytest.mark.parametrize("status", [301, 408, 409, 499, 500, 502, 503, 504])
def test_an_outcome_nobody_knows_is_no_refusal(status: int) -> None:
    """Neither surface knows an idempotency key: a second create would be a second charge."""
    with pytest.raises(UnexpectedResponse, match="not known"):
        play(ADAPTER.submit(submission()), error(status, word="UNAVAILABLE"))


def test_a_source_that_google_lost_is_no_missing_model() -> None:
    """No other account would have it."""
    given = submission(OMNI.evolve(mode=Mode.EDIT), source={"interaction": "v1_0"})
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(given), error(404, "Interaction v1_0 was not found.", "NOT_FOUND"))

    assert caught.value.failure.kind is FailureKind.INVALID_REQUEST


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": 5}, [], "ok"])
def test_an_acceptance_without_an_id_is_an_unknown_outcome(body: Any) -> None:
    """Something was accepted, and nobody can say what."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.submit(submission()), response(body))


# --- looking


def shown(status: str = "completed", *steps: Any, **more: Any) -> Any:
    return response({"id": "v1_1", "status": status, "steps": list(steps), **more})


def said(*content: Any) -> dict[str, Any]:
    return {"type": "model_output", "content": list(content)}


LINK = "https://cdn.example.test/v.mp4"


def test_the_last_output_with_a_video_is_the_result() -> None:
    """Steps are walked backwards; words before and after it are no results."""
    video = {"type": "video", "uri": LINK, "mime_type": "video/mp4"}
    steps = [
        said({"type": "video", "uri": "https://old.example.test"}),
        said(video),
        said({"type": "text", "text": "Done."}),
    ]
    found = play(ADAPTER.check(OPERATION), shown("completed", *steps))

    assert isinstance(found, Succeeded)
    assert [output.video.request.path for output in found.outputs] == [LINK]
    assert found.outputs[0].video.own_origin == ""


def test_a_file_is_asked_about_at_google_alone() -> None:
    """A reseller that shows Google's addresses need not have its files."""
    uri = "https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media"
    done = shown("completed", said({"type": "video", "uri": uri}))

    assert isinstance(play(ADAPTER.check({"interaction": "v1_1", "service": "compatible"}), done), Succeeded)
    assert play(ADAPTER.check(OPERATION), done, response({"state": "PROCESSING"})) == Running()
    with pytest.raises(UnexpectedResponse, match="MELTED"):
        play(ADAPTER.check(OPERATION), done, response({"state": "MELTED"}))
    with pytest.raises(VendorRefused):
        play(ADAPTER.check(OPERATION), done, error(429))


@pytest.mark.parametrize("uri", ["gs://bucket/v.mp4", "file:///etc/passwd", "v.mp4"])
def test_an_address_that_leads_nowhere_is_looked_at_again(uri: str) -> None:
    """With a key there is no bucket to read."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check(OPERATION), shown("completed", said({"type": "video", "uri": uri})))


@pytest.mark.parametrize(
    ("tokens", "steps", "kind", "code"),
    [
        ([], [said({"type": "text", "text": "I cannot."})], FailureKind.CONTENT_POLICY, None),
        ([{"modality": "text", "tokens": 5}], [said({"type": "text", "text": "No"})], FailureKind.CONTENT_POLICY, None),
        (
            [{"modality": "VIDEO", "tokens": 9}],
            [said({"type": "text", "text": "No"})],
            FailureKind.VENDOR_ERROR,
            "no_video",
        ),
        ([{"modality": "video", "tokens": 9}], [], FailureKind.VENDOR_ERROR, "no_video"),
        ([], [said()], FailureKind.VENDOR_ERROR, "no_video"),
        ([], [said({"type": "text", "text": " "})], FailureKind.VENDOR_ERROR, "no_video"),
    ],
)
def test_completed_without_a_video_is_a_failure(tokens: Any, steps: Any, kind: FailureKind, code: str | None) -> None:
    """A text alone is a refusal and free; where tokens of video were counted, money is gone."""
    found = play(ADAPTER.check(OPERATION), shown("completed", *steps, usage={"output_tokens_by_modality": tokens}))

    assert isinstance(found, VendorFailed)
    assert (found.failure.kind, found.failure.vendor_code) == (kind, code)
    assert ("charged" in found.failure.message) == bool(code and tokens)


def test_completed_with_nothing_at_all_is_looked_at_again() -> None:
    """Seen at Google while the file was there."""
    with pytest.raises(UnexpectedResponse, match="nothing"):
        play(ADAPTER.check(OPERATION), shown("completed", {"type": "user_input", "content": []}))


@pytest.mark.parametrize(
    "state", ["failed", "incomplete", "budget_exceeded", "requires_action", "requires_continuation"]
)
def test_every_bad_end_is_a_failure(state: str) -> None:
    """For a video none of these goes on by itself."""
    found = play(ADAPTER.check(OPERATION), shown(state))

    assert isinstance(found, VendorFailed)
    assert (found.failure.kind, found.failure.vendor_code) == (FailureKind.VENDOR_ERROR, state)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (1, "m", FailureKind.CANCELLED),
        (3, "m", FailureKind.INVALID_REQUEST),
        (3, "It violates our usage guidelines.", FailureKind.CONTENT_POLICY),
        (4, "m", FailureKind.TIMED_OUT),
        (8, "m", FailureKind.RATE_LIMITED),
        (13, "m", FailureKind.VENDOR_ERROR),
        (99, "m", FailureKind.VENDOR_ERROR),
        ("x", None, FailureKind.VENDOR_ERROR),
    ],
)
def test_a_failed_step_has_a_code_of_grpc(code: Any, message: Any, kind: FailureKind) -> None:
    """And a message from which the vendor's id is taken out."""
    step = {"type": "model_output", "error": {"code": code, "message": message and f"{message} (v1_1)"}}
    found = play(ADAPTER.check(OPERATION), shown("failed", step))

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is kind
    assert "v1_1" not in found.failure.message


def test_only_figures_are_kept_of_what_was_used() -> None:
    """They are shown to callers, and no price is settled from them."""
    usage = {
        "total_tokens": 5,
        "total_input_tokens": "many",
        "total_output_tokens": 10**30,
        "output_tokens_by_modality": [{"modality": "video", "tokens": 5, "more": {}}, {"tokens": True}, "x"],
        "secret": 1,
    }
    found = play(ADAPTER.check(OPERATION), shown("completed", said({"type": "video", "uri": LINK}), usage=usage))

    assert found.usage == {
        "total_tokens": 5,
        "output_tokens_by_modality": [{"modality": "video", "tokens": 5}],
    }


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    """Ids are opaque, also where they hold a slash; what climbs is no id."""
    request = first_request(ADAPTER.check({"interaction": "a/../b?c", "service": ""}))
    veo = first_request(ADAPTER.check({"operation": "models/veo/operations/a?b"}))

    assert request.path == "/v1/interactions/a%2F..%2Fb%3Fc"
    assert request.drop_long_texts
    assert veo.path == "/v1beta/models/veo/operations/a%3Fb"
    with pytest.raises(UnexpectedResponse):
        first_request(ADAPTER.check({"operation": "models/../files"}))


@pytest.mark.parametrize(
    "result",
    [
        {"generatedSamples": [{"video": {}}]},
        {"generatedSamples": ["x"]},
        {"generatedSamples": [{"video": {"uri": "gs://b/o"}}]},
    ],
)
def test_a_sample_without_an_address_is_looked_at_again(result: Any) -> None:
    """It may have one at the next look."""
    body = {"name": "models/veo/operations/1", "done": True, "response": {"generateVideoResponse": result}}
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check({"operation": "models/veo/operations/1"}), response(body))


# --- signing, cancelling


def test_the_key_is_in_a_header_and_nowhere_else() -> None:
    """Addresses end up in logs."""
    request = HttpRequest(method="GET", path="/v1/interactions/1")
    signed = ADAPTER.authorize(request, Credential(values={"api_key": "AIza"}), 0.0)

    assert signed == request.evolve(headers=(("x-goog-api-key", "AIza"),))
    assert ADAPTER.authorize(request, Credential(), 0.0) == request


@pytest.mark.parametrize(("status", "answer"), [(200, "asked"), (400, "asked"), (409, "asked"), (404, "refused")])
def test_a_cancel_is_a_question(status: int, answer: str) -> None:
    """Nobody has said that it is free, so the next look tells; Veo is not even asked."""
    assert play(ADAPTER.cancel(OPERATION), response({}, status=status)) == answer
    assert play(ADAPTER.cancel({"operation": "models/veo/operations/1"})) == "refused"


def test_a_cancel_and_a_delete_that_break_are_no_answers() -> None:
    """Both are asked again."""
    for step in (ADAPTER.cancel, ADAPTER.delete):
        with pytest.raises(UnexpectedResponse):
            play(step(OPERATION), response({}, status=500))

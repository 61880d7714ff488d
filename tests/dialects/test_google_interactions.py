"""Omni in Google's words: what a create means, what an interaction shows in every state, and its own shape of errors."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.google_server import ID, NAME, Google
from tests.dialects.inputs import MP4, MP4_TEXT, PNG, PNG_TEXT

from reelway.core.videos import MediaKind, Role
from reelway.dialects.google_omni import read_interaction
from reelway.dialects.spec import Incoming

PATHS = [
    "/v1/interactions",
    "/v1beta/interactions",
    "/v1/projects/acme/locations/global/interactions",
    "/v1beta1/projects/acme/locations/global/interactions",
]
HERE = PATHS[0]
IMAGE = {"type": "image", "data": PNG_TEXT, "mime_type": "image/png"}
VIDEO = {"type": "video", "data": MP4_TEXT, "mime_type": "video/mp4"}
OURS = {"type": "video", "uri": f"https://films.example.test/v1beta/files/{NAME}:download?alt=media"}


@pytest.fixture
def google() -> Google:
    return Google()


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


async def created(google: Google, given: Any, *, task: str | None = None, **fields: Any) -> Any:
    """Send a create; return what it means."""
    if task is not None:
        fields["generation_config"] = {"video_config": {"task": task}}
    answer = await google.ask("POST", HERE, {"model": "gemini-omni", "input": given, "background": True, **fields})
    assert answer.status == 200, answer.json
    return google.request


def roles(request: Any) -> list[tuple[Role | None, MediaKind | None]]:
    return [(given.role, given.kind) for given in request.inputs]


# --- creates


@pytest.mark.parametrize("path", PATHS)
async def test_a_prompt_is_enough(google: Google, path: str) -> None:
    """On every surface; who says no more waits for the video and reads its bytes out of the answer."""
    answer = await google.ask("POST", path, {"model": "models/gemini-omni", "input": "An oak"})
    assert answer.status == 200
    assert (google.request.model, google.request.prompt, google.request.inputs) == ("gemini-omni", "An oak", ())
    assert google.request.response_format == "b64_json"
    assert google.created.wait_seconds == 600


async def test_every_field_is_read(google: Google) -> None:
    """Each lands where the model card looks for it."""
    request = await created(
        google,
        [{"type": "user_input", "content": [text("An oak")]}],
        generation_config={"seed": 7, "video_config": {"task": "text_to_video"}},
        response_format={
            "type": "video",
            "aspect_ratio": "9:16",
            "resolution": "1080p",
            "duration": "12s",
            "delivery": "uri",
        },
        labels={"team": "films"},
        webhook_config={"uris": ["https://caller.example.test/hook"], "user_metadata": {"order": "7"}},
        service_tier="priority",
        response_modalities=["video"],
        response_mime_type="video/mp4",
        store=True,
        stream=False,
    )
    assert google.created.wait_seconds == 0
    assert (request.prompt, request.mode, request.seed) == ("An oak", "t2v", 7)
    assert (request.ratio, request.tier, request.seconds) == ("9:16", "1080p", 12)
    assert (request.response_format, request.metadata) == ("url", {"team": "films", "order": "7"})
    assert request.options == {"service_tier": "priority"}
    assert (request.callback_url, request.callback_dialect) == (
        "https://caller.example.test/hook",
        "google_interactions",
    )


@pytest.mark.parametrize(
    "given",
    [
        "An oak\nin rain",
        [text("An oak"), text("in rain")],
        ["An oak", "in rain"],
        [{"type": "user_input", "content": [text("An oak"), text("in rain")]}],
        [{"type": "user_input", "content": "An oak\nin rain"}],
        text("An oak\nin rain"),
    ],
)
async def test_every_way_to_write_a_prompt(google: Google, given: Any) -> None:
    """A text, blocks, or the step into which google-genai wraps blocks."""
    assert (await created(google, given)).prompt == "An oak\nin rain"


FRAME = (Role.FIRST_FRAME, MediaKind.IMAGE)
LAST = (Role.LAST_FRAME, MediaKind.IMAGE)
REFERENCE = (Role.REFERENCE, MediaKind.IMAGE)
CLIP = (Role.REFERENCE, MediaKind.VIDEO)
SOURCE = (Role.SOURCE, MediaKind.VIDEO)
OPEN = (None, MediaKind.IMAGE)


@pytest.mark.parametrize(
    ("task", "prompt", "media", "operation", "mode", "expected"),
    [
        ("image_to_video", "It drifts", [IMAGE], "create", None, [FRAME]),
        ("image_to_video", "It drifts", [IMAGE, IMAGE], "create", None, [FRAME, LAST]),
        ("reference_to_video", "<IMAGE_REF_0> runs", [IMAGE, VIDEO], "create", "r2v", [REFERENCE, CLIP]),
        ("edit", "Make it night", [VIDEO], "edit", None, [SOURCE]),
        ("edit", "Put <IMAGE_REF_0> in", [IMAGE, VIDEO], "edit", None, [SOURCE, REFERENCE]),
        ("extend", "On it goes", [VIDEO], "extend", None, [SOURCE]),
        (None, "It drifts", [IMAGE], "create", None, [OPEN]),
        (None, "It drifts", [IMAGE, IMAGE], "create", None, [OPEN, OPEN]),
        (None, "<FIRST_FRAME> It drifts", [IMAGE], "create", None, [FRAME]),
        (None, "Here <FIRST_FRAME>, there <LAST_FRAME>", [IMAGE, IMAGE], "create", None, [FRAME, LAST]),
        (None, "With <IMAGE_REF_0>", [IMAGE], "create", None, [REFERENCE]),
        (None, "<IMAGE_REF_0> as in <VIDEO_REF_0>", [IMAGE, VIDEO], "create", None, [REFERENCE, CLIP]),
        (None, "Make it night", [VIDEO], "edit", None, [SOURCE]),
    ],
)
async def test_the_task_or_the_tags_say_what_media_are_for(
    google: Google,
    task: str | None,
    prompt: str,
    media: list[Any],
    operation: str,
    mode: str | None,
    expected: list[Any],
) -> None:
    """And where neither does, the model card."""
    request = await created(google, [*media, text(prompt)], task=task)
    assert (request.operation, request.mode, roles(request)) == (operation, mode, expected)
    assert {given.data for given in request.inputs} <= {PNG, MP4}


async def test_tags_that_only_repeat_the_roles_are_taken_off(google: Google) -> None:
    """Both, at the very start; any other tag is a word of the prompt."""
    for words in ("<FIRST_FRAME> <LAST_FRAME> It drifts", "<FIRST_FRAME>  <LAST_FRAME>\nIt drifts"):
        assert (await created(google, [IMAGE, IMAGE, text(words)], task="image_to_video")).prompt == "It drifts"
    for words in ("<FIRST_FRAME> drifts", "From <FIRST_FRAME> <LAST_FRAME> it drifts"):
        assert (await created(google, [IMAGE, text(words)])).prompt == words


@pytest.mark.parametrize(("task", "operation"), [(None, "edit"), ("edit", "edit"), ("extend", "extend")])
async def test_an_earlier_interaction_is_edited_or_lengthened(google: Google, task: str | None, operation: str) -> None:
    """By its id, or by the address of its file."""
    request = await created(google, "Make it night", task=task, previous_interaction_id=ID)
    assert (request.operation, request.source_video_id, request.inputs) == (operation, ID, ())
    request = await created(google, [OURS, text("Make it night")], task=task)
    assert (request.operation, request.source_video_id, request.inputs) == (operation, ID, ())


async def test_a_video_of_ours_can_be_a_reference(google: Google) -> None:
    """By the address of its file."""
    request = await created(google, [OURS, text("As in <VIDEO_REF_0>")], task="reference_to_video")
    [clip] = request.inputs
    assert (clip.role, clip.video_id) == (Role.REFERENCE, ID)


async def test_what_a_document_is_its_type_or_its_bytes_say(google: Google) -> None:
    """Google's pages call every uploaded file a document."""
    files = [
        {"type": "document", "uri": "gs://films/a", "mime_type": "image/png"},
        {"type": "document", "uri": "gs://films/b"},
    ]
    request = await created(google, [*files, text("Both toys")], task="reference_to_video")
    assert [(given.file_id, given.kind) for given in request.inputs] == [
        ("gs://films/a", MediaKind.IMAGE),
        ("gs://films/b", None),
    ]


def base(**fields: Any) -> dict[str, Any]:
    return {"model": "gemini-omni", "input": "An oak", **fields}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": "An oak"}, "model"),
        ({"model": "gemini-omni"}, "input"),
        (base(input=7), "input"),
        (base(input=[{"type": "audio", "data": "AAAA"}]), "input[0]"),
        (base(input=[{"type": "sculpture"}]), "input[0].type"),
        (base(input=[7]), "input[0]"),
        (base(input=[{"type": "text", "text": "a", "colour": "red"}]), "input[0].colour"),
        (base(input=[{"type": "user_input", "content": "a"}, {"type": "model_output"}]), "input"),
        (base(input=[{"type": "image"}]), "input[0]"),
        (base(input=[{"type": "image", "data": "%"}]), "input[0]"),
        (base(input=[VIDEO, VIDEO]), "input"),
        (base(previous_interaction_id=ID, input=[VIDEO]), "input"),
        (
            base(previous_interaction_id=ID, generation_config={"video_config": {"task": "text_to_video"}}),
            "generation_config.video_config.task",
        ),
        (base(generation_config={"video_config": {"task": "upscale"}}), "generation_config.video_config.task"),
        (base(generation_config={"temperature": 1}), "generation_config.temperature"),
        (base(generation_config={"heat": 1}), "generation_config.heat"),
        (base(generation_config={"seed": "x"}), "generation_config.seed"),
        (base(response_format={"duration": 8}), "response_format.duration"),
        (base(response_format={"duration": "8"}), "response_format.duration"),
        (base(response_format={"duration": "8.5s"}), "response_format.duration"),
        (base(response_format={"aspect_ratio": "wide"}), "response_format.aspect_ratio"),
        (base(response_format={"delivery": "post"}), "response_format.delivery"),
        (base(response_format={"gcs_uri": "gs://b/"}), "response_format.gcs_uri"),
        (base(response_format={"type": "text"}), "response_format.type"),
        (base(response_format=[{}, {}]), "response_format"),
        (base(response_modalities=["text"]), "response_modalities"),
        (base(response_mime_type="text/plain"), "response_mime_type"),
        (base(store=False), "store"),
        (base(stream=True), "stream"),
        (base(background="maybe"), "background"),
        (base(webhook_config={"uris": ["https://a.example.test"]}), "webhook_config"),
        (base(service_tier="gold"), "service_tier"),
        (base(system_instruction="Be kind"), "system_instruction"),
        (base(tools=[]), "tools"),
        (base(colour="red"), "colour"),
        (
            base(background=True, labels={"a": "1"}, webhook_config={"user_metadata": {"a": "2"}}),
            "webhook_config.user_metadata.a",
        ),
    ],
)
async def test_what_cannot_be_had_is_refused_by_its_name(google: Google, body: dict[str, Any], field: str) -> None:
    """Nothing is dropped, and nothing is made of it."""
    answer = await google.ask("POST", HERE, body)
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert field.rpartition(".")[2] in answer.error["message"]
    assert not google.calls


@given(st.integers(0, 99_999))
def test_a_duration_is_whole_seconds_with_their_unit(seconds: int) -> None:
    """As google-genai sends it, also with the zeros of a computed one."""
    for written in (f"{seconds}s", f"{seconds}.0s"):
        body = base(response_format={"type": "video", "duration": written})
        assert read_interaction(Incoming(method="POST", path=HERE, json=body)).request.seconds == seconds

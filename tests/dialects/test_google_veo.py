"""Veo in Google's words: what a create means on either surface, how operations end, and where the files are."""

from typing import Any

import pytest
from tests.dialects.google_server import ID, NAME, Google, finished, output
from tests.dialects.inputs import MP4, MP4_TEXT, PNG, PNG_TEXT

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import InputReference, MediaKind, Role
from reelway.dialects.spec import ReadVideo

GEMINI = "/v1beta/models/veo3.1"
VERTEX = "/v1/projects/acme/locations/us-central1/publishers/google/models/veo3.1"
OPERATION = f"projects/acme/locations/us-central1/publishers/google/models/veo3.1/operations/{ID}"
BUCKET = "gs://films/oak.png"


@pytest.fixture
def google() -> Google:
    return Google()


async def created(google: Google, instance: dict[str, Any], parameters: dict[str, Any] | None = None) -> Any:
    """Send a create to the Gemini API; return what it means."""
    body = {"instances": [instance], **({} if parameters is None else {"parameters": parameters})}
    answer = await google.ask("POST", f"{GEMINI}:predictLongRunning", body)
    assert answer.status == 200, answer.json
    return google.request


async def refused(google: Google, body: Any, path: str = GEMINI) -> dict[str, Any]:
    """Send a create that cannot be taken; return the error."""
    answer = await google.ask("POST", f"{path}:predictLongRunning", body)
    assert answer.status == 400
    assert not google.calls
    return answer.error


# --- creates


async def test_every_parameter_is_read(google: Google) -> None:
    """Each lands where the model card looks for it."""
    request = await created(
        google,
        {"prompt": "An oak"},
        {
            "aspectRatio": "9:16",
            "compressionQuality": "lossless",
            "durationSeconds": 6,
            "enhancePrompt": False,
            "fps": 24,
            "generateAudio": True,
            "negativePrompt": "text",
            "personGeneration": "ALLOW_ADULT",
            "resizeMode": "pad",
            "resolution": "1080p",
            "sampleCount": 2,
            "seed": 42,
        },
    )
    assert (request.model, request.prompt, request.operation) == ("veo3.1", "An oak", "create")
    assert (request.ratio, request.tier, request.seconds) == ("9:16", "1080p", 6)
    assert (request.n, request.seed, request.fps, request.audio) == (2, 42, 24, True)
    assert request.options == {
        "compression_quality": "LOSSLESS",
        "enhance_prompt": False,
        "negative_prompt": "text",
        "person_generation": "allow_adult",
        "resize_mode": "PAD",
    }
    assert request.response_format == "url"


@pytest.mark.parametrize("seconds", [8, "8", 8.0, "8s"])
@pytest.mark.parametrize("count", ["sampleCount", "numberOfVideos"])
async def test_both_spellings_mean_the_same(google: Google, seconds: Any, count: str) -> None:
    """The length as a number or as text, the number of takes under either name."""
    request = await created(google, {"prompt": "An oak"}, {"durationSeconds": seconds, count: 3})
    assert (request.seconds, request.n) == (8, 3)


@pytest.mark.parametrize(
    "image",
    [
        {"bytesBase64Encoded": PNG_TEXT, "mimeType": "image/png"},
        {"inlineData": {"mimeType": "image/png", "data": PNG_TEXT}},
        {"bytesBase64Encoded": PNG_TEXT.replace("+", "-").replace("/", "_").rstrip("="), "mimeType": "image/png"},
    ],
)
async def test_images_are_read_in_either_spelling(google: Google, image: dict[str, Any]) -> None:
    """As google-genai sends them, and as the REST pages show them; with frames and references in their roles."""
    request = await created(google, {"image": image, "lastFrame": image})
    roles = [(given.role, given.kind, given.data, given.media_type) for given in request.inputs]
    assert roles == [(role, MediaKind.IMAGE, PNG, "image/png") for role in (Role.FIRST_FRAME, Role.LAST_FRAME)]
    assert request.prompt is None

    references = [{"image": image, "referenceType": word} for word in ("asset", "ASSET")]
    request = await created(google, {"prompt": "Both toys", "referenceImages": references})
    assert [(given.role, given.data) for given in request.inputs] == [(Role.REFERENCE, PNG)] * 2


async def test_an_image_in_a_bucket_or_on_the_web_is_handed_on(google: Google) -> None:
    """Who can open a bucket is for the vendor to know."""
    request = await created(
        google, {"image": {"gcsUri": BUCKET}, "lastFrame": {"gcsUri": "https://files.example.test/a.png"}}
    )
    assert [(given.file_id, given.url) for given in request.inputs] == [
        (BUCKET, None),
        (None, "https://files.example.test/a.png"),
    ]


@pytest.mark.parametrize(
    "video",
    [
        {"encodedVideo": MP4_TEXT, "encoding": "video/mp4"},
        {"bytesBase64Encoded": MP4_TEXT, "mimeType": "video/mp4"},
        {"inlineData": {"data": MP4_TEXT, "mimeType": "video/mp4"}},
    ],
)
async def test_a_video_is_lengthened(google: Google, video: dict[str, Any]) -> None:
    """By the length that the card knows: the 8 that Google wants to be sent means no other."""
    request = await created(google, {"prompt": "On it goes", "video": video}, {"durationSeconds": 8})
    assert (request.operation, request.seconds, request.source_video_id) == ("extend", None, None)
    [source] = request.inputs
    assert (source.role, source.kind, source.data) == (Role.SOURCE, MediaKind.VIDEO, MP4)


@pytest.mark.parametrize("name", ["uri", "gcsUri"])
@pytest.mark.parametrize(
    "address",
    [f"https://films.example.test/v1beta/files/{NAME}:download?alt=media", f"files/{NAME}", f"http://a/files/{NAME}"],
)
async def test_a_video_of_ours_is_known_by_its_address(google: Google, name: str, address: str) -> None:
    """What an operation answered can be given back, on either surface, whatever name the server has today."""
    request = await created(google, {"prompt": "On it goes", "video": {name: address}})
    assert (request.operation, request.source_video_id, request.inputs) == ("extend", ID, ())


async def test_another_address_is_another_video(google: Google) -> None:
    """Also one of Google's own, whatever its name looks like."""
    address = f"https://generativelanguage.googleapis.com/v1beta/files/{NAME}"
    request = await created(google, {"prompt": "On", "video": {"uri": address}})
    assert request.source_video_id is None
    assert request.inputs == (
        InputReference(field="instances[0].video", kind=MediaKind.VIDEO, role=Role.SOURCE, url=address),
    )


async def test_labels_and_what_a_webhook_wants_back_are_kept_as_tags(google: Google) -> None:
    """The event goes to the one address, in this dialect's words."""
    webhook = {"uris": ["https://caller.example.test/hook"], "userMetadata": {"order": 7}}
    body = {"instances": [{"prompt": "An oak"}], "labels": {"team": "films"}, "webhookConfig": webhook}
    await google.ask("POST", f"{GEMINI}:predictLongRunning", body)
    assert google.request.metadata == {"team": "films", "order": 7}
    assert google.request.callback_url == "https://caller.example.test/hook"
    assert google.request.callback_dialect == "google"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "instances"),
        ({"instances": []}, "instances"),
        ({"instances": [{"prompt": "a"}, {"prompt": "b"}]}, "instances"),
        ({"instances": [{"prompt": 7}]}, "instances[0].prompt"),
        ({"instances": [{"prompt": "a", "style": "b"}]}, "instances[0].style"),
        ({"instances": [{"prompt": "a"}], "parameters": {"duration": 8}}, "parameters.duration"),
        ({"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 5}}, "parameters.sampleCount"),
        (
            {"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 1, "numberOfVideos": 2}},
            "parameters.sampleCount",
        ),
        ({"instances": [{"prompt": "a"}], "parameters": {"durationSeconds": "long"}}, "parameters.durationSeconds"),
        ({"instances": [{"prompt": "a"}], "parameters": {"aspectRatio": "wide"}}, "parameters.aspectRatio"),
        ({"instances": [{"prompt": "a"}], "parameters": {"storageUri": "gs://b/"}}, "parameters.storageUri"),
        ({"instances": [{"prompt": "a"}], "parameters": {"pubsubTopic": "t"}}, "parameters.pubsubTopic"),
        ({"instances": [{"prompt": "a", "mask": {}}]}, "instances[0].mask"),
        ({"instances": [{"image": {}}]}, "instances[0].image"),
        ({"instances": [{"image": {"gcsUri": BUCKET, "bytesBase64Encoded": PNG_TEXT}}]}, "instances[0].image"),
        ({"instances": [{"image": {"bytesBase64Encoded": "%"}}]}, "instances[0].image"),
        ({"instances": [{"image": {"gcsUri": "oak.png"}}]}, "instances[0].image"),
        ({"instances": [{"image": {"gcsUri": f"https://a/v1beta/files/{NAME}"}}]}, "instances[0].image"),
        ({"instances": [{"video": {"uri": f"https://a/v1beta/files/{NAME[:-1]}1"}}]}, "instances[0].video"),
        (
            {"instances": [{"referenceImages": [{"image": {"gcsUri": BUCKET}, "referenceType": "STYLE"}]}]},
            "instances[0].referenceImages[0].referenceType",
        ),
        ({"instances": [{"prompt": "a"}], "labels": {"a": 1}}, "labels.a"),
        ({"instances": [{"prompt": "a"}], "labels": {"a": "b" * 64}}, "labels.a"),
        ({"instances": [{"prompt": "a"}], "webhookConfig": {"uris": ["https://a", "https://b"]}}, "webhookConfig.uris"),
        ({"instances": [{"prompt": "a"}], "webhookConfig": {"secret": "x"}}, "webhookConfig.secret"),
        ({"instances": [{"prompt": "a"}], "safetySettings": []}, "safetySettings"),
    ],
)
@pytest.mark.parametrize("path", [GEMINI, VERTEX])
async def test_what_google_does_not_know_is_refused_with_its_place(
    google: Google, body: dict[str, Any], field: str, path: str
) -> None:
    """Nothing is dropped, and nothing is made of it."""
    error = await refused(google, body, path)
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    [violation] = error["details"][0]["fieldViolations"]
    assert violation["field"] == field


async def test_an_unknown_field_is_named_as_google_names_it(google: Google) -> None:
    """Clients look for these words."""
    error = await refused(google, {"instances": [{"prompt": "a"}], "parameters": {"duration": 8}})
    assert error["message"] == (
        "Invalid JSON payload received. Unknown name \"duration\" at 'parameters': Cannot find field."
    )


# --- operations


async def test_a_create_answers_with_an_operation(google: Google) -> None:
    """Its id is that of the video; there is no word for waiting, and no percent."""
    body = {"instances": [{"prompt": "An oak"}]}
    answer = await google.ask("POST", f"{GEMINI}:predictLongRunning", body)
    assert answer.json == {"name": f"models/veo3.1/operations/{ID}", "done": False}
    answer = await google.ask("POST", f"{VERTEX}:predictLongRunning", body)
    assert answer.json == {"name": OPERATION, "done": False}
    assert google.request.response_format == "b64_json"


async def test_a_finished_operation_names_files(google: Google) -> None:
    """On the server that the links lead to."""
    google.video = finished(google.video, outputs=(output(0), output(1)))
    answer = await google.ask("GET", f"{GEMINI}/operations/{ID}")
    assert google.calls == [ReadVideo(id=ID)]
    assert answer.json["done"] is True
    samples = answer.json["response"]["generateVideoResponse"]["generatedSamples"]
    assert [sample["video"]["uri"] for sample in samples] == [
        f"https://films.example.test/v1beta/files/{NAME[:-1]}{index}:download?alt=media" for index in (0, 1)
    ]


async def test_vertex_has_the_bytes_in_the_answer(google: Google) -> None:
    """In the place of bytes that are too many, or were not asked for, an address of ours."""
    google.video = finished(google.video, b64_json=("ZmlsbQ==",), outputs=(output(0), output(1)))
    answer = await google.ask("POST", f"{VERTEX}:fetchPredictOperation", {"operationName": OPERATION})
    assert google.calls == [ReadVideo(id=ID)]
    assert answer.json["name"] == OPERATION
    assert answer.json["response"]["videos"] == [
        {"bytesBase64Encoded": "ZmlsbQ==", "mimeType": "video/mp4"},
        {
            "gcsUri": f"https://films.example.test/v1beta/files/{NAME[:-1]}1:download?alt=media",
            "mimeType": "video/mp4",
        },
    ]
    assert answer.json["response"]["raiMediaFilteredCount"] == 0


@pytest.mark.parametrize("name", ["", ID, OPERATION.replace("veo3.1", "veo3"), f"models/veo3.1/operations/{ID}"])
async def test_an_operation_of_another_model_is_refused(google: Google, name: str) -> None:
    """A poll that was put together wrongly hears so."""
    answer = await google.ask("POST", f"{VERTEX}:fetchPredictOperation", {"operationName": name})
    assert (answer.status, answer.error["status"]) == (400, "INVALID_ARGUMENT")


async def fetched(google: Google) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the operation on both surfaces."""
    gemini = await google.ask("GET", f"{GEMINI}/operations/{ID}")
    vertex = await google.ask("POST", f"{VERTEX}:fetchPredictOperation", {"operationName": OPERATION})
    return gemini.json, vertex.json


@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS])
async def test_what_goes_on_is_not_done(google: Google, status: Status) -> None:
    """Whatever is known of its progress."""
    google.video = google.video.evolve(status=status, progress=40)
    assert [answer["done"] for answer in await fetched(google)] == [False, False]


GRPC = {
    FailureKind.INVALID_REQUEST: 3,
    FailureKind.AUTHENTICATION: 16,
    FailureKind.PERMISSION: 7,
    FailureKind.INSUFFICIENT_QUOTA: 8,
    FailureKind.RATE_LIMITED: 8,
    FailureKind.MODEL_NOT_FOUND: 5,
    FailureKind.VENDOR_UNAVAILABLE: 14,
    FailureKind.VENDOR_ERROR: 13,
    FailureKind.TIMED_OUT: 4,
    FailureKind.UNEXPECTED_RESPONSE: 13,
    FailureKind.SUBMISSION_UNKNOWN: 2,
    FailureKind.MEDIA_INVALID: 15,
    FailureKind.BUDGET_EXCEEDED: 8,
    FailureKind.CANCELLED: 1,
}


@pytest.mark.parametrize("kind", FailureKind)
async def test_each_failure_has_its_code(google: Google, kind: FailureKind) -> None:
    """Content that a filter kept back is no error: it is done, without a video and with the reason."""
    google.video = google.video.evolve(status=Status.FAILED, failure=Failure(kind=kind, message="It failed."))
    gemini, vertex = await fetched(google)
    assert gemini["done"] is vertex["done"] is True
    if kind is FailureKind.CONTENT_POLICY:
        filtered = {
            "raiMediaFilteredCount": 1,
            "raiMediaFilteredReasons": ["Blocked by usage guidelines: It failed."],
        }
        assert gemini["response"]["generateVideoResponse"] == filtered
        assert vertex["response"].items() >= filtered.items()
        assert "videos" not in vertex["response"]
    else:
        assert gemini["error"] == vertex["error"]
        assert (gemini["error"]["code"], gemini["error"]["message"]) == (GRPC[kind], "It failed.")
        assert gemini["error"]["details"][0]["reason"] == kind.value.upper()


async def test_success_without_a_video_is_shown_as_that(google: Google) -> None:
    """Done, with neither a video nor a reason."""
    google.video = finished(google.video, outputs=())
    gemini, vertex = await fetched(google)
    assert gemini["response"]["generateVideoResponse"] == {}
    assert "videos" not in vertex["response"]
    assert "error" not in gemini
    assert "error" not in vertex


async def test_a_repetition_is_marked(google: Google) -> None:
    """As in every dialect."""
    google.video = google.video.evolve(replayed=True)
    answer = await google.ask("POST", f"{GEMINI}:predictLongRunning", {"instances": [{"prompt": "An oak"}]})
    assert answer.headers["idempotent-replayed"] == "true"

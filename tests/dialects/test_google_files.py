"""Files of Google's dialect and its errors: names that clients can cut out of addresses, downloads, and the word for each error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.google_server import ID, NAME, Google, finished

from reelway.core.errors import (
    BudgetExceeded,
    CallerError,
    Conflict,
    Gone,
    InvalidRequest,
    NoRoute,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
)
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.dialects.google_files import file_name, read_file_name
from reelway.dialects.spec import OpenContent
from reelway.mounting.exchange import InternalError

GEMINI = "/v1beta/models/veo3.1"


@pytest.fixture
def google() -> Google:
    return Google()


# --- files


@pytest.mark.parametrize(
    "target",
    [
        f"/v1beta/files/{NAME}:download?alt=media",
        f"/v1beta/files/{NAME}:download",
        f"/v1/files/{NAME}:download?alt=media",
        # google-genai knows `https://` addresses only, and puts any other one into the path as it stands.
        f"/v1beta/files/http://localhost:8080/v1beta/files/{NAME}:download?alt=media:download?alt=media",
    ],
)
async def test_a_file_is_downloaded(google: Google, target: str) -> None:
    """By its name, or by the address that an operation gave."""
    answer = await google.ask("GET", target)
    assert (answer.status, answer.body) == (200, b"film")
    assert google.calls == [OpenContent(id=ID, index=0)]


async def test_a_download_needs_a_key(google: Google) -> None:
    """As a header, as a bearer, or in the query."""
    target = f"/v1beta/files/{NAME}:download?alt=media"
    answer = await google.ask("GET", target, key="wrong")
    assert (answer.status, answer.error["status"]) == (401, "UNAUTHENTICATED")
    answer = await google.ask("GET", target, key="", headers={"authorization": "Bearer k"})
    assert answer.status == 200
    assert (await google.ask("GET", f"{target}&key=k", key="")).status == 200


async def test_a_file_says_what_it_is(google: Google) -> None:
    """Ready when the video is; then with its size and both of its addresses."""
    states = []
    for video in (
        google.video,
        google.video.evolve(status=Status.FAILED),
        finished(google.video),
    ):
        google.video = video
        shown = (await google.ask("GET", f"/v1beta/files/{NAME}")).json
        states.append(shown["state"])
    assert states == ["PROCESSING", "FAILED", "ACTIVE"]
    assert shown == {
        "name": f"files/{NAME}",
        "source": "GENERATED",
        "state": "ACTIVE",
        "mimeType": "video/mp4",
        "sizeBytes": "4",
        "createTime": "2026-09-21T14:13:20Z",
        "updateTime": "2026-09-21T14:14:41Z",
        "expirationTime": "2026-09-23T14:13:20Z",
        "uri": f"https://films.example.test/v1beta/files/{NAME}",
        "downloadUri": f"https://films.example.test/v1beta/files/{NAME}:download?alt=media",
        "videoMetadata": {"videoDuration": "8s"},
    }


@pytest.mark.parametrize(
    "target", [f"/v1beta/files/{NAME[:-1]}1", "/v1beta/files/abc", "/v1beta/files/abc:download?alt=media"]
)
async def test_there_is_no_other_file(google: Google, target: str) -> None:
    """Neither a second output of one, nor a name that we never gave."""
    google.video = finished(google.video)
    answer = await google.ask("GET", target)
    assert (answer.status, answer.error["status"]) == (404, "NOT_FOUND")


async def test_only_the_bytes_can_be_downloaded(google: Google) -> None:
    """Another `alt` is another kind of answer."""
    answer = await google.ask("GET", f"/v1beta/files/{NAME}:download?alt=json")
    assert answer.error["details"][0]["fieldViolations"][0]["field"] == "alt"


@given(
    st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26),
    st.sampled_from(["video_", "video_sandbox_"]),
    st.integers(0, 3),
)
def test_a_file_name_is_one_word_and_leads_back(tail: str, prefix: str, index: int) -> None:
    """Google's clients cut names off at the first other character; names have 40 at most."""
    name = file_name(prefix + tail, index)
    assert name.isascii()
    assert name.isalnum()
    assert name == name.lower()
    assert len(name) <= 40
    assert read_file_name(name) == (prefix + tail, index)


# --- errors


class Odd(CallerError):
    """An error of another status."""

    def __init__(self, status: int, kind: FailureKind = FailureKind.INVALID_REQUEST) -> None:
        super().__init__("Odd.")
        self.status = status
        self.kind = kind


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (InvalidRequest("No."), 400, "INVALID_ARGUMENT"),
        (NotFound("No."), 404, "NOT_FOUND"),
        (Gone("No."), 404, "NOT_FOUND"),
        (Conflict("No."), 400, "FAILED_PRECONDITION"),
        (TooLarge("No."), 400, "INVALID_ARGUMENT"),
        (PermissionDenied("No."), 403, "PERMISSION_DENIED"),
        (BudgetExceeded("No."), 403, "PERMISSION_DENIED"),
        (RateLimited("No.", retry_after_seconds=1.5), 429, "RESOURCE_EXHAUSTED"),
        (NoRoute("No."), 503, "UNAVAILABLE"),
        (InternalError("No."), 500, "INTERNAL"),
        (Odd(402), 403, "PERMISSION_DENIED"),
        (Odd(400, FailureKind.INSUFFICIENT_QUOTA), 403, "PERMISSION_DENIED"),
        (Odd(429), 429, "RESOURCE_EXHAUSTED"),
        (Odd(502), 502, "INTERNAL"),
        (Odd(504), 504, "DEADLINE_EXCEEDED"),
        (Odd(400, FailureKind.CONTENT_POLICY), 400, "INVALID_ARGUMENT"),
        (Odd(400, FailureKind.MODEL_NOT_FOUND), 404, "NOT_FOUND"),
    ],
)
async def test_each_error_has_its_word(google: Google, error: CallerError, status: int, word: str) -> None:
    """And the HTTP status that comes with it; when to come back is a header."""
    google.fails_with = error
    answer = await google.ask("GET", f"{GEMINI}/operations/{ID}")
    assert (answer.status, answer.error["code"], answer.error["status"]) == (status, status, word)
    assert answer.headers.get("retry-after") == ("2" if error.retry_after_seconds else None)
    blocked = error.kind is FailureKind.CONTENT_POLICY
    assert answer.error["message"] == f"Blocked by usage guidelines: {error.message}" if blocked else error.message


async def test_wrong_methods_and_bodies_have_googles_shape(google: Google) -> None:
    """Also what never reaches a dialect."""
    answer = await google.ask("GET", f"{GEMINI}:predictLongRunning")
    assert (answer.status, answer.error["status"]) == (405, "UNIMPLEMENTED")
    assert answer.headers["allow"] == "POST"
    answer = await google.ask("POST", f"{GEMINI}:predictLongRunning")
    assert (answer.status, answer.error["status"]) == (400, "INVALID_ARGUMENT")

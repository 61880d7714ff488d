"""What is peculiar to Vertex AI: hosts, buckets, files within answers, and how a lost submit is found."""

from typing import Any

import pytest
from tests.vendors.google_cases import CLIP, IMAGE, NAME, OMNI, VEO, error, first_request, play, response, submission

from reelway.core.errors import NoWayToLook, UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind, Remedy, remedy_for
from reelway.core.videos import Mode
from reelway.vendors.spec import Candidate, Credential, HttpRequest, Running, Submission, Succeeded, VendorFailed
from reelway.vendors.vertex import ADAPTER, host_of

PLACE = {"project": "acme", "location": "us-central1"}
BUCKET = {**PLACE, "storage_uri": "gs://out/reelway/"}
FOLDER = "gs://out/reelway/video_1-1/"
OPERATION = {"operation": NAME}


def given(request: Any = VEO, settings: dict[str, str] | None = None, **changes: Any) -> Submission:
    return submission(request, settings=PLACE if settings is None else settings, **changes)


def sent(request: Any = VEO, settings: dict[str, str] | None = None, **changes: Any) -> HttpRequest:
    return first_request(ADAPTER.submit(given(request, settings, **changes)))


def done(**result: Any) -> Any:
    return response({"name": NAME, "done": True, "response": result})


def listed(*names: str, date: str | None = "Mon, 21 Sep 2026 14:20:00 GMT", content_type: str = "video/mp4") -> Any:
    items = [{"name": name, "contentType": content_type} for name in names]
    return response({"kind": "storage#objects", "items": items}, headers={} if date is None else {"date": date})


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_every_kind_of_location_has_its_host(location: str, host: str) -> None:
    """The world, a region, and a part of the world."""
    assert host_of(location) == host


def test_names_of_operators_stay_in_their_place_in_the_path() -> None:
    """Whatever is configured."""
    request = sent(VEO, {"project": "a/b", "location": "../x"}, model="veo/9?")

    assert request.path == (
        "/v1/projects/a%2Fb/locations/..%2Fx/publishers/google/models/veo%2F9%3F:predictLongRunning"
    )


def test_an_account_without_a_project_is_passed_over() -> None:
    """The caller cannot mend it, so another account is asked."""
    with pytest.raises(VendorRefused, match="`project`") as caught:
        sent(VEO, {})

    assert remedy_for(caught.value.failure.kind) is Remedy.ELSEWHERE


def test_omni_is_made_where_google_has_it() -> None:
    """At `global` for an account of a region; at the account's own server where nobody says otherwise."""
    assert sent(OMNI).path == "/v1beta1/projects/acme/locations/us-central1/interactions"
    assert sent(OMNI, {**PLACE, "omni_location": "us-central1"}).path.startswith("/v1beta1/")
    assert sent(OMNI, {**PLACE, "omni_location": "global"}).path == (
        "https://aiplatform.googleapis.com/v1beta1/projects/acme/locations/global/interactions"
    )


def test_each_attempt_has_a_folder_of_its_own() -> None:
    """So that whatever lies in it belongs to the attempt."""
    assert sent(VEO, BUCKET).json["parameters"]["storageUri"] == FOLDER
    wanted = sent(OMNI, BUCKET).json["response_format"]
    assert (wanted["delivery"], wanted["gcs_uri"]) == ("uri", FOLDER)
    assert "storageUri" not in sent(VEO).json["parameters"]
    assert sent(OMNI).json["response_format"]["delivery"] == "inline"
    assert sent(VEO, BUCKET, reference="a/../b").json["parameters"]["storageUri"] == "gs://out/reelway/a%2F..%2Fb/"


def test_no_webhook_is_asked_for() -> None:
    """Vertex AI offers none for Veo, and nobody knows whether it does for Omni."""
    for request in (VEO, OMNI):
        assert "webhook" not in str(sent(request, callback_url="https://gw.example.test/cb").json)


def test_sound_is_a_switch_here() -> None:
    """Silent video is sent as such."""
    assert sent(VEO.evolve(audio=False)).json["parameters"]["generateAudio"] is False
    assert sent(VEO).json["parameters"]["generateAudio"] is True


@pytest.mark.parametrize(
    ("file_id", "media_type"),
    [
        ("gs://in/a.PNG", "image/png"),
        ("gs://in/a.webp", "image/webp"),
        ("gs://in/a", "image/jpeg"),
    ],
)
def test_a_file_in_a_bucket_is_handed_on_with_the_type_of_its_name(file_id: str, media_type: str) -> None:
    """Google insists on a type."""
    request = VEO.evolve(mode=Mode.I2V, inputs=(IMAGE.evolve(blob=None, file_id=file_id),))

    assert sent(request).json["instances"][0]["image"] == {"gcsUri": file_id, "mimeType": media_type}


def test_a_video_that_is_lengthened_is_sent_without_a_length() -> None:
    """There is one; the pages do not agree what it is called."""
    body = sent(VEO.evolve(mode=Mode.EXTEND, seconds=7, ratio=None, prompt="", inputs=(CLIP,))).json

    assert "durationSeconds" not in body["parameters"]
    assert "prompt" not in body["instances"][0]
    assert set(body["instances"][0]["video"]) == {"bytesBase64Encoded", "mimeType"}


def test_the_operators_project_stays_out_of_messages() -> None:
    """Google names it wherever it can; a caller learns what is wrong, and not whose project it is."""
    told = (
        "Permission denied on resource '//aiplatform.googleapis.com/projects/acme-7/locations/x' of project 123456789."
    )
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(given()), error(403, told, "PERMISSION_DENIED"))

    assert "acme" not in caught.value.failure.message
    assert "123456789" not in caught.value.failure.message
    assert (
        "your project does" in play(ADAPTER.check(OPERATION), failed("your project does not have it")).failure.message
    )


def failed(message: str) -> Any:
    return response({"name": NAME, "done": True, "error": {"code": 7, "message": message}})


# --- looking


def test_a_result_in_a_bucket_is_fetched_at_the_storages_own_origin() -> None:
    """The token goes there, because the adapter says so; the account may name another storage."""
    for settings, origin in (
        (BUCKET, "https://storage.googleapis.com"),
        ({**BUCKET, "storage_url": "http://127.0.0.1:9/"}, "http://127.0.0.1:9"),
    ):
        accepted = play(ADAPTER.submit(given(VEO, settings)), response({"name": NAME}))
        found = play(ADAPTER.check(accepted.operation), done(videos=[{"gcsUri": FOLDER + "a b.mp4"}]))
        download = found.outputs[0].video

        assert download.request.path == f"{origin}/storage/v1/b/out/o/reelway%2Fvideo_1-1%2Fa%20b.mp4"
        assert download.request.query == (("alt", "media"),)
        assert (download.own_origin, download.authorize) == (origin, True)


def test_another_reelway_names_an_address_of_its_own() -> None:
    """No bucket is involved, and its host is not made one of Google's."""
    address = "https://other.example.test/v1beta/files/1i0:download?alt=media"
    found = play(ADAPTER.check(OPERATION), done(videos=[{"gcsUri": address}]))

    assert (found.outputs[0].video.request.path, found.outputs[0].video.own_origin) == (address, "")


def test_files_are_counted_in_the_whole_answer() -> None:
    """An echo that also holds bytes would shift them."""
    body = {
        "metadata": {"bytesBase64Encoded": ""},
        "name": NAME,
        "done": True,
        "response": {
            "videos": [
                {"bytesBase64Encoded": "AAAA"},
                {"gcsUri": "gs://o/1.mp4", "bytesBase64Encoded": ""},
                {"bytesBase64Encoded": ""},
            ]
        },
    }
    found = play(ADAPTER.check(OPERATION), response(body))

    assert [output.video.base64_index for output in found.outputs] == [1, 0, 3]
    assert [output.video.base64_key for output in found.outputs] == ["bytesBase64Encoded", "", "bytesBase64Encoded"]


@pytest.mark.parametrize(
    "videos",
    [
        [{}],
        ["x"],
        {"a": 1},
        [{"gcsUri": 5}],
        [{"gcsUri": "gs://bucket"}],
        [{"gcsUri": "ftp://a/b"}],
        [{"bytesBase64Encoded": None}],
    ],
)
def test_a_video_that_cannot_be_fetched_is_looked_at_again(videos: Any) -> None:
    """Nothing is called finished that has no place."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check(OPERATION), done(videos=videos))


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"raiMediaFilteredCount": 1}, FailureKind.CONTENT_POLICY),
        ({"raiMediaFilteredReasons": ["Support codes: 1"]}, FailureKind.CONTENT_POLICY),
        ({"raiMediaFilteredCount": 0, "videos": []}, FailureKind.VENDOR_ERROR),
        ({"raiMediaFilteredCount": "x", "raiMediaFilteredReasons": {}}, FailureKind.VENDOR_ERROR),
    ],
)
def test_done_is_no_success(result: Any, kind: FailureKind) -> None:
    """What is in the list was made, and nothing else."""
    found = play(ADAPTER.check(OPERATION), done(**result))

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is kind


def test_a_look_that_is_refused_is_no_end() -> None:
    """The video may be well."""
    with pytest.raises(VendorRefused):
        play(ADAPTER.check(OPERATION), error(403, word="PERMISSION_DENIED"))
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.check(OPERATION), error(404, word=""))


# --- finding


def test_without_a_bucket_there_is_no_way_to_look() -> None:
    """The operator's policy decides, and at once."""
    with pytest.raises(NoWayToLook, match="storage_uri"):
        play(ADAPTER.find(given()))


def test_a_video_in_the_folder_is_surely_ours() -> None:
    """Nobody else writes there; it is fetched without knowing its operation."""
    found = play(ADAPTER.find(given(VEO, BUCKET)), listed("reelway/video_1-1/7/sample_0.mp4"))
    assert found == (Candidate(operation={"folder": FOLDER}, key="video_1-1", certain=True),)

    status = play(ADAPTER.check(found[0].operation), listed("reelway/video_1-1/7/sample_0.mp4"))
    assert isinstance(status, Succeeded)
    assert status.outputs[0].video.request.path.endswith("/o/reelway%2Fvideo_1-1%2F7%2Fsample_0.mp4")
    assert play(ADAPTER.check(found[0].operation), listed()) == Running()


@pytest.mark.parametrize("date", ["Mon, 21 Sep 2026 13:40:00 GMT", "soon", None])
def test_an_empty_folder_proves_nothing_while_a_render_may_run(date: str | None) -> None:
    """By the storage's own clock; the attempt began at 14:13."""
    with pytest.raises(UnexpectedResponse, match="yet"):
        play(ADAPTER.find(given(VEO, BUCKET)), listed(date=date))


def test_an_empty_folder_is_never_called_absence() -> None:
    """What was kept back for safety leaves nothing there either: after half an hour the operator's policy decides."""
    with pytest.raises(NoWayToLook, match="refusal"):
        play(ADAPTER.find(given(VEO, BUCKET)), listed(date="Mon, 21 Sep 2026 14:43:21 GMT"))


def test_what_is_no_video_is_not_taken_for_one() -> None:
    """A folder may have an object of its own name."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.find(given(VEO, BUCKET)), listed("reelway/video_1-1/", content_type="text/plain"))


def test_a_listing_of_something_else_is_no_listing() -> None:
    """Error pages and other services answer too."""
    with pytest.raises(UnexpectedResponse, match="objects"):
        play(ADAPTER.find(given(VEO, BUCKET)), response({"kind": "storage#buckets"}))


# --- signing


@pytest.mark.parametrize(
    ("secrets", "token"),
    [({"access_token": "ya29", "credentials_file": "/k.json"}, "ya29"), ({"api_key": "rk"}, "rk")],
)
def test_a_token_goes_first_and_another_reelways_key_is_one(secrets: dict[str, str], token: str) -> None:
    """The path of a key file is never sent."""
    request = HttpRequest(method="GET", path="/")

    assert ADAPTER.authorize(request, Credential(values=secrets), 0.0).headers == (
        ("Authorization", f"Bearer {token}"),
    )
    assert ADAPTER.authorize(request, Credential(values={"credentials_file": "/k.json"}), 0.0) == request

"""Files of videos over a real socket: ranges, validators, variants, links without a key, and what is said when there is no file."""

import hashlib
import io
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from tests.acceptance.films import probe
from tests.acceptance.processes import Answer, Gateway

pytestmark = pytest.mark.acceptance

REQUEST = {"model": "sora-2", "prompt": "A fox", "seconds": 4, "size": "1280x720"}


class Stage(NamedTuple):
    """A server, a finished video on it, and its whole file."""

    gateway: Gateway
    video: dict[str, Any]
    data: bytes

    def get(self, query: str = "", *, method: str = "GET", **headers: str) -> Answer:
        """Ask for the file; `if_range` is the header If-Range."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.gateway.ask(method, f"/v1/videos/{self.video['id']}/content{query}", headers=named)

    @property
    def etag(self) -> str:
        return f'"{self.video["outputs"][0]["sha256"]}"'


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        video = gateway.finished(gateway.create(**REQUEST)["id"])
        yield Stage(gateway, video, gateway.ask("GET", f"/v1/videos/{video['id']}/content").body)


def test_the_whole_file(stage: Stage) -> None:
    """With its type, its length, a name to save it under, and its SHA-256 as ETag."""
    answer = stage.get()
    assert answer.status == 200
    assert hashlib.sha256(answer.body).hexdigest() == stage.video["outputs"][0]["sha256"]
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(stage.data))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == stage.etag
    assert answer.headers["content-disposition"] == f'inline; filename="{stage.video["id"]}.mp4"'


def test_a_look_at_the_headers(stage: Stage) -> None:
    """HEAD says what GET would, without a byte of the file; a range plays no part in it."""
    look, whole = stage.get(method="HEAD", range="bytes=0-9"), stage.get()
    assert (look.status, look.body) == (200, b"")
    names = ("content-type", "content-length", "etag", "accept-ranges", "content-disposition")
    assert [look.headers[name] for name in names] == [whole.headers[name] for name in names]


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=500-", 500, None),
        ("bytes=-1", -1, None),
        ("bytes=-500", -500, None),
        ("bytes=0-99999999999", 0, None),
        ("bytes=-99999999999", 0, None),
    ],
)
def test_a_part_of_the_file(stage: Stage, wanted: str, first: int, last: int | None) -> None:
    """206 with exactly these bytes, and which of how many they are."""
    size = len(stage.data)
    start = first if first >= 0 else size + first
    stop = size if last is None else last + 1
    answer = stage.get(range=wanted)
    assert answer.status == 206
    assert answer.body == stage.data[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["etag"] == stage.etag


@pytest.mark.parametrize("wanted", ["bytes={size}-", "bytes=99999999999-", "bytes={size}-{size}", "bytes=-0"])
def test_a_range_beyond_the_end(stage: Stage, wanted: str) -> None:
    """416 says how long the file is."""
    answer = stage.get(range=wanted.format(size=len(stage.data)))
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(stage.data)}"
    error = answer.json["error"]
    assert (error["code"], error["param"]) == ("range_not_satisfiable", "Range")
    assert f"{len(stage.data)} bytes" in error["message"]


@pytest.mark.parametrize("wanted", ["bytes=0-9,20-29", "bytes=9-0", "bytes=a-b", "lines=0-9", "bytes=", "bytes=-"])
def test_ranges_that_are_not_served(stage: Stage, wanted: str) -> None:
    """Several at once, or what is no range: the whole file, as HTTP allows."""
    answer = stage.get(range=wanted)
    assert (answer.status, answer.body) == (200, stage.data)


def test_a_file_that_did_not_change(stage: Stage) -> None:
    """If-None-Match with its ETag: 304 and no body; with another one: the file."""
    for known in (stage.etag, f"W/{stage.etag}", f'"other", {stage.etag}', "*"):
        answer = stage.get(if_none_match=known)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", stage.etag)
        assert stage.get(method="HEAD", if_none_match=known).status == 304
    assert stage.get(if_none_match='"other"').body == stage.data


def test_a_download_that_is_taken_up_again(stage: Stage) -> None:
    """If-Range with its ETag gives the rest; with another one, the whole file."""
    same = stage.get(range="bytes=1000-", if_range=stage.etag)
    assert (same.status, same.body) == (206, stage.data[1000:])
    for other in ('"other"', f"W/{stage.etag}", "Mon, 23 Nov 2026 00:00:00 GMT"):
        answer = stage.get(range="bytes=1000-", if_range=other)
        assert (answer.status, answer.body) == (200, stage.data)


@pytest.mark.parametrize(
    ("variant", "media_type", "form", "suffix"),
    [
        ("thumbnail", "image/webp", "WEBP", "-thumbnail.webp"),
        ("spritesheet", "image/jpeg", "JPEG", "-spritesheet.jpg"),
        ("last_frame", "image/png", "PNG", "-last_frame.png"),
    ],
)
def test_pictures(stage: Stage, variant: str, media_type: str, form: str, suffix: str) -> None:
    """Each is what it says, opens, and can be had in parts."""
    answer = stage.get(f"?variant={variant}")
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["content-disposition"].endswith(f'{stage.video["id"]}{suffix}"')
    with Image.open(io.BytesIO(answer.body)) as image:
        image.load()
        assert image.format == form
        if variant == "last_frame":
            assert image.size == (1280, 720)
    assert stage.get(f"?variant={variant}", range="bytes=3-9").body == answer.body[3:10]
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()}"'


@pytest.mark.parametrize(
    ("query", "status", "code", "words"),
    [
        ("?variant=gif", 400, "invalid_value", "video, thumbnail, spritesheet, last_frame"),
        ("?index=1", 404, "output_not_found", "from 0 to 0"),
        ("?index=-1", 400, "invalid_value", "from 0"),
        ("?index=x", 400, "invalid_type", "whole number"),
    ],
)
def test_a_file_that_is_not_there(stage: Stage, query: str, status: int, code: str, words: str) -> None:
    """The message says what there is."""
    answer = stage.get(query)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert words in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("prompt", "code", "words"),
    [
        ("[[progress:stuck]]", "video_not_ready", "not finished"),
        ("[[fail:content_policy]]", "video_failed", "no content"),
    ],
)
def test_a_video_without_a_file(stage: Stage, prompt: str, code: str, words: str) -> None:
    """409 for one that is unfinished or failed, to GET and HEAD alike."""
    made = stage.gateway.create(**{**REQUEST, "prompt": prompt})["id"]
    if code == "video_failed":
        stage.gateway.finished(made)
    answer = stage.gateway.ask("GET", f"/v1/videos/{made}/content")
    assert (answer.status, answer.json["error"]["code"]) == (409, code)
    assert words in answer.json["error"]["message"]
    look = stage.gateway.ask("HEAD", f"/v1/videos/{made}/content")
    assert (look.status, look.body) == (409, b"")


# --- links


def test_a_link_opens_without_a_key(stage: Stage) -> None:
    """`url` is signed: the whole file, its parts and its headers, for nobody in particular."""
    link = stage.video["url"].removeprefix(stage.gateway.url)
    assert stage.video["video_url"] == stage.video["url"] == stage.video["metadata"]["url"]
    assert stage.gateway.ask("GET", link, key=None).body == stage.data
    assert stage.gateway.ask("GET", link, key=None, headers={"Range": "bytes=5-9"}).body == stage.data[5:10]
    assert stage.gateway.ask("HEAD", link, key=None).status == 200
    assert int(parse_qs(urlsplit(link).query)["expires"][0]) == stage.video["expires_at"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("variant=video", "variant=last_frame"),
        ("index=0", "index=1"),
        ("expires=1", "expires=2"),
        ("signature=", "signature=0"),
        ("&signature=", "&signature=&x="),
    ],
)
def test_a_link_that_was_changed(stage: Stage, old: str, new: str) -> None:
    """Every part of it is signed, and a key does not make a bad link good."""
    link = stage.video["url"].removeprefix(stage.gateway.url)
    assert old in link
    answer = stage.gateway.ask("GET", link.replace(old, new), key=None)
    assert (answer.status, answer.json["error"]["code"]) == (403, "link_expired")
    assert "read the video again" in answer.json["error"]["message"]


def test_no_link_and_no_key(stage: Stage) -> None:
    """401, as everywhere."""
    answer = stage.gateway.ask("GET", f"/v1/videos/{stage.video['id']}/content", key=None)
    assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")


def test_files_whose_time_is_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The link ends with its time; when the files have been cleaned away the answer is 410, and the record stays."""
    folder = tmp_path_factory.mktemp("short")
    with Gateway(folder, environment={"REELWAY_RETENTION_DAYS": "0.000001"}) as gateway:
        video = gateway.finished(gateway.create(**REQUEST)["id"])
        link = video["url"].removeprefix(gateway.url)
        answer = gateway.ask("GET", link, key=None)
        assert (answer.status, answer.json["error"]["code"]) == (403, "link_expired")
    with Gateway(folder) as gateway:
        if not any("video_expired" in line for line in gateway.lines):
            gateway.wait_for("video_expired")
        answer = gateway.ask("GET", f"/v1/videos/{video['id']}/content")
        assert (answer.status, answer.json["error"]["code"]) == (410, "video_expired")
        assert "create the video again" in answer.json["error"]["message"]
        kept = gateway.ask("GET", f"/v1/videos/{video['id']}").json
        assert (kept["status"], kept["url"]) == ("completed", None)
        assert not list((folder / "assets" / "videos").rglob("*.mp4"))
        remix = gateway.ask("POST", f"/v1/videos/{video['id']}/remix", body={"prompt": "At night"})
        assert (remix.status, remix.json["error"]["code"]) == (410, "video_expired")


def test_a_deleted_video(stage: Stage) -> None:
    """404 for the record, 410 for the file and for its link; deleting it again finds nothing."""
    gateway = stage.gateway
    video = gateway.finished(gateway.create(**REQUEST)["id"])
    assert probe(gateway.ask("GET", f"/v1/videos/{video['id']}/content").body).seconds == 4
    gone = gateway.ask("DELETE", f"/v1/videos/{video['id']}")
    assert gone.json == {"id": video["id"], "object": "video.deleted", "deleted": True}
    for key, path in (
        ("sk-acceptance", f"/v1/videos/{video['id']}/content"),
        (None, video["url"].removeprefix(gateway.url)),
    ):
        answer = gateway.ask("GET", path, key=key)
        assert (answer.status, answer.json["error"]["code"]) == (410, "video_deleted")
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/cancel")):
        answer = gateway.ask(method, f"/v1/videos/{video['id']}{path}")
        assert (answer.status, answer.json["error"]["code"]) == (404, "video_not_found")

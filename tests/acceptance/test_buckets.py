"""A gateway with its bytes in a bucket of a real S3-compatible server: from the caller's upload to the last byte deleted."""

import hashlib
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.processes import KEY, PATIENCE_SECONDS, Gateway, Sandbox
from tests.acceptance.wire import File, as_multipart
from tests.objects import S3Server

pytestmark = pytest.mark.acceptance

REQUEST = {"model": "sora-2", "prompt": "A fox", "seconds": "4", "size": "1280x720"}
_BOUNDARY = "cut-here"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.make_bucket()


@pytest.fixture
def settings(s3: S3Server, bucket: str) -> dict[str, str]:
    """What leads a server to the bucket."""
    return {**s3.environment(), "REELWAY_ASSETS_URL": f"s3://{bucket}/reelway"}


def create_from_picture(gateway: Gateway) -> dict[str, Any]:
    """Create a video from an uploaded picture."""
    fields = [*REQUEST.items(), ("input_reference", File(picture(1280, 720), "image/png", "a.png"))]
    body, headers = as_multipart(fields)
    answer = gateway.ask("POST", "/v1/videos", data=body, headers=headers)
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json
    return made


def local_files(folder: Path) -> list[Path]:
    """Return the files on this machine that hold bytes of videos."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix in {".mp4", ".webp", ".jpg", ".png"}]


def assert_empty(s3: S3Server, bucket: str, folder: Path) -> None:
    """Wait until nothing is left in the bucket, neither objects nor parts of them, and nothing on this machine."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while s3.objects(bucket) or s3.parts(bucket):
        assert time.monotonic() < deadline, (s3.objects(bucket), s3.parts(bucket))
    assert local_files(folder) == []


def assert_served(gateway: Gateway, video: dict[str, Any]) -> None:
    """The whole file and its parts are byte for byte what was stored, through the server itself."""
    path = f"/v1/videos/{video['id']}/content"
    whole = gateway.ask("GET", path)
    output = video["outputs"][0]
    size, etag = output["bytes"], f'"{output["sha256"]}"'
    assert (whole.status, len(whole.body)) == (200, size)
    assert hashlib.sha256(whole.body).hexdigest() == output["sha256"]
    assert whole.headers["etag"] == etag
    assert probe(whole.body).width == 1280
    for start, stop in itertools.pairwise((0, 1, 1000, size // 2, size)):
        part = gateway.ask("GET", path, headers={"Range": f"bytes={start}-{stop - 1}", "If-Range": etag})
        assert (part.status, part.body) == (206, whole.body[start:stop])
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    assert gateway.ask("GET", path, headers={"Range": "bytes=5-9", "If-Range": '"other"'}).body == whole.body
    assert gateway.ask("GET", path, headers={"If-None-Match": etag}).status == 304
    assert gateway.ask("GET", path, headers={"Range": f"bytes={size}-"}).status == 416
    look = gateway.ask("HEAD", path)
    assert (look.status, look.headers["content-length"], look.body) == (200, str(size), b"")
    assert gateway.ask("GET", video["url"].removeprefix(gateway.url), key=None).body == whole.body
    for variant in ("thumbnail", "spritesheet", "last_frame"):
        assert gateway.ask("GET", f"{path}?variant={variant}").status == 200


def test_a_video_lives_and_dies_in_a_bucket(
    tmp_path: Path, sandbox: Sandbox, s3: S3Server, bucket: str, settings: dict[str, str]
) -> None:
    """The caller's picture is sent on from there, the film is kept and served from there, and a deletion leaves nothing."""
    with Gateway(tmp_path, sandbox=sandbox, environment=settings) as gateway:
        video = gateway.finished(create_from_picture(gateway)["id"])
        assert video["status"] == "completed"
        assert {key.split("/")[1] for key in s3.objects(bucket)} == {"inputs", "videos"}
        assert local_files(tmp_path) == []
        assert_served(gateway, video)
        assert gateway.ask("DELETE", f"/v1/videos/{video['id']}").status == 200
        assert gateway.ask("GET", f"/v1/videos/{video['id']}/content").status in {404, 410}
        assert_empty(s3, bucket, tmp_path)


@pytest.mark.parametrize("point", ["downloaded", "stored", "kept"])
def test_killed_while_it_keeps_the_film(
    point: str, tmp_path: Path, sandbox: Sandbox, s3: S3Server, bucket: str, settings: dict[str, str]
) -> None:
    """Before the commit, after it, and before the record says so: the next start finishes, and a deletion finds everything."""
    before = len(sandbox.creates())
    dying = Gateway(tmp_path, sandbox=sandbox, environment={**settings, "REELWAY_DIE_AT": point})
    video_id = create_from_picture(dying)["id"]
    assert dying.wait() == -9
    with Gateway(tmp_path, sandbox=sandbox, environment=settings) as again:
        video = again.finished(video_id)
        assert video["status"] == "completed"
        assert_served(again, video)
        assert len(sandbox.creates()) - before == 1
        assert again.ask("DELETE", f"/v1/videos/{video_id}").status == 200
        assert_empty(s3, bucket, tmp_path)


def test_killed_in_the_middle_of_an_upload(
    tmp_path: Path, sandbox: Sandbox, s3: S3Server, bucket: str, settings: dict[str, str]
) -> None:
    """Parts were in the bucket already: nobody ever sees an object, the scratch files go, and the server works on."""
    dying = Gateway(tmp_path, sandbox=sandbox, environment=settings)
    with socket.create_connection(("127.0.0.1", dying.port)) as caller:
        caller.sendall(
            f"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: 90000000\r\n\r\n"
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="input_reference"; filename="a.mp4"\r\n'
            "Content-Type: video/mp4\r\n\r\n".encode()
        )
        for _ in range(40):
            caller.sendall(bytes(1_000_000))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not s3.parts(bucket):
            assert time.monotonic() < deadline
        dying.kill()
    assert s3.objects(bucket) == {}
    with Gateway(tmp_path, sandbox=sandbox, environment=settings) as again:
        assert [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()] == []
        assert again.finished(again.create(**REQUEST)["id"])["status"] == "completed"

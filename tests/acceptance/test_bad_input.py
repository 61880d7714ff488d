"""Bad requests over a real socket: each gets a clear error, and nothing is created, charged, sent to the vendor or left behind."""

import json
import sqlite3
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY, Answer, Gateway, Sandbox
from tests.acceptance.wire import File, as_multipart, say

pytestmark = pytest.mark.acceptance

REQUEST = {"model": "sora-2", "prompt": "A fox", "seconds": 4, "size": "1280x720"}
FIELDS: list[tuple[str, str | File]] = [(name, str(value)) for name, value in REQUEST.items()]
JSON = {"Content-Type": "application/json"}
NOBODY = "video_01m83pcqm62brt6gdpsfh522s8"
MEGABYTE = 1_000_000


class Stage(NamedTuple):
    """A gateway over a sandbox, and where its data lies."""

    gateway: Gateway
    sandbox: Sandbox
    folder: Path

    def post(self, body: Any = None, **options: Any) -> Answer:
        return self.gateway.ask("POST", "/v1/videos", body=body, **options)

    def form(self, *fields: tuple[str, str | File]) -> Answer:
        """Create by a form: the good request with these fields in addition."""
        body, headers = as_multipart([*FIELDS, *fields])
        return self.post(data=body, headers=headers)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("gateway")
    with (
        Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox,
        Gateway(folder, sandbox=sandbox, service="reelway") as gateway,
    ):
        yield Stage(gateway, sandbox, folder)


@pytest.fixture
def stage(servers: Stage) -> Iterator[Stage]:
    """Lend the servers, and look afterwards that nothing came of the request."""
    yield servers
    assert servers.gateway.ask("GET", "/v1/videos").json["data"] == []
    assert servers.sandbox.creates() == []
    with sqlite3.connect(servers.folder / "reelway.db") as records:
        for table in ("jobs", "entries", "events", "idempotency", "messages"):
            assert records.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - our own names
    records.close()
    left = [path for path in (servers.folder / "assets").rglob("*") if path.is_file()]
    assert left == []
    assert not [line for line in servers.gateway.lines if "Traceback" in line or "request_failed" in line]


def refused(answer: Answer, status: int, code: str, param: str | None, *words: str) -> None:
    """The answer is this error, in the envelope every client knows, and its message has these words."""
    assert answer.status == status, answer.body
    assert set(answer.json) == {"error"}
    error = answer.json["error"]
    assert (error["code"], error["param"]) == (code, param), error
    for word in words:
        assert word in error["message"], error
    assert error["type"] in {"invalid_request_error", "authentication_error", "permission_error"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-should-retry"] == "false"


# --- who asks


@pytest.mark.parametrize("key", [None, "", "sk-wrong", "sk-acceptanc", "sk-acceptance2", "ключ"])
def test_no_key_or_a_wrong_one(stage: Stage, key: str | None) -> None:
    """401 says how a key is sent; the body is not even looked at."""
    sent = {} if key is None else {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
    answer = stage.post({**REQUEST, "model": "no-such-model"}, key=None, headers=sent)
    refused(answer, 401, "invalid_api_key", None, "key", "nobody knows" if key else "Authorization: Bearer")


# --- what is asked for


@pytest.mark.parametrize(
    ("changes", "status", "code", "param", "words"),
    [
        ({"model": "veo3.2"}, 404, "model_not_found", "model", ["veo3.2", "nearest names are veo3.1"]),
        ({"model": "Sora2"}, 404, "model_not_found", "model", ["sora-2"]),
        ({"model": None}, 400, "missing_required_parameter", "model", ["GET /v1/models"]),
        ({"model": 7}, 400, "invalid_type", "model", ["text", "7"]),
        ({"prompt": None}, 400, "missing_required_parameter", "prompt", ["sora-2"]),
        ({"prompt": ""}, 400, "missing_required_parameter", "prompt", ["sora-2"]),
        ({"prompt": " \n\t"}, 400, "missing_required_parameter", "prompt", ["sora-2"]),
        ({"prompt": "x" * 100_000}, 400, "prompt_too_long", "prompt", ["at most 32000", "100000"]),
        (
            {"seconds": 8, "duration": 5},
            400,
            "conflicting_parameters",
            "duration",
            ["seconds and duration", "send one of them"],
        ),
        ({"seconds": 5}, 400, "invalid_value", "seconds", ["one of 4, 8, 12, 16, 20", "sora-2", "got 5"]),
        ({"seconds": 0}, 400, "invalid_value", "seconds", ["one of 4, 8, 12, 16, 20", "got 0"]),
        ({"seconds": "soon"}, 400, "invalid_type", "seconds", ["whole number", "soon"]),
        ({"size": "640x480"}, 400, "invalid_value", "size", ["720x1280, 1280x720", "sora-2", "640x480"]),
        ({"size": "large"}, 400, "invalid_value", "size", ["1280x720, 16:9, 720p", "large"]),
        ({"size": None, "width": 1280}, 400, "missing_required_parameter", "height", ["width", "height"]),
        ({"width": 100, "height": 100}, 400, "conflicting_parameters", "width", ["size", "100"]),
        ({"n": 9}, 400, "invalid_value", "n", ["from 1 to 4", "got 9"]),
        ({"mode": "sideways"}, 400, "invalid_value", "mode", ["t2v, i2v", "sideways"]),
        ({"response_format": "gif"}, 400, "invalid_value", "response_format", ["url or b64_json", "gif"]),
        ({"metadata": "{"}, 400, "invalid_json", "metadata", ["metadata", "JSON"]),
        ({"image": "http://127.0.0.1/a.png"}, 400, "url_refused", "image", ["127.0.0.1"]),
        ({"image": "http://169.254.169.254/a.png"}, 400, "url_refused", "image", ["169.254.169.254"]),
        ({"image": "file:///etc/passwd"}, 400, "invalid_value", "image", ["http:// or https://"]),
        ({"image": "data:image/png;base64,AAAA"}, 422, "media_unreadable", "image", ["image"]),
        ({"image": "no such thing"}, 400, "invalid_type", "image", ["a file, an http(s) address"]),
        ({"callback_url": "http://10.0.0.1/done"}, 400, "url_refused", "callback_url", ["10.0.0.1"]),
        ({"video": NOBODY}, 404, "video_not_found", "video", [NOBODY]),
    ],
)
def test_a_value_that_cannot_be_taken(
    stage: Stage, changes: dict[str, Any], status: int, code: str, param: str, words: list[str]
) -> None:
    """The field, what would be allowed, and what was given; in JSON, and where it can be said there, in a form."""
    body = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    refused(stage.post(body), status, code, param, *words)
    if not any(isinstance(value, int) and name == "model" for name, value in body.items()):
        form, headers = as_multipart([(name, str(value)) for name, value in body.items()])
        refused(stage.post(data=form, headers=headers), status, code, param, *words)


def test_strictness_turns_a_warning_into_a_refusal(stage: Stage) -> None:
    """What would only be warned about is refused when the caller says so."""
    answer = stage.post({**REQUEST, "fps": 60}, headers={"Reelway-Strict": "true"})
    refused(answer, 400, "unsupported_parameter", "fps", "fps", "sora-2")
    answer = stage.post(REQUEST, headers={"Reelway-Strict": "perhaps"})
    refused(answer, 400, "invalid_value", "Reelway-Strict", "true or false")


@pytest.mark.parametrize("key", ["", "x" * 256, "k\u00e9y"])
def test_an_idempotency_key_that_cannot_be_kept(stage: Stage, key: str) -> None:
    """Too short, too long, not ASCII."""
    refused(stage.post(REQUEST, headers={"Idempotency-Key": key}), 400, "invalid_value", "Idempotency-Key", "1 to 255")


# --- how it is written


@pytest.mark.parametrize(
    ("body", "code", "param", "words"),
    [
        (b'{"model": "sora-2", "prompt"', "invalid_json", None, ["JSON"]),
        (b"", "missing_required_parameter", "model", ["model"]),
        (b"{", "invalid_json", None, ["JSON"]),
        (b"[1, 2]", "invalid_json", None, ["object", "braces"]),
        (b'"sora-2"', "invalid_json", None, ["object"]),
        (b'{"model": "sora-2", "prompt": "\xff\xfe"}', "invalid_json", None, ["UTF-8"]),
        (b'{"model": "sora-2", "prompt": "a\\u0000b"}', "invalid_json", None, ["NUL"]),
        (b'{"model": "sora-2", "prompt": "a", "prompt": "b"}', "duplicate_parameter", "prompt", ["twice"]),
        (b'{"model": "sora-2", "metadata": {"a": 1, "a": 2}}', "duplicate_parameter", "a", ["twice"]),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "invalid_json", None, ["nested"]),
        (b'{"metadata": ' + b'{"a":' * 50 + b"1" + b"}" * 50 + b"}", "too_deep", None, ["nested"]),
    ],
)
def test_json_that_cannot_be_read(stage: Stage, body: bytes, code: str, param: str | None, words: list[str]) -> None:
    """Broken, not an object, not UTF-8, one thing said twice, or nested without end."""
    refused(stage.post(data=body, headers=JSON), 400, code, param, *words)


BOUNDARY = "----x"
PART = '------x\r\nContent-Disposition: form-data; name="model"\r\n\r\nsora-2\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (f"multipart/form-data; boundary={BOUNDARY}", PART),
        (f"multipart/form-data; boundary={BOUNDARY}", PART[:40]),
        (f"multipart/form-data; boundary={BOUNDARY}", "hello"),
        (f"multipart/form-data; boundary={BOUNDARY}", ""),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            f"{PART}------x\r\nContent-Type: text/plain\r\n\r\nx\r\n------x--",
        ),
        ("multipart/form-data", f"{PART}------x--\r\n"),
        ('multipart/form-data; boundary=""', f"{PART}------x--\r\n"),
        (f"multipart/form-data; boundary={BOUNDARY}", f"{PART * 300}------x--\r\n"),
    ],
    ids=["no_end", "cut", "no_form", "empty", "no_name", "no_boundary", "empty_boundary", "300_parts"],
)
def test_a_form_that_cannot_be_read(stage: Stage, content_type: str, body: str) -> None:
    """Broken off, without a boundary, without names, or with too many parts."""
    answer = stage.post(data=body.encode(), headers={"Content-Type": content_type})
    if body:
        refused(answer, 400, "invalid_multipart", None, "multipart body cannot be read")
    else:
        refused(answer, 400, "missing_required_parameter", "model")


def test_a_field_twice(stage: Stage) -> None:
    """In every encoding; nothing is overridden in silence."""
    refused(stage.form(("prompt", "Another fox")), 400, "duplicate_parameter", "prompt", "more than once")
    answer = stage.post(
        data=b"model=sora-2&prompt=a&prompt=b", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    refused(answer, 400, "duplicate_parameter", "prompt", "more than once")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "image/png", "", "nonsense"])
def test_an_unknown_content_type(stage: Stage, content_type: str) -> None:
    """The three that are read are named."""
    answer = stage.post(data=json.dumps(REQUEST).encode(), headers={"Content-Type": content_type})
    refused(answer, 415, "unsupported_media_type", None, "application/json", "multipart/form-data", "urlencoded")


# --- files


def head_of_form(field: str, name: str) -> bytes:
    """Return a form up to the first byte of a file."""
    whole, _ = as_multipart([*FIELDS, (field, File(b"\0MARK\0", "image/png", name))])
    return whole.partition(b"\0MARK\0")[0]


def resident_bytes(gateway: Gateway) -> int:
    """Return the most memory the server ever had."""
    lines = Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_an_image_of_200_megabytes(stage: Stage, announced: bool) -> None:
    """Refused when it passes the limit, not at its end; the server's memory does not grow with it."""
    stage.form(("size", "x"))  # a small one first, so that everything is loaded
    before, began = resident_bytes(stage.gateway), time.monotonic()
    _, headers = as_multipart([])
    piece = picture(64, 64).ljust(MEGABYTE, b"\0")
    pieces = [head_of_form("input_reference", "huge.png"), *[piece] * 200]
    if announced:
        headers["Content-Length"] = str(sum(map(len, pieces)) + 100)
    else:
        headers["Transfer-Encoding"] = "chunked"
        pieces = [b"%x\r\n%b\r\n" % (len(data), data) for data in pieces]
    head = {**headers, "Authorization": f"Bearer {KEY}"}
    answer, sent = say(stage.gateway.url, head, "POST /v1/videos HTTP/1.1", pieces)
    refused(answer, 413, "too_large", "input_reference", "100,000,000 bytes", "URL")
    assert sent < 140 * MEGABYTE
    assert time.monotonic() - began < 20
    assert resident_bytes(stage.gateway) - before < 30 * MEGABYTE


def test_a_body_that_announces_more_than_is_taken(stage: Stage) -> None:
    """Refused before a byte of it is read."""
    head = {"Authorization": f"Bearer {KEY}", "Content-Length": str(10**12), **as_multipart([])[1]}
    answer, sent = say(stage.gateway.url, head, "POST /v1/videos HTTP/1.1", [])
    refused(answer, 413, "too_large", None, "larger than")
    assert sent == 0


def test_a_text_file_with_the_name_of_a_picture(stage: Stage) -> None:
    """The bytes decide, not the name and not the claimed type."""
    file = File(b"Dear diary,\nto-day I was a picture.\n" * 100, "image/png", "diary.png")
    for field in ("input_reference", "image", "images", "images[]"):
        named = "images[0]" if field.startswith("images") else field
        refused(stage.form((field, file)), 422, "media_unreadable", named, "its bytes decide, not its name")
    refused(stage.form(("image", File(b"", "image/png", "a.png"))), 422, "media_unreadable", "image", "empty file")


def test_half_a_picture(stage: Stage) -> None:
    """A file that begins well and does not decode."""
    file = File(picture(1280, 720)[:2000], "image/png", "half.png")
    refused(stage.form(("input_reference", file)), 422, "media_unreadable", "input_reference", "cannot be read")


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few hundred kilobytes that decodes to gigabytes of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeezer = zlib.compressobj(9)
    rows = b"".join(squeezer.compress(bytes(width + 1)) for _ in range(height)) + squeezer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_decompression_bomb(stage: Stage) -> None:
    """Told by what it says of itself, before it is unpacked."""
    data = bomb(30_000, 20_000)
    assert len(data) < MEGABYTE
    before, began = resident_bytes(stage.gateway), time.monotonic()
    answer = stage.form(("input_reference", File(data, "image/png", "bomb.png")))
    refused(answer, 422, "media_unreadable", "input_reference", "decompression bomb", "at most 50 megapixels")
    assert time.monotonic() - began < 10
    assert resident_bytes(stage.gateway) - before < 30 * MEGABYTE


def test_a_picture_the_model_does_not_take(stage: Stage) -> None:
    """Sora wants exactly the pixels of the video; the message says so."""
    answer = stage.form(("input_reference", File(picture(640, 360), "image/png", "small.png")))
    refused(answer, 400, "invalid_value", "input_reference", "1280x720", "640x360")


# --- ids and paths


@pytest.mark.parametrize("name", [NOBODY, "video_", "nonsense", "video_%00", "..%2f..%2fetc", "x" * 600, "видео"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/content"),
        ("HEAD", "/content"),
        ("GET", "/events"),
        ("POST", "/remix"),
    ],
)
def test_a_wrong_id(stage: Stage, name: str, method: str, path: str) -> None:
    """404 everywhere, whatever the id looks like."""
    body = {"prompt": "At night"} if path == "/remix" else None
    quoted = name if name.isascii() else "%D0%B2"
    answer = stage.gateway.ask(method, f"/v1/videos/{quoted}{path}", body=body)
    assert answer.status == 404
    if method != "HEAD":
        error = answer.json["error"]
        assert error["code"] in {"video_not_found", "not_found", "path_not_found"}
        assert error["message"].startswith("there is no") or "There is nothing" in error["message"]


def test_a_path_or_a_method_that_is_not_there(stage: Stage) -> None:
    """404 says where to look, 405 says what can be done."""
    answer = stage.gateway.ask("GET", "/v1/vidoes")
    refused(answer, 404, "path_not_found", None, "/docs")
    answer = stage.gateway.ask("PUT", "/v1/videos", body={})
    refused(answer, 405, "method_not_allowed", None, "GET", "POST")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("query", "param", "words"),
    [
        ("limit=0", "limit", ["from 1 to 100", "got 0"]),
        ("limit=101", "limit", ["from 1 to 100"]),
        ("limit=ten", "limit", ["whole number", "ten"]),
        ("order=up", "order", ["asc or desc", "up"]),
        ("status=done", "status", ["queued, in_progress, completed, failed", "done"]),
        ("created_after=yesterday", "created_after", ["Unix time", "yesterday"]),
        ("limit=1&limit=2", "limit", ["more than once"]),
    ],
)
def test_a_list_that_cannot_be_made(stage: Stage, query: str, param: str, words: list[str]) -> None:
    """Each filter says what it takes."""
    answer = stage.gateway.ask("GET", f"/v1/videos?{query}")
    code = answer.json["error"]["code"]
    assert code in {"invalid_value", "invalid_type", "duplicate_parameter"}
    refused(answer, 400, code, param, *words)

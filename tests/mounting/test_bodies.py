"""Bodies: three encodings, their limits, and every way in which they can be broken."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mounting.asgi import STALL, Got, call, multipart
from tests.mounting.plain import MemoryBackend, serve

from reelway.dialects.spec import CreateVideo
from reelway.mounting.repeats import find_repeated_key

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


async def post(body: Any, content_type: str | None, backend: MemoryBackend | None = None, **limits: Any) -> Got:
    headers = limits.pop("headers", None)
    app = serve(backend or MemoryBackend(), **limits)
    answer = await call(app, "POST", "/things", body=body, content_type=content_type, headers=headers)
    assert answer is not None
    return answer


def created(backend: MemoryBackend) -> dict[str, Any]:
    performed, _ = backend.performed[-1]
    assert isinstance(performed, CreateVideo)
    return performed.request.options


# --- JSON


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
async def test_json_arrives_decoded(content_type: str) -> None:
    """An object arrives as it is, however the type is spelt."""
    backend = MemoryBackend()
    assert (await post(b'{"a": [1, "\xc3\xa4"]}', content_type, backend)).status == 200
    assert created(backend) == {"a": [1, "ä"]}


async def test_json_may_come_in_pieces_and_with_a_byte_order_mark() -> None:
    """How the bytes are cut, and the mark some Windows programs put first, make no difference."""
    backend = MemoryBackend()
    assert (await post([b"\xef\xbb", b'\xbf{"a"', b"", b":1}"], JSON, backend)).status == 200
    assert created(backend) == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a': 1}",
        b'{"a": 1} x',
        b"[1]",
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "\\ud800 alone"}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": {"b": ["\\u0000"]}}',
        b'{"a":' * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"a":' + b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_broken_json_is_refused(body: bytes) -> None:
    """Whatever is wrong with it: 400, nothing performed."""
    backend = MemoryBackend()
    answer = await post(body, JSON, backend)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_json"
    assert backend.performed == []


async def test_an_escaped_backslash_is_not_nul() -> None:
    r"""The text `\u0000`, written with an escaped backslash, is harmless and passes."""
    backend = MemoryBackend()
    assert (await post(rb'{"a": "\\u0000"}', JSON, backend)).status == 200
    assert created(backend) == {"a": r"\u0000"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"b":"x:y","c":{"a":1,"a":1}}',
        b'{"c":[{"a":1 , "a" : 3}]}',
        rb'{"a":"\u003a","a":1}',
        rb'{"b":"\u003A","a":1,"a":2}',
    ],
)
async def test_a_key_given_twice_is_refused_by_name(body: bytes) -> None:
    """Of two values one would be dropped in silence."""
    answer = await post(body, JSON)
    assert answer.status == 400
    assert answer.error["code"] == "duplicate_parameter"
    assert answer.error["param"] == "a"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.booleans())
def test_no_key_is_ever_thought_repeated(value: dict[str, Any], spaced: bool) -> None:
    """Anything an encoder writes has no repeated key, whatever colons and quotes its texts hold."""
    body = json.dumps(value, separators=(" , ", " : ") if spaced else (",", ":"), ensure_ascii=spaced)
    assert find_repeated_key(body.encode("utf-8", "surrogatepass"), value) is None


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, min_size=1, max_size=4), st.data())
def test_a_repeated_key_is_always_found(value: dict[str, Any], data: st.DataObject) -> None:
    """Any key written a second time is named, however deep the object lies."""
    key = data.draw(st.sampled_from(sorted(value)))
    inner = json.dumps(value)[:-1] + f", {json.dumps(key)}: 1}}"
    body = data.draw(st.sampled_from(['{{"outer": {}}}', '{{"outer": [1, {}]}}'])).format(inner)
    assert find_repeated_key(body.encode(), json.loads(body)) == key


# --- url-encoded


async def test_a_url_encoded_form_arrives_in_order() -> None:
    """Repeated and empty fields stay, in their order."""
    backend = MemoryBackend()
    assert (await post(b"a=1&b=%C3%A4+x&a=&c", FORM, backend)).status == 200
    _, incoming = backend.performed[0]
    assert incoming.form is not None
    assert [(field.name, field.value) for field in incoming.form] == [("a", "1"), ("b", "ä x"), ("a", ""), ("c", "")]


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xff", b"a=%00", b"%00=1", b"&".join([b"a=1"] * 257)])
async def test_a_broken_url_encoded_form_is_refused(body: bytes) -> None:
    """Broken UTF-8, NUL and too many fields are 400."""
    answer = await post(body, FORM)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_form"


# --- multipart


async def test_a_multipart_form_arrives_however_it_is_cut() -> None:
    """One byte at a time or all at once, the fields are the same."""
    body, content_type = multipart(
        ("model", "m"),
        ("prompt", "ä\r\n--x"),
        ("image", ("a.png", "image/png", b"\r\n--gwb\x00\xff")),
        ("seconds", "8"),
    )
    for size in (1, 7, 64, len(body)):
        backend = MemoryBackend()
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        assert (await post(pieces, content_type, backend)).status == 200
        assert created(backend) == {
            "model": "m",
            "prompt": "ä\r\n--x",
            "image": {"filename": "a.png", "bytes": 9},
            "seconds": "8",
        }
        assert backend.staged == [b"\r\n--gwb\x00\xff"]


async def test_a_file_streams_piece_by_piece() -> None:
    """A file is never gathered: what is staged comes in pieces no larger than those that arrived."""
    data = bytes(range(256)) * 4000
    body, content_type = multipart(("video", ("a.mp4", "video/mp4", data)))
    backend = MemoryBackend()
    pieces = [body[at : at + 5000] for at in range(0, len(body), 5000)]
    assert (await post(pieces, content_type, backend)).status == 200
    assert backend.staged == [data]
    assert max(backend.piece_sizes) <= 5000


async def test_what_the_store_does_not_want_is_read_past() -> None:
    """A backend that stops reading early does not confuse the parts that follow."""
    body, content_type = multipart(("video", ("a.mp4", "video/mp4", b"x" * 5000)), ("after", "here"))
    backend = MemoryBackend()
    backend.reads_all = False
    assert (await post([body[:1000], body[1000:]], content_type, backend)).status == 200
    assert created(backend)["after"] == "here"


async def test_a_part_without_filename_but_with_a_media_type_is_a_file() -> None:
    """Some clients send bytes without a name; `application/json` parts stay text."""
    body, content_type = multipart(
        b'Content-Disposition: form-data; name="image"\r\nContent-Type: image/png\r\n\r\n\xff\xd8',
        b'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n{"a":1}',
    )
    backend = MemoryBackend()
    assert (await post(body, content_type, backend)).status == 200
    assert created(backend) == {"image": {"filename": "upload", "bytes": 2}, "metadata": '{"a":1}'}


async def test_a_file_input_left_empty_is_not_given() -> None:
    """Browsers send an empty part with an empty filename; an empty file with a name is a file."""
    body, content_type = multipart(
        ("image", ("", "application/octet-stream", b"")), ("video", ("a.mp4", "video/mp4", b"")), ("a", "1")
    )
    backend = MemoryBackend()
    assert (await post(body, content_type, backend)).status == 200
    assert created(backend) == {"video": {"filename": "a.mp4", "bytes": 0}, "a": "1"}


GOOD, GOOD_TYPE = multipart(("a", "1"), ("image", ("a.png", "image/png", b"abc")))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GOOD[:-3], GOOD_TYPE),
        (GOOD[:-30], GOOD_TYPE),
        (GOOD[:70], GOOD_TYPE),
        (GOOD[:10], GOOD_TYPE),
        (b"no form at all", GOOD_TYPE),
        (GOOD.replace(b"\r\n", b"\n"), GOOD_TYPE),
        (GOOD, "multipart/form-data"),
        (GOOD, "multipart/form-data; boundary="),
        (GOOD, "multipart/form-data; boundary=other"),
        (GOOD.replace(b'; name="a"', b""), GOOD_TYPE),
        (GOOD.replace(b'name="a"', b'name=""'), GOOD_TYPE),
        (GOOD.replace(b'name="a"', b'name="a\x00"'), GOOD_TYPE),
        (GOOD.replace(b"form-data", b"attachment"), GOOD_TYPE),
        (GOOD.replace(b"Content-Type: image/png", b"no colon here"), GOOD_TYPE),
        (GOOD.replace(b"Content-Type: image/png", b"X: " + b"x" * 9000), GOOD_TYPE),
        (GOOD.replace(b"Content-Type: image/png", b"\r\n".join([b"X: 1"] * 9)), GOOD_TYPE),
        (GOOD.replace(b"\r\n\r\n1\r\n", b"\r\n\r\n\xff\r\n"), GOOD_TYPE),
        (GOOD.replace(b"\r\n\r\n1\r\n", b"\r\n\r\n\x00\r\n"), GOOD_TYPE),
        (multipart(*[("a", "1")] * 257)[0], GOOD_TYPE),
    ],
)
async def test_a_broken_multipart_body_is_refused(body: bytes, content_type: str) -> None:
    """Cut off, misspelt, mislabelled: 400 `invalid_multipart`, and no staged file stays."""
    backend = MemoryBackend()
    answer = await post(body, content_type, backend)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_multipart"
    assert backend.performed == []
    assert len(backend.unstaged) == len(backend.staged)


@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 30))
async def test_no_multipart_body_is_an_accident(noise: bytes, position: int, removed: int) -> None:
    """Whatever is done to a form, the answer is 200 or 400."""
    body = GOOD[:position] + noise + GOOD[position + removed :]
    assert (await post(body, GOOD_TYPE)).status in {200, 400}


# --- limits and types


async def test_an_announced_length_over_the_limit_is_refused_unread() -> None:
    """413 comes before the first byte is read."""
    for content_type in (JSON, FORM, GOOD_TYPE):
        answer = await post([STALL], content_type, headers={"content-length": "99999999999999999999"})
        assert answer.status == 413
        assert answer.error["code"] == "too_large"


async def test_an_unannounced_body_over_the_limit_is_cut_off() -> None:
    """413 comes with the piece that passes the limit; the rest is not waited for."""
    assert (await post([b'{"a":"', b"x" * 200, STALL], JSON, text_bytes=100)).status == 413
    assert (await post([GOOD, STALL], GOOD_TYPE, body_bytes=100)).status == 413


async def test_a_file_over_its_limit_is_refused_at_once() -> None:
    """413 names the field, does not wait for the rest of the file, and releases the file before it."""
    body, content_type = multipart(
        ("first", ("a.png", "image/png", b"abc")), ("image", ("b.png", "image/png", b"x" * 2000))
    )
    backend = MemoryBackend()
    answer = await post([body[:1500], STALL], content_type, backend, file_bytes=1000)
    assert answer.status == 413
    assert answer.error["param"] == "image"
    assert len(backend.unstaged) == 1


async def test_a_store_that_is_full_refuses_at_once() -> None:
    """`TooLarge` of the store itself is passed on."""
    backend = MemoryBackend()
    backend.stage_limit = 2
    assert (await post(GOOD, GOOD_TYPE, backend)).status == 413


async def test_text_fields_share_one_limit() -> None:
    """Many fields cannot hold more in memory than one."""
    body, content_type = multipart(*[("a", "x" * 60)] * 2)
    assert (await post(body, content_type, text_bytes=100)).status == 413
    assert (await post(body, content_type, text_bytes=120)).status == 200


async def test_a_body_that_falls_silent_is_given_up() -> None:
    """After the idle time without a byte the answer is 408."""
    answer = await post([GOOD[:50], STALL], GOOD_TYPE, idle_seconds=0.001)
    assert answer.status == 408
    assert answer.error["code"] == "request_timeout"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "json", "", None])
async def test_other_types_are_refused_by_naming_the_three(content_type: str | None) -> None:
    """415 says what can be sent instead, without reading the whole body first."""
    answer = await post([b"abc", STALL], content_type)
    assert answer.status == 415
    for name in (JSON, FORM, "multipart/form-data"):
        assert name in answer.error["message"]


@pytest.mark.parametrize("content_type", [JSON, FORM, GOOD_TYPE, "text/plain", None])
async def test_an_empty_body_is_the_dialects_to_refuse(content_type: str | None) -> None:
    """Nothing at all is 400, whatever type it claims to have."""
    answer = await post([b""], content_type, headers={"content-length": "0"})
    assert answer.status == 400

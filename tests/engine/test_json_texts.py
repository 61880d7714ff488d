"""JSON in pieces, judged by `json` and `base64`: wherever it is cut, the same comes out."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelway.core.errors import UnexpectedResponse, VendorUnreachable
from reelway.engine.json_texts import JsonTexts, LongTextFilter, decode_base64_text

LIMIT = 12
TEXTS = st.text('ab"\\/\n=é🎬', max_size=30)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
INDENTS = st.sampled_from([None, 2])
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def cut(body: bytes, sizes: list[int]) -> list[bytes]:
    """Return the body in pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(body):
        pieces.append(body[at : at + sizes[turn % len(sizes)]])
        at += len(pieces[-1])
        turn += 1
    return pieces


async def arriving(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def decoded(body: bytes, sizes: list[int], key: str = "data", index: int = 0) -> bytes:
    return b"".join([piece async for piece in decode_base64_text(arriving(cut(body, sizes)), key, index)])


def filtered(body: bytes, sizes: list[int], limit: int = LIMIT) -> bytes:
    texts = LongTextFilter(limit)
    return b"".join(texts.feed(piece) for piece in cut(body, sizes)) + texts.finish()


def shortened(value: Any) -> Any:
    """Return the value as the filter leaves it."""
    match value:
        case str():
            return "" if len(json.dumps(value)) - 2 > LIMIT else value
        case list():
            return [shortened(part) for part in value]
        case dict():
            return {shortened(name): shortened(part) for name, part in value.items()}
        case _:
            return value


@given(VALUES, INDENTS, CUTS)
def test_parts_put_together_are_what_came(value: Any, indent: int | None, sizes: list[int]) -> None:
    """Nothing is added, lost or moved."""
    body = json.dumps(value, indent=indent).encode()
    texts, rebuilt = JsonTexts(), b""
    for piece in cut(body, sizes):
        for kind, data in texts.feed(piece):
            rebuilt += b'"' if kind in ("start", "end") else data

    assert rebuilt == body
    assert not texts.inside


@given(VALUES, INDENTS, CUTS)
def test_only_long_texts_are_left_out(value: Any, indent: int | None, sizes: list[int]) -> None:
    """What is short stays as it is; an empty text stands for each long one."""
    body = json.dumps(value, indent=indent).encode()

    assert json.loads(filtered(body, sizes)) == shortened(value)


@given(st.binary(max_size=60), CUTS)
def test_what_is_no_json_passes_through(body: bytes, sizes: list[int]) -> None:
    """Error pages, broken escapes and cut answers are shown as they came."""
    assert filtered(body, sizes, 1000) == body


@settings(max_examples=300)
@given(
    st.lists(st.binary(max_size=20), min_size=1, max_size=4),
    st.integers(0, 3),
    INDENTS,
    CUTS,
    st.sampled_from(["plain", "slashes", "unicode", "bare", "url"]),
)
async def test_a_file_comes_out_as_it_went_in(
    files: list[bytes], index: int, indent: int | None, sizes: list[int], spelling: str
) -> None:
    """Whichever of the files it is, and however the vendor's encoder spells base64."""
    index %= len(files)
    texts = [base64.b64encode(file).decode() for file in files]
    if spelling == "url":
        texts = [text.replace("+", "-").replace("/", "_") for text in texts]
    if spelling == "bare":
        texts = [text.rstrip("=") for text in texts]
    document = {
        "data": None,
        "key": "data",
        "videos": [{"name": "data", "mimeType": "video/mp4", "data": text} for text in texts],
    }
    body = json.dumps(document, indent=indent)
    if spelling == "slashes":
        body = body.replace("/", "\\/")
    if spelling == "unicode":
        body = body.replace("=", "\\u003d").replace("+", "\\u002b").replace('"data"', '"d\\u0061ta"')

    assert await decoded(body.encode(), sizes, index=index) == files[index]


@given(st.binary(min_size=1, max_size=30), CUTS, st.data())
async def test_a_file_that_broke_off_is_never_taken_for_whole(file: bytes, sizes: list[int], data: Any) -> None:
    """The quotation mark at its end is the proof that all of it came."""
    body = json.dumps({"a": 1, "data": base64.b64encode(file).decode(), "b": 2}).encode()
    start, end = body.index(b'"data"'), body.index(b', "b"')
    at = data.draw(st.integers(start + 9, end - 1))

    with pytest.raises(VendorUnreachable):
        await decoded(body[:at], sizes)


@pytest.mark.parametrize(
    "body", ["", "{}", "<html>", '{"data": null}', '{"data": ["YQ=="]}', '{"x": "data"}', '{"data": "YQ=="', "[1"]
)
async def test_an_answer_without_the_file_says_so(body: str) -> None:
    """The vendor is asked again for what became of it."""
    with pytest.raises(UnexpectedResponse, match="no file number 2"):
        await decoded(body.encode(), [3], index=1)


@pytest.mark.parametrize("text", ["YQ==YQ==", "YQ=a", "a", "*&^%", "YWJj=", "YQ\\u00e9="])
async def test_what_is_no_base64_is_refused(text: str) -> None:
    """Nothing is guessed about a broken file."""
    body = f'{{"data": "{text}"}}'.encode()
    for size in range(1, 12):
        with pytest.raises(UnexpectedResponse):
            await decoded(body, [size])


def test_a_long_file_is_never_held() -> None:
    """A text of 8 MB passes through in pieces, and none of it is kept."""
    texts = LongTextFilter(65536)
    piece = b"A" * 65536
    kept = texts.feed(b'{"video":"') + b"".join(texts.feed(piece) for _ in range(128)) + texts.feed(b'"}')

    assert kept == b'{"video":""}'
    assert len(texts._text) == 0

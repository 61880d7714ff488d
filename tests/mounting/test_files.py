"""Files on HTTP: whole, in part, conditionally; from a path and from a reader."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mounting.asgi import HANG_UP, Got, call
from tests.mounting.plain import MemoryBackend, blob_of, serve

from reelway.core.errors import StorageFailed
from reelway.mounting import files
from reelway.mounting.ranges import select

DATA = bytes(range(256)) * 8000
ETAG = f'"{blob_of(DATA).sha256}"'
URL = "/things/video_1/bytes"


@pytest.fixture(params=["path", "reader"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryBackend:
    if request.param == "reader":
        return MemoryBackend(DATA)
    path = tmp_path / "video.mp4"
    path.write_bytes(DATA)
    return MemoryBackend(DATA, path)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def get(backend: MemoryBackend, method: str = "GET", *, pathsend: bool = False, **headers: str) -> Got:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await call(serve(backend), method, URL, headers=names, pathsend=pathsend)
    assert answer is not None
    return answer


async def test_the_whole_file(backend: MemoryBackend) -> None:
    """200 with length, type, ETag, name, and the bytes themselves."""
    answer = await get(backend)
    assert answer.status == 200
    assert answer.body == DATA
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["etag"] == ETAG
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == 'inline; filename="video_1.mp4"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"].startswith("req_")


async def test_the_server_sends_a_local_file_itself_where_it_can(backend: MemoryBackend) -> None:
    """With the pathsend extension a whole local file never passes through Python; a range does."""
    whole = await get(backend, pathsend=True)
    assert whole.path == (str(backend.path) if backend.path else None)
    assert whole.headers["content-length"] == str(len(DATA))
    part = await get(backend, pathsend=True, range="bytes=0-9")
    assert part.path is None
    assert part.body == DATA[:10]


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=5-", 5, len(DATA)),
        ("bytes=-7", len(DATA) - 7, len(DATA)),
        ("bytes=-99999999", 0, len(DATA)),
        ("bytes=0-18446744073709551615", 0, len(DATA)),
        ("bytes = 3 - 4", 3, 5),
        (f"bytes={len(DATA) - 1}-", len(DATA) - 1, len(DATA)),
        ("bytes=1000-1999999", 1000, 2_000_000),
    ],
)
async def test_a_part(backend: MemoryBackend, wanted: str, start: int, stop: int) -> None:
    """206 with exactly the bytes asked for, and where they lie."""
    answer = await get(backend, range=wanted)
    assert answer.status == 206
    assert answer.body == DATA[start:stop]
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"


@pytest.mark.parametrize("wanted", [f"bytes={len(DATA)}-", "bytes=-0", "bytes=99999999999999999999-"])
async def test_a_part_beyond_the_end(backend: MemoryBackend, wanted: str) -> None:
    """416 says how long the file is."""
    answer = await get(backend, range=wanted)
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    assert answer.error["code"] == "range_not_satisfiable"
    assert str(len(DATA)) in answer.error["message"]


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "bytes=a-b", "lines=1-2", "", "bytes=٣-٤"])
async def test_ranges_that_are_not_served_get_the_whole(backend: MemoryBackend, wanted: str) -> None:
    """Several ranges, nonsense and unknown units are ignored, as RFC 9110 allows."""
    answer = await get(backend, range=wanted.encode().decode("latin-1"))
    assert answer.status == 200
    assert answer.body == DATA


@pytest.mark.parametrize(
    ("given", "status"), [(ETAG, 206), ('"other"', 200), (f"W/{ETAG}", 200), ("Mon, 23 Nov 2026 06:52:07 GMT", 200)]
)
async def test_a_resume_only_if_the_file_is_the_same(backend: MemoryBackend, given: str, status: int) -> None:
    """If-Range compares strongly; anything but our ETag gets the whole file."""
    assert (await get(backend, range="bytes=0-9", if_range=given)).status == status


@pytest.mark.parametrize("given", [ETAG, f"W/{ETAG}", f'"a", {ETAG}', "*"])
async def test_a_file_the_client_has_is_not_sent_again(backend: MemoryBackend, given: str) -> None:
    """304 carries the ETag and no body."""
    answer = await get(backend, if_none_match=given, range="bytes=0-9")
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == ETAG
    assert (await get(backend, if_none_match='"other"')).status == 200


async def test_head_ignores_ranges(backend: MemoryBackend) -> None:
    """HEAD announces the whole file and sends nothing (RFC 9110: ranges are for GET)."""
    answer = await get(backend, "HEAD", range="bytes=0-9", pathsend=True)
    assert (answer.status, answer.body, answer.path) == (200, b"", None)
    assert answer.headers["content-length"] == str(len(DATA))


async def test_an_empty_file() -> None:
    """Nothing is something that can be sent; no part of it can."""
    empty = MemoryBackend(b"")
    assert (await get(empty)).status == 200
    assert (await get(empty, range="bytes=0-")).status == 416


async def test_a_reader_is_asked_for_no_more_than_the_range() -> None:
    """A store far away sends only what is passed on."""
    backend = MemoryBackend(DATA)
    await get(backend, range="bytes=100-299")
    assert backend.ranges_read == [(100, 300)]


async def test_a_file_that_is_gone_is_410(tmp_path: Path) -> None:
    """A file deleted between finding and opening is 410, not an accident."""
    answer = await get(MemoryBackend(DATA, tmp_path / "gone.mp4"))
    assert answer.status == 410


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("error", "status"), [(KeyError("videos/v"), 410), (StorageFailed("out of reach"), 503)])
async def test_a_far_store_is_heard_before_the_answer_begins(
    method: str, error: Exception, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it does not have, or cannot give, is a status of its own, not an answer that breaks off."""

    class Far(MemoryBackend):
        async def _read(self, start: int, stop: int) -> Any:
            raise error
            yield b""

    answer = await get(Far(DATA), method)
    assert answer.status == status
    assert "answer_broken_off" not in "".join(capfd.readouterr())


async def test_a_file_of_the_wrong_length_is_never_sent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A damaged store is noticed before the first byte goes out."""
    path = tmp_path / "short.mp4"
    path.write_bytes(DATA[:100])
    assert (await get(MemoryBackend(DATA, path))).status == 503
    captured = capfd.readouterr()
    assert "instead of" in captured.out + captured.err


async def test_a_reader_that_runs_dry_breaks_the_answer_off(capfd: pytest.CaptureFixture[str]) -> None:
    """The client sees fewer bytes than announced, never a wrong file taken for a whole one."""

    class Short(MemoryBackend):
        async def _read(self, start: int, stop: int) -> Any:
            yield self.content[start : stop - 5]

    answer = await get(Short(DATA))
    assert answer.headers["content-length"] == str(len(DATA))
    assert len(answer.body) == len(DATA) - 5
    captured = capfd.readouterr()
    assert "answer_broken_off" in captured.out + captured.err


async def test_reading_stops_when_nobody_listens() -> None:
    """Of a long file to a client that went away, only the beginning is read."""
    read: list[int] = []
    closed: list[bool] = []

    class Counting(MemoryBackend):
        async def _read(self, start: int, stop: int) -> Any:
            try:
                for position in range(start, stop, 500_000):
                    read.append(position)
                    yield self.content[position : position + 500_000]
            finally:
                closed.append(True)

    data = bytes(20_000_000)
    await call(serve(Counting(data)), "GET", URL, body=[HANG_UP])
    assert 0 < len(read) < 5
    assert closed == [True]


async def test_a_cold_file_is_read_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the page cache cannot be asked, every piece comes from a thread, and is the same."""
    path = tmp_path / "video.mp4"
    path.write_bytes(DATA)
    monkeypatch.setattr(files, "_READ_NOW", None)
    assert (await get(MemoryBackend(DATA, path))).body == DATA


async def test_no_file_stays_open(backend: MemoryBackend) -> None:
    """After every kind of answer the process has as many open files as before."""
    await get(backend, range="bytes=0-9")
    before = open_files()
    for headers in ({}, {"range": "bytes=5-"}, {"range": "bytes=99999999-"}, {"if_none_match": ETAG}):
        await get(backend, **headers)
        await get(backend, "HEAD", **headers)
        await get(backend, pathsend=True, **headers)
    assert open_files() == before


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a.mp4", 'inline; filename="a.mp4"'),
        ("füchse.mp4", "inline; filename=\"f_chse.mp4\"; filename*=UTF-8''f%C3%BCchse.mp4"),
        ('a"\r\nx: y\\.mp4', "inline; filename=\"a___x: y_.mp4\"; filename*=UTF-8''a%22%0D%0Ax%3A%20y%5C.mp4"),
        ("", 'inline; filename="content"'),
    ],
)
def test_names_in_headers_are_safe(filename: str, header: str) -> None:
    """Whatever a file is called, its name cannot add a header."""
    assert files._disposition(filename).decode() == header


@given(st.text(max_size=40), st.integers(0, 10**12))
def test_no_range_header_is_an_accident(wanted: str, size: int) -> None:
    """Any text is answered, and a part always lies within the file."""
    selection = select("GET", {"range": wanted}, etag='"e"', size=size)
    assert 0 <= selection.start <= selection.stop <= size


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40))
def test_parts_agree_with_slicing(first: int, last: int, size: int) -> None:
    """A satisfiable range selects what a slice does."""
    data = range(size)
    selection = select("GET", {"range": f"bytes={first}-{last}"}, etag='"e"', size=size)
    if last < first:
        assert selection.kind == "whole"
    elif first >= size:
        assert selection.kind == "beyond"
    else:
        assert data[selection.start : selection.stop] == data[first : last + 1]

"""The same on the real server: what it does with our messages is half of the contract."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.mounting.granian import serving, session
from tests.mounting.plain import MemoryBackend, serve

DATA = bytes(range(256)) * 20_000
CONTENT = "/things/video_1/bytes"


@pytest.fixture
def backend(tmp_path: Path) -> MemoryBackend:
    path = tmp_path / "video.mp4"
    path.write_bytes(DATA)
    return MemoryBackend(DATA, path)


async def test_whole_part_and_head(backend: MemoryBackend) -> None:
    """The file comes whole through the server, in part through us, and HEAD announces its length."""
    async with serving(serve(backend)) as url, session() as client:
        async with client.get(url + CONTENT) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Length"] == str(len(DATA))
            assert await answer.read() == DATA
        async with client.get(url + CONTENT, headers={"Range": "bytes=1000-4999999"}) as answer:
            assert answer.status == 206
            assert await answer.read() == DATA[1000:5_000_000]
        async with client.head(url + CONTENT) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Length"] == str(len(DATA))
        async with client.get(url + CONTENT, headers={"If-None-Match": answer.headers["ETag"]}) as answer:
            assert answer.status == 304


async def test_an_answer_broken_off_is_seen_as_broken(capfd: pytest.CaptureFixture[str]) -> None:
    """A source that runs dry ends the connection, so that no client takes a piece for the whole."""

    class Short(MemoryBackend):
        async def _read(self, start: int, stop: int) -> Any:
            yield self.content[start : stop - 5]

    async with serving(serve(Short(DATA))) as url, session() as client, client.get(url + CONTENT) as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    captured = capfd.readouterr()
    assert "answer_broken_off" in captured.out + captured.err


async def test_an_upload_over_the_limit_is_answered_while_it_is_sent(backend: MemoryBackend) -> None:
    """413 reaches a client that has announced no length and is still sending."""
    hold = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"a": "' + b"x" * 5000
        await hold.wait()

    async with (
        serving(serve(backend, text_bytes=1000)) as url,
        session() as client,
        client.post(url + "/things", data=endless(), headers={"Content-Type": "application/json"}) as answer,
    ):
        assert answer.status == 413
        hold.set()


async def test_a_form_with_a_file(backend: MemoryBackend) -> None:
    """A real client's multipart form arrives, the file in pieces."""
    form = aiohttp.FormData()
    form.add_field("prompt", "füchse")
    form.add_field("image", io.BytesIO(DATA), filename="a.png", content_type="image/png")
    async with serving(serve(backend)) as url, session() as client, client.post(url + "/things", data=form) as answer:
        assert answer.status == 200
    assert backend.staged == [DATA]
    assert len(backend.piece_sizes) > 1


async def test_strange_paths_and_queries(backend: MemoryBackend) -> None:
    """Broken percent-encoding, NUL and dots in the path are 404; a broken query is 400."""
    targets = ["/things/%00", "/things/%ff", "/things/" + "x" * 2000, "/things/a%2Fb", "/things/%2e%2e"]
    async with serving(serve(backend)) as url:
        for target in targets:
            assert await _status(url, target) == 404
        assert await _status(url, "/things/video_1?a=%ff") == 400
        assert await _status(url, "/things/video_1?a=%zz") == 200


async def _status(url: str, target: str) -> int:
    """Send a request line as it stands; clients would tidy it up first."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = f"GET {target} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer sk-test\r\nConnection: close\r\n\r\n"
    writer.write(lines.encode())
    status = (await reader.readline()).split()[1]
    await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(status)

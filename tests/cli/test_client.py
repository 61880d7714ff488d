"""The HTTP client of the command line: what it sends, and what it makes of answers."""

import json
import socket
from pathlib import Path

import pytest
from tests.cli.fake_server import BREAK, FakeServer, Reply, parts_of, video

from reelway.cli.client import Client, ConnectionBroke
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.forms import FormFile, make_body


def _client(server: FakeServer) -> Client:
    return Client(server.address, "sk-test", sleep=lambda seconds: None)


def test_a_create_without_files_is_json(server: FakeServer) -> None:
    """Numbers stay numbers, and the key travels in the header."""
    server.on("POST", "/v1/videos", Reply(body=video("queued")))

    made = _client(server).create(make_body({"prompt": "fox", "seed": 7}), idempotency_key="once")

    [request] = server.requests
    assert made["id"] == "video_01"
    assert json.loads(request.body) == {"prompt": "fox", "seed": 7}
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.headers["idempotency-key"] == "once"


def test_files_travel_as_a_form_in_order(server: FakeServer, tmp_path: Path) -> None:
    """Lists become repeated parts, objects JSON text, and a file keeps its name and type."""
    image = tmp_path / 'fir"st.png'
    image.write_bytes(b"\x89PNG\r\n\x1a\n--data")
    server.on("POST", "/v1/videos", Reply(body=video("queued")))

    body = make_body(
        {"prompt": "fox", "images": ["http://a/1", "http://a/2"], "metadata": {"a": "1"}}, [FormFile("images", image)]
    )
    _client(server).create(body, idempotency_key="once")

    assert parts_of(server.requests[0]) == [
        ("prompt", None, b"fox"),
        ("images", None, b"http://a/1"),
        ("images", None, b"http://a/2"),
        ("metadata", None, b'{"a": "1"}'),
        ("images", "fir%22st.png", image.read_bytes()),
    ]
    assert b"Content-Type: image/png" in server.requests[0].body


def test_an_address_with_v1_at_its_end_is_the_same_server(server: FakeServer) -> None:
    """`OPENAI_BASE_URL`-like addresses work too."""
    server.on("GET", "/v1/models", Reply(body={"data": []}))

    assert Client(f"{server.address}/v1/", "sk-test").models() == {"data": []}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Exit.INVALID),
        (401, Exit.NOT_ALLOWED),
        (402, Exit.LIMITED),
        (403, Exit.NOT_ALLOWED),
        (404, Exit.INVALID),
        (409, Exit.INVALID),
        (410, Exit.INVALID),
        (413, Exit.INVALID),
        (429, Exit.LIMITED),
        (500, Exit.UNREACHABLE),
        (503, Exit.LIMITED),
    ],
)
def test_an_error_answer_keeps_its_words(server: FakeServer, status: int, expected: Exit) -> None:
    """Message, code and field of the envelope reach the person; the status decides the exit code."""
    envelope = {"error": {"message": "seconds must be one of 4, 6, 8", "code": "invalid_value", "param": "seconds"}}
    server.on("GET", "/v1/models", Reply(status, envelope))

    with pytest.raises(CommandFailed) as failed:
        _client(server).models()

    assert failed.value.message == "seconds must be one of 4, 6, 8"
    assert (failed.value.exit_code, failed.value.code, failed.value.param) == (expected, "invalid_value", "seconds")


def test_an_error_without_envelope_names_its_status(server: FakeServer) -> None:
    """A proxy's HTML page does not confuse the client."""
    server.on("GET", "/v1/models", Reply(502, "<h1>Bad gateway</h1>"))

    with pytest.raises(CommandFailed, match="answered 502") as failed:
        _client(server).models()

    assert failed.value.exit_code is Exit.UNREACHABLE


def test_what_is_not_json_is_not_our_server(server: FakeServer) -> None:
    """A web page behind the address is told as what it is."""
    server.on("GET", "/v1/models", Reply(200, "<h1>Welcome</h1>"))

    with pytest.raises(CommandFailed, match="not a Reelway server"):
        _client(server).models()


def test_a_redirect_is_not_followed(server: FakeServer) -> None:
    """The key goes to no other address."""
    server.on("GET", "/v1/models", Reply(302, "", {"Location": f"{server.address}/elsewhere"}))

    with pytest.raises(CommandFailed, match="/elsewhere"):
        _client(server).models()

    assert server.seen("GET", "/elsewhere") == []


def test_a_create_after_a_break_carries_the_same_key(server: FakeServer) -> None:
    """Two sends, one video: the idempotency key does not change."""
    server.on("POST", "/v1/videos", BREAK, Reply(body=video("queued")))

    made = _client(server).create(make_body({"prompt": "fox"}), idempotency_key="once")

    assert made["status"] == "queued"
    assert [request.headers["idempotency-key"] for request in server.requests] == ["once", "once"]


def test_breaks_end_after_three_tries(server: FakeServer) -> None:
    """The client does not knock for ever."""
    server.on("GET", "/v1/models", BREAK)

    with pytest.raises(ConnectionBroke):
        _client(server).models()

    assert len(server.requests) == 3


def test_nobody_there_says_what_to_do() -> None:
    """A refused connection names the address and the remedy."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(ConnectionBroke, match="reelway serve") as failed:
            Client(address, "sk-test").models()

    assert address in failed.value.message
    assert failed.value.exit_code is Exit.UNREACHABLE


@pytest.mark.parametrize("address", ["localhost:8080", "ftp://example.com", "http://"])
def test_what_is_not_an_address_is_refused(address: str) -> None:
    """A forgotten scheme is told before anything is sent."""
    with pytest.raises(CommandFailed, match="not the address of a server"):
        Client(address, "sk-test")


def test_a_proxy_is_asked_for_the_whole_address(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a company's proxy the request goes to the proxy, with its login, and names the server."""
    proxy = server.address.replace("http://", "http://me:pass%20word@")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.on("GET", "/v1/models", Reply(body={"data": []}))

    Client("http://video.example", "sk-test").models()

    [request] = server.requests
    assert request.headers["host"] == "video.example"
    assert request.headers["proxy-authorization"] == "Basic bWU6cGFzcyB3b3Jk"

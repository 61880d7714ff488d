"""Reading vendors' answers: only what is used, in the shape we know, and never a secret in a message."""

from typing import Any

import msgspec
import pytest

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpRequest, HttpResponse
from reelway.vendors.wire import (
    ErrorBody,
    delete,
    excerpt,
    expect,
    get,
    kind_of_status,
    plain,
    post,
    read_error,
    retry_after_seconds,
    unix_seconds,
    word,
)


class Answer(Record):
    id: str
    state: str = ""


def response(
    body: Any = None, *, status: int = 200, text: str | None = None, headers: dict[str, str] | None = None
) -> HttpResponse:
    content = text.encode() if text is not None else msgspec.json.encode(body)
    return HttpResponse(status=status, body=content, headers=headers or {})


def test_an_answer_may_say_more_than_we_read() -> None:
    """Vendors add fields whenever they like."""
    assert expect(Answer, response({"id": "1", "state": "done", "news": [1, 2]})) == Answer(id="1", state="done")


@pytest.mark.parametrize(
    "answer",
    [
        response({"state": "done"}),
        response({"id": 1}),
        response(["id"]),
        response(text="<html>ok</html>"),
        response(text=""),
        HttpResponse(status=200, body=b"\xff\xfe"),
        response({"id": "1"}, status=404),
        response({"id": "1"}, status=302),
        response({"id": "1"}, status=500),
    ],
)
def test_another_shape_raises(answer: HttpResponse) -> None:
    """A missing field, another type, a page of HTML or an error status are never read as an answer."""
    with pytest.raises(UnexpectedResponse) as caught:
        expect(Answer, answer)

    assert f"HTTP {answer.status}" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"error": {"message": "No.", "type": "T", "param": "size", "code": "Bad_Size"}},
            ErrorBody(message="No.", type="t", param="size", code="bad_size"),
        ),
        ({"error": "No."}, ErrorBody(message="No.")),
        ({"detail": "No."}, ErrorBody(message="No.")),
        ({"detail": [{"loc": ["body"], "msg": "bad"}]}, ErrorBody(message='[{"loc":["body"],"msg":"bad"}]')),
        ({"code": 1201, "msg": "No."}, ErrorBody(message="No.", code="1201")),
        ({"message": "No.", "code": None}, ErrorBody(message="No.")),
        ("No.", ErrorBody(message="No.")),
        ([], ErrorBody(message="[]")),
        ({}, ErrorBody()),
    ],
)
def test_an_error_is_read_in_any_shape(body: Any, expected: ErrorBody) -> None:
    """Envelopes differ from server to server; what they say is found all the same."""
    assert read_error(response(body, status=400)) == expected


def test_of_an_error_page_the_title_is_read() -> None:
    """A proxy's words are better than nothing, and markup is no message for a caller."""
    page = "<html>\n<head><title> 502 Bad\nGateway </title></head><body><h1>nginx</h1></body></html>"
    assert read_error(response(text=page, status=502)).message == "502 Bad Gateway"
    assert read_error(response(text="<p>oh</p>", status=502)).message == "a page of HTML came instead of an answer"
    assert read_error(response(text="upstream\nis gone", status=502)).message == "upstream is gone"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Wed, 23 Sep 2026 10:00:30 GMT", "date": "Wed, 23 Sep 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 23 Sep 2026 10:00:00 GMT", "date": "Wed, 23 Sep 2026 10:00:30 GMT"}, 0.0),
        ({"retry-after": "Wed, 23 Sep 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_a_pause_is_read_in_any_form(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds, seconds, or a date by the vendor's own clock."""
    assert retry_after_seconds(response({}, headers=headers)) == seconds


def test_a_message_shows_no_secrets_and_no_ids() -> None:
    """Vendors like to quote keys and their own ids back."""
    text = (
        "Incorrect API key provided: sk-proj-abc***XYZ1. Organization org-AbC123def, video video_99,\n see key_frames."
    )

    assert plain(text, "video_99") == "Incorrect API key provided: …. Organization …, video …, see key_frames."
    assert len(plain("x" * 1000)) == 401
    assert excerpt(response(text="Bearer abcdef", status=401)) == "HTTP 401 …"


def test_statuses_that_prove_nothing_have_no_kind() -> None:
    """After a conflict, a time-out or a breakdown the request may have been accepted."""
    assert kind_of_status(429) is FailureKind.RATE_LIMITED
    assert all(kind_of_status(status) is None for status in (408, 409, 425, 500, 502, 503, 504, 302))


def test_requests_are_made_in_one_line() -> None:
    """And carry exactly what was said."""
    assert get("/v1/tasks/1", query=[("a", "b")]) == HttpRequest(method="GET", path="/v1/tasks/1", query=(("a", "b"),))
    assert delete("/v1/tasks/1") == HttpRequest(method="DELETE", path="/v1/tasks/1")
    assert post("/v1/tasks", json={"a": 1}, billable=True) == HttpRequest(
        method="POST", path="/v1/tasks", json={"a": 1}, billable=True
    )


def test_words_and_times_are_folded() -> None:
    """States are compared trimmed and in lower case; milliseconds become seconds."""
    assert word(" In_Progress\n") == "in_progress"
    assert unix_seconds(1790000000) == unix_seconds(1790000000000) == 1790000000

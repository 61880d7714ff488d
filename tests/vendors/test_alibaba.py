"""What is peculiar to DashScope: bodies with every default, codes by their beginnings, and a lost create without a mark."""

from typing import Any

import pytest
from tests.vendors.openai_cases import CLIP, IMAGE, play, response

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.alibaba import ADAPTER
from reelway.vendors.spec import Credential, DataUri, HttpRequest, PublicUrl, Submission, Succeeded, VendorFailed

STARTED = 1_795_140_000.0  # 10:00:00 on 2026-11-20 in Beijing
MODEL = "happyhorse-1.0-t2v"
REQUEST = ResolvedRequest(
    operation="create",
    model=MODEL,
    card=MODEL,
    mode=Mode.T2V,
    prompt="a fox",
    seconds=5,
    tier="720p",
    ratio="16:9",
    options={"watermark": False},
)
OPERATION = {"id": "t-1"}


def submission(request: ResolvedRequest = REQUEST, **changes: Any) -> Submission:
    return Submission(request=request, model=request.card, reference="video_1-1", started_at=STARTED, **changes)


def sent(request: ResolvedRequest = REQUEST, **changes: Any) -> HttpRequest:
    return next(ADAPTER.submit(submission(request, **changes)))


def shown(status: str, task_id: str = "t-1", usage: Any = None, **fields: Any) -> dict[str, Any]:
    output = {"task_id": task_id, "task_status": status, **fields}
    return {"request_id": "r-1", "output": output, **({} if usage is None else {"usage": usage})}


# --- submitting


def test_the_mark_is_always_decided_by_us() -> None:
    """Left alone the vendor puts its own into the picture."""
    assert sent().json["parameters"]["watermark"] is False
    marked = REQUEST.evolve(options={"watermark": True, "audio_setting": "origin", "prompt_extend": False})
    assert sent(marked).json["parameters"] == {
        "resolution": "720P",
        "ratio": "16:9",
        "duration": 5,
        "watermark": True,
        "audio_setting": "origin",
        "prompt_extend": False,
    }


@pytest.mark.parametrize(
    ("mode", "role", "given", "item"),
    [
        (Mode.I2V, Role.FIRST_FRAME, {"blob": IMAGE}, {"type": "first_frame", "url": DataUri(blob=IMAGE)}),
        (Mode.R2V, Role.REFERENCE, {"file_id": "oss://a.png"}, {"type": "reference_image", "url": "oss://a.png"}),
        (Mode.EDIT, Role.SOURCE, {"blob": CLIP}, {"type": "video", "url": PublicUrl(blob=CLIP)}),
        (
            Mode.REMIX,
            Role.SOURCE,
            {"url": "https://a.example/v.mp4"},
            {"type": "video", "url": "https://a.example/v.mp4"},
        ),
    ],
    ids=str,
)
def test_inputs_go_in_as_the_vendor_takes_them(mode: Mode, role: Role, given: dict[str, Any], item: Any) -> None:
    """Pictures inside of the body, videos by an address, its own uploads by theirs; a ratio only where it is chosen."""
    kind = MediaKind.VIDEO if role is Role.SOURCE else MediaKind.IMAGE
    request = REQUEST.evolve(mode=mode, prompt="", inputs=(Input(kind=kind, role=role, **given),))
    create = sent(request)

    assert create.json["input"] == {"media": [item]}
    assert ("ratio" in create.json["parameters"]) == (mode is Mode.R2V)
    assert (("X-DashScope-OssResourceResolve", "enable") in create.headers) == ("file_id" in given)


def test_a_file_of_another_vendor_is_refused_before_it_is_sent() -> None:
    """Its id means nothing here."""
    inputs = (Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, file_id="asset-1"),)
    with pytest.raises(VendorRefused, match="oss://") as refused:
        sent(REQUEST.evolve(mode=Mode.R2V, inputs=inputs))

    assert refused.value.failure.kind is FailureKind.INVALID_REQUEST


def test_a_workspace_goes_with_every_request() -> None:
    """Those that look and stop too, which know the operation alone."""
    given = submission(settings={"workspace": "ws-1"})
    header = ("X-DashScope-WorkSpace", "ws-1")
    accepted = play(ADAPTER.submit(given), response(shown("PENDING")))

    assert accepted.operation == {"id": "t-1", "workspace": "ws-1"}
    flows = (ADAPTER.submit(given), ADAPTER.find(given), ADAPTER.check(accepted.operation))
    assert all(header in next(flow).headers for flow in (*flows, ADAPTER.cancel(accepted.operation)))
    assert not any(name == "X-DashScope-WorkSpace" for name, _ in sent().headers)


def test_the_key_is_a_bearer_token() -> None:
    """Without one nothing is signed."""
    request = sent()

    assert ADAPTER.authorize(request, Credential(values={"api_key": "sk-1"}), 0.0).headers[-1] == (
        "Authorization",
        "Bearer sk-1",
    )
    assert ADAPTER.authorize(request, Credential(), 0.0) == request


# --- codes


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "InvalidParameter.UnsupportedFileFormat", "", FailureKind.INVALID_REQUEST),
        (400, "InvalidURL", "", FailureKind.INVALID_REQUEST),
        (400, "BadRequest.InputDownloadFailed", "", FailureKind.INVALID_REQUEST),
        (400, "InvalidParameter", "Green net check failed for the text", FailureKind.CONTENT_POLICY),
        (400, "IPInfringementSuspect", "", FailureKind.CONTENT_POLICY),
        (400, "SomethingNew", "Unable to download the media resource.", FailureKind.INVALID_REQUEST),
        (403, "AccessDenied", "current user api does not support synchronous calls", FailureKind.PERMISSION),
        (403, "AccessDenied.Unpurchased", "", FailureKind.PERMISSION),
        (403, "Workspace.AccessDenied", "", FailureKind.PERMISSION),
        (403, "Arrearage", "", FailureKind.INSUFFICIENT_QUOTA),
        (404, "Model.NotExist", "", FailureKind.MODEL_NOT_FOUND),
        (429, "Throttling", "", FailureKind.RATE_LIMITED),
        (429, "Throttling.BurstRate", "", FailureKind.RATE_LIMITED),
        (429, "Throttling.AllocationQuota", "too many tokens a minute", FailureKind.RATE_LIMITED),
        (429, "Throttling.AllocationQuota", "Your free tier is used up", FailureKind.INSUFFICIENT_QUOTA),
        (418, "SomethingNew", "", None),
        (408, "RequestTimeOut", "", None),
        (500, "InvalidParameter", "", None),
        (503, "ServiceUnavailable", "", None),
        (504, "GatewayTimeout", "", None),
        (200, "Throttling.RateQuota", "", FailureKind.RATE_LIMITED),
        (200, "InternalError", "", None),
        (200, "SomethingNew", "", None),
    ],
)
def test_a_refused_create_is_known_by_the_beginning_of_its_code(
    status: int, code: str, message: str, kind: FailureKind | None
) -> None:
    """After a 5xx, and after a good answer with a code nobody has met, it is not known whether there is a task."""
    error = response({"code": code, "message": message, "request_id": "r-1"}, status=status)
    with pytest.raises((VendorRefused, UnexpectedResponse)) as raised:
        play(ADAPTER.submit(submission()), error)

    found = raised.value.failure.kind if isinstance(raised.value, VendorRefused) else None
    assert found == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DataInspectionFailed", FailureKind.CONTENT_POLICY),
        ("InvalidParameter.DataInspection", FailureKind.INVALID_REQUEST),
        ("InternalError.Timeout", FailureKind.VENDOR_ERROR),
        ("Throttling.RateQuota", FailureKind.RATE_LIMITED),
        ("SomethingNew", FailureKind.VENDOR_ERROR),
        (None, FailureKind.VENDOR_ERROR),
    ],
)
def test_a_failed_task_says_why(code: str | None, kind: FailureKind) -> None:
    """Without the id of the task in what callers read, and without the promise that anybody asks again."""
    found = play(ADAPTER.check(OPERATION), response(shown("FAILED", code=code, message="task t-1 broke")))

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is kind
    assert "t-1" not in found.failure.message
    assert "after a pause" not in found.failure.message


# --- results


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        (
            {"duration": 15.5, "input_video_duration": 7.75, "output_video_duration": 7.75},
            {"seconds": 7.75, "input_seconds": 7.75},
        ),
        ({"duration": 6, "output_video_duration": 6}, {"seconds": 6, "input_seconds": 0}),
        ({"duration": 6, "input_video_duration": 0}, {"seconds": 6, "input_seconds": 0}),
        ({"duration": 15.5}, {}),
        ({}, {}),
        (None, {}),
    ],
)
def test_the_seconds_that_are_charged_are_reported(usage: Any, found: dict[str, Any]) -> None:
    """In their two parts, which have prices of their own; a sum alone settles nothing."""
    link = "https://files.example.test/a.mp4"
    status = play(ADAPTER.check(OPERATION), response(shown("SUCCEEDED", usage=usage, video_url=link)))

    assert isinstance(status, Succeeded)
    assert status.usage == found
    assert not status.outputs[0].video.authorize


@pytest.mark.parametrize("url", ["ftp://files.example.test/a.mp4", "a.mp4", "file:///etc/passwd"])
def test_a_result_that_is_no_address_is_a_surprise(url: str) -> None:
    """Nothing is fetched from where nobody said."""
    with pytest.raises(UnexpectedResponse, match="no address"):
        play(ADAPTER.check(OPERATION), response(shown("SUCCEEDED", video_url=url)))


# --- stopping


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("RUNNING", "refused"),
        ("UNKNOWN", "refused"),
        ("SUCCEEDED", "asked"),
        ("FAILED", "asked"),
        ("CANCELED", "asked"),
    ],
)
def test_a_cancel_that_comes_too_late_looks_what_became_of_it(status: str, answer: str) -> None:
    """A task that has ended tells itself, and a failed one is free; one that is being made costs."""
    too_late = response({"code": "UnsupportedOperation", "request_id": "r-1"}, status=400)

    assert play(ADAPTER.cancel(OPERATION), too_late, response(shown(status))) == answer


def test_an_answer_that_says_nothing_cancels_nothing() -> None:
    """Only the vendor's own acknowledgement is one; the next look tells."""
    assert play(ADAPTER.cancel(OPERATION), response({})) == "asked"
    assert play(ADAPTER.cancel(OPERATION), response({"request_id": "r-1", "code": "InternalError"})) == "asked"


# --- finding


def row(task_id: str, age: float = 1.0, **changes: Any) -> dict[str, Any]:
    return {"task_id": task_id, "model_name": MODEL, "gmt_create": (STARTED + age) * 1000, **changes}


def found(rows: list[dict[str, Any]], *tasks: dict[str, Any], prompt: str = "a fox") -> list[str]:
    """Return the keys of what may be it, with the list and the tasks as they are shown."""
    page = response({"request_id": "r-1", "data": rows, "total": len(rows)})
    flow = ADAPTER.find(submission(REQUEST.evolve(prompt=prompt)))
    return [candidate.key for candidate in play(flow, page, *(response(task) for task in tasks))]


def test_the_list_is_asked_for_the_time_in_beijing() -> None:
    """No zone stands beside it, and the model narrows it."""
    request = next(ADAPTER.find(submission()))

    assert request.query == (
        ("start_time", "20261120095800"),
        ("end_time", "20261120101500"),
        ("model_name", MODEL),
        ("page_no", "1"),
        ("page_size", "10"),
    )


@pytest.mark.parametrize(
    "other",
    [row("t-2", -121.0), row("t-2", 901.0), row("t-2", model_name="happyhorse-1.0-i2v"), row("")],
    ids=["before", "long after", "another model", "no id"],
)
def test_other_work_is_not_looked_at(other: dict[str, Any]) -> None:
    """It cannot be it."""
    assert found([row("t-1"), other], shown("RUNNING")) == ["t-1"]


@pytest.mark.parametrize("change", [{"gmt_create": None}, {"gmt_create": "2026-11-20 10:00:01"}, {"model_name": None}])
def test_what_a_row_leaves_out_does_not_exclude_it(change: dict[str, Any]) -> None:
    """A lost create that is taken for absent is paid twice."""
    assert found([row("t-1", **change)], shown("RUNNING")) == ["t-1"]


@pytest.mark.parametrize(
    ("prompt", "words", "keys"),
    [
        ("a fox", "a fox", ["t-1"]),
        (" a fox ", "a fox", ["t-1"]),
        ("a fox", "a kite", []),
        ("a fox", "a", []),
        ("x" * 6000, "x" * 5000, ["t-1"]),
        ("狐" * 2600, "狐" * 2500, ["t-1"]),
        ("", "", ["t-1"]),
    ],
)
def test_a_task_is_known_by_its_words(prompt: str, words: str, keys: list[str]) -> None:
    """Long ones were cut without a word about it."""
    assert found([row("t-1")], shown("SUCCEEDED", orig_prompt=words), prompt=prompt) == keys


def test_equal_words_are_told_apart_by_nobody() -> None:
    """Both are candidates, and the engine takes neither unless the other belongs to a video."""
    tasks = [shown("SUCCEEDED", name, orig_prompt="a fox") for name in ("t-1", "t-2")]

    assert found([row("t-1"), row("t-2")], *tasks) == ["t-1", "t-2"]


def test_a_failed_task_never_shows_its_words() -> None:
    """So nobody waits for them."""
    tasks = shown("FAILED", "t-1"), shown("SUCCEEDED", "t-2", orig_prompt="a kite")

    assert found([row("t-1"), row("t-2")], *tasks) == ["t-1"]


def test_another_task_than_the_one_listed_is_a_surprise() -> None:
    """Nothing is concluded from it."""
    with pytest.raises(UnexpectedResponse, match="something else"):
        found([row("t-1")], shown("RUNNING", "t-9"))

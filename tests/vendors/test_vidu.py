"""What is peculiar to Vidu: bodies with little room, subjects, names for everything that is wrong, credits."""

from typing import Any

import msgspec
import pytest
from tests.vendors.vidu_cases import image, submission

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind, Remedy, remedy_for
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.spec import (
    CanDelete,
    Credential,
    DataUri,
    HttpRequest,
    HttpResponse,
    PublicUrl,
    Running,
    Succeeded,
    VendorFailed,
)
from reelway.vendors.vidu import ADAPTER

TASK = {"id": "931840000000000001"}
LINK = "https://files.vidu.example/931840000000000001/result.mp4"


def body_of(mode: Mode = Mode.T2V, *inputs: Input, **changes: Any) -> dict[str, Any]:
    sent: HttpRequest = next(ADAPTER.submit(submission(mode, *inputs, **changes)))
    assert sent.billable
    assert isinstance(sent.json, dict)
    return sent.json


def answered(flow: Any, body: Any, status: int = 200) -> Any:
    """Return what a step of one request makes of an answer; what it raises is a result too."""
    next(flow)
    try:
        flow.send(HttpResponse(status=status, body=msgspec.json.encode(body)))
    except StopIteration as stop:
        return stop.value
    except (VendorRefused, UnexpectedResponse) as error:
        return error
    raise AssertionError("it asks again")


def created(body: Any, status: int = 200) -> Any:
    return answered(ADAPTER.submit(submission()), body, status)


def looked(**task: Any) -> Any:
    return answered(ADAPTER.check(TASK), {**TASK, **task})


def error_body(reason: Any, code: Any = 400) -> dict[str, Any]:
    return {"code": code, "reason": reason, "message": "no", "metadata": {"trace_id": "0af1"}}


# --- bodies


@pytest.mark.parametrize(
    ("mode", "inputs", "path"),
    [
        (Mode.T2V, (), "/ent/v2/text2video"),
        (Mode.I2V, (image(role=Role.FIRST_FRAME),), "/ent/v2/img2video"),
        (Mode.FIRST_LAST, (image(role=Role.FIRST_FRAME), image(role=Role.LAST_FRAME)), "/ent/v2/start-end2video"),
        (Mode.R2V, (image(),), "/ent/v2/reference2video"),
    ],
)
def test_each_mode_has_a_path(mode: Mode, inputs: tuple[Input, ...], path: str) -> None:
    """What is made is said by the path alone."""
    assert next(ADAPTER.submit(submission(mode, *inputs))).path == path


def test_modes_without_a_path_are_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(VendorRefused, match="no way to extend"):
        next(ADAPTER.submit(submission(Mode.EXTEND)))


def test_pictures_fill_the_body_smallest_first() -> None:
    """Twenty million bytes of body in all, a third of which is base64's; what has no room goes by address."""
    images = body_of(Mode.R2V, image(size=9_000_000), image(size=8_000_000), image(size=6_000_000), image())["images"]

    assert [type(source) for source in images] == [PublicUrl, DataUri, DataUri, str]


def test_one_picture_may_fill_the_body_alone() -> None:
    """Just below the limit, and just above."""
    bodies = [body_of(Mode.I2V, image(size=size, role=Role.FIRST_FRAME)) for size in (14_800_000, 14_900_000)]

    assert [type(body["images"][0]) for body in bodies] == [DataUri, PublicUrl]


def test_pictures_of_one_name_are_one_subject() -> None:
    """One without a name beside them gets one that nobody calls it by, and no two subjects share one."""
    references = (image("Mira"), image(), image("Mira"), image("image_2"))

    assert body_of(Mode.R2V, *references)["subjects"] == [
        {"name": "Mira", "images": ["https://media.example/a.png"] * 2},
        {"name": "image_3", "images": ["https://media.example/a.png"]},
        {"name": "image_2", "images": ["https://media.example/a.png"]},
    ]


def test_a_subject_has_three_pictures_at_most() -> None:
    """The vendor's limit, said before anything is sent."""
    with pytest.raises(VendorRefused, match="3 pictures"):
        next(ADAPTER.submit(submission(Mode.R2V, *[image("Mira")] * 4)))


def test_a_picture_that_is_neither_file_nor_address_is_refused() -> None:
    """Vidu keeps no files of callers."""
    foreign = Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, file_id="asset://1")

    with pytest.raises(VendorRefused, match="keeps no files"):
        next(ADAPTER.submit(submission(Mode.R2V, foreign)))


def test_what_is_not_said_is_not_sent() -> None:
    """No empty prompt beside a picture, no callback without an address, no ratio where the picture decides."""
    body = body_of(Mode.I2V, image(role=Role.FIRST_FRAME), prompt="")

    assert body.keys() == {"model", "images", "duration", "resolution", "audio", "payload"}


# --- refusals


@pytest.mark.parametrize(
    ("reason", "status", "kind"),
    [
        ("BadRequest", 400, FailureKind.INVALID_REQUEST),
        ("FieldLacking", 400, FailureKind.INVALID_REQUEST),
        ("FieldItemCountOutOfRange", 400, FailureKind.INVALID_REQUEST),
        ("PageSizeOutOfRange", 400, FailureKind.INVALID_REQUEST),
        ("ImageDownloadFailure", 400, FailureKind.INVALID_REQUEST),
        ("TaskPromptPolicyViolation", 400, FailureKind.CONTENT_POLICY),
        ("AuditSubmitIllegal", 400, FailureKind.CONTENT_POLICY),
        ("CreditInsufficient", 400, FailureKind.INSUFFICIENT_QUOTA),
        ("ModelUnavailable", 400, FailureKind.MODEL_NOT_FOUND),
        ("Unauthorized", 401, FailureKind.AUTHENTICATION),
        ("Forbidden", 403, FailureKind.PERMISSION),
        ("QuotaExceeded", 429, FailureKind.RATE_LIMITED),
        ("TooManyRequests", 429, FailureKind.RATE_LIMITED),
        ("SystemThrottling", 429, FailureKind.RATE_LIMITED),
        ("SomethingNew", 400, FailureKind.INVALID_REQUEST),
        ("SomethingNew", 429, FailureKind.RATE_LIMITED),
    ],
)
def test_the_name_says_why_a_create_was_refused(reason: str, status: int, kind: FailureKind) -> None:
    """Vidu's own table; for a name nobody has met, the status counts."""
    error = created(error_body(reason, status), status)

    assert isinstance(error, VendorRefused)
    assert (error.failure.kind, error.failure.vendor_code) == (kind, reason)


@pytest.mark.parametrize("place", ["reason", "code", "err_code"])
def test_the_name_is_looked_for_wherever_it_may_stand(place: str) -> None:
    """One example of the vendor's shows it in `reason`; a production adapter looks in all three."""
    error = created({place: "CreditInsufficient", "message": "no"}, 400)

    assert isinstance(error, VendorRefused)
    assert remedy_for(error.failure.kind) is Remedy.ELSEWHERE


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("OperationInProcess", 400),
        ("Conflict", 409),
        ("Canceled", 499),
        ("InternalServiceFailure", 500),
        ("CreditInsufficient", 500),
        ("InternalServiceFailure", 200),
    ],
)
def test_after_some_names_nobody_knows(reason: str, status: int) -> None:
    """The task may be there, and would be made and charged a second time: it is looked up first."""
    assert isinstance(created(error_body(reason, max(status, 400)), status), UnexpectedResponse)


def test_an_error_may_come_with_200() -> None:
    """The vendor's own client looks for a `code` in every body."""
    error = created(error_body("Unauthorized", 401))

    assert isinstance(error, VendorRefused)
    assert error.failure.kind is FailureKind.AUTHENTICATION


def test_acceptance_without_an_id_is_an_unknown_outcome() -> None:
    """Something may have been made."""
    assert isinstance(created({"state": "created"}), UnexpectedResponse)


def test_a_task_that_failed_at_once_is_a_task() -> None:
    """Its id is kept, and the next look tells why."""
    assert created({"task_id": "9", "state": "failed"}).key == "9"


def test_a_picture_that_cannot_be_fetched_has_advice_of_its_own() -> None:
    """Changing the request in general would not help."""
    error = created(error_body("ImageDownloadFailure"), 400)

    assert "can be fetched from everywhere, or send it as a file" in error.failure.message


@pytest.mark.parametrize(("reason", "status"), [("TaskNotFound", 404), ("BadRequest", 400), ("SomethingNew", 502)])
def test_a_look_that_shows_nothing_ends_no_task(reason: str, status: int) -> None:
    """Right after the create the task may not be there yet."""
    assert isinstance(answered(ADAPTER.check(TASK), error_body(reason, status), status), UnexpectedResponse)


@pytest.mark.parametrize(("reason", "status"), [("Unauthorized", 401), ("Forbidden", 403), ("TooManyRequests", 429)])
def test_a_cancel_that_was_not_heard_is_no_refusal_of_it(reason: str, status: int) -> None:
    """The key was refused, or the moment; the task may still be cancelled."""
    assert isinstance(answered(ADAPTER.cancel(TASK), error_body(reason, status), status), VendorRefused)


# --- tasks


@pytest.mark.parametrize("word", ["created", "queueing", "scheduled", "processing", "Processing"])
def test_there_is_no_percentage(word: str) -> None:
    """Progress is for us to estimate."""
    assert looked(state=word) == Running()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("CreationPolicyViolation", FailureKind.CONTENT_POLICY),
        ("AuditFailed", FailureKind.CONTENT_POLICY),
        ("PhotoAuditNotPass", FailureKind.CONTENT_POLICY),
        ("ImageCheckFaceFailed", FailureKind.INVALID_REQUEST),
        ("MultiFaceDetected", FailureKind.INVALID_REQUEST),
        ("CreditInsufficient", FailureKind.INSUFFICIENT_QUOTA),
        ("UserCancelled", FailureKind.CANCELLED),
        ("Canceled", FailureKind.CANCELLED),
        ("SomethingNew", FailureKind.VENDOR_ERROR),
        ("", FailureKind.VENDOR_ERROR),
        (None, FailureKind.VENDOR_ERROR),
    ],
)
def test_a_failed_task_names_its_reason(name: str | None, kind: FailureKind) -> None:
    """With the names that refuse a create; one nobody has met is never a guess."""
    found = looked(state="failed", err_code=name)

    assert isinstance(found, VendorFailed)
    assert (found.failure.kind, found.failure.vendor_code) == (kind, name or None)


def test_another_reelway_says_more() -> None:
    """Its words stand beside the name."""
    found = looked(state="failed", err_code="FieldInvalid", message="The picture is too dark.")

    assert "The picture is too dark" in found.failure.message


@pytest.mark.parametrize(
    ("amount", "usage"),
    [
        (60, {"credits": "60"}),
        ("120", {"credits": "120"}),
        (7.5, {"credits": "7.5"}),
        (0, {}),
        ("", {}),
        (-1, {}),
        (True, {}),
        (None, {}),
        ("a lot", {}),
        ([1], {}),
    ],
)
def test_credits_settle_where_they_are_clear(amount: Any, usage: dict[str, str]) -> None:
    """A number here, a text there; a doubtful figure leaves the quote as it is."""
    found = looked(state="success", credits=amount, creations=[{"url": LINK}])

    assert isinstance(found, Succeeded)
    assert found.usage == usage
    assert not found.outputs[0].video.authorize


@pytest.mark.parametrize("link", ["file:///etc/passwd", "files.vidu.example/a.mp4"])
def test_a_result_that_is_no_address_is_odd(link: str) -> None:
    """Nothing but http and https is fetched."""
    assert isinstance(looked(state="success", creations=[{"url": link}]), UnexpectedResponse)


def test_another_task_is_not_ours() -> None:
    """Whatever its state."""
    assert isinstance(looked(id="2", state="success", creations=[{"url": LINK}]), UnexpectedResponse)


def test_older_copies_show_no_id() -> None:
    """The path says whose task it is."""
    assert answered(ADAPTER.check(TASK), {"state": "queueing"}) == Running()


# --- signing


def test_the_key_is_a_token() -> None:
    """Vidu's word in the header."""
    plain = HttpRequest(method="GET", path="/")

    signed = ADAPTER.authorize(plain, Credential(values={"api_key": "vda_fixture"}), 0.0)

    assert signed.headers == (("Authorization", "Token vda_fixture"),)
    assert ADAPTER.authorize(plain, Credential(), 0.0) == plain


def test_vidu_can_not_delete() -> None:
    """There is no such endpoint."""
    assert not isinstance(ADAPTER, CanDelete)

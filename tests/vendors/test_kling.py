"""What is peculiar to Kling's answers: codes that mean more than their status, words for failures, units, signatures."""

import base64
import json
from typing import Any

import pytest
from tests.vendors.kling_cases import answered, envelope, raised, request, submission

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind, Remedy, remedy_for
from reelway.core.videos import MediaKind
from reelway.vendors.kling import ADAPTER
from reelway.vendors.spec import (
    CanCancel,
    CanDelete,
    Credential,
    HttpRequest,
    HttpResponse,
    Running,
    Succeeded,
    VendorFailed,
)

CURRENT = {"id": "940000000000000004", "service": "current"}
LEGACY = {"id": "940000000000000002", "service": "legacy", "product": "text2video"}
LINK = "https://v1-kling.klingai.example.test/a.mp4"


def created(response: HttpResponse, service: str = "current") -> VendorRefused | UnexpectedResponse:
    return raised(ADAPTER.submit(submission(request(), service)), response)


def looked(task: dict[str, Any]) -> Any:
    return answered(ADAPTER.check(CURRENT), envelope([{"id": CURRENT["id"], **task}]))


# --- refusals


@pytest.mark.parametrize("service", ["current", "legacy"])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (1000, 401, FailureKind.AUTHENTICATION),
        (1001, 401, FailureKind.AUTHENTICATION),
        (1002, 401, FailureKind.AUTHENTICATION),
        (1003, 401, FailureKind.AUTHENTICATION),
        (1004, 401, FailureKind.AUTHENTICATION),
        (1100, 429, FailureKind.PERMISSION),
        (1101, 429, FailureKind.INSUFFICIENT_QUOTA),
        (1102, 429, FailureKind.INSUFFICIENT_QUOTA),
        (1103, 403, FailureKind.PERMISSION),
        (1200, 400, FailureKind.INVALID_REQUEST),
        (1201, 400, FailureKind.INVALID_REQUEST),
        (1202, 404, FailureKind.MODEL_NOT_FOUND),
        (1203, 404, FailureKind.MODEL_NOT_FOUND),
        (1300, 400, FailureKind.CONTENT_POLICY),
        (1301, 400, FailureKind.CONTENT_POLICY),
        (1302, 429, FailureKind.RATE_LIMITED),
        (1303, 429, FailureKind.RATE_LIMITED),
        (1304, 429, FailureKind.PERMISSION),
    ],
)
def test_the_code_says_why_a_create_was_refused(service: str, code: int, status: int, kind: FailureKind) -> None:
    """Kling's own table, at the status that Kling gives with each code."""
    error = created(envelope(code=code, message="no", status=status), service)

    assert isinstance(error, VendorRefused)
    assert (error.failure.kind, error.failure.vendor_code) == (kind, str(code))


@pytest.mark.parametrize("code", [1100, 1101, 1102, 1304])
def test_four_of_the_429s_are_permanent(code: int) -> None:
    """Asking again later would be in vain; another account may do."""
    error = created(envelope(code=code, message="no", status=429))

    assert isinstance(error, VendorRefused)
    assert remedy_for(error.failure.kind) is Remedy.ELSEWHERE


def test_an_error_may_come_with_200() -> None:
    """The status is a proxy's matter; code 0 alone is success."""
    error = created(envelope(data={"id": "1"}, code=1303, message="parallel task over resource pack limit"))

    assert isinstance(error, VendorRefused)
    assert error.failure.kind is FailureKind.RATE_LIMITED


@pytest.mark.parametrize(("code", "status"), [(5000, 500), (5001, 503), (5002, 504), (5002, 400), (0, 500)])
def test_after_an_error_of_theirs_nobody_knows(code: int, status: int) -> None:
    """Never a refusal: the task may be there, and would be made and billed a second time."""
    error = created(envelope(code=code, message="Server internal error", status=status))

    assert isinstance(error, UnexpectedResponse) or status == 400


@pytest.mark.parametrize(
    "message",
    ["external_task_id already exists", "Duplicate external_task_id", "external_task_id is already used", "任务已存在"],
)
def test_a_reference_that_exists_means_that_it_arrived(message: str) -> None:
    """Not a refusal but an unknown outcome, so that the task is looked up by the reference and adopted."""
    assert isinstance(created(envelope(code=1201, message=message, status=400)), UnexpectedResponse)


@pytest.mark.parametrize("message", ["video_id does not exist", "model is not supported", "duration is invalid"])
def test_other_bad_values_are_refusals(message: str) -> None:
    """Only a reference that exists is good news."""
    assert isinstance(created(envelope(code=1201, message=message, status=400)), VendorRefused)


@pytest.mark.parametrize(("code", "word"), [(1003, "ahead"), (1004, "behind")])
def test_a_token_out_of_time_blames_the_clock(code: int, word: str) -> None:
    """The key is good, and looking for a fault in it would be in vain."""
    error = created(envelope(code=code, message="Authorization failed", status=401))

    assert isinstance(error, VendorRefused)
    assert f"the clock of this server is {word}" in error.failure.message


def test_without_a_code_of_klings_the_status_counts() -> None:
    """A proxy refused; its page stays where it is."""
    error = created(HttpResponse(status=413, body=b"<html>too large</html>"))

    assert isinstance(error, VendorRefused)
    assert error.failure.message == "`kling` refused the request: HTTP 413; change the request and create it again."


@pytest.mark.parametrize("code", [1000, 1103, 1302])
def test_a_look_that_is_refused_ends_no_task(code: int) -> None:
    """It is the look that was refused; the engine looks again."""
    assert isinstance(raised(ADAPTER.check(CURRENT), envelope(code=code, message="no", status=429)), VendorRefused)


# --- tasks


@pytest.mark.parametrize("word", ["succeed", "succeeded", "Succeeded "])
def test_both_words_for_success_are_taken_everywhere(word: str) -> None:
    """The designs differ in three letters."""
    found = looked({"status": word, "outputs": [{"type": "video", "url": LINK}]})

    assert isinstance(found, Succeeded)
    assert found.outputs[0].video.request.path == LINK
    assert not found.outputs[0].video.authorize


@pytest.mark.parametrize("word", ["submitted", "processing"])
def test_there_is_no_percentage(word: str) -> None:
    """Progress is for us to estimate."""
    assert looked({"status": word}) == Running()


@pytest.mark.parametrize("mark", [None, "", LINK])
def test_the_clean_copy_is_delivered_unless_the_mark_was_asked_for(mark: str | None) -> None:
    """Where no mark was asked for, `watermark_url` is absent, null or empty."""
    task = {"status": "succeeded", "outputs": [{"type": "video", "url": LINK + "?clean", "watermark_url": mark}]}

    assert looked(task).outputs[0].video.request.path == LINK + "?clean"


def test_only_videos_among_the_outputs_are_fetched() -> None:
    """A task may show pictures and sounds as well."""
    outputs = [
        {"type": "image", "url": LINK + "?image"},
        {"type": "video", "url": LINK},
        {"type": "element", "id": "1"},
    ]

    assert len(looked({"status": "succeeded", "outputs": outputs}).outputs) == 1


@pytest.mark.parametrize("link", ["file:///etc/passwd", "v1.klingai.example.test/a.mp4"])
def test_a_result_that_is_no_address_is_odd(link: str) -> None:
    """Nothing but http and https is fetched."""
    task = {"id": CURRENT["id"], "status": "succeeded", "outputs": [{"type": "video", "url": link}]}

    assert isinstance(raised(ADAPTER.check(CURRENT), envelope([task])), UnexpectedResponse)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Failure to pass the risk control system", FailureKind.CONTENT_POLICY),
        ("The prompt contains sensitive words", FailureKind.CONTENT_POLICY),
        ("invalid resolution of the input image", FailureKind.INVALID_REQUEST),
        ("Image aspect ratio is not supported", FailureKind.INVALID_REQUEST),
        ("task processing failed", FailureKind.VENDOR_ERROR),
        ("", FailureKind.VENDOR_ERROR),
    ],
)
def test_failures_are_told_apart_by_their_words(reason: str, kind: FailureKind) -> None:
    """Kling gives a failed task no code."""
    found = looked({"status": "failed", "message": reason})

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is kind


def test_another_reelway_says_what_kling_leaves_to_words() -> None:
    """Its own troubles with keys are no business of ours, whatever their words sound like."""
    shared = looked({"status": "failed", "message": "x", "failure_code": "media_invalid"})
    private = looked({"status": "failed", "message": "against the policy of the account", "failure_code": "permission"})

    assert shared.failure.kind is FailureKind.MEDIA_INVALID
    assert private.failure.kind is FailureKind.VENDOR_ERROR


@pytest.mark.parametrize(
    ("billing", "figure"),
    [
        ([{"charge_type": "unit", "amount": "4.0", "package_type": "video"}], {"credits": "4.0"}),
        (
            [{"charge_type": "cash", "cash_type": "balance", "amount": "0.42", "currency": "USD"}],
            {"cost": {"currency": "USD", "settled": "0.42"}},
        ),
        ([{"charge_type": "unit", "amount": "0"}], {}),
        ([{"charge_type": "unit", "amount": "a lot"}], {}),
        ([{"charge_type": "cash", "amount": "0.42"}], {}),
        ([{"charge_type": "voucher", "amount": "1"}], {}),
        ([{"charge_type": "unit", "amount": "1"}, {"charge_type": "cash", "amount": "0.1", "currency": "USD"}], {}),
    ],
)
def test_what_was_taken_is_kept_and_settles_where_it_is_clear(
    billing: list[dict[str, Any]], figure: dict[str, Any]
) -> None:
    """Kling's own words stay for the operator; a doubtful figure leaves the quote as it is."""
    found = looked({"status": "succeeded", "outputs": [{"type": "video", "url": LINK}], "billing": billing})

    assert found.usage == {"billing": billing, **figure}


def test_a_task_that_is_not_shown_is_asked_for_again() -> None:
    """The current API answers with an empty list, the older one with a bad value, and neither with a 404."""
    absent = envelope(code=1201, message="task not found", status=400)

    assert isinstance(raised(ADAPTER.check(CURRENT), envelope([])), UnexpectedResponse)
    assert isinstance(raised(ADAPTER.check(CURRENT), envelope([{"id": "9", "status": "failed"}])), UnexpectedResponse)
    assert isinstance(raised(ADAPTER.check(LEGACY), absent), UnexpectedResponse)


def test_another_task_is_never_adopted() -> None:
    """What a look-up shows must carry our reference; an answer without a list is no proof of absence."""
    find = ADAPTER.find(submission(request()))
    other = envelope([{"id": "9", "status": "submitted", "external_id": "somebody-else"}])

    assert isinstance(raised(find, other), UnexpectedResponse)
    assert isinstance(raised(ADAPTER.find(submission(request())), envelope()), UnexpectedResponse)


# --- signing


def test_the_token_is_signed_as_the_documents_say() -> None:
    """The sheet's vector: HS256 over the claims iss, exp in half an hour and nbf five seconds ago, in this order."""
    pair = Credential(values={"access_key": "ak-test-0001", "secret_key": "sk-test-0001"})

    signed = ADAPTER.authorize(HttpRequest(method="GET", path="/tasks"), pair, 1_793_000_000.9)

    header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    claims = "eyJpc3MiOiJhay10ZXN0LTAwMDEiLCJleHAiOjE3OTMwMDE4MDAsIm5iZiI6MTc5Mjk5OTk5NX0"
    signature = "HC61FJ39D_ohg6E8s7dTLe03C3qIrFvNi132xniXk_I"
    assert signed.headers == (("Authorization", f"Bearer {header}.{claims}.{signature}"),)


def test_every_request_has_a_token_of_its_time() -> None:
    """Nothing is kept, so that nothing expires in between."""
    pair = Credential(values={"access_key": "a", "secret_key": "s"})

    headers = [ADAPTER.authorize(HttpRequest(method="GET", path="/"), pair, now).headers for now in (1e9, 2e9)]

    claims = [json.loads(base64.urlsafe_b64decode(one[0][1].split(".")[1] + "==")) for one in headers]
    assert [claim["exp"] - claim["nbf"] for claim in claims] == [1805, 1805]
    assert claims[1]["exp"] - claims[0]["exp"] == 1_000_000_000


def test_an_api_key_is_sent_as_it_is() -> None:
    """Also beside a pair of keys, because it opens both designs."""
    values = {"api_key": "k", "access_key": "a", "secret_key": "s"}

    signed = ADAPTER.authorize(HttpRequest(method="GET", path="/"), Credential(values=values), 0.0)

    assert signed.headers == (("Authorization", "Bearer k"),)


@pytest.mark.parametrize("values", [{}, {"access_key": "a"}, {"secret_key": "s"}])
def test_without_a_whole_credential_nothing_is_signed(values: dict[str, str]) -> None:
    """Kling then says what is missing, and half a pair is never sent."""
    plain = HttpRequest(method="GET", path="/")

    assert ADAPTER.authorize(plain, Credential(values=values), 0.0) == plain


def test_kling_can_neither_cancel_nor_delete() -> None:
    """A render that began runs to its end and is billed; saying otherwise would be a lie."""
    assert not isinstance(ADAPTER, CanCancel | CanDelete)
    assert ADAPTER.link_kinds == {MediaKind.VIDEO}

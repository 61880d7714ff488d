"""What goes wrong arrives at OpenAI's client as its own exception, with our code, the field, and the request id; and once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.acceptance.conftest import UPLOAD_BYTES, Official
from tests.acceptance.processes import KEY
from tests.acceptance.proxy import LossyProxy

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")]

Call = Callable[[openai.OpenAI, Official], Any]
GOOD: dict[str, Any] = {"model": "sora-2", "prompt": "a fox"}


@pytest.fixture(scope="module")
def line(official: Official) -> Iterator[LossyProxy]:
    """Loses nothing; counts what is sent."""
    with LossyProxy(official.gateway.port, losses=0) as line:
        yield line


@pytest.fixture(scope="module")
def client(line: LossyProxy) -> Iterator[openai.OpenAI]:
    """With its usual retries, which must not be used."""
    with openai.OpenAI(base_url=f"{line.url}/v1", api_key=KEY) as client:
        yield client


def newest(official: Official) -> str:
    """Return the id of the video that was made last."""
    found: str = official.gateway.ask("GET", "/v1/videos?limit=1").json["first_id"]
    return found


def create(**fields: Any) -> Call:
    return lambda client, official: client.videos.create(**{**GOOD, **fields})


@pytest.mark.parametrize(
    ("call", "expected", "code", "param"),
    [
        (create(seconds="5"), openai.BadRequestError, "invalid_value", "seconds"),
        (create(size="640x480"), openai.BadRequestError, "invalid_value", "size"),
        (create(prompt=""), openai.BadRequestError, "missing_required_parameter", "prompt"),
        (create(model=openai.omit), openai.BadRequestError, "missing_required_parameter", "model"),
        (create(extra_body={"n": 9}), openai.BadRequestError, "invalid_value", "n"),
        (
            create(seconds="8", extra_body={"duration": 4}),
            openai.BadRequestError,
            "conflicting_parameters",
            "duration",
        ),
        (create(model="sora-3"), openai.NotFoundError, "model_not_found", "model"),
        (
            create(input_reference=("first.png", b"not a picture at all", "image/png")),
            openai.UnprocessableEntityError,
            "media_unreadable",
            "input_reference",
        ),
        (
            lambda client, official: client.videos.create_character(name="Ada", video=("a.mp4", b"....", "video/mp4")),
            openai.UnprocessableEntityError,
            "media_unreadable",
            "video",
        ),
        (
            create(extra_body={"characters": [{"id": "char_1"}]}),
            openai.BadRequestError,
            "characters_not_supported",
            "characters",
        ),
        (
            lambda client, official: client.videos.get_character("char_1"),
            openai.NotFoundError,
            "character_not_found",
            "character_id",
        ),
        (
            lambda client, official: client.videos.remix("video_unknown", prompt="at night"),
            openai.NotFoundError,
            "video_not_found",
            "video_id",
        ),
        (
            lambda client, official: client.videos.retrieve("video_unknown"),
            openai.NotFoundError,
            "video_not_found",
            "video_id",
        ),
        (
            lambda client, official: client.videos.list(after="video_unknown"),
            openai.NotFoundError,
            "video_not_found",
            "after",
        ),
        (
            lambda client, official: client.videos.list(limit=101),
            openai.BadRequestError,
            "invalid_value",
            "limit",
        ),
        (
            lambda client, official: client.videos.download_content(official.source_id, variant="poster"),  # type: ignore[arg-type]
            openai.BadRequestError,
            "invalid_value",
            "variant",
        ),
        (
            lambda client, official: client.videos.download_content(
                official.source_id, extra_headers={"Range": "bytes=999999999-"}
            ),
            openai.APIStatusError,
            "range_not_satisfiable",
            "Range",
        ),
        (
            lambda client, official: client.with_options(api_key="sk-nobody").videos.list(),
            openai.AuthenticationError,
            "invalid_api_key",
            None,
        ),
    ],
)
def test_a_refusal_is_the_clients_own_exception(
    call: Call,
    expected: type[openai.APIStatusError],
    code: str,
    param: str | None,
    client: openai.OpenAI,
    line: LossyProxy,
    official: Official,
) -> None:
    """The class says what kind, `code` and `param` what exactly; it is sent once and makes nothing."""
    before = len(line.creates), newest(official)
    with pytest.raises(expected) as caught:
        call(client, official)
    error = caught.value
    assert (error.code, error.param) == (code, param)
    assert error.request_id is not None
    assert error.request_id.startswith("req_")
    assert len(error.message) > 20
    assert len(line.creates) - before[0] <= 1
    assert newest(official) == before[1]


def test_content_of_an_unfinished_video_is_a_conflict(client: openai.OpenAI) -> None:
    """And it is not asked for again at once, as the client would by itself; nor can it be made into another."""
    video = client.videos.create(**{**GOOD, "prompt": "unfinished [[delay:60]]"})
    with pytest.raises(openai.ConflictError) as early:
        client.videos.download_content(video.id)
    with pytest.raises(openai.ConflictError) as remixed:
        client.videos.remix(video.id, prompt="at night")
    for caught in (early, remixed):
        assert caught.value.code == "video_not_ready"
        assert caught.value.response.headers["x-should-retry"] == "false"
    assert client.videos.delete(video.id).deleted


def test_a_file_beyond_the_limit_is_refused(client: openai.OpenAI) -> None:
    """413, with the limit in its words."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.videos.create(
            **GOOD, input_reference=("large.png", b"\x89PNG\r\n\x1a\n" + bytes(UPLOAD_BYTES), "image/png")
        )
    assert (caught.value.status_code, caught.value.code) == (413, "too_large")
    assert f"{UPLOAD_BYTES:,}" in caught.value.message


def test_a_key_that_may_only_read_may_not_create(official: Official) -> None:
    """A good key with the wrong right is another exception than a bad key."""
    program = str(Path(sys.executable).with_name("reelway"))
    command = [program, "keys", "create", "reader", "--scope", "read", "--data-dir", str(official.folder), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    with openai.OpenAI(base_url=f"{official.gateway.url}/v1", api_key=json.loads(said.stdout)["key"]) as reader:
        assert reader.videos.retrieve(official.source_id).status == "completed"
        with pytest.raises(openai.PermissionDeniedError) as caught:
            reader.videos.create(**GOOD)
    assert caught.value.code == "permission_denied"


def test_a_limit_that_passes_is_waited_for(official: Official) -> None:
    """Against the sandbox, which keeps to such orders: one 429 costs a wait, three are an exception."""
    with openai.OpenAI(base_url=f"{official.sandbox.url}/v1", api_key=KEY) as client:
        video = client.videos.create(model="sora-2", prompt="a busy day [[rate:429]]")
        assert [seen["outcome"] for seen in official.seen("a busy day [[rate:429]]")] == ["http_429", "accepted"]
        assert video.status in ("queued", "in_progress")
        with pytest.raises(openai.RateLimitError) as caught:
            client.with_options(max_retries=0).videos.create(model="sora-2", prompt="a busier day [[rate:429x3]]")
        assert caught.value.code == "rate_limit_exceeded"
        assert int(caught.value.response.headers["retry-after"]) > 0

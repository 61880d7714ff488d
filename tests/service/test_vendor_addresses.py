"""The two addresses that vendors know: where they call back, and where they fetch a file. Both over HTTP, without a key."""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs
from tests.engine.dying import ACME
from tests.engine.scripted import Acme, CallingAcme, Script, Stage
from tests.mounting.asgi import Got, call
from tests.service.conftest import service_of

from reelway.accounts.links import sign_file, sign_link
from reelway.api.app import make_app
from reelway.core.errors import InvalidRequest
from reelway.core.keys import Caller
from reelway.core.lifecycle import State
from reelway.core.videos import Blob, Input, InputReference, MediaKind, Mode, Role, VideoRequest
from reelway.service.files import FileKeeper
from reelway.vendors.spec import Accepted, Running

PUBLIC = "https://video.example.test"
CALLER = Caller(tenant="acme", key_id="key")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
EDIT = VideoRequest(model="sora-2", operation="edit", prompt="make it snow")


class LinkingAcme(CallingAcme):
    """Takes videos by address alone."""

    link_kinds = frozenset({MediaKind.VIDEO})


class ContinuingAcme(LinkingAcme):
    """Edits its own work by its id."""

    continued_modes = frozenset({Mode.EDIT})


class BytesAcme(Acme):
    """Takes the bytes of everything."""

    url_kinds = frozenset[MediaKind]()


class Front:
    """A server without sockets: what is asked of it comes without a key."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.service = service_of(stage)
        self.files = self.service._files
        self._app = make_app(self.service)

    async def ask(self, method: str, address: str, body: bytes = b"", **options: Any) -> Got:
        parts = urlsplit(address)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = await call(self._app, method, target, body=body, key=None, **options)
        assert answer is not None
        return answer


MakeFront = Callable[..., Awaitable[Front]]


@pytest.fixture
async def make_front(tmp_path: Path) -> AsyncIterator[MakeFront]:
    """Makes servers in front of a vendor that calls back, and closes them."""
    stages: list[Stage] = []

    async def make(adapter: type[Acme] = CallingAcme, public_url: str | None = PUBLIC) -> Front:
        script = Script()
        stages.append(Stage(tmp_path, script, adapter(script), (ACME,), public_url=public_url))
        await stages[-1].open()
        return Front(stages[-1])

    yield make
    for stage in stages:
        await stage.close()


@pytest.fixture
async def front(make_front: MakeFront) -> Front:
    return await make_front()


async def keep(front: Front, body: bytes = PNG, key: str = "inputs/a") -> Blob:
    """Put a file among the assets."""
    async with front.stage.assets.writer(key, limit_bytes=1_000_000) as writer:
        await writer.write(body)
        stored = await writer.commit()
    return Blob(key=key, sha256=stored.sha256, bytes=stored.bytes, media_type="image/png")


async def edit_of_ours(front: Front) -> VideoRequest:
    """Return the request to edit a video of our own, whose bytes we hold."""
    front.stage.script.submits = deque(
        Accepted(operation={"id": key}, key=key, poll_after_seconds=0.0) for key in ("op1", "op2")
    )
    video = await front.service.create(EDIT.evolve(operation="create"), CALLER)
    await front.stage.finished(video.id)
    return EDIT.evolve(source_video_id=video.id)


async def being_made(front: Front) -> str:
    """Return the address that the vendor of a running video was given."""
    front.stage.script.checks = deque([Running(poll_after_seconds=1e6)])
    job = front.stage.job()
    await front.stage.create(job)
    await front.stage.reaches(job.id, "accepted")
    address = front.stage.script.submitted[0].callback_url
    assert address is not None
    return address


# --- callbacks


async def test_a_vendor_is_answered_and_its_challenge_echoed(front: Front) -> None:
    """200 with an empty object, or with what it asked for."""
    address = await being_made(front)
    plain = await front.ask("POST", address, b'{"id": "op1"}')
    assert (plain.status, plain.json) == (200, {})
    echoed = await front.ask("POST", address, json.dumps({"challenge": "c1"}).encode())
    assert (echoed.status, echoed.json) == (200, {"challenge": "c1"})


@pytest.mark.parametrize("change", [lambda path: path[:-1] + "x", lambda path: path.replace("/1/", "/2/")])
async def test_a_stranger_gets_the_404_of_nothing_at_all(front: Front, change: Callable[[str], str]) -> None:
    """A wrong secret, a wrong attempt and a video that never was are answered alike, to the letter."""
    address = await being_made(front)
    nobody = f"/callbacks/video_{'0' * 26}/1/{'0' * 32}"
    answers = [await front.ask("POST", path, b"{}") for path in (change(urlsplit(address).path), nobody)]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body == answers[1].body


async def test_a_body_beyond_the_limit_is_refused(front: Front) -> None:
    """A megabyte is ample for a message."""
    address = await being_made(front)
    assert (await front.ask("POST", address, b"x" * 1_000_001)).status == 413
    assert (await front.ask("GET", address)).status == 405


async def test_secrets_of_addresses_are_not_logged(front: Front) -> None:
    """Neither of a callback nor of a file, also when something goes wrong on our side."""
    address = await being_made(front)
    link = front.files.link(await keep(front))

    async def broken(*arguments: Any) -> None:
        raise RuntimeError("an accident")

    front.service.hear = broken  # type: ignore[method-assign, assignment]
    front.service.open_file = broken  # type: ignore[method-assign, assignment]
    with capture_logs() as logged:
        assert [(await front.ask("POST", address)).status, (await front.ask("GET", link)).status] == [500, 500]
    assert [entry["event"] for entry in logged] == ["request_failed"] * 2
    assert address.rpartition("/")[2] not in str(logged)
    assert urlsplit(link).path.split("/")[3] not in str(logged)


# --- files


async def test_a_vendor_fetches_a_file_whole_in_part_and_by_its_head(front: Front) -> None:
    """Its type is told by its bytes; the name at the end is for vendors who look at names."""
    link = front.files.link(await keep(front))
    assert link.startswith(f"{PUBLIC}/files/")
    assert link.endswith("/inputs/a/file.png")
    whole = await front.ask("GET", link)
    assert (whole.status, whole.body, whole.headers["content-type"]) == (200, PNG, "image/png")
    head = await front.ask("HEAD", link)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(PNG)))
    part = await front.ask("GET", link, headers={"range": "bytes=8-15"})
    assert (part.status, part.body) == (206, PNG[8:16])
    again = await front.ask("GET", link, headers={"if-none-match": whole.headers["etag"]})
    assert again.status == 304


async def test_a_link_ends_with_its_time(front: Front) -> None:
    """403, and the file is not looked up."""
    link = front.files.link(await keep(front))
    front.stage.now += 3601
    answer = await front.ask("GET", link)
    assert (answer.status, answer.error["code"]) == (403, "link_expired")


async def test_a_file_that_is_gone_is_404(front: Front) -> None:
    """The signature is good, and nothing is there any more."""
    blob = await keep(front)
    link = front.files.link(blob)
    await front.stage.assets.delete(blob.key)
    assert (await front.ask("GET", link)).status == 404


@pytest.mark.parametrize(
    "key",
    ["../reelway.db", "inputs/../../reelway.db", "/etc/passwd", "inputs/b", "inputs", ".scratch/x", "inputs/a\x00"],
)
async def test_a_signature_is_for_one_file(front: Front, key: str) -> None:
    """Nothing else opens with it, whatever is there."""
    await keep(front, key="inputs/b")
    link = front.files.link(await keep(front))
    answer = await front.ask("GET", link.replace("/inputs/a/", f"/{key}/"))
    assert answer.status in {403, 404}
    assert "etag" not in answer.headers


@pytest.mark.parametrize("key", ["../reelway.db", "reelway.db", "other/a", "inputs/../inputs/a", "inputs/", "videos/"])
async def test_only_inputs_and_videos_are_there_at_all(front: Front, key: str) -> None:
    """Even with a signature of ours, which nobody makes for such a key."""
    await keep(front)
    expires = int(front.stage.now) + 100
    answer = await front.ask("GET", f"/files/{expires}/{sign_file(b'secret', key, expires)}/{key}/file.bin")
    assert answer.status == 404


async def test_a_callers_link_is_no_vendors_link(front: Front) -> None:
    """The two kinds of signatures never coincide."""
    expires = int(front.stage.now) + 100
    assert sign_link(b"secret", "file", "inputs/a", 0, expires) != sign_file(b"secret", "inputs/a", expires)
    signature = sign_link(b"secret", "inputs/a", "video", 0, expires)
    await keep(front)
    assert (await front.ask("GET", f"/files/{expires}/{signature}/inputs/a/file.png")).status == 403


# --- without a public address


async def test_what_needs_an_address_is_refused_before_it_is_charged(make_front: MakeFront) -> None:
    """The refusal says what to do; the dry run says it, too; nothing is kept."""
    front = await make_front(LinkingAcme, public_url=None)
    request = await edit_of_ours(front)
    with pytest.raises(InvalidRequest, match="REELWAY_PUBLIC_URL") as refused:
        await front.service.create(request, CALLER)
    assert (refused.value.status, refused.value.code) == (400, "public_url_required")
    quoted = await front.service.quote(request, CALLER)
    assert quoted["available"] is False
    assert "REELWAY_PUBLIC_URL" in quoted["reason"]
    assert sum((await front.stage.store.count_unfinished()).values()) == 0


@pytest.mark.parametrize(
    ("adapter", "public_url"), [(LinkingAcme, PUBLIC), (ContinuingAcme, None), (BytesAcme, None), (Acme, None)]
)
async def test_what_needs_none_is_taken(make_front: MakeFront, adapter: type[Acme], public_url: str | None) -> None:
    """A vendor that takes bytes, or a server that vendors can reach."""
    front = await make_front(adapter, public_url)
    video = await front.service.create(await edit_of_ours(front), CALLER)
    assert (await front.stage.finished(video.id)).state is State.COMPLETED


async def test_an_input_by_address_is_handed_on(make_front: MakeFront) -> None:
    """The vendor fetches it from where it is, so our own address is not needed."""
    front = await make_front(LinkingAcme, public_url=None)
    given = InputReference(field="video", role=Role.SOURCE, url="https://cdn.example.com/fox.mp4")
    video = await front.service.create(EDIT.evolve(inputs=(given,)), CALLER)
    await front.stage.finished(video.id)
    [taken] = front.stage.script.submitted[0].request.inputs
    assert (taken.url, taken.blob) == ("https://cdn.example.com/fox.mp4", None)


async def test_a_public_address_that_was_taken_away_is_named(make_front: MakeFront) -> None:
    """A video that was queued while there was one ends without being sent, and says why; its money is released."""
    front = await make_front(LinkingAcme, public_url=None)
    job = front.stage.job()
    given = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=await keep(front))
    await front.stage.create(job.evolve(request=job.request.evolve(mode=Mode.EDIT, inputs=(given,))))
    job = await front.stage.finished(job.id)
    assert job.failure is not None
    assert "REELWAY_PUBLIC_URL" in job.failure.message
    assert await front.stage.ledger(job.id) == ["reserve", "release"]
    assert front.stage.script.submitted == []


def test_without_a_public_address_no_link_is_made() -> None:
    """Whatever slips through ends as a refusal that says why, before anything is sent."""
    files = FileKeeper(None, b"secret", public_url=None, link_seconds=1, clock=lambda: 0.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="REELWAY_PUBLIC_URL"):
        files.link(Blob(key="inputs/a", sha256="", bytes=1, media_type="video/mp4"))

"""One create is one video and one submit, although OpenAI's client sends it again when the answer is lost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openai
import pytest
from tests.acceptance.conftest import Official
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY, Gateway, Sandbox
from tests.acceptance.proxy import Loss, LossyProxy

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")]

Connect = Callable[..., openai.OpenAI]
SOON_MS = 100
PAINTS_NOTHING = "[[fail:vendor_error]]"
"""For videos that nobody will look at."""
OMITTED: Any = openai.omit
"""In place of an argument that the client insists on as a file; `extra_body` has it by id."""


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients with their usual two retries."""
    clients: list[openai.OpenAI] = []

    def connecting(url: str, **options: Any) -> openai.OpenAI:
        clients.append(openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, **options))
        return clients[-1]

    yield connecting
    for client in clients:
        client.close()


def ids(official: Official, user: str) -> list[str]:
    """Return the videos of one end user."""
    videos = official.gateway.ask("GET", f"/v1/videos?user={quote(user)}").json["data"]
    return [video["id"] for video in videos]


@pytest.mark.parametrize("loss", ["reset", "close", "half", "silence"])
def test_a_lost_answer_is_given_again(official: Official, connect: Connect, loss: Loss) -> None:
    """The client sends twice, by itself and without a key: one video, one submit."""
    prompt = f"a lost answer: {loss} {PAINTS_NOTHING}"
    with LossyProxy(official.gateway.port, loss=loss) as proxy:
        client = connect(proxy.url, timeout=3.0 if loss == "silence" else openai.NOT_GIVEN)
        raw = client.videos.with_raw_response.create(prompt=prompt, model="sora-2", extra_body={"user": loss})
        video = raw.parse()
        assert proxy.creates == ["0", "1"]
        assert raw.headers["idempotent-replayed"] == "true"
        assert ids(official, loss) == [video.id]
        assert client.videos.poll(video.id, poll_interval_ms=SOON_MS).status == "failed"
    assert len(official.seen(prompt)) == 1


def test_two_lost_answers_are_one_video_too(official: Official, connect: Connect) -> None:
    """The third sending gets through."""
    with LossyProxy(official.gateway.port, losses=2) as proxy:
        video = connect(proxy.url).videos.create(
            prompt=f"lost twice {PAINTS_NOTHING}", model="sora-2", seconds="4", extra_body={"user": "twice"}
        )
        assert proxy.creates == ["0", "1", "2"]
    assert ids(official, "twice") == [video.id]


def test_a_file_is_sent_again_and_known_again(official: Official, connect: Connect, tmp_path: Path) -> None:
    """The form has another boundary each time; the bytes decide."""
    shot = tmp_path / "first.png"
    shot.write_bytes(picture(1280, 720))
    with LossyProxy(official.gateway.port) as proxy:
        video = connect(proxy.url).videos.create(
            prompt=f"a lost file {PAINTS_NOTHING}",
            model="sora-2",
            size="1280x720",
            input_reference=shot,
            extra_body={"user": "file"},
        )
        assert proxy.creates == ["0", "1"]
    assert ids(official, "file") == [video.id]


@pytest.mark.parametrize("operation", ["remix", "edit", "extend"])
def test_what_is_made_from_a_video_is_made_once(official: Official, connect: Connect, operation: str) -> None:
    """It costs as much as a create."""
    user = f"lost {operation}"
    named: Any = {"video": {"id": official.source_id}, "user": user}
    with LossyProxy(official.gateway.port) as proxy:
        videos = connect(proxy.url).videos
        if operation == "remix":
            made = videos.remix(official.source_id, prompt=f"{user} {PAINTS_NOTHING}", extra_body={"user": user})
        elif operation == "edit":
            made = videos.edit(prompt=f"{user} {PAINTS_NOTHING}", video=OMITTED, extra_body=named)
        else:
            made = videos.extend(prompt=f"{user} {PAINTS_NOTHING}", video=OMITTED, seconds="4", extra_body=named)
        assert proxy.creates == ["0", "1"]
    assert ids(official, user) == [made.id]


def test_the_same_prompt_asked_for_twice_is_two_videos(official: Official, connect: Connect) -> None:
    """Nobody is refused a second take; a repetition gets the newest of them."""
    with LossyProxy(official.gateway.port, losses=0) as proxy:
        client = connect(proxy.url)
        made = [
            client.videos.create(
                prompt=f"a second take {PAINTS_NOTHING}", model="sora-2", extra_body={"user": "takes"}
            ).id
            for _ in range(3)
        ]
        assert proxy.creates == ["0", "0", "0"]
    with LossyProxy(official.gateway.port) as proxy:
        last = connect(proxy.url).videos.create(
            prompt=f"a second take {PAINTS_NOTHING}", model="sora-2", extra_body={"user": "takes"}
        )
    assert sorted(ids(official, "takes")) == sorted([*made, last.id])
    assert len({*made, last.id}) == 4


def test_an_idempotency_key_is_exact(official: Official, connect: Connect) -> None:
    """However often it is sent, and by however many clients: one video; with another body, a conflict."""
    key = {"Idempotency-Key": "order-17"}
    prompt = f"by key {PAINTS_NOTHING}"
    with LossyProxy(official.gateway.port, losses=2) as proxy:
        first = connect(proxy.url).videos.create(
            prompt=prompt, model="sora-2", extra_headers=key, extra_body={"user": "key"}
        )
        assert proxy.creates == ["0", "1", "2"]
    client = connect(official.gateway.url)
    again = client.videos.with_raw_response.create(
        prompt=prompt, model="sora-2", extra_headers=key, extra_body={"user": "key"}
    )
    assert again.parse().id == first.id
    assert again.headers["idempotent-replayed"] == "true"
    with pytest.raises(openai.ConflictError) as refused:
        client.videos.create(prompt="another", model="sora-2", extra_headers=key)
    assert refused.value.code == "idempotency_mismatch"
    assert ids(official, "key") == [first.id]
    assert client.videos.poll(first.id, poll_interval_ms=SOON_MS).status == "failed"
    assert len(official.seen(prompt)) == 1


def test_a_key_answers_also_when_the_source_has_gone(official: Official, connect: Connect) -> None:
    """What was made from it is made; a repetition is not checked anew."""
    client = connect(official.gateway.url)
    key = {"Idempotency-Key": "remix-of-a-deleted-one"}
    source = client.videos.create_and_poll(prompt="soon deleted", model="sora-2", poll_interval_ms=SOON_MS)
    first = client.videos.remix(source.id, prompt="kept", extra_headers=key)
    assert client.videos.poll(first.id, poll_interval_ms=SOON_MS).status == "completed"
    client.videos.delete(source.id)
    assert client.videos.remix(source.id, prompt="kept", extra_headers=key).id == first.id
    with pytest.raises(openai.NotFoundError):
        client.videos.remix(source.id, prompt="kept")


def test_a_server_killed_before_it_answered_gives_its_answer_after(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, connect: Connect
) -> None:
    """Who made the video and who answers need not be the same process: what a client is known by is on disk."""
    made: list[str] = []
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(tmp_path_factory.mktemp("vendor")))
        dying = stack.enter_context(Gateway(tmp_path, sandbox=sandbox, environment={"REELWAY_DIE_AT": "created"}))
        proxy = stack.enter_context(LossyProxy(dying.port, losses=0))
        client = connect(proxy.url)

        def create() -> None:
            made.append(client.videos.create_and_poll(prompt="killed", model="sora-2", seconds="4").id)

        asking = threading.Thread(target=create)
        asking.start()
        assert dying.wait() == -9
        again = stack.enter_context(Gateway(tmp_path, sandbox=sandbox))
        proxy.move(again.port)
        asking.join()
        assert proxy.creates == ["0", "1"]
        listed = again.ask("GET", "/v1/videos").json["data"]
        assert [(video["id"], video["status"]) for video in listed] == [(made[0], "completed")]
        assert len(sandbox.creates()) == 1
        assert again.stop() == 0

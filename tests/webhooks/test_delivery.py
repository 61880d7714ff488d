"""Delivery to a real server on loopback: tries, ends, and what survives. The clock is moved by hand."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.webhooks.receiver import SECRETS, Post, Receiver, posting, receiving, verify

from reelway.core.errors import StorageFailed
from reelway.core.messages import Message
from reelway.network import guard
from reelway.webhooks import delivery


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server that answers 200 until told otherwise."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """An empty outbox, and a deliverer that may post to loopback."""
    async with posting(tmp_path / "reelway.db") as post:
        yield post


async def test_a_message_arrives_signed_and_is_ticked_off(post: Post, receiver: Receiver) -> None:
    """The body is the one on record to the letter, the signature is the tenant's, and nothing is sent twice."""
    message = await post.queue(receiver.url)
    assert await post.deliverer.deliver_due() == 1
    [(headers, body)] = receiver.posts
    verify(headers, body)
    assert body == message.body
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == message.id
    assert await post.state(message) == message.evolve(due_at=None, tries=1, delivered_at=post.now, last_answer="200")
    post.now += 1e6
    assert await post.deliverer.deliver_due() == 0


async def test_each_tenants_messages_are_signed_with_its_own_secret(post: Post, receiver: Receiver) -> None:
    """One tenant's secret does not open another's messages."""
    tenants = {(await post.queue(receiver.url, tenant=tenant)).id: tenant for tenant in SECRETS}
    assert await post.deliverer.deliver_due() == 2
    for headers, body in receiver.posts:
        verify(headers, body, SECRETS[tenants[headers["webhook-id"]]])


async def test_a_failed_try_is_repeated_later_under_the_same_id(post: Post, receiver: Receiver) -> None:
    """The same bytes and the same `webhook-id`, signed anew for the time of the try."""
    message = await post.queue(receiver.url)
    receiver.script(500, 200)
    await post.deliverer.deliver_due()
    assert await post.state(message) == message.evolve(due_at=post.now + 5, tries=1, last_answer="500")
    post.now += 4.9
    assert await post.deliverer.deliver_due() == 0
    post.now += 0.1
    assert await post.deliverer.deliver_due() == 1
    (first, first_body), (second, second_body) = receiver.posts
    assert receiver.ids == [message.id, message.id]
    assert first_body == second_body
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    verify(second, second_body)
    found = await post.state(message)
    assert (found.tries, found.delivered_at, found.last_answer) == (2, post.now, "200")


async def test_gone_ends_it_for_good(post: Post, receiver: Receiver) -> None:
    """A receiver that answers 410 is not asked again."""
    receiver.script(410)
    message = await post.queue(receiver.url)
    await post.deliverer.deliver_due()
    assert await post.state(message) == message.evolve(due_at=None, tries=1, last_answer="410")
    post.now += 1e6
    assert await post.deliverer.deliver_due() == 0


async def test_a_redirect_is_not_followed(post: Post, receiver: Receiver) -> None:
    """It is a failed try like any other: the body goes to the address that was given, and to no other."""
    receiver.script(307)
    receiver.headers = {"Location": "/elsewhere"}
    message = await post.queue(receiver.url)
    await post.deliverer.deliver_due()
    assert len(receiver.posts) == 1
    found = await post.state(message)
    assert (found.last_answer, found.due_at) == ("307", post.now + 5)


async def test_a_receiver_that_stays_down_is_given_up_after_three_days(post: Post, receiver: Receiver) -> None:
    """Every try is noted, and the message stays on record as not delivered."""
    receiver.script(503)
    message = await post.queue(receiver.url)
    started, found = post.now, message
    while found.due_at is not None:
        post.now = found.due_at
        assert await post.deliverer.deliver_due() == 1
        found = await post.state(message)
    assert post.now - started <= 72 * 3600
    assert found.tries == len(receiver.posts)
    assert found.delivered_at is None


async def test_an_hour_of_silence_loses_nothing(post: Post, receiver: Receiver) -> None:
    """Everything that ended meanwhile is told once the receiver answers again."""
    receiver.script(503)
    messages, down_until = [], post.now + 3600
    while post.now < down_until:
        messages.append(await post.queue(receiver.url))
        await post.deliverer.deliver_due()
        post.now += 300
    receiver.script(200)
    receiver.posts.clear()
    post.now += 3600 * 1.2
    await post.deliverer.deliver_due()
    assert sorted(receiver.ids) == sorted(message.id for message in messages)


async def test_silence_is_a_failed_try(post: Post, receiver: Receiver) -> None:
    """A receiver that does not answer in time is cut off."""
    receiver.script(asyncio.Event())
    message = await post.queue(receiver.url)
    hasty = post.make(limit_seconds=0.1)
    await hasty.deliver_due()
    await hasty.close()
    assert (await post.state(message)).last_answer == "no answer within 0.1 seconds"


async def test_nobody_there_is_a_failed_try(post: Post) -> None:
    """The reason is noted."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        message = await post.queue(f"http://127.0.0.1:{closed.getsockname()[1]}/")
        await post.deliverer.deliver_due()
    found = await post.state(message)
    assert found.due_at == post.now + 5
    assert (found.last_answer or "").startswith("not reached:")


@pytest.mark.parametrize("host", ["localhost", "0x7f000001"])
async def test_a_name_with_a_private_address_is_refused_when_connecting(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """What looked public when the video was made is looked up again for every try; nothing reaches the server."""
    monkeypatch.setattr(guard, "_PORTS", frozenset({receiver.port}))
    message = await post.queue(f"http://{host}:{receiver.port}/hook")
    public_only = post.make(allowed_hosts=frozenset())
    await public_only.deliver_due()
    await public_only.close()
    assert receiver.posts == []
    found = await post.state(message)
    assert (found.last_answer, found.tries) == (f"refused: {host} has an address that is not public", 1)


@pytest.mark.parametrize("host", ["2130706433", "127.1"])
async def test_an_address_that_hides_in_a_number_is_not_reached(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Other forms of 127.0.0.1, which some resolvers understand."""
    monkeypatch.setattr(guard, "_PORTS", frozenset({receiver.port}))
    message = await post.queue(f"http://{host}:{receiver.port}/hook")
    public_only = post.make(allowed_hosts=frozenset())
    await public_only.deliver_due()
    await public_only.close()
    assert receiver.posts == []
    assert (await post.state(message)).tries == 1


async def test_a_private_address_is_refused_without_a_look_up(post: Post, receiver: Receiver) -> None:
    """Also one that an operator allowed when the video was made, and does not allow any more."""
    message = await post.queue(receiver.url.replace(f":{receiver.port}", ""))
    public_only = post.make(allowed_hosts=frozenset())
    await public_only.deliver_due()
    await public_only.close()
    assert (await post.state(message)).last_answer == "refused: 127.0.0.1 is not a public address"


async def test_a_restart_delivers_what_was_left(tmp_path: Path, receiver: Receiver) -> None:
    """Killed in the middle of a post: another process delivers it, under the same id, once the hold is over."""
    held = asyncio.Event()
    receiver.script(held, 200)
    path = tmp_path / "reelway.db"
    async with posting(path) as first:
        message = await first.queue(receiver.url)
        dying = asyncio.create_task(first.deliverer.deliver_due())
        async with asyncio.timeout(10):
            await receiver.arrived.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_name() == f"post {message.id}":
                task.cancel()  # as sudden as a kill: nothing is noted
        await asyncio.gather(dying, return_exceptions=True)
        assert await first.state(message) == message.evolve(due_at=first.now + 30)
    held.set()
    async with posting(path) as second:
        assert await second.deliverer.deliver_due() == 0
        second.now += 30
        assert await second.deliverer.deliver_due() == 1
        assert receiver.ids == [message.id, message.id]
        assert (await second.state(message)).delivered_at == second.now


async def test_two_deliverers_share_an_outbox(post: Post, receiver: Receiver) -> None:
    """Each message is sent by one of them."""
    messages = [await post.queue(receiver.url) for _ in range(100)]
    other = post.make()
    counts = await asyncio.gather(post.deliverer.deliver_due(), other.deliver_due())
    await other.close()
    assert sum(counts) == 100
    assert sorted(receiver.ids) == sorted(message.id for message in messages)


async def test_a_nudge_delivers_at_once_and_a_stop_ends(post: Post, receiver: Receiver) -> None:
    """What was queued before the start is found by itself, what comes later by being told of it."""
    stopping = asyncio.Event()
    early = await post.queue(receiver.url)
    running = asyncio.create_task(post.deliverer.run(stopping))
    async with asyncio.timeout(4):
        await receiver.arrived.wait()
        receiver.arrived.clear()
        late = await post.queue(receiver.url)
        post.deliverer.nudge()
        await receiver.arrived.wait()
        stopping.set()
        await running
    assert receiver.ids == [early.id, late.id]
    assert [(await post.state(message)).delivered_at for message in (early, late)] == [post.now, post.now]


async def test_a_stop_does_not_wait_for_a_receiver_that_hangs(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is cut off was not tried: it is due again when its hold is over."""
    monkeypatch.setattr(delivery, "_GRACE_SECONDS", 0.01)
    receiver.script(asyncio.Event())
    message = await post.queue(receiver.url)
    post.deliverer.start()
    async with asyncio.timeout(4):
        await receiver.arrived.wait()
        await post.deliverer.stop()
    assert await post.state(message) == message.evolve(due_at=post.now + 30)


async def test_more_than_fits_at_once_is_delivered_without_pause(post: Post, receiver: Receiver) -> None:
    """A place that becomes free is taken by the next one in line."""
    messages = [await post.queue(receiver.url) for _ in range(150)]
    stopping = asyncio.Event()
    running = asyncio.create_task(post.deliverer.run(stopping))
    async with asyncio.timeout(4):
        while len(receiver.posts) < len(messages):
            receiver.arrived.clear()
            await receiver.arrived.wait()
    stopping.set()
    await running
    assert sorted(receiver.ids) == sorted(message.id for message in messages)


async def test_a_disk_that_refuses_sends_nothing_and_ends_nothing(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be held first is not sent; the next look succeeds."""
    message = await post.queue(receiver.url)
    real, refused = post.store.due_messages, asyncio.Event()

    async def refuse(now: float, limit: int, hold_until: float) -> tuple[Message, ...]:
        refused.set()
        raise StorageFailed("the disk is full: make room")

    monkeypatch.setattr(post.store, "due_messages", refuse)
    stopping = asyncio.Event()
    running = asyncio.create_task(post.deliverer.run(stopping))
    async with asyncio.timeout(4):
        await refused.wait()
        assert receiver.posts == []
        monkeypatch.setattr(post.store, "due_messages", real)
        post.deliverer.nudge()
        await receiver.arrived.wait()
    stopping.set()
    await running
    assert receiver.ids == [message.id]


async def test_neither_secrets_nor_addresses_are_logged(post: Post, receiver: Receiver) -> None:
    """A log line names the message, the video and the host; the path and query of the address may be secrets."""
    receiver.script(500, 200)
    with capture_logs() as lines:
        message = await post.queue(receiver.url)
        await post.deliverer.deliver_due()
        post.now += 5
        await post.deliverer.deliver_due()
    assert [(line["event"], line["host"], line["tries"]) for line in lines] == [
        ("message_not_delivered", "127.0.0.1", 1),
        ("message_delivered", "127.0.0.1", 2),
    ]
    text = json.dumps(lines)
    assert message.id in text
    for hidden in ("hidden", "/hook", "whsec_", SECRETS["default"].removeprefix("whsec_")):
        assert hidden not in text

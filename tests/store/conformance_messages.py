"""What every job store must do about the messages that tell callers of their videos."""

import asyncio
import itertools

import pytest
from tests.store.records import NOW, Fleet, change, completed, creation, make_job

from reelway.core.errors import Contradiction, LeaseLost
from reelway.core.ids import make_id
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.core.messages import Message
from reelway.store.spec import Change, JobStore

_HOLD = NOW + 30

_numbers = itertools.count(1)


def message_of(job: Job, *, due_at: float = NOW) -> Message:
    """Return what is told of a completed video; later ones get greater ids."""
    return Message(
        id=make_id("msg", NOW, next(_numbers).to_bytes(10, "big")),
        video_id=job.id,
        seq=job.version,
        tenant=job.tenant,
        type="video.completed",
        url="https://hooks.example.test/done?token=secret",
        body='{"id":"evt_1","note":"é"}',
        created_at=NOW,
        due_at=due_at,
    )


def telling(job: Job, *, due_at: float = NOW) -> tuple[Change, Message]:
    """Return a job's last write, with a message beside it."""
    message = message_of(job, due_at=due_at)
    return change(job, job.epoch, **completed()).evolve(message=message), message


async def told(store: JobStore, fleet: Fleet, *, due_at: float = NOW) -> Message:
    """Complete a video whose caller is to be told; return the message."""
    last, message = telling(await fleet.held(), due_at=due_at)
    await store.apply(last)
    return message


class MessageConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_a_message_is_written_with_its_change(self, store: JobStore, fleet: Fleet) -> None:
        """What was written is read back to the letter; a video nobody asked about has none."""
        message = await told(store, fleet)
        assert await store.messages(message.video_id) == (message,)
        assert await store.messages((await fleet.ended()).id) == ()

    async def test_a_change_that_is_refused_leaves_no_message(self, store: JobStore, fleet: Fleet) -> None:
        """Neither one that comes too late, nor one whose ledger line contradicts."""
        first, second = await fleet.held(), await fleet.held(reserve=None)
        last, message = telling(first)
        await store.apply(last)
        with pytest.raises(LeaseLost):
            await store.apply(telling(first)[0])
        contradicting = change(second, second.epoch, end="release", **completed())
        with pytest.raises(Contradiction):
            await store.apply(contradicting.evolve(message=message_of(second)))
        assert await store.messages(first.id) == (message,)
        assert await store.messages(second.id) == ()

    async def test_what_is_due_is_taken_oldest_first_and_held(self, store: JobStore, fleet: Fleet) -> None:
        """A slice takes what is due first; nobody gets it again before the hold is over, and then in the same shape."""
        messages = [await told(store, fleet, due_at=NOW + due) for due in (2, 0, 1, 60)]
        taken = await store.due_messages(NOW + 2, 2, _HOLD)
        assert [one.id for one in taken] == [messages[1].id, messages[2].id]
        assert [one.id for one in await store.due_messages(NOW + 2, 9, _HOLD)] == [messages[0].id]
        assert await store.due_messages(_HOLD - 1, 9, _HOLD) == ()
        again = await store.due_messages(_HOLD, 9, _HOLD + 30)
        assert again == tuple(one.evolve(due_at=_HOLD + 30) for one in messages[:3])

    async def test_messages_of_one_video_go_in_order(self, store: JobStore, fleet: Fleet) -> None:
        """A later one waits while an earlier one is out or put off, also when it was due first; others do not wait for it."""
        job = await fleet.held()
        early = message_of(job, due_at=NOW + 2)
        await store.apply(change(job, job.epoch, state=State.RUNNING).evolve(message=early))
        running = await store.get(job.id)
        assert running is not None
        late = message_of(running, due_at=NOW)
        await store.apply(change(running, job.epoch, **completed()).evolve(message=late))
        other = await told(store, fleet)
        assert [one.id for one in await store.due_messages(NOW + 1, 9, _HOLD)] == [other.id]
        assert [one.id for one in await store.due_messages(NOW + 2, 9, _HOLD)] == [early.id]
        assert await store.due_messages(NOW + 3, 9, _HOLD) == ()
        await store.message_failed(early.id, NOW + 100, 1, "500")
        assert await store.due_messages(NOW + 4, 9, _HOLD) == ()
        await store.message_delivered(early.id, NOW + 100, "200")
        assert [one.id for one in await store.due_messages(NOW + 100, 1, NOW + 130)] == [late.id]
        assert [one.seq for one in await store.messages(job.id)] == [early.seq, late.seq]

    async def test_a_message_that_is_given_up_holds_up_nobody(self, store: JobStore, fleet: Fleet) -> None:
        """The next one of the same video is due."""
        job = await fleet.held()
        early = message_of(job)
        await store.apply(change(job, job.epoch, state=State.RUNNING).evolve(message=early))
        running = await store.get(job.id)
        assert running is not None
        late = message_of(running)
        await store.apply(change(running, job.epoch, **completed()).evolve(message=late))
        await store.message_failed(early.id, None, 1, "410")
        assert [one.id for one in await store.due_messages(NOW, 9, _HOLD)] == [late.id]

    async def test_a_creation_brings_its_message(self, store: JobStore) -> None:
        """Written with the video; a repetition of the create writes none."""
        epoch = await store.join("a", NOW, 10.0)
        first, second = (make_job(owner="a", epoch=epoch) for _ in range(2))
        for job in (first, second):
            await store.create(creation(job, key="same").evolve(message=message_of(job)))
        assert [one.video_id for one in await store.messages(first.id)] == [first.id]
        assert await store.messages(second.id) == ()

    async def test_takers_that_race_share_the_messages_out(self, store: JobStore, fleet: Fleet) -> None:
        """None is taken twice and none is left."""
        messages = [await told(store, fleet) for _ in range(20)]
        slices = await asyncio.gather(*(store.due_messages(NOW, 3, _HOLD) for _ in range(8)))
        taken = [one.id for slice_ in slices for one in slice_]
        assert sorted(taken) == sorted(one.id for one in messages)

    async def test_a_delivered_message_is_never_due_again(self, store: JobStore, fleet: Fleet) -> None:
        """The first delivery counts, and a failure reported late does not undo it."""
        message = await told(store, fleet)
        await store.message_delivered(message.id, NOW + 1, "200")
        await store.message_failed(message.id, NOW + 2, 2, "no answer")
        [found] = await store.messages(message.video_id)
        assert found == message.evolve(due_at=None, tries=1, delivered_at=NOW + 1, last_answer="200")
        await store.message_delivered(message.id, NOW + 9, "204")
        [found] = await store.messages(message.video_id)
        assert found.delivered_at == NOW + 1
        assert await store.due_messages(NOW + 1e6, 9, NOW + 2e6) == ()

    async def test_a_failed_try_is_due_when_it_says(self, store: JobStore, fleet: Fleet) -> None:
        """Not earlier, whatever the hold was; with no time at all it is given up and stays on record."""
        message = await told(store, fleet)
        await store.due_messages(NOW, 1, _HOLD)
        await store.message_failed(message.id, NOW + 100, 1, "500")
        assert await store.due_messages(NOW + 99, 9, _HOLD) == ()
        [again] = await store.due_messages(NOW + 100, 9, NOW + 130)
        assert again == message.evolve(due_at=NOW + 130, tries=1, last_answer="500")
        await store.message_failed(message.id, None, 2, "410")
        assert await store.due_messages(NOW + 1e6, 9, NOW + 2e6) == ()
        assert await store.messages(message.video_id) == (message.evolve(due_at=None, tries=2, last_answer="410"),)

    async def test_deleting_a_video_silences_it(self, store: JobStore, fleet: Fleet) -> None:
        """What was not delivered is not sent any more; of what was, that it was is left; a try under way has nothing to note."""
        silenced, kept, other = [await told(store, fleet) for _ in range(3)]
        await store.message_delivered(kept.id, NOW + 1, "200")
        for message in (silenced, kept):
            await store.delete(message.video_id, NOW + 2)
        await store.message_failed(silenced.id, NOW + 3, 1, "500")
        await store.message_delivered(silenced.id, NOW + 3, "200")
        assert await store.messages(silenced.video_id) == ()
        assert [(one.delivered_at, one.body) for one in await store.messages(kept.video_id)] == [(NOW + 1, "")]
        assert [one.id for one in await store.due_messages(NOW + 3, 9, _HOLD)] == [other.id]

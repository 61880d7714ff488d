"""The job store in PostgreSQL: a group committer for writes, a few connections for reads, one for what other nodes tell.

The one rule: leases go by the database's own clock, the only one that all nodes share. The argument `now` of what is about
leases is not used, unless a test stands in for that clock.
"""

from collections.abc import Callable

from reelway.core.characters import Character
from reelway.core.errands import Errand
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.keys import ApiKey, UnfinishedLimit
from reelway.core.lifecycle import State
from reelway.core.messages import Message
from reelway.core.submits import Testimony
from reelway.store import characters, errands, keyring, leases, outbox, reads, submits, writes
from reelway.store.postgres.committer import Committer
from reelway.store.postgres.connections import Database, Patience
from reelway.store.postgres.preparing import prepare
from reelway.store.postgres.readers import Readers
from reelway.store.postgres.signals import Ear, Voice
from reelway.store.spec import (
    Change,
    Created,
    Creation,
    IdempotencyClaim,
    JobPage,
    JobQuery,
    Node,
    NodeFacts,
    Signal,
)

__all__ = ["PostgresStore"]


class PostgresStore:
    """Keeps jobs in the database at `url`. Any number of processes may use it at once."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = 8,
        patience: Patience | None = None,
        callers_clock: bool = False,
    ) -> None:
        """Read on up to `connections` at once. With `callers_clock`, for tests, leases go by the argument `now`."""
        self._database = Database(url, patience or Patience())
        self._callers_clock = callers_clock
        self._readers = Readers(self._database, connections)
        self._voice = Voice(self._readers)
        self._ear = Ear(self._database, self._voice.name)
        self._committer = Committer(self._database, self._voice.say)

    @property
    def commits(self) -> int:
        """How many transactions were committed since `open`; compare with the number of writes to see them share."""
        return self._committer.commits

    async def open(self) -> None:
        await prepare(self._database)
        await self._committer.open()
        self._readers.open()

    async def close(self) -> None:
        await self._ear.close()
        await self._committer.close()
        await self._voice.finish()
        await self._readers.close()

    # --- nodes

    async def join(self, node: str, now: float, lease_seconds: float, facts: NodeFacts | None = None) -> int:
        lease = leases.Lease(node=node, now=self._clock(now), lease_seconds=lease_seconds, facts=facts or NodeFacts())
        return await self._committer.run(leases.join_nodes, lease)

    async def renew(self, node: str, epoch: int, now: float, lease_seconds: float) -> bool:
        lease = leases.Lease(node=node, epoch=epoch, now=self._clock(now), lease_seconds=lease_seconds)
        return await self._committer.run(leases.renew_leases, lease)

    async def leave(self, node: str, epoch: int) -> None:
        await self._committer.run(leases.leave_nodes, leases.Lease(node=node, epoch=epoch))

    async def claim(self, node: str, epoch: int, now: float, limit: int) -> tuple[Job, ...]:
        adoption = leases.Adoption(node=node, epoch=epoch, now=self._clock(now), limit=limit)
        return await self._committer.run(leases.adopt_jobs, adoption)

    async def hand_back(self, node: str, epoch: int, job_ids: tuple[str, ...]) -> None:
        back = leases.HandBack(node=node, epoch=epoch, job_ids=job_ids)
        await self._committer.run(leases.hand_back_jobs, back)

    async def cancel_wishes(self, node: str, epoch: int) -> tuple[tuple[str, float], ...]:
        return await self._readers.run(leases.cancel_wishes, node, epoch)

    async def live_nodes(self, now: float) -> tuple[str, ...]:
        return await self._readers.run(leases.working_nodes, self._clock(now))

    async def nodes(self, now: float) -> tuple[Node, ...]:
        return await self._readers.run(leases.all_nodes, self._clock(now))

    async def ask_to_drain(self, node: str | None, now: float) -> tuple[str, ...]:
        return await self._committer.run(leases.ask_to_drain, leases.Drain(node=node, now=now))

    async def shared_time(self) -> float | None:
        return await self._readers.run(leases.shared_time)

    # --- signals between processes

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        await self._ear.listen(hear)

    async def tell(self, *signals: Signal) -> None:
        self._voice.say(signals)

    # --- jobs

    async def create(self, creation: Creation) -> Created:
        turns = writes.turns_of(creation)
        return await self._committer.run(writes.create_videos, creation, _changed(creation.job), turns)

    async def answered(self, claim: IdempotencyClaim, now: float) -> Created | None:
        return None if claim.sending == 0 else await self._readers.run(writes.replay, claim, now)

    async def exceeded(self, limits: tuple[UnfinishedLimit, ...]) -> UnfinishedLimit | None:
        return await self._readers.run(reads.exceeded_limit, limits)

    async def apply(self, change: Change) -> None:
        await self._committer.run(writes.apply_changes, change, _changed(change.job))

    async def request_cancel(self, job_id: str, now: float) -> None:
        wish = writes.CancelWish(job_id=job_id, now=now)
        await self._committer.run(writes.request_cancels, wish, Signal(kind="cancel", job_id=job_id))

    async def get(self, job_id: str) -> Job | None:
        return await self._readers.run(reads.find_job, job_id)

    async def get_many(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        return await self._readers.run(reads.find_jobs, job_ids)

    async def page(self, query: JobQuery) -> JobPage:
        return await self._readers.run(reads.find_page, query)

    async def events(self, job_id: str, after_seq: int = 0) -> tuple[JobEvent, ...]:
        return await self._readers.run(reads.find_events, job_id, after_seq)

    async def entries(self, job_id: str) -> tuple[Entry, ...]:
        return await self._readers.run(reads.find_entries, job_id)

    async def delete(self, job_id: str, now: float, *, errands: tuple[Errand, ...] = ()) -> None:
        deletion = writes.Deletion(job_id=job_id, now=now, errands=errands)
        await self._committer.run(writes.delete_videos, deletion)

    async def tombstone_tenant(self, job_id: str) -> str | None:
        return await self._readers.run(reads.find_tombstone_tenant, job_id)

    async def holder_of(self, account: str, operation_keys: tuple[str, ...]) -> dict[str, str]:
        return await self._readers.run(reads.holders, account, operation_keys)

    async def expiring(self, now: float, limit: int) -> tuple[Job, ...]:
        return await self._readers.run(reads.expiring_jobs, now, limit)

    async def queue_position(self, job: Job) -> int:
        return await self._readers.run(reads.queued_before, job)

    async def count_unfinished(self) -> dict[State, int]:
        return await self._readers.run(reads.unfinished_counts)

    async def render_seconds(self, limit: int = 50) -> dict[str, tuple[float, ...]]:
        return await self._readers.run(reads.completed_render_seconds, limit)

    # --- messages

    async def due_messages(self, now: float, limit: int, hold_until: float) -> tuple[Message, ...]:
        if not await self._readers.run(outbox.any_due, now):
            return ()
        hold = outbox.Hold(now=now, limit=limit, hold_until=hold_until)
        return await self._committer.run(outbox.hold_due_messages, hold)

    async def message_delivered(self, message_id: str, now: float, answer: str) -> None:
        delivery = outbox.Delivery(message_id=message_id, now=now, answer=answer)
        await self._committer.run(outbox.note_deliveries, delivery)

    async def message_failed(self, message_id: str, due_at: float | None, tries: int, answer: str) -> None:
        failed = outbox.FailedTry(message_id=message_id, due_at=due_at, tries=tries, answer=answer)
        await self._committer.run(outbox.note_failed_tries, failed)

    async def messages(self, video_id: str) -> tuple[Message, ...]:
        return await self._readers.run(outbox.find_messages, video_id)

    # --- submits whose outcome nobody knows

    async def testify(self, testimony: Testimony) -> bool:
        return await self._committer.run(submits.testify, testimony)

    async def testimony(self, job_id: str, attempt: int) -> Testimony | None:
        return await self._readers.run(submits.find_testimony, job_id, attempt)

    async def submitting(self, limit: int) -> tuple[Job, ...]:
        return await self._readers.run(submits.find_submitting, limit)

    async def doubts(self, limit: int, after: str = "") -> tuple[str, ...]:
        return await self._readers.run(submits.find_doubts, limit, after)

    async def write_loss(self, job_id: str, amount: int, at: float) -> bool:
        return await self._committer.run(submits.write_losses, submits.Loss(job_id=job_id, amount=amount, at=at))

    # --- errands

    async def plan_errand(self, errand: Errand) -> None:
        await self._committer.run(errands.plan_errands, errand)

    async def due_errands(self, now: float, limit: int, hold_until: float) -> tuple[Errand, ...]:
        if not await self._readers.run(errands.any_errand_due, now):
            return ()
        hold = outbox.Hold(now=now, limit=limit, hold_until=hold_until)
        return await self._committer.run(errands.hold_due_errands, hold)

    async def errand_done(self, errand_id: str) -> None:
        await self._committer.run(errands.remove_errands, errand_id)

    async def errand_put_off(self, errand_id: str, due_at: float | None, tries: int, answer: str | None) -> None:
        later = errands.Postponement(errand_id=errand_id, due_at=due_at, tries=tries, answer=answer)
        await self._committer.run(errands.put_off_errands, later)

    async def errands(self, job_id: str) -> tuple[Errand, ...]:
        return await self._readers.run(errands.find_errands, job_id)

    async def given_up_errands(self, limit: int) -> tuple[Errand, ...]:
        return await self._readers.run(errands.find_given_up, limit)

    # --- characters

    async def add_character(
        self, character: Character, *, ends: Errand, idempotency: IdempotencyClaim | None = None
    ) -> Character:
        addition = characters.Addition(character=character, ends=ends, idempotency=idempotency)
        return await self._committer.run(characters.add_characters, addition)

    async def answered_character(self, claim: IdempotencyClaim, now: float) -> Character | None:
        return await self._readers.run(characters.replay_character, claim, now)

    async def character(self, character_id: str) -> Character | None:
        return await self._readers.run(characters.find_character, character_id)

    async def remove_character(self, character_id: str, errand: Errand) -> bool:
        removal = characters.Removal(character_id=character_id, errand=errand)
        return await self._committer.run(characters.remove_characters, removal)

    # --- keys

    async def add_key(self, key: ApiKey) -> None:
        await self._committer.run(keyring.add_keys, key)

    async def key_by_hash(self, key_hash: str) -> ApiKey | None:
        return await self._readers.run(keyring.find_key, key_hash)

    async def keys(self) -> tuple[ApiKey, ...]:
        return await self._readers.run(keyring.all_keys)

    async def revoke_key(self, key_id: str, now: float) -> bool:
        return await self._committer.run(keyring.revoke_keys, keyring.Revocation(key_id=key_id, now=now))

    # --- facts about this installation

    async def fact(self, name: str) -> str | None:
        return await self._readers.run(keyring.find_fact, name)

    async def set_fact(self, name: str, value: str) -> str:
        return await self._committer.run(keyring.set_facts, keyring.Fact(name=name, value=value))

    def _clock(self, now: float) -> float | None:
        """Return None for the database's own clock."""
        return now if self._callers_clock else None


def _changed(job: Job) -> Signal:
    return Signal(kind="changed", job_id=job.id)

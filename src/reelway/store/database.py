"""Every call of `JobStore`, as what it reads or writes; a database says how that is performed.

The one rule: nothing here knows which database it is. `_look` finds a handful of rows by an index, `_search` may pass over many.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from reelway.core.characters import Character
from reelway.core.errands import Errand
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.keys import ApiKey, UnfinishedLimit
from reelway.core.lifecycle import State
from reelway.core.messages import Message
from reelway.core.nodes import Node, NodeFacts, Signal
from reelway.core.submits import Testimony
from reelway.store import characters, errands, keyring, leases, outbox, reads, submits, writes
from reelway.store.queries import Work
from reelway.store.spec import Change, Created, Creation, IdempotencyClaim, JobPage, JobQuery

__all__ = ["DatabaseStore"]

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")
_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

_QUICK_IDS = 100


class DatabaseStore(ABC):
    """A job store without its database."""

    @abstractmethod
    async def _write(
        self,
        write: Callable[[Sequence[_Item]], Work[Sequence[_Outcome]]],
        item: _Item,
        signal: Signal | None = None,
        turns: tuple[str, ...] = (),
    ) -> _Outcome:
        """Have an item written, together with what others write; return its outcome once it is committed.

        Other processes are told the `signal` then; `turns` are those that writing it takes.
        """

    @abstractmethod
    async def _look(
        self, read: Callable[_Arguments, Work[_Found]], /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Found:
        """Return what a quick read comes to."""

    @abstractmethod
    async def _search(
        self, read: Callable[_Arguments, Work[_Found]], /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Found:
        """Return what a read comes to that may take a while."""

    def _clock(self, now: float) -> float | None:
        """Return the time that leases go by; None for the database's own."""
        return now

    # --- nodes

    async def join(self, node: str, now: float, lease_seconds: float, facts: NodeFacts | None = None) -> int:
        lease = leases.Lease(node=node, now=self._clock(now), lease_seconds=lease_seconds, facts=facts or NodeFacts())
        return await self._write(leases.join_nodes, lease)

    async def renew(self, node: str, epoch: int, now: float, lease_seconds: float) -> bool:
        lease = leases.Lease(node=node, epoch=epoch, now=self._clock(now), lease_seconds=lease_seconds)
        return await self._write(leases.renew_leases, lease)

    async def leave(self, node: str, epoch: int) -> None:
        await self._write(leases.leave_nodes, leases.Lease(node=node, epoch=epoch))

    async def claim(self, node: str, epoch: int, now: float, limit: int) -> tuple[Job, ...]:
        adoption = leases.Adoption(node=node, epoch=epoch, now=self._clock(now), limit=limit)
        return await self._write(leases.adopt_jobs, adoption)

    async def hand_back(self, node: str, epoch: int, job_ids: tuple[str, ...]) -> None:
        back = leases.HandBack(node=node, epoch=epoch, job_ids=job_ids)
        await self._write(leases.hand_back_jobs, back)

    async def cancel_wishes(self, node: str, epoch: int) -> tuple[tuple[str, float], ...]:
        return await self._look(leases.cancel_wishes, node, epoch)

    async def live_nodes(self, now: float) -> tuple[str, ...]:
        return await self._look(leases.working_nodes, self._clock(now))

    async def nodes(self, now: float) -> tuple[Node, ...]:
        return await self._search(leases.all_nodes, self._clock(now))

    async def ask_to_drain(self, node: str | None, now: float) -> tuple[str, ...]:
        return await self._write(leases.ask_to_drain, leases.Drain(node=node, now=now))

    # --- jobs

    async def create(self, creation: Creation) -> Created:
        turns = writes.turns_of(creation)
        return await self._write(writes.create_videos, creation, _changed(creation.job), turns)

    async def answered(self, claim: IdempotencyClaim, now: float) -> Created | None:
        return None if claim.sending == 0 else await self._look(writes.replay, claim, now)

    async def exceeded(self, limits: tuple[UnfinishedLimit, ...]) -> UnfinishedLimit | None:
        return await self._look(reads.exceeded_limit, limits)

    async def apply(self, change: Change) -> None:
        await self._write(writes.apply_changes, change, _changed(change.job))

    async def request_cancel(self, job_id: str, now: float) -> None:
        wish = writes.CancelWish(job_id=job_id, now=now)
        await self._write(writes.request_cancels, wish, Signal(kind="cancel", job_id=job_id))

    async def get(self, job_id: str) -> Job | None:
        return await self._look(reads.find_job, job_id)

    async def get_many(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        if len(job_ids) <= _QUICK_IDS:
            return await self._look(reads.find_jobs, job_ids)
        return await self._search(reads.find_jobs, job_ids)

    async def page(self, query: JobQuery) -> JobPage:
        if reads.is_quick(query):
            return await self._look(reads.find_page, query)
        return await self._search(reads.find_page, query)

    async def events(self, job_id: str, after_seq: int = 0) -> tuple[JobEvent, ...]:
        return await self._look(reads.find_events, job_id, after_seq)

    async def entries(self, job_id: str) -> tuple[Entry, ...]:
        return await self._look(reads.find_entries, job_id)

    async def delete(self, job_id: str, now: float, *, errands: tuple[Errand, ...] = ()) -> None:
        deletion = writes.Deletion(job_id=job_id, now=now, errands=errands)
        await self._write(writes.delete_videos, deletion)

    async def tombstone_tenant(self, job_id: str) -> str | None:
        return await self._look(reads.find_tombstone_tenant, job_id)

    async def holder_of(self, account: str, operation_keys: tuple[str, ...]) -> dict[str, str]:
        return await self._search(reads.holders, account, operation_keys)

    async def expiring(self, now: float, limit: int) -> tuple[Job, ...]:
        return await self._search(reads.expiring_jobs, now, limit)

    async def queue_position(self, job: Job) -> int:
        return await self._search(reads.queued_before, job)

    async def count_unfinished(self) -> dict[State, int]:
        return await self._search(reads.unfinished_counts)

    async def render_seconds(self, limit: int = 50) -> dict[str, tuple[float, ...]]:
        return await self._search(reads.completed_render_seconds, limit)

    # --- messages

    async def due_messages(self, now: float, limit: int, hold_until: float) -> tuple[Message, ...]:
        if not await self._look(outbox.any_due, now):
            return ()
        hold = outbox.Hold(now=now, limit=limit, hold_until=hold_until)
        return await self._write(outbox.hold_due_messages, hold)

    async def message_delivered(self, message_id: str, now: float, answer: str) -> None:
        delivery = outbox.Delivery(message_id=message_id, now=now, answer=answer)
        await self._write(outbox.note_deliveries, delivery)

    async def message_failed(self, message_id: str, due_at: float | None, tries: int, answer: str) -> None:
        failed = outbox.FailedTry(message_id=message_id, due_at=due_at, tries=tries, answer=answer)
        await self._write(outbox.note_failed_tries, failed)

    async def messages(self, video_id: str) -> tuple[Message, ...]:
        return await self._look(outbox.find_messages, video_id)

    # --- submits whose outcome nobody knows

    async def testify(self, testimony: Testimony) -> bool:
        return await self._write(submits.testify, testimony)

    async def testimony(self, job_id: str, attempt: int) -> Testimony | None:
        return await self._look(submits.find_testimony, job_id, attempt)

    async def submitting(self, limit: int) -> tuple[Job, ...]:
        return await self._search(submits.find_submitting, limit)

    async def doubts(self, limit: int, after: str = "") -> tuple[str, ...]:
        return await self._search(submits.find_doubts, limit, after)

    async def write_loss(self, job_id: str, amount: int, at: float) -> bool:
        return await self._write(submits.write_losses, submits.Loss(job_id=job_id, amount=amount, at=at))

    # --- errands

    async def plan_errand(self, errand: Errand) -> None:
        await self._write(errands.plan_errands, errand)

    async def due_errands(self, now: float, limit: int, hold_until: float) -> tuple[Errand, ...]:
        if not await self._look(errands.any_errand_due, now):
            return ()
        hold = outbox.Hold(now=now, limit=limit, hold_until=hold_until)
        return await self._write(errands.hold_due_errands, hold)

    async def errand_done(self, errand_id: str) -> None:
        await self._write(errands.remove_errands, errand_id)

    async def errand_put_off(self, errand_id: str, due_at: float | None, tries: int, answer: str | None) -> None:
        later = errands.Postponement(errand_id=errand_id, due_at=due_at, tries=tries, answer=answer)
        await self._write(errands.put_off_errands, later)

    async def errands(self, job_id: str) -> tuple[Errand, ...]:
        return await self._look(errands.find_errands, job_id)

    async def given_up_errands(self, limit: int) -> tuple[Errand, ...]:
        return await self._search(errands.find_given_up, limit)

    # --- characters

    async def add_character(
        self, character: Character, *, ends: Errand, idempotency: IdempotencyClaim | None = None
    ) -> Character:
        addition = characters.Addition(character=character, ends=ends, idempotency=idempotency)
        return await self._write(characters.add_characters, addition)

    async def answered_character(self, claim: IdempotencyClaim, now: float) -> Character | None:
        return await self._look(characters.replay_character, claim, now)

    async def character(self, character_id: str) -> Character | None:
        return await self._look(characters.find_character, character_id)

    async def remove_character(self, character_id: str, errand: Errand) -> bool:
        removal = characters.Removal(character_id=character_id, errand=errand)
        return await self._write(characters.remove_characters, removal)

    # --- keys

    async def add_key(self, key: ApiKey) -> None:
        await self._write(keyring.add_keys, key)

    async def key_by_hash(self, key_hash: str) -> ApiKey | None:
        return await self._look(keyring.find_key, key_hash)

    async def keys(self) -> tuple[ApiKey, ...]:
        return await self._search(keyring.all_keys)

    async def revoke_key(self, key_id: str, now: float) -> bool:
        return await self._write(keyring.revoke_keys, keyring.Revocation(key_id=key_id, now=now))

    # --- facts about this installation

    async def fact(self, name: str) -> str | None:
        return await self._look(keyring.find_fact, name)

    async def set_fact(self, name: str, value: str) -> str:
        return await self._write(keyring.set_facts, keyring.Fact(name=name, value=value))


def _changed(job: Job) -> Signal:
    return Signal(kind="changed", job_id=job.id)

"""The job store in one SQLite file: a group committer for writes, and reads that never wait for a sync.

The one rule: what touches a handful of rows by an index is read where it is asked, on the event loop's own connection (some
15 µs, less than handing it to a thread); whatever may pass over many rows is read in a thread.
"""

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from reelway.core.characters import Character
from reelway.core.errands import Errand
from reelway.core.errors import StorageFailed
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.keys import ApiKey, UnfinishedLimit
from reelway.core.lifecycle import State
from reelway.core.messages import Message
from reelway.core.submits import Testimony
from reelway.store import characters, errands, keyring, leases, outbox, reads, submits, writes
from reelway.store.committer import Committer
from reelway.store.connections import BUSY_SECONDS, connect_to_read, connect_to_write, perform, prepare
from reelway.store.failures import explained
from reelway.store.queries import Work
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

__all__ = ["SqliteStore"]

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")

_READING_THREADS = 2
_QUICK_IDS = 100


class SqliteStore:
    """Keeps jobs in the file at `path`. Several processes may use one file; each sees the others' commits at once."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._committer = Committer(
            lambda: connect_to_write(path, busy_seconds=busy_seconds), lambda error: explained(error, path)
        )
        self._reader: sqlite3.Connection | None = None
        self._spare_readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def commits(self) -> int:
        """How many transactions were committed since `open`; compare with the number of writes to see them share."""
        return self._committer.commits

    async def open(self) -> None:
        await asyncio.to_thread(prepare, self._path, busy_seconds=self._busy_seconds)
        await self._committer.open()
        try:
            self._reader = self._connect_to_read()
            for _ in range(_READING_THREADS):
                self._spare_readers.put(self._connect_to_read())
        except sqlite3.Error as error:
            await self.close()
            raise explained(error, self._path) from error
        self._threads = ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="reelway-reader")

    async def close(self) -> None:
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
            self._threads = None
        while not self._spare_readers.empty():
            self._spare_readers.get().close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        await self._committer.close()

    # --- nodes

    async def join(self, node: str, now: float, lease_seconds: float, facts: NodeFacts | None = None) -> int:
        lease = leases.Lease(node=node, now=now, lease_seconds=lease_seconds, facts=facts or NodeFacts())
        return await self._committer.run(leases.join_nodes, lease)

    async def renew(self, node: str, epoch: int, now: float, lease_seconds: float) -> bool:
        lease = leases.Lease(node=node, epoch=epoch, now=now, lease_seconds=lease_seconds)
        return await self._committer.run(leases.renew_leases, lease)

    async def leave(self, node: str, epoch: int) -> None:
        await self._committer.run(leases.leave_nodes, leases.Lease(node=node, epoch=epoch))

    async def claim(self, node: str, epoch: int, now: float, limit: int) -> tuple[Job, ...]:
        adoption = leases.Adoption(node=node, epoch=epoch, now=now, limit=limit)
        return await self._committer.run(leases.adopt_jobs, adoption)

    async def hand_back(self, node: str, epoch: int, job_ids: tuple[str, ...]) -> None:
        back = leases.HandBack(node=node, epoch=epoch, job_ids=job_ids)
        await self._committer.run(leases.hand_back_jobs, back)

    async def cancel_wishes(self, node: str, epoch: int) -> tuple[tuple[str, float], ...]:
        return self._read_here(leases.cancel_wishes, node, epoch)

    async def live_nodes(self, now: float) -> tuple[str, ...]:
        return self._read_here(leases.working_nodes, now)

    async def nodes(self, now: float) -> tuple[Node, ...]:
        return await self._read_in_thread(leases.all_nodes, now)

    async def ask_to_drain(self, node: str | None, now: float) -> tuple[str, ...]:
        return await self._committer.run(leases.ask_to_drain, leases.Drain(node=node, now=now))

    async def shared_time(self) -> float | None:
        return None

    # --- signals between processes: a server has its file to itself

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Nobody else tells anything."""

    async def tell(self, *signals: Signal) -> None:
        """Nobody else listens."""

    # --- jobs

    async def create(self, creation: Creation) -> Created:
        return await self._committer.run(writes.create_videos, creation)

    async def answered(self, claim: IdempotencyClaim, now: float) -> Created | None:
        return None if claim.sending == 0 else self._read_here(writes.replay, claim, now)

    async def exceeded(self, limits: tuple[UnfinishedLimit, ...]) -> UnfinishedLimit | None:
        return self._read_here(reads.exceeded_limit, limits)

    async def apply(self, change: Change) -> None:
        await self._committer.run(writes.apply_changes, change)

    async def request_cancel(self, job_id: str, now: float) -> None:
        await self._committer.run(writes.request_cancels, writes.CancelWish(job_id=job_id, now=now))

    async def get(self, job_id: str) -> Job | None:
        return self._read_here(reads.find_job, job_id)

    async def get_many(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        if len(job_ids) <= _QUICK_IDS:
            return self._read_here(reads.find_jobs, job_ids)
        return await self._read_in_thread(reads.find_jobs, job_ids)

    async def page(self, query: JobQuery) -> JobPage:
        if reads.is_quick(query):
            return self._read_here(reads.find_page, query)
        return await self._read_in_thread(reads.find_page, query)

    async def events(self, job_id: str, after_seq: int = 0) -> tuple[JobEvent, ...]:
        return self._read_here(reads.find_events, job_id, after_seq)

    async def entries(self, job_id: str) -> tuple[Entry, ...]:
        return self._read_here(reads.find_entries, job_id)

    async def delete(self, job_id: str, now: float, *, errands: tuple[Errand, ...] = ()) -> None:
        deletion = writes.Deletion(job_id=job_id, now=now, errands=errands)
        await self._committer.run(writes.delete_videos, deletion)

    async def tombstone_tenant(self, job_id: str) -> str | None:
        return self._read_here(reads.find_tombstone_tenant, job_id)

    async def holder_of(self, account: str, operation_keys: tuple[str, ...]) -> dict[str, str]:
        return await self._read_in_thread(reads.holders, account, operation_keys)

    async def expiring(self, now: float, limit: int) -> tuple[Job, ...]:
        return await self._read_in_thread(reads.expiring_jobs, now, limit)

    async def queue_position(self, job: Job) -> int:
        return await self._read_in_thread(reads.queued_before, job)

    async def count_unfinished(self) -> dict[State, int]:
        return await self._read_in_thread(reads.unfinished_counts)

    async def render_seconds(self, limit: int = 50) -> dict[str, tuple[float, ...]]:
        return await self._read_in_thread(reads.completed_render_seconds, limit)

    # --- messages

    async def due_messages(self, now: float, limit: int, hold_until: float) -> tuple[Message, ...]:
        if not self._read_here(outbox.any_due, now):
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
        return self._read_here(outbox.find_messages, video_id)

    # --- submits whose outcome nobody knows

    async def testify(self, testimony: Testimony) -> bool:
        return await self._committer.run(submits.testify, testimony)

    async def testimony(self, job_id: str, attempt: int) -> Testimony | None:
        return self._read_here(submits.find_testimony, job_id, attempt)

    async def submitting(self, limit: int) -> tuple[Job, ...]:
        return await self._read_in_thread(submits.find_submitting, limit)

    async def doubts(self, limit: int, after: str = "") -> tuple[str, ...]:
        return await self._read_in_thread(submits.find_doubts, limit, after)

    async def write_loss(self, job_id: str, amount: int, at: float) -> bool:
        return await self._committer.run(submits.write_losses, submits.Loss(job_id=job_id, amount=amount, at=at))

    # --- errands

    async def plan_errand(self, errand: Errand) -> None:
        await self._committer.run(errands.plan_errands, errand)

    async def due_errands(self, now: float, limit: int, hold_until: float) -> tuple[Errand, ...]:
        if not self._read_here(errands.any_errand_due, now):
            return ()
        hold = outbox.Hold(now=now, limit=limit, hold_until=hold_until)
        return await self._committer.run(errands.hold_due_errands, hold)

    async def errand_done(self, errand_id: str) -> None:
        await self._committer.run(errands.remove_errands, errand_id)

    async def errand_put_off(self, errand_id: str, due_at: float | None, tries: int, answer: str | None) -> None:
        later = errands.Postponement(errand_id=errand_id, due_at=due_at, tries=tries, answer=answer)
        await self._committer.run(errands.put_off_errands, later)

    async def errands(self, job_id: str) -> tuple[Errand, ...]:
        return self._read_here(errands.find_errands, job_id)

    async def given_up_errands(self, limit: int) -> tuple[Errand, ...]:
        return await self._read_in_thread(errands.find_given_up, limit)

    # --- characters

    async def add_character(
        self, character: Character, *, ends: Errand, idempotency: IdempotencyClaim | None = None
    ) -> Character:
        addition = characters.Addition(character=character, ends=ends, idempotency=idempotency)
        return await self._committer.run(characters.add_characters, addition)

    async def answered_character(self, claim: IdempotencyClaim, now: float) -> Character | None:
        return self._read_here(characters.replay_character, claim, now)

    async def character(self, character_id: str) -> Character | None:
        return self._read_here(characters.find_character, character_id)

    async def remove_character(self, character_id: str, errand: Errand) -> bool:
        removal = characters.Removal(character_id=character_id, errand=errand)
        return await self._committer.run(characters.remove_characters, removal)

    # --- keys

    async def add_key(self, key: ApiKey) -> None:
        await self._committer.run(keyring.add_keys, key)

    async def key_by_hash(self, key_hash: str) -> ApiKey | None:
        return self._read_here(keyring.find_key, key_hash)

    async def keys(self) -> tuple[ApiKey, ...]:
        return await self._read_in_thread(keyring.all_keys)

    async def revoke_key(self, key_id: str, now: float) -> bool:
        return await self._committer.run(keyring.revoke_keys, keyring.Revocation(key_id=key_id, now=now))

    # --- facts about this installation

    async def fact(self, name: str) -> str | None:
        return self._read_here(keyring.find_fact, name)

    async def set_fact(self, name: str, value: str) -> str:
        return await self._committer.run(keyring.set_facts, keyring.Fact(name=name, value=value))

    # --- connections

    def _connect_to_read(self) -> sqlite3.Connection:
        return connect_to_read(self._path, busy_seconds=self._busy_seconds)

    def _read_here(
        self,
        read: Callable[_Arguments, Work[_Found]],
        /,
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Found:
        if self._reader is None:
            raise StorageFailed("the store is not open; nothing can be read")
        try:
            return perform(self._reader, read(*arguments, **named))
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    async def _read_in_thread(
        self,
        read: Callable[_Arguments, Work[_Found]],
        /,
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Found:
        if self._threads is None:
            raise StorageFailed("the store is not open; nothing can be read")

        def read_there() -> _Found:
            connection = self._spare_readers.get()
            try:
                return perform(connection, read(*arguments, **named))
            except sqlite3.Error as error:
                raise explained(error, self._path) from error
            finally:
                self._spare_readers.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, read_there)

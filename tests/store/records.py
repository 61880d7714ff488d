"""Jobs, creations and changes made for tests, with nothing in them that a test does not ask for."""

import itertools
from typing import Any

from reelway.core.errands import Errand, ForgetWork, RemoveBytes, errand_for
from reelway.core.ids import make_id
from reelway.core.jobs import Entry, EntryKind, Job, JobEvent, JobRoute
from reelway.core.lifecycle import State
from reelway.core.videos import Mode, ResolvedRequest
from reelway.store.spec import Change, Creation, IdempotencyClaim, JobStore

NOW = 1_790_000_000.0
LEASE = 10.0

_numbers = itertools.count(1)


def make_job(*, at: float = NOW, model: str = "veo3.1", user: str | None = None, **values: Any) -> Job:
    """Return a new queued job; later ones get greater ids."""
    request = ResolvedRequest(
        operation="create", model=model, card=model, mode=Mode.T2V, prompt="a fox in snow", seconds=8, user=user
    )
    return Job(
        **{
            "id": make_id("video", at, next(_numbers).to_bytes(10, "big")),
            "tenant": "default",
            "key_id": "key_1",
            "request": request,
            "created_at": at,
            "updated_at": at,
            "due_at": at,
            "deadline_at": at + 3600,
            **values,
        }
    )


def creation(
    job: Job,
    *,
    takes: tuple[Job, ...] = (),
    reserve: int | None = 400_000,
    key: str | None = None,
    sending: int | None = None,
) -> Creation:
    """Return what `create` takes; `key` is an idempotency key, `sending` the count of one that nobody chose."""
    claim = None
    if key is not None:
        claim = IdempotencyClaim(
            key_id=job.key_id, key=key, body_hash="hash", expires_at=job.created_at + 86_400, sending=sending
        )
    return Creation(
        job=job,
        event=JobEvent(seq=1, at=job.created_at, state=job.state, name="created"),
        takes=takes,
        entry=None if reserve is None else Entry(kind="reserve", amount=reserve, at=job.created_at),
        idempotency=claim,
    )


def change(job: Job, epoch: int | None, *, end: EntryKind | None = None, told: bool = True, **values: Any) -> Change:
    """Return the next write of a job; `end` settles or releases what was reserved."""
    changed = job.evolve(version=job.version + 1, **values)
    return Change(
        job=changed,
        node=job.owner if epoch is not None else None,
        epoch=epoch,
        event=JobEvent(seq=changed.version, at=NOW, state=changed.state, name="changed") if told else None,
        entry=None if end is None else Entry(kind=end, amount=300_000, at=NOW),
    )


def route(account: str = "acme") -> JobRoute:
    return JobRoute(account=account, vendor="openai_videos", model="sora-2")


def completed(**values: Any) -> dict[str, Any]:
    """Return what a job's last write changes."""
    return {"state": State.COMPLETED, "completed_at": NOW + 60, **values}


def forgetting(job: Job, *, due_at: float = NOW) -> Errand:
    """Return the errand to have a vendor delete its copy of this video."""
    return errand_for("forget", job.id, ForgetWork(account="acme", operation={"id": "é"}), NOW).evolve(due_at=due_at)


def removing(job: Job, *, due_at: float = NOW) -> Errand:
    return errand_for("expire", job.id, RemoveBytes(prefixes=(f"videos/{job.id}",)), NOW).evolve(due_at=due_at)


class Fleet:
    """Nodes at a store, each of which joins when it is first mentioned."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._epochs: dict[str, int] = {}

    async def held(self, node: str = "a", *, reserve: int | None = 400_000, **values: Any) -> Job:
        """Create a job that this node owns."""
        if node not in self._epochs:
            self._epochs[node] = await self._store.join(node, NOW, LEASE)
        job = make_job(owner=node, epoch=self._epochs[node], **values)
        await self._store.create(creation(job, reserve=reserve))
        return job

    async def ended(self, node: str = "a", *, reserve: int | None = None, **values: Any) -> Job:
        """Create a job and write it as completed; return it as it is then on record."""
        job = await self.held(node, reserve=reserve)
        await self._store.apply(
            change(job, job.epoch, end=None if reserve is None else "settle", **completed(**values))
        )
        found = await self._store.get(job.id)
        assert found is not None
        return found

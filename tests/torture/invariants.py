"""The promises, each as a function from the evidence to what contradicts it. Pure, so that each can be seen to notice.

The rule: only what some caller, operator or vendor would hold against us is a contradiction.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from tests.torture.evidence import Evidence

from reelway.core.lifecycle import FINAL, TRANSITIONS, State

__all__ = ["PROMISES", "contradictions"]

_FINAL = frozenset(str(state) for state in FINAL)
_STEPS = frozenset((str(before), str(after)) for (before, _), after in TRANSITIONS.items())
_ORDER = {"submitted": 0, "queued": 0, "processing": 1, "in_progress": 1}
"""Of what callers are told; every other word is an end."""
_END = 2


def nothing_is_lost(evidence: Evidence) -> Iterator[str]:
    """Every accepted create has a job, and it has ended."""
    jobs = {row["id"]: row for row in evidence.rows["jobs"]}
    gone = {row["job_id"] for row in evidence.rows["tombstones"]}
    for tag, tale in evidence.tales.items():
        if tale.video_id is None:
            yield f"{tag} was never accepted" if tale.refused is None else f"{tag} was refused: {tale.refused}"
        elif tale.video_id not in jobs:
            if not (tale.delete_sent and tale.video_id in gone):
                yield f"{tag}: {tale.video_id} is gone"
        elif jobs[tale.video_id]["state"] not in _FINAL:
            yield f"{tag}: {tale.video_id} is still {jobs[tale.video_id]['state']}"


def nothing_is_stuck(evidence: Evidence) -> Iterator[str]:
    """In a world that is whole again, every caller sees the end of its video in good time."""
    for tag, tale in evidence.tales.items():
        if not tale.in_time:
            yield f"{tag}: {tale.video_id} at {tale.order.account.name} had not ended in time: {tale.order.prompt}"


def nothing_is_submitted_twice(evidence: Evidence) -> Iterator[str]:
    """At most one submit of a video made something."""
    for tag, submits in evidence.billable().items():
        if len(submits) > 1:
            story = ", ".join(f"{submit.reference or submit.task} ({submit.outcome})" for submit in submits)
            apart = submits[-1].at - submits[0].at
            yield f"{tag} was submitted {len(submits)} times within {apart:.1f} s: {story}"


def no_video_without_a_job(evidence: Evidence) -> Iterator[str]:
    """Whatever the vendor made, somebody ordered, and a video that was made and not cancelled is known as ours."""
    known = {tale.order.tag for tale in evidence.tales.values()}
    ours = {row["operation_key"] for table in ("jobs", "tombstones") for row in evidence.rows[table]}
    for submits in evidence.billable().values():
        for submit in submits:
            tale = evidence.tales.get(submit.tag)
            if submit.tag not in known or tale is None:
                yield f"{submit.task} was ordered by nobody ({submit.tag})"
            elif submit.task not in ours and tale.order.account.can_look_up and not tale.delete_sent:
                yield f"{submit.tag}: {submit.task} was made and paid for, and is not known here ({tale.error})"


def bytes_are_the_vendors(evidence: Evidence) -> Iterator[str]:
    """What a caller fetches hashes to what the vendor made for this very video."""
    billable = evidence.billable()
    for tag, tale in evidence.tales.items():
        if tale.status != "completed" or tale.deleted:
            continue
        made = {evidence.made.get(submit.task or "") for submit in billable.get(tag, ())}
        if tale.content_sha256 not in made:
            yield f"{tag}: {tale.video_id} has the bytes {tale.content_sha256}, the vendor made {sorted(map(str, made))}"


def the_ledger_balances(evidence: Evidence) -> Iterator[str]:
    """One reservation a job, and one end of it when the job has ended; nothing is settled that did not end well or late."""
    lines: dict[str, dict[str, int]] = defaultdict(dict)
    for row in evidence.rows["entries"]:
        lines[row["job_id"]][row["kind"]] = row["amount"]
    states = {row["id"]: row["state"] for row in evidence.rows["jobs"]}
    for job_id, entries in lines.items():
        ends = len(entries.keys() & {"settle", "release"})
        ended = states.get(job_id, "completed") in _FINAL
        if "reserve" not in entries or ends != int(ended):
            yield f"{job_id} ({states.get(job_id, 'deleted')}) has the lines {sorted(entries)}"
        elif "release" in entries and entries["release"] != entries["reserve"]:
            yield f"{job_id} reserved {entries['reserve']} and released {entries['release']}"
        elif states.get(job_id) == "completed" and "settle" not in entries:
            yield f"{job_id} is completed and nothing was settled"
    for job_id in states.keys() - lines.keys():
        yield f"{job_id} has no line"


def events_are_in_order(evidence: Evidence) -> Iterator[str]:
    """Each write of a job is a line, numbered without a gap; states follow the table, and nothing follows an end."""
    stories: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in evidence.rows["events"]:
        stories[row["job_id"]].append(row)
    for job in evidence.rows["jobs"]:
        story = stories.pop(job["id"], [])
        numbers = [event["seq"] for event in story]
        if numbers != list(range(1, job["version"] + 1)):
            yield f"{job['id']} has version {job['version']} and the lines {numbers}"
        for before, after in pairwise(story):
            step = (before["state"], after["state"])
            if step[0] in _FINAL or (step[0] != step[1] and step not in _STEPS):
                yield f"{job['id']}: {step[0]} became {step[1]} by {after['name']}"
        if Counter(event["name"] for event in story)["accepted"] > 1 + sum(
            event["name"] == "not_accepted" for event in story
        ):
            yield f"{job['id']} was accepted more often than it was refused"
    for job_id in stories:
        yield f"{job_id} has lines and no job"


def a_key_is_one_job(evidence: Evidence) -> Iterator[str]:
    """However often a create was repeated, and wherever: one job, and callers know its id."""
    jobs: dict[str, list[str]] = defaultdict(list)
    for job_id, tag in evidence.tags.items():
        jobs[tag].append(job_id)
    for tag, ids in jobs.items():
        tale = evidence.tales.get(tag)
        if len(ids) > 1:
            yield f"{tag} became {len(ids)} jobs: {', '.join(ids)}"
        elif tale is None:
            yield f"{ids[0]} was ordered by nobody ({tag})"
        elif tale.video_id not in (None, *ids):
            yield f"{tag} is {ids[0]}, its caller was told {tale.video_id}"


def deleted_is_gone(evidence: Evidence) -> Iterator[str]:
    """Of a deleted video there is no row, no line of its story, and no byte."""
    left = {row["id"] for row in evidence.rows["jobs"]} | {row["job_id"] for row in evidence.rows["events"]}
    bytes_of = _bytes_by_video(evidence)
    for tag, tale in evidence.tales.items():
        if tale.deleted and tale.video_id in left:
            yield f"{tag}: {tale.video_id} was deleted, and its record is there"
        if tale.deleted and tale.video_id in bytes_of:
            yield f"{tag}: {tale.video_id} was deleted, and {bytes_of[tale.video_id]} is there"


def bytes_have_a_video(evidence: Evidence) -> Iterator[str]:
    """Nothing is kept that no completed video needs: whoever was cancelled or failed leaves no bytes."""
    completed = {row["id"] for row in evidence.rows["jobs"] if row["state"] == State.COMPLETED}
    deleted = {tale.video_id for tale in evidence.tales.values() if tale.deleted}
    for video_id, key in _bytes_by_video(evidence).items():
        if video_id not in completed and video_id not in deleted:
            yield f"{key} belongs to no completed video"


def who_asked_is_told(evidence: Evidence) -> Iterator[str]:
    """Whoever asked to be told of a video hears of its end, and of nothing that came before after that."""
    heard: dict[str, list[str]] = defaultdict(list)
    seen = set()
    for post in evidence.heard:
        if post.message_id not in seen:
            seen.add(post.message_id)
            heard[post.video_id].append(post.status)
    for tag, tale in evidence.tales.items():
        statuses = heard.get(tale.video_id or "", [])
        ranks = [_ORDER.get(status, _END) for status in statuses]
        if ranks != sorted(ranks) or ranks.count(_END) > 1:
            yield f"{tag} heard {', '.join(statuses)}"
        if tale.order.told and tale.video_id is not None and not tale.delete_sent and _END not in ranks:
            yield f"{tag}: {tale.video_id} ended as {tale.status}, and its caller heard {', '.join(statuses) or 'nothing'}"


def callers_see_no_nonsense(evidence: Evidence) -> Iterator[str]:
    """No accepted video is unknown, no final status changes, no answer is out of place."""
    for tag, tale in evidence.tales.items():
        for oddity in tale.oddities:
            yield f"{tag}: {oddity}"


def what_could_be_made_is_kept(evidence: Evidence) -> Iterator[str]:
    """A video fails for reasons of its vendor or its caller, or because nobody can know; never because something broke."""
    for tag, tale in evidence.tales.items():
        order = tale.order
        if tale.status != "failed" or order.may_fail or tale.deleted:
            continue
        if tale.error == "cancelled" and (tale.cancel_sent or tale.delete_sent):
            continue
        if tale.error == "submission_unknown" and not order.account.can_look_up:
            continue
        yield f"{tag}: {tale.video_id} at {order.account.name} failed with {tale.error}: {order.prompt}"


PROMISES: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    nothing_is_lost,
    nothing_is_stuck,
    nothing_is_submitted_twice,
    no_video_without_a_job,
    bytes_are_the_vendors,
    the_ledger_balances,
    events_are_in_order,
    a_key_is_one_job,
    deleted_is_gone,
    bytes_have_a_video,
    who_asked_is_told,
    callers_see_no_nonsense,
    what_could_be_made_is_kept,
)


def contradictions(evidence: Evidence) -> dict[str, list[str]]:
    """Return what contradicts each promise, by its name."""
    return {promise.__name__: list(promise(evidence)) for promise in PROMISES}


def _bytes_by_video(evidence: Evidence) -> dict[str, str]:
    """Return one key for each video that has bytes."""
    found = {}
    for key in evidence.keys:
        parts = key.split("/")
        if parts[0] == "videos" and len(parts) > 1:
            found[parts[1]] = key
    return found

"""What everybody's books say when all is over: the vendor's, the nodes', the callers' and those of who was told."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from tests.torture.backends import read_rows
from tests.torture.callers import Tale
from tests.torture.receiver import Heard
from tests.torture.world import World

__all__ = ["Evidence", "Submit", "gather", "keep"]

_TAG = re.compile(r"torture-\d+-\d+")
BILLABLE = ("accepted", "lost_answer")


class Submit(NamedTuple):
    """A create as it reached the vendor."""

    tag: str
    outcome: str
    task: str | None
    at: float
    reference: str | None

    @property
    def is_billable(self) -> bool:
        """Whether a video came of it, whoever heard of that."""
        return self.outcome in BILLABLE


class Evidence(NamedTuple):
    """Everything the promises are held against."""

    tales: Mapping[str, Tale]
    submits: tuple[Submit, ...]
    made: Mapping[str, str]
    """From the vendor's tasks to the hashes of their videos."""
    rows: Mapping[str, list[Mapping[str, Any]]]
    """From tables to what is in them."""
    tags: Mapping[str, str]
    """From the jobs in the database to the tags in their prompts."""
    keys: tuple[str, ...]
    """Of all bytes that are kept."""
    heard: tuple[Heard, ...]

    def billable(self) -> Mapping[str, list[Submit]]:
        """Return the submits that made a video, by tag."""
        found: dict[str, list[Submit]] = defaultdict(list)
        for submit in self.submits:
            if submit.is_billable:
                found[submit.tag].append(submit)
        return found


async def gather(world: World, tales: Mapping[str, Tale], heard: list[Heard]) -> Evidence:
    """Read all books."""
    rows = await read_rows(world.database)
    submits, made = await asyncio.to_thread(_vendor_books, world.vendor_log)
    return Evidence(
        tales=tales,
        submits=submits,
        made=made,
        rows=rows,
        tags={row["id"]: tag_of(json.loads(row["record"])["request"]["prompt"]) for row in rows["jobs"]},
        keys=tuple(await world.objects.keys()),
        heard=tuple(heard),
    )


def keep(evidence: Evidence, file: Path) -> None:
    """Write the books down for whoever looks for the reason."""
    lines: list[dict[str, Any]] = [
        {"book": "callers", **asdict(tale), "order": tale.order._asdict()} for tale in evidence.tales.values()
    ]
    lines += [{"book": "vendor", **submit._asdict()} for submit in evidence.submits]
    lines += [{"book": "told", **heard._asdict()} for heard in evidence.heard]
    for name, rows in evidence.rows.items():
        lines += [
            {"book": name, "tag": evidence.tags.get(row.get("job_id") or row.get("id", "")), **row} for row in rows
        ]
    file.write_text("".join(f"{json.dumps(line, default=_text)}\n" for line in lines))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def tag_of(prompt: str) -> str:
    """Return the tag in a prompt, empty where there is none."""
    match = _TAG.search(prompt)
    return match[0] if match else ""


def _vendor_books(log: Path) -> tuple[tuple[Submit, ...], dict[str, str]]:
    submits, made = [], {}
    for line in map(json.loads, log.read_text().splitlines() if log.exists() else ()):
        if line["kind"] == "submit":
            tag = tag_of(line["prompt"] or "")
            submits.append(Submit(tag, line["outcome"], line["task"], line["at"], line["client_reference"]))
        elif line["kind"] == "made":
            made[line["task"]] = line["sha256"]
    return tuple(submits), made

"""`reelway nodes` and `reelway drain`: the servers that share the work, directly in the database."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from reelway.core.nodes import Node
    from reelway.store.spec import JobStore

__all__ = ["drain", "nodes"]

_LOOK_SECONDS = 0.5


def nodes(data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """List the servers that share the work: their leases, jobs and versions.

    A lease below zero is that of a server that has been silent for too long: the next one that renews takes its jobs over.
    """
    from reelway.cli.output import emit, moment, table
    from reelway.cli.records import with_store
    from reelway.settings import load_settings

    found = with_store(load_settings(config=config, data_dir=data_dir), lambda store: store.nodes(time.time()))
    if as_json:
        emit({"data": [_described(node) for node in found]})
        return
    head = ("NODE", "EPOCH", "ROLE", "STATE", "LEASE", "JOBS", "VERSION", "HOST", "PROCESS", "STARTED")
    table(
        head,
        [
            (
                node.name,
                str(node.epoch),
                node.facts.role,
                _state(node),
                f"{node.seconds_left:.1f} s",
                str(node.jobs),
                node.facts.version or "-",
                node.facts.host or "-",
                str(node.facts.process_id or "-"),
                moment(node.facts.started_at or None),
            )
            for node in found
        ],
    )


def drain(
    node: Annotated[
        str | None, typer.Argument(help="The node, as `reelway nodes` names it.", show_default=False)
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Every node: nothing is made until one is started.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0, help="How many seconds to wait until it holds nothing.")
    ] = 60.0,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Have a server hand its work over to the others: it takes no new videos, goes on answering, and may then be ended.

    SIGTERM does the same and then ends it. A server that was drained takes work again when it is started anew.
    """
    from reelway.cli.records import with_store
    from reelway.settings import load_settings

    if (node is None) != everyone:
        raise CommandFailed("name one node, or say --all; `reelway nodes` lists them.", Exit.INVALID)
    asked, left = with_store(
        load_settings(config=config, data_dir=data_dir), lambda store: _drain(store, node, timeout)
    )
    if not asked:
        raise CommandFailed(
            f"there is no node called {node!r}; `reelway nodes` lists them." if node else "there is no node.",
            Exit.INVALID,
        )
    for name in asked:
        typer.echo(f"{name}: {left[name]} jobs left" if left.get(name) else f"{name}: drained")
    if any(left.values()):
        raise typer.Exit(Exit.TIMED_OUT)


async def _drain(
    store: "JobStore", node: str | None, patience_seconds: float
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Ask, and wait; return who was asked, and how many jobs each holds still."""
    import asyncio

    from reelway.core.nodes import Signal

    asked = await store.ask_to_drain(node, time.time())
    await store.tell(Signal(kind="drain", detail=node or ""))
    end = time.monotonic() + patience_seconds
    while True:
        left = {found.name: found.jobs for found in await store.nodes(time.time()) if found.name in asked}
        if not any(left.values()) or time.monotonic() >= end:
            return asked, left
        await asyncio.sleep(_LOOK_SECONDS)


def _state(node: "Node") -> str:
    if node.seconds_left < 0:
        return "silent"
    return "draining" if node.draining else "working"


def _described(node: "Node") -> dict[str, object]:
    facts = node.facts
    return {
        "node": node.name,
        "epoch": node.epoch,
        "role": facts.role,
        "state": _state(node),
        "lease_seconds_left": round(node.seconds_left, 3),
        "jobs": node.jobs,
        "version": facts.version,
        "host": facts.host,
        "process_id": facts.process_id,
        "started_at": facts.started_at,
    }

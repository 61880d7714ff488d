"""`reelway submits`: submits whose outcome nobody knows, and what became of them. Directly in the database, as `reelway keys`."""

import getpass
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from pathlib import Path

    from reelway.core.submits import Verdict
    from reelway.service.submits import Submits

__all__ = ["app"]

app = typer.Typer(
    help="List submits whose outcome nobody knows, and settle them.", no_args_is_help=True, rich_markup_mode=None
)

Found = TypeVar("Found")
_Video = Annotated[str, typer.Argument(metavar="VIDEO", help="The id of a video, as `reelway submits list` shows it.")]


@app.command("list")
def list_submits(data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """List them: those that are still looked up, then those whose video failed and that nobody settled."""
    from reelway.api.admin import submit_view
    from reelway.cli.output import emit, moment, table
    from reelway.core.money import to_text

    found = _with_submits(config, data_dir, lambda submits: submits.lost(1000))
    if as_json:
        emit({"object": "list", "data": [submit_view(one) for one in found]})
        return
    head = ("VIDEO", "STATE", "ACCOUNT", "MODEL", "SENT", "QUOTED", "REFERENCE")
    table(
        head,
        [
            (
                one.video,
                one.state,
                one.account or "-",
                one.model or "-",
                moment(one.attempts[-1].started_at if one.attempts else None),
                to_text(one.reserved),
                one.attempts[-1].reference if one.attempts else "-",
            )
            for one in found
        ],
    )


@app.command("show")
def show_submit(video: _Video, data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """Show the journal of one, and what to search for at the vendor's console."""
    from reelway.api.admin import submit_view
    from reelway.cli.output import emit

    found = _with_submits(config, data_dir, lambda submits: submits.show(video))
    shown = submit_view(found)
    if as_json:
        emit(shown)
        return
    for line in _story(shown):
        typer.echo(line)


@app.command("settle")
def settle_submit(
    video: _Video,
    made: Annotated[
        str | None,
        typer.Option("--made", metavar="ID", help="The vendor made it, under this id.", show_default=False),
    ] = None,
    not_made: Annotated[bool, typer.Option("--not-made", help="It never arrived, and cost nothing.")] = False,
    charged: Annotated[
        str | None,
        typer.Option(
            "--charged",
            metavar="DOLLARS",
            help="It cost this much, and there is nothing to fetch; with --made, what it really cost.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Say what became of one.

    While a video is still looked up, its server adopts what you name (once the vendor shows it), sends it again after --not-made,
    and ends it after --charged. A video that has failed stays failed, and its caller pays nothing: then it is only written down
    what it cost you.
    """
    if not_made == (made is not None or charged is not None):
        raise CommandFailed(
            "say --made ID, --not-made or --charged DOLLARS; a charge may go with --made.", Exit.INVALID
        )
    amount = None if charged is None else _micros(charged)
    verdict: Verdict = "not_made" if not_made else "charged" if made is None else "made"
    by = f"{getpass.getuser()} on this machine"
    outcome = _with_submits(
        config,
        data_dir,
        lambda submits: submits.settle(video, verdict, by=by, key=made or "", amount=amount),
    )
    typer.echo(f"{video}: {outcome}")


def _with_submits(
    config: "Path | None", data_dir: "Path | None", use: "Callable[[Submits], Awaitable[Found]]"
) -> Found:
    from reelway.cli.records import with_store
    from reelway.core.errors import CallerError
    from reelway.service.submits import Submits
    from reelway.settings import load_settings

    settings = load_settings(config=config, data_dir=data_dir)
    try:
        return with_store(settings, lambda store: use(Submits(store, time.time)))
    except CallerError as error:
        raise CommandFailed(error.message, Exit.INVALID, code=error.code, param=error.param) from error


def _micros(text: str) -> int:
    from reelway.core.money import from_decimal

    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0 or amount > 1_000_000:
        raise CommandFailed(f"--charged is an amount in dollars, such as 0.40 (got {text!r}).", Exit.INVALID)
    return from_decimal(amount)


def _story(shown: dict[str, Any]) -> list[str]:
    from reelway.cli.output import moment

    lines = [
        f"{shown['video']}: {shown['state']}, tenant {shown['tenant']}, {shown['model'] or 'model unknown'}",
        f"  quoted at {shown['quoted']} dollars",
    ]
    for attempt in shown["attempts"]:
        lines += [
            f"  attempt {attempt['number']} at {attempt['account']}: {attempt['outcome']}",
            f"    sent       {moment(attempt['started_at'])}",
            f"    given up   {moment(attempt['ended_at'])}",
            f"    looked up  {attempt['lookups']} time(s) and not found",
            f"    search for {attempt['reference']} (our mark, where the vendor keeps one), else by the time it was sent",
        ]
        if attempt["heard"]:
            lines.append(f"    called back about {', '.join(attempt['heard'])}")
        if attempt["settled"]:
            settled = attempt["settled"]
            lines.append(f"    settled    {settled['verdict']} for {settled['amount']} dollars, says {settled['by']}")
    if shown["said"]:
        lines.append(f"  said by {shown['said']['by']}: {shown['said']['verdict']} {shown['said']['key']}".rstrip())
    return lines

"""`reelway doctor`: does this machine have what a server needs, and if not, what to do about it."""

import typer

from reelway.cli.exits import Exit
from reelway.cli.options import Config, DataDir, Json

__all__ = ["doctor"]

_MARKS = {"good": "ok", "warning": "note", "bad": "FAIL"}


def doctor(data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """Check whether this machine has what a server needs.

    Looks at Python, folders, disk, database, port, vendors, clock and codecs. Changes nothing and spends nothing.
    """
    from reelway.cli.checkup import check_everything
    from reelway.cli.output import emit, table

    findings = check_everything(config=config, data_dir=data_dir)
    healthy = all(finding.level != "bad" for finding in findings)
    if as_json:
        emit({"healthy": healthy, "findings": [finding._asdict() for finding in findings]})
    else:
        table(("", "WHAT", "FOUND"), [(_MARKS[one.level], one.subject, one.found) for one in findings])
        for one in findings:
            if one.remedy:
                typer.echo(f"\n{one.subject}: {one.remedy}")
    if not healthy:
        raise typer.Exit(Exit.FAILED)

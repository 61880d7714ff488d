"""`reelway db`: upgrade, check and back up the database, with or without a server running."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from reelway.settings import Settings

__all__ = ["app", "database_file"]

app = typer.Typer(help="Upgrade, check and back up the database.", no_args_is_help=True, rich_markup_mode=None)


def database_file(settings: "Settings") -> Path:
    """Return the SQLite file of these settings."""
    parts = urlsplit(settings.database)
    if parts.scheme != "sqlite":
        raise CommandFailed(
            f"REELWAY_DATABASE_URL begins with {parts.scheme!r}; this command works on sqlite:///PATH.", Exit.INVALID
        )
    return Path(unquote(parts.path.removeprefix("/")))


@app.command("upgrade")
def upgrade_database(data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the database to the shape this version needs. `serve` does the same when it starts."""
    from reelway.settings import load_settings
    from reelway.store.admin import upgrade

    file = database_file(load_settings(config=config, data_dir=data_dir))
    typer.echo(f"{file}: has revision {upgrade(file)}, as this version needs")


@app.command("check")
def check_database(data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """Read the whole database and report what is wrong: its structure, its references, its ledger."""
    from reelway.cli.output import emit
    from reelway.settings import load_settings
    from reelway.store.admin import check

    report = check(database_file(load_settings(config=config, data_dir=data_dir)))
    if as_json:
        emit({"path": report.path, "revision": report.revision, "counts": report.counts, "problems": report.problems})
    else:
        typer.echo(f"{report.path}: revision {report.revision}")
        for kind, count in report.counts.items():
            typer.echo(f"  {kind:12} {count}")
        for problem in report.problems:
            typer.echo(f"  problem: {problem}")
        typer.echo("  no problems" if report.is_sound else f"  {len(report.problems)} problem(s)")
    if not report.is_sound:
        raise typer.Exit(Exit.FAILED)


@app.command("backup")
def back_up_database(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist yet.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Copy the database as of this moment, also while a server runs. Videos lie beside it, in the assets folder."""
    from reelway.settings import load_settings
    from reelway.store.admin import backup

    settings = load_settings(config=config, data_dir=data_dir)
    written = backup(database_file(settings), target.expanduser().absolute())
    typer.echo(f"{written}: {written.stat().st_size / 1_000_000:.1f} MB")

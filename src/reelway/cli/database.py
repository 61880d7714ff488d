"""`reelway db`: upgrade, check, back up and move the database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer

from reelway.cli.errands import given_up_errands
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Config, DataDir, Json
from reelway.cli.records import finish

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from reelway.settings import Settings
    from reelway.store.admin import CheckReport
    from reelway.store.moving import Figures, Place

__all__ = ["app", "database_file", "is_postgres", "place_of_database"]

app = typer.Typer(help="Upgrade, check, back up and move the database.", no_args_is_help=True, rich_markup_mode=None)


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

    settings = load_settings(config=config, data_dir=data_dir)
    if is_postgres(settings):
        from reelway.store.postgres import administration

        revision = finish(administration.upgrade(settings.database))
    else:
        from reelway.store.admin import upgrade

        revision = upgrade(database_file(settings))
    typer.echo(f"{place_of_database(settings)}: has revision {revision}, as this version needs")


@app.command("downgrade")
def downgrade_database(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="The shape that the older version needs.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Bring the database back to the shape of an older version, before that version is started again. Stop all servers first."""
    from reelway.settings import load_settings

    settings = load_settings(config=config, data_dir=data_dir)
    if is_postgres(settings):
        from reelway.store.postgres import administration

        finish(administration.downgrade(settings.database, revision))
    else:
        from reelway.store.admin import downgrade

        downgrade(database_file(settings), revision)
    typer.echo(f"{place_of_database(settings)}: has revision {revision}")


@app.command("check")
def check_database(data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """Read the whole database and report what is wrong: its structure, its references, its ledger."""
    from reelway.cli.output import emit
    from reelway.settings import load_settings

    report = _check(load_settings(config=config, data_dir=data_dir))
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
    """Copy the database as of this moment, also while a server runs. Videos lie beside it, in the assets folder.

    For SQLite; PostgreSQL comes with `pg_dump` and `pg_basebackup`.
    """
    from reelway.settings import load_settings
    from reelway.store.admin import backup

    settings = load_settings(config=config, data_dir=data_dir)
    if is_postgres(settings):
        raise CommandFailed("PostgreSQL is backed up with its own pg_dump or pg_basebackup.", Exit.INVALID)
    written = backup(database_file(settings), target.expanduser().absolute())
    typer.echo(f"{written}: {written.stat().st_size / 1_000_000:.1f} MB")


@app.command("export")
def export_database(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist yet.")],
    while_running: Annotated[
        bool, typer.Option("--while-running", help="Also when a server works with it: as of this moment.")
    ] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write every record to one file, from which `db import` fills another database. Videos are not in it.

    Stop the servers first, else what they write from then on is missing.
    """
    from reelway.settings import load_settings
    from reelway.store.moving import export_to

    settings = load_settings(config=config, data_dir=data_dir)
    file = target.expanduser().absolute()

    async def export() -> "Figures":
        async with _source(settings) as source:
            return await export_to(file, source, while_running=while_running)

    _tell(f"{place_of_database(settings)} to {file}", finish(export()))


@app.command("import")
def import_database(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `db export` wrote.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Fill an empty database of either kind from an export, read it back and compare. It is kept whole or not at all."""
    from reelway.settings import load_settings
    from reelway.store.moving import import_from

    settings = load_settings(config=config, data_dir=data_dir)
    file = source.expanduser().absolute()

    async def fill() -> "Figures":
        async with _target(settings) as target:
            return await import_from(file, target)

    _tell(f"{file} to {place_of_database(settings)}", finish(fill()))


app.command("errands")(given_up_errands)


def _tell(what: str, figures: "Figures") -> None:
    typer.echo(what)
    for table, count in figures.counts.items():
        typer.echo(f"  {table:12} {count:>10,}  {figures.hashes[table][:16]}")


def _check(settings: "Settings") -> "CheckReport":
    if is_postgres(settings):
        from reelway.store.postgres import administration

        return finish(administration.check(settings.database))
    from reelway.store.admin import check

    return check(database_file(settings))


def _source(settings: "Settings") -> "AbstractAsyncContextManager[Place]":
    if is_postgres(settings):
        from reelway.store.postgres.administration import postgres_source

        return postgres_source(settings.database)
    from reelway.store.moving_sqlite import sqlite_source

    return sqlite_source(database_file(settings))


def _target(settings: "Settings") -> "AbstractAsyncContextManager[Place]":
    if is_postgres(settings):
        from reelway.store.postgres.administration import postgres_target

        return postgres_target(settings.database)
    from reelway.store.moving_sqlite import sqlite_target

    return sqlite_target(database_file(settings))


def is_postgres(settings: "Settings") -> bool:
    return urlsplit(settings.database).scheme in {"postgresql", "postgres"}


def place_of_database(settings: "Settings") -> str:
    """Return the address of the database, without a password."""
    if not is_postgres(settings):
        return str(database_file(settings))
    from reelway.store.postgres.connections import place_of

    return place_of(settings.database)

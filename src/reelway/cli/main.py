"""The `reelway` command. Nothing heavy is imported before a command runs, so that `--help` answers at once."""

import sys
from typing import Annotated

import typer

from reelway import __version__
from reelway.cli.create import create
from reelway.cli.database import app as database
from reelway.cli.demo import demo
from reelway.cli.doctor import doctor
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.keys import app as keys
from reelway.cli.models import models
from reelway.cli.nodes import drain, nodes
from reelway.cli.server import sandbox, serve
from reelway.cli.submits import app as submits
from reelway.cli.videos import app as videos

__all__ = ["app", "main"]

app = typer.Typer(
    name="reelway",
    help="One API for every video model: run the gateway, make videos, look after both.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(demo)
app.command()(create)
app.add_typer(videos, name="videos")
app.command()(models)
app.add_typer(keys, name="keys")
app.add_typer(submits, name="submits")
app.command()(sandbox)
app.command()(nodes)
app.command()(drain)
app.command()(doctor)
app.add_typer(database, name="db")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelway {__version__}")
        raise typer.Exit


@app.callback()
def reelway(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """One API for every video model: run the gateway, make videos, look after both."""


def main() -> None:
    """Run the command; every way it can end is in `reelway.cli.exits`."""
    try:
        app()
    except CommandFailed as failed:
        _end(failed)
    except Exception as error:
        from reelway.core.errors import ReelwayError

        if not isinstance(error, ReelwayError):
            raise
        # What is wrong in settings and model cards goes by its name; all else that is raised on purpose is about this machine.
        invalid = type(error).__name__ in {"CatalogInvalid", "SettingsInvalid"}
        _end(CommandFailed(str(error), Exit.INVALID if invalid else Exit.MACHINE))


def _end(failed: CommandFailed) -> None:
    if "--json" in sys.argv:
        from reelway.cli.output import emit

        emit({"error": {"message": failed.message, "code": failed.code, "param": failed.param}})
    typer.echo(f"Error: {failed.message}", err=True)
    sys.exit(failed.exit_code)


if __name__ == "__main__":
    main()

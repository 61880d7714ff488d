"""Options that several commands share, declared once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ApiKey", "Config", "DataDir", "Force", "Json", "Timeout", "Url"]

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="REELWAY_URL",
        help="Server to talk to. Without it, one is started for this command on your data folder, and ended after it.",
    ),
]
ApiKey = Annotated[
    str | None, typer.Option("--key", envvar="REELWAY_API_KEY", help="API key for the server.", show_default=False)
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data folder, instead of REELWAY_DATA_DIR.", show_default=False),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file, instead of REELWAY_CONFIG.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=0.1, help="Stop waiting after this many seconds; the video goes on.", show_default=False
    ),
]

"""How commands end: one table of exit codes, used by the code and drawn into the docs."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

__all__ = ["EXIT_MEANINGS", "CommandFailed", "Exit", "exit_for_status"]


class Exit(IntEnum):
    """What the shell sees in `$?`."""

    DONE = 0
    FAILED = 1
    INVALID = 2
    NOT_ALLOWED = 3
    UNREACHABLE = 4
    TIMED_OUT = 5
    LIMITED = 6
    MACHINE = 7
    INTERRUPTED = 130


EXIT_MEANINGS: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.DONE: "Done.",
        Exit.FAILED: "The video failed or was cancelled, or `doctor` or `db check` found a problem.",
        Exit.INVALID: "Wrong usage, settings or request: nothing was created or charged. Also: no such video.",
        Exit.NOT_ALLOWED: "No key, an unknown key, or a key without the right to do this.",
        Exit.UNREACHABLE: "No server answered, or it answered with an error of its own.",
        Exit.TIMED_OUT: "The time limit passed; what was waited for goes on: `reelway videos wait ID` picks a video up again.",
        Exit.LIMITED: "Out of budget, too many requests, or no vendor account can take it now: try again later.",
        Exit.MACHINE: "Something on this machine: port in use, folder not usable, disk full, database of a newer version.",
        Exit.INTERRUPTED: "Interrupted with Ctrl-C.",
    }
)

_STATUS_EXITS: Mapping[int, Exit] = MappingProxyType(
    {401: Exit.NOT_ALLOWED, 402: Exit.LIMITED, 403: Exit.NOT_ALLOWED, 429: Exit.LIMITED, 503: Exit.LIMITED}
)


def exit_for_status(status: int) -> Exit:
    """Return how a command ends when the server answers with this HTTP status."""
    return _STATUS_EXITS.get(status, Exit.UNREACHABLE if status >= 500 else Exit.INVALID)


class CommandFailed(Exception):
    """Ends the command: the message goes to standard error, the code to the shell."""

    def __init__(self, message: str, exit_code: Exit, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.code = code
        self.param = param

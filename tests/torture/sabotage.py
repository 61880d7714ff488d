"""Promises a gateway can be made to break, so that the harness can be seen to notice. For tests alone."""

from collections.abc import Callable, Mapping
from typing import Any

from reelway.assets.folder_writer import FolderWriter
from reelway.assets.spec import Stored
from reelway.core.failures import Failure, FailureKind
from reelway.engine.recovering import Recoverer
from reelway.engine.tools import Tools

__all__ = ["SABOTAGES"]


def _forget_the_journal() -> None:
    """Take every attempt whose outcome is not on disk for one that was never sent, and send it again."""

    async def resume(recoverer: Any, watch: Any) -> float | None:
        failure = Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message="surely nothing was sent")
        again: float | None = await recoverer._outcomes.again(watch, "not_sent", failure, rest=0.0)
        return again

    Recoverer.resume = resume  # type: ignore[method-assign]


def _believe_the_first_look() -> None:
    """Take what cannot be found for what never left, though it may still be on its way."""
    Tools.on_its_way = lambda tools, watch: False  # type: ignore[method-assign]


def _keep_other_bytes() -> None:
    """Keep a byte too many of whatever is kept, as a careless resume would."""
    commit = FolderWriter.commit

    async def careless(writer: FolderWriter) -> Stored:
        await writer.write(b"\0")
        return await commit(writer)

    FolderWriter.commit = careless  # type: ignore[method-assign]


SABOTAGES: Mapping[str, Callable[[], None]] = {
    "journal": _forget_the_journal,
    "arrival": _believe_the_first_look,
    "bytes": _keep_other_bytes,
}

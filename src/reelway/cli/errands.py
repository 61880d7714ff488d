"""`reelway db errands`: what was to be done after a record was written, and was given up."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from reelway.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from reelway.core.errands import Errand
    from reelway.store.spec import JobStore

__all__ = ["given_up_errands"]

_MANY = 1000


def given_up_errands(
    again: Annotated[bool, typer.Option("--again", help="Have each of them tried once more, from now on.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List what the servers have given up, the oldest first: copies that a vendor did not delete, say.

    Mend what the last answer names (a key, a bucket's rights), then say --again; a server does it within the minute. What a
    vendor never deletes is yours to delete there: --json shows the vendor's own name of the work.
    """
    import msgspec

    from reelway.cli.output import emit, moment, note, table
    from reelway.cli.records import with_store
    from reelway.settings import load_settings

    async def look(store: "JobStore") -> "tuple[Errand, ...]":
        found = await store.given_up_errands(_MANY)
        if again:
            for errand in found:
                await store.errand_put_off(errand.id, time.time(), errand.tries, errand.last_answer)
        return found

    found = with_store(load_settings(config=config, data_dir=data_dir), look)
    if as_json:
        emit({"data": msgspec.to_builtins(found)})
    elif found:
        rows = [(one.id, str(one.tries), moment(one.created_at), one.last_answer or "-") for one in found]
        table(("ERRAND", "TRIES", "SINCE", "LAST ANSWER"), rows)
    else:
        note("nothing was given up")
    if again and found:
        note(f"{len(found)} to be tried again")

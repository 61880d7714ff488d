"""The records of an installation, opened for one command, whichever database keeps them."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from reelway.settings import Settings
    from reelway.store.spec import JobStore

__all__ = ["finish", "with_store"]

_Found = TypeVar("_Found")


def with_store(settings: "Settings", use: "Callable[[JobStore], Awaitable[_Found]]") -> _Found:
    """Open the database, use it, close it."""
    from reelway.bootstrap.backends import make_store

    async def run() -> _Found:
        store = make_store(settings)
        try:
            await store.open()
            return await use(store)
        finally:
            await store.close()

    return finish(run())


def finish(work: "Coroutine[Any, Any, _Found]") -> _Found:
    """Do something from beginning to end, on an event loop of its own."""
    import asyncio

    return asyncio.run(work)

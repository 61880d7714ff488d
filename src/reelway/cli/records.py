"""The records of an installation, opened for one command, whichever database keeps them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reelway.settings import Settings
    from reelway.store.spec import JobStore

__all__ = ["with_store"]

_Found = TypeVar("_Found")


def with_store(settings: "Settings", use: "Callable[[JobStore], Awaitable[_Found]]") -> _Found:
    """Open the database, use it, close it."""
    import asyncio

    from reelway.bootstrap.backends import make_store

    async def run() -> _Found:
        store = make_store(settings)
        try:
            await store.open()
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(run())

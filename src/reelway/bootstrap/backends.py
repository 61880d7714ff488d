"""Which store keeps the records and which the bytes, by the beginning of their address. A new backend is one line here.

The one rule: what a backend needs is imported when it is chosen, so that nobody waits for a driver that is not used.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from reelway.assets.spec import AssetStore
from reelway.core.errors import StorageFailed
from reelway.settings import Settings
from reelway.store.spec import JobStore

__all__ = ["is_shared", "make_assets", "make_store"]

_Backend = TypeVar("_Backend")


def make_store(settings: Settings) -> JobStore:
    """Return the store of these settings, not opened yet."""
    return _chosen(_STORES, settings.database, "REELWAY_DATABASE_URL", "records in sqlite:///PATH or postgresql://")(
        settings
    )


def make_assets(settings: Settings) -> AssetStore:
    """Return the asset store of these settings, not opened yet."""
    return _chosen(
        _ASSETS, settings.assets, "REELWAY_ASSETS_URL", "files in file:///FOLDER, s3://, gs:// or az://BUCKET"
    )(settings)


def is_shared(settings: Settings) -> bool:
    """Whether several servers may work with these records at once: not with a file, which one of them has to itself."""
    return _scheme(settings.database) != "sqlite"


def _sqlite(settings: Settings) -> JobStore:
    from reelway.store.sqlite import SqliteStore

    return SqliteStore(Path(unquote(urlsplit(settings.database).path.removeprefix("/"))))


def _postgres(settings: Settings) -> JobStore:
    from reelway.store.postgres import PostgresStore

    return PostgresStore(settings.database, connections=settings.database_connections)


def _folder(settings: Settings) -> AssetStore:
    from reelway.assets.folder import FolderAssets

    return FolderAssets(Path(unquote(urlsplit(settings.assets).path)))


def _objects(settings: Settings) -> AssetStore:
    from reelway.assets.objects import ObjectAssets

    return ObjectAssets(settings.assets, settings.data_dir / "scratch")


_STORES: Mapping[str, Callable[[Settings], JobStore]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
}
_ASSETS: Mapping[str, Callable[[Settings], AssetStore]] = {
    "file": _folder,
    "s3": _objects,
    "gs": _objects,
    "az": _objects,
}


def _chosen(
    known: Mapping[str, Callable[[Settings], _Backend]], url: str, name: str, instead: str
) -> Callable[[Settings], _Backend]:
    make = known.get(_scheme(url))
    if make is None:
        raise StorageFailed(f"{name} begins with {_scheme(url)!r}; this version keeps its {instead}")
    return make


def _scheme(url: str) -> str:
    return urlsplit(url).scheme

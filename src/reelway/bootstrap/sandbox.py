"""The make-believe vendor: within a server, below `/sandbox`, or as a server of its own."""

import time
from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from reelway.accounts.keys import KeyRing
from reelway.bootstrap.folder import make_folder
from reelway.catalog.catalog import Catalog
from reelway.core.errors import CallerError
from reelway.media.worker import ProcessMediaWorker
from reelway.sandbox.app import Sandbox, SandboxSettings, make_sandbox
from reelway.sandbox.server import run_sandbox
from reelway.settings import Settings
from reelway.telemetry import configure_logging

__all__ = ["SANDBOX_PATH", "embedded_sandbox", "serve_sandbox", "with_sandbox"]

SANDBOX_PATH = "/sandbox"


def serve_sandbox(settings: Settings, *, keys: frozenset[str], ready: Callable[[], None]) -> None:
    """Run the make-believe vendor alone until SIGTERM or SIGINT; without keys, any key will do."""
    configure_logging(level=settings.log_level, as_json=settings.log_json)
    make_folder(settings.data_dir)
    run_sandbox(
        settings.host,
        settings.port,
        settings.data_dir / "sandbox",
        keys=keys or None,
        settings=_sandbox_settings(settings).evolve(public_url=settings.public_url),
        processes=settings.media_processes,
        ready=ready,
    )


def embedded_sandbox(
    settings: Settings, media: ProcessMediaWorker, catalog: Catalog, keys: KeyRing, sandbox_key: str
) -> Sandbox:
    """Return the one within a server, not opened yet."""
    return make_sandbox(
        settings.data_dir / "sandbox",
        media,
        keys=frozenset({sandbox_key}),
        admits=partial(_is_admins, keys),
        settings=_sandbox_settings(settings).evolve(prefix=SANDBOX_PATH),
        catalog=catalog,
    )


def with_sandbox(app: ASGIApp, sandbox: ASGIApp) -> ASGIApp:
    """Return an app that hands everything below `/sandbox` to the make-believe vendor."""

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(SANDBOX_PATH + "/"):
            await sandbox({**scope, "path": path[len(SANDBOX_PATH) :]}, receive, send)
        else:
            await app(scope, receive, send)

    return both


async def _is_admins(keys: KeyRing, key: str) -> bool:
    """Tell whether a key of this server opens its sandbox too: an admin's does, since everybody's videos lie together there."""
    try:
        return (await keys.authenticate(key, time.time())).is_admin
    except CallerError:
        return False


def _sandbox_settings(settings: Settings) -> SandboxSettings:
    return SandboxSettings(
        draft=settings.sandbox_draft,
        stock=settings.sandbox_stock,
        log=settings.sandbox_log,
        faults=settings.sandbox_directives,
        fetch_urls=settings.sandbox_fetch_urls,
        allowed_hosts=frozenset(settings.private_hosts),
        link_seconds=settings.sandbox_link_seconds,
        strict=settings.sandbox_strict,
        upload_bytes=settings.max_upload_bytes,
    )

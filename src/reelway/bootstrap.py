"""Puts the parts together: the only module that knows which store, which assets and which vendors there are."""

import asyncio
import fcntl
import os
import random
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from reelway.accounts.keys import KeyRing
from reelway.api.app import make_app
from reelway.api.document import document_of
from reelway.assets.folder import FolderAssets
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import DEFAULT_RATES
from reelway.core.disk import disk_failed
from reelway.core.errors import CallerError, StorageFailed
from reelway.core.ids import ENTROPY_BYTES, make_id
from reelway.dialects.registry import make_dialects
from reelway.engine.account import Account
from reelway.engine.driver import Driver
from reelway.engine.fetcher import Fetcher
from reelway.engine.router import Router
from reelway.engine.runtime import Engine
from reelway.engine.tools import EngineLimits, Tools
from reelway.engine.transport import TimeLimits, Transport
from reelway.media.worker import ProcessMediaWorker
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.serving import Listener
from reelway.sandbox.app import SandboxSettings, make_sandbox
from reelway.sandbox.server import run_sandbox
from reelway.service import Service, ServiceLimits
from reelway.service.contents import ContentKeeper
from reelway.service.files import FileKeeper
from reelway.service.inputs import INPUT_PREFIX, InputKeeper
from reelway.service.telling import callback_words
from reelway.service.views import view
from reelway.settings import Settings, all_accounts
from reelway.store.sqlite import SqliteStore
from reelway.telemetry import configure_logging, logger
from reelway.vendors.registry import adapters
from reelway.vendors.spec import Credential
from reelway.web.pages import page_routes
from reelway.webhooks.delivery import Deliverer
from reelway.webhooks.tenants import TenantSecrets

__all__ = ["Server", "serve", "serve_sandbox"]

_log = logger("bootstrap")
_SANDBOX_PATH = "/sandbox"
_NODE = "local"
"""SQLite is one machine's store, held by one server at a time: whoever holds the lock is this node."""


class Server:
    """One server with everything in it: `open`, `run` until told to stop, `close`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.first_key: str | None = None
        """The key made at the very first start; shown once, stored as a hash only."""
        self.sandbox_on = False
        self._lock: IO[str] | None = None
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._listener = Listener(settings.host, settings.port)
        self._media = ProcessMediaWorker(settings.media_processes)
        self._app: ASGIApp | None = None

    async def open(self) -> None:
        """Open the stores, take the lease, and begin to work. Raises `GatewayError` with what to do."""
        settings = self.settings
        _make_folder(settings.data_dir)
        self._lock = _take_lock(settings.data_dir / "reelway.lock")
        store = SqliteStore(_sqlite_path(settings.database))
        await store.open()
        self._closers.append(store.close)
        assets = FolderAssets(_folder_path(settings.assets))
        await assets.open()
        self._closers.append(assets.close)
        media = self._media
        self._closers.append(media.close)

        keys = KeyRing(store, fixed_key=settings.api_key.get_secret_value() if settings.api_key else None)
        if settings.api_key is None:
            self.first_key = await keys.ensure_first_key(time.time())
        sandbox_key = await store.set_fact("sandbox_key", secrets.token_urlsafe(24))
        link_secret = await store.set_fact("link_secret", secrets.token_hex(32))

        accounts = self._accounts(sandbox_key)
        known_adapters = adapters()
        catalog = load_catalog(extra_cards=settings.models, aliases=settings.aliases)
        router = Router(catalog, accounts, known_adapters, can_link=settings.public_url is not None)
        files = FileKeeper(
            assets,
            link_secret.encode(),
            public_url=settings.public_url,
            link_seconds=(settings.file_link_hours or settings.input_retention_hours) * 3_600,
            clock=time.time,
        )
        transport = Transport(assets, _time_limits(settings), files.link)
        self._closers.append(transport.close)
        private_hosts = frozenset(settings.private_hosts)
        fetcher = Fetcher(assets, _input_key, limit_bytes=settings.max_upload_bytes, allowed_hosts=private_hosts)
        self._closers.append(fetcher.close)
        tools = Tools(
            store=store,
            assets=assets,
            media=media,
            driver=Driver(transport, time.time),
            router=router,
            fetcher=fetcher,
            adapters=known_adapters,
            cards=catalog.resolved_card,
            limits=_engine_limits(settings),
            clock=time.time,
            random=random.random,
            token=lambda: secrets.token_hex(16),
            checkpoint=_checkpoint(),
            public_url=settings.public_url,
            rates=settings.rates,
        )
        deliverer = Deliverer(
            store, TenantSecrets(store).secret, clock=time.time, random=random.random, allowed_hosts=private_hosts
        )
        tools.message_written = deliverer.nudge
        engine = Engine(tools, _NODE)
        contents = ContentKeeper(assets, link_secret.encode(), settings.public_url or settings.address)
        service = Service(
            store=store,
            assets=assets,
            inputs=InputKeeper(
                store=store,
                assets=assets,
                media=media,
                new_key=_input_key,
                limit_bytes=settings.max_upload_bytes,
                allowed_hosts=private_hosts,
            ),
            contents=contents,
            files=files,
            engine=engine,
            router=router,
            catalog=catalog,
            keys=keys,
            rates={**DEFAULT_RATES, **settings.rates},
            limits=ServiceLimits(b64_json_bytes=settings.b64_json_limit_bytes),
            clock=time.time,
            new_id=_video_id,
        )
        tools.words = callback_words(
            make_dialects(timestamps=settings.timestamps),
            lambda job, caller: view(job, caller, engine, contents, time.time()),
        )
        document = document_of(service)
        app = make_app(
            service,
            timestamps=settings.timestamps,
            limits=_body_limits(settings),
            document=document,
            more_routes=page_routes(document),
        )
        if self.sandbox_on:
            sandbox = make_sandbox(
                settings.data_dir / "sandbox",
                media,
                keys=frozenset({sandbox_key}),
                admits=partial(_is_admins, keys),
                settings=_sandbox_settings(settings).evolve(prefix=_SANDBOX_PATH),
                catalog=catalog,
            )
            self._closers.append(sandbox.close)
            await sandbox.open()
            app = _with_sandbox(app, sandbox)
        self._app = app
        deliverer.start()
        self._closers.append(deliverer.stop)
        await engine.start()
        self._closers.append(engine.stop)

    async def run(self, ready: Callable[[], None]) -> None:
        """Answer requests until SIGTERM or SIGINT."""
        if self._app is None:
            raise AssertionError("open the server before it runs")
        warming: list[asyncio.Task[None]] = []

        def started() -> None:
            warming.append(asyncio.create_task(self._media.warm_up()))
            ready()

        try:
            await self._listener.run(self._app, started)
        finally:
            for task in warming:
                task.cancel()
            await asyncio.gather(*warming, return_exceptions=True)

    async def close(self) -> None:
        """Hand everything back, newest first."""
        for closer in reversed(self._closers):
            await closer()
        self._closers.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _accounts(self, sandbox_key: str) -> tuple[Account, ...]:
        settings = self.settings
        configured = [
            Account(
                name=given.name,
                vendor=given.vendor,
                base_url=given.base_url,
                service=given.service,
                credential=Credential(values=given.credential()),
                models=given.models,
                weight=given.weight,
                priority=given.priority,
                max_in_flight=given.max_in_flight,
                settings=given.settings,
                submit_policy=given.submit_policy or settings.submit_policy.get(given.vendor, "fail"),
                private_network=given.private_network,
            )
            for given in all_accounts(settings)
        ]
        for account in configured:
            if account.vendor not in adapters():
                _log.warning("vendor_not_served", account=account.name, vendor=account.vendor)
        self.sandbox_on = settings.sandbox == "on" or (settings.sandbox == "auto" and not configured)
        if not self.sandbox_on:
            return tuple(configured)
        sandbox = Account(
            name="sandbox",
            vendor="openai_videos",
            service="sandbox",
            base_url=f"{settings.address}{_SANDBOX_PATH}/v1",
            credential=Credential(values={"api_key": sandbox_key}),
            priority=1_000,
            sandbox=True,
        )
        return (*configured, sandbox)


def serve(settings: Settings, *, ready: Callable[[Server], None]) -> None:
    """Run a server until SIGTERM or SIGINT. Raises `GatewayError` when it cannot start."""
    configure_logging(level=settings.log_level, as_json=settings.log_json)

    async def main() -> None:
        server = Server(settings)
        try:
            await server.open()
            await server.run(lambda: ready(server))
        finally:
            await server.close()

    asyncio.run(main())


def serve_sandbox(settings: Settings, *, keys: frozenset[str], ready: Callable[[], None]) -> None:
    """Run the make-believe vendor alone until SIGTERM or SIGINT; without keys, any key will do."""
    configure_logging(level=settings.log_level, as_json=settings.log_json)
    _make_folder(settings.data_dir)
    run_sandbox(
        settings.host,
        settings.port,
        settings.data_dir / "sandbox",
        keys=keys or None,
        settings=_sandbox_settings(settings).evolve(public_url=settings.public_url),
        processes=settings.media_processes,
        ready=ready,
    )


def _with_sandbox(app: ASGIApp, sandbox: ASGIApp) -> ASGIApp:
    """Return an app that hands everything below `/sandbox` to the make-believe vendor."""

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(_SANDBOX_PATH + "/"):
            await sandbox({**scope, "path": path[len(_SANDBOX_PATH) :]}, receive, send)
        else:
            await app(scope, receive, send)

    return both


def _checkpoint() -> Callable[[str], None]:
    """Return what the engine calls at its named points: nothing, or sudden death at the one a test has chosen."""
    chosen = os.environ.get("REELWAY_DIE_AT")
    if not chosen:
        return lambda point: None

    def die(point: str) -> None:
        if point == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


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


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(
        body_bytes=settings.max_body_bytes, file_bytes=settings.max_upload_bytes, text_bytes=settings.max_json_bytes
    )


def _engine_limits(settings: Settings) -> EngineLimits:
    return EngineLimits(
        lease_seconds=settings.lease_seconds,
        shortest_poll_seconds=settings.poll_shortest_seconds,
        longest_poll_seconds=settings.poll_longest_seconds,
        lookup_pause_seconds=settings.lookup_seconds,
        callback_wait_seconds=settings.callback_wait_seconds,
        output_bytes=settings.max_output_bytes,
        retention_seconds=settings.retention_days * 86_400,
        input_retention_seconds=settings.input_retention_hours * 3_600,
    )


def _time_limits(settings: Settings) -> TimeLimits:
    return TimeLimits(
        connect=settings.connect_seconds,
        read=settings.read_seconds,
        total=settings.request_seconds,
        download_total=settings.download_seconds,
    )


def _video_id() -> str:
    return make_id("video", time.time(), os.urandom(ENTROPY_BYTES))


def _input_key() -> str:
    return f"{INPUT_PREFIX}{make_id('input', time.time(), os.urandom(ENTROPY_BYTES))}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StorageFailed(
            f"the data folder {folder} cannot be used: {error.strerror or error}. "
            "Choose another one with REELWAY_DATA_DIR, or make this one writable."
        ) from error


def _take_lock(path: Path) -> IO[str]:
    """Hold the data folder for this server alone."""
    try:
        file = path.open("a+")
    except OSError as error:
        raise disk_failed(error, str(path)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StorageFailed(
            f"another server works with the data folder {path.parent}. Stop it, or choose another REELWAY_DATA_DIR."
        ) from None
    return file


def _sqlite_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise StorageFailed(
            f"REELWAY_DATABASE_URL begins with {parts.scheme!r}; this version keeps its records in sqlite:///PATH"
        )
    return Path(unquote(parts.path.removeprefix("/")))


def _folder_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise StorageFailed(
            f"REELWAY_ASSETS_URL begins with {parts.scheme!r}; this version keeps its files in file:///FOLDER"
        )
    return Path(unquote(parts.path))

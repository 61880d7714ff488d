"""One server with everything in it: opened part by part, closed in the opposite order."""

import asyncio
import os
import random
import secrets
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from typing import IO

from starlette.types import ASGIApp

from reelway import __version__
from reelway.accounts.keys import KeyRing
from reelway.api.app import make_app, make_worker_app
from reelway.api.document import document_of
from reelway.bootstrap.accounts import configured_accounts, sandbox_account, sandbox_is_on
from reelway.bootstrap.backends import is_shared, make_assets, make_store
from reelway.bootstrap.folder import make_folder, take_lock
from reelway.bootstrap.limits import body_limits, engine_limits, service_limits, time_limits
from reelway.bootstrap.sandbox import embedded_sandbox, with_sandbox
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import DEFAULT_RATES
from reelway.core.ids import ENTROPY_BYTES, make_id
from reelway.core.nodes import NodeFacts
from reelway.dialects.registry import make_dialects
from reelway.engine.clock import FleetClock
from reelway.engine.driver import Driver
from reelway.engine.fetcher import Fetcher
from reelway.engine.router import Router
from reelway.engine.runtime import Engine
from reelway.engine.tools import Tools
from reelway.engine.transport import Transport
from reelway.media.worker import ProcessMediaWorker
from reelway.mounting.serving import Listener, closing
from reelway.service import Service
from reelway.service.characters import CharacterKeeper
from reelway.service.contents import ContentKeeper
from reelway.service.files import FileKeeper
from reelway.service.inputs import INPUT_PREFIX, InputKeeper
from reelway.service.telling import callback_words
from reelway.service.views import view
from reelway.settings import Settings
from reelway.telemetry import configure_logging
from reelway.vendors.registry import adapters
from reelway.web.pages import page_routes
from reelway.webhooks.delivery import Deliverer
from reelway.webhooks.tenants import TenantSecrets

__all__ = ["Server", "serve"]

_ONLY_NODE = "local"
"""A file is one machine's store, held by one server at a time: whoever holds the lock is this node."""


class Server:
    """One server with everything in it: `open`, `run` until told to stop, `close`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.first_key: str | None = None
        """The key made at the very first start; shown once, stored as a hash only."""
        self.sandbox_on = False
        self._lock: IO[str] | None = None
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self.node = f"{socket.gethostname()}-{secrets.token_hex(4)}" if is_shared(settings) else _ONLY_NODE
        self._leaving: asyncio.Task[None] | None = None
        self._engine: Engine | None = None
        self._listener = Listener(settings.host, settings.port)
        self._media = ProcessMediaWorker(settings.media_processes)
        self._app: ASGIApp | None = None

    async def open(self) -> None:
        """Open the stores, take the lease, and begin to work. Raises `GatewayError` with what to do."""
        settings = self.settings
        make_folder(settings.data_dir)
        if not is_shared(settings):
            self._lock = take_lock(settings.data_dir / "reelway.lock")
        store = make_store(settings)
        await store.open()
        self._closers.append(store.close)
        assets = make_assets(settings)
        await assets.open()
        self._closers.append(assets.close)
        media = self._media
        self._closers.append(media.close)

        clock = FleetClock(time.time)
        keys = KeyRing(store, fixed_key=settings.api_key.get_secret_value() if settings.api_key else None)
        if settings.api_key is None:
            self.first_key = await keys.ensure_first_key(clock())
        sandbox_key = await store.set_fact("sandbox_key", secrets.token_urlsafe(24))
        link_secret = await store.set_fact("link_secret", secrets.token_hex(32))

        catalog = load_catalog(extra_cards=settings.models, aliases=settings.aliases)
        accounts = configured_accounts(settings, catalog)
        self.sandbox_on = sandbox_is_on(settings, accounts)
        if self.sandbox_on:
            accounts = (*accounts, sandbox_account(settings, sandbox_key))
        known_adapters = adapters()
        router = Router(catalog, accounts, known_adapters, can_link=settings.public_url is not None)
        files = FileKeeper(
            assets,
            link_secret.encode(),
            public_url=settings.public_url,
            link_seconds=(settings.file_link_hours or settings.input_retention_hours) * 3_600,
            clock=clock,
        )
        transport = Transport(assets, time_limits(settings), files.link)
        self._closers.append(transport.close)
        private_hosts = frozenset(settings.private_hosts)
        fetcher = Fetcher(assets, _input_key, limit_bytes=settings.max_upload_bytes, allowed_hosts=private_hosts)
        self._closers.append(fetcher.close)
        tools = Tools(
            store=store,
            assets=assets,
            media=media,
            driver=Driver(transport, clock),
            router=router,
            fetcher=fetcher,
            adapters=known_adapters,
            cards=catalog.resolved_card,
            limits=engine_limits(settings),
            clock=clock,
            monotonic=_monotonic,
            random=random.random,
            token=lambda: secrets.token_hex(16),
            checkpoint=_checkpoint(),
            public_url=settings.public_url,
            rates=settings.rates,
            weights={name: tenant.weight for name, tenant in settings.tenants.items()},
        )
        deliverer = Deliverer(
            store, TenantSecrets(store).secret, clock=clock, random=random.random, allowed_hosts=private_hosts
        )
        tools.message_written = deliverer.nudge
        tools.set_clock = clock.follow
        engine = Engine(tools, self.node, self._facts())
        contents = ContentKeeper(assets, link_secret.encode(), settings.public_url or settings.address)
        inputs = InputKeeper(
            store=store,
            assets=assets,
            media=media,
            new_key=_input_key,
            limit_bytes=settings.max_upload_bytes,
            allowed_hosts=private_hosts,
        )
        service = Service(
            store=store,
            assets=assets,
            inputs=inputs,
            contents=contents,
            files=files,
            characters=CharacterKeeper(
                store=store,
                assets=assets,
                inputs=inputs,
                fetcher=fetcher,
                media=media,
                catalog=catalog,
                clock=clock,
                new_id=lambda: make_id("char", clock(), os.urandom(ENTROPY_BYTES)),
                limit_bytes=settings.max_upload_bytes,
            ),
            engine=engine,
            router=router,
            catalog=catalog,
            keys=keys,
            rates={**DEFAULT_RATES, **settings.rates},
            limits=service_limits(settings),
            clock=clock,
            new_id=lambda: make_id("video", clock(), os.urandom(ENTROPY_BYTES)),
        )
        tools.words = callback_words(
            make_dialects(timestamps=settings.timestamps),
            lambda job, caller: view(job, caller, engine, contents, clock()),
        )
        document = document_of(service)
        app = make_app(
            service,
            timestamps=settings.timestamps,
            limits=body_limits(settings),
            document=document,
            more_routes=page_routes(document),
        )
        if settings.role == "worker":
            app = make_worker_app(service)
        if self.sandbox_on:
            sandbox = embedded_sandbox(settings, media, catalog, keys, sandbox_key)
            self._closers.append(sandbox.close)
            await sandbox.open()
            app = with_sandbox(app, sandbox)
        self._app = closing(app, lambda: engine.is_draining)
        self._engine = engine
        if settings.role != "api":
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
            await self._listener.run(self._app, started, ended=self._leave)
        finally:
            for task in warming:
                task.cancel()
            await asyncio.gather(*warming, return_exceptions=True)

    def _leave(self) -> None:
        """Hand the work over, then stop; who says it twice has no time for that."""
        if self._leaving is not None:
            self._listener.stop()
            return
        self._leaving = asyncio.create_task(self._hand_over(), name="leave")

    async def _hand_over(self) -> None:
        settings = self.settings
        if self._engine is None:
            raise AssertionError("open the server before it runs")
        seen = asyncio.create_task(asyncio.sleep(settings.drain_seconds))
        try:
            await self._engine.drain()
            await seen
        finally:
            self._engine.part()
            self._listener.stop()

    def _facts(self) -> NodeFacts:
        return NodeFacts(
            host=socket.gethostname(),
            process_id=os.getpid(),
            version=__version__,
            role=self.settings.role,
            started_at=time.time(),
        )

    async def close(self) -> None:
        """Hand everything back, newest first."""
        for closer in reversed(self._closers):
            await closer()
        self._closers.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def serve(settings: Settings, *, ready: Callable[[Server], None]) -> None:
    """Run a server until SIGTERM or SIGINT. Raises `GatewayError` when it cannot start."""
    server = Server(settings)
    configure_logging(level=settings.log_level, as_json=settings.log_json, node=server.node)

    async def main() -> None:
        try:
            await server.open()
            await server.run(lambda: ready(server))
        finally:
            await server.close()

    asyncio.run(main())


def _checkpoint() -> Callable[[str], None]:
    """Return what the engine calls at its named points: nothing, or sudden death or a freeze at the one a test has chosen."""
    dies_at, freezes_at = os.environ.get("REELWAY_DIE_AT"), os.environ.get("REELWAY_FREEZE_AT")
    if not dies_at and not freezes_at:
        return lambda point: None

    def stop(point: str) -> None:
        if point == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if point == freezes_at:
            os.kill(os.getpid(), signal.SIGSTOP)

    return stop


def _monotonic() -> float:
    """Return seconds that never jump and go on while the machine sleeps, where there is such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _input_key() -> str:
    return f"{INPUT_PREFIX}{make_id('input', time.time(), os.urandom(ENTROPY_BYTES))}"

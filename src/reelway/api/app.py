"""The public server: every dialect over the service, and what stands around it. Everything it needs comes in as an argument."""

import time
from collections.abc import Callable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Lifespan

from reelway.api.admin import admin_routes
from reelway.api.backend import ServiceBackend
from reelway.api.callbacks import callback_route
from reelway.api.document import document_of, document_route
from reelway.api.events import events_route
from reelway.api.files import file_route
from reelway.api.health import health_routes
from reelway.api.models import model_routes
from reelway.dialects.registry import make_dialects
from reelway.dialects.video_object import Timestamps
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.dialects import mount
from reelway.mounting.endpoints import nowhere
from reelway.mounting.paths import PathTable
from reelway.service import Service

__all__ = ["make_app", "make_worker_app"]

_LIMITS = BodyLimits()
_HEARTBEAT_SECONDS = 15.0
_EXPOSED = ("x-request-id", "openai-poll-after-ms", "idempotent-replayed", "retry-after", "content-range", "etag")


def make_app(
    service: Service,
    *,
    timestamps: Timestamps = "s",
    limits: BodyLimits = _LIMITS,
    cors_origins: Sequence[str] = (),
    heartbeat_seconds: float = _HEARTBEAT_SECONDS,
    clock: Callable[[], float] = time.time,
    document: Callable[[], bytes] | None = None,
    more_routes: Sequence[BaseRoute] = (),
    lifespan: Lifespan[object] | None = None,
) -> ASGIApp:
    """Return the ASGI app. `cors_origins` are the web pages that may call it from a browser; none may unless named.

    `document` is what `document_of` gave, where others show it too; `more_routes` come last; `lifespan` is entered when the
    server starts and left when it stops.
    """
    backend = ServiceBackend(service)
    router = Router(
        [
            *(
                route
                for dialect in make_dialects(timestamps=timestamps)
                for route in mount(dialect, backend, limits=limits)
            ),
            events_route(service, timestamps=timestamps, heartbeat_seconds=heartbeat_seconds),
            *model_routes(service, clock=clock),
            *health_routes(service),
            *admin_routes(service),
            callback_route(service),
            file_route(service),
            document_route(document or document_of(service)),
            *more_routes,
        ],
        redirect_slashes=False,
        default=nowhere,
        lifespan=lifespan,
    )
    app = PathTable(router)
    if not cors_origins:
        return app
    return CORSMiddleware(
        app, allow_origins=list(cors_origins), allow_methods=["*"], allow_headers=["*"], expose_headers=_EXPOSED
    )


def make_worker_app(service: Service) -> ASGIApp:
    """Return the app of a node that performs jobs and answers no callers: whether it is well, and nothing else."""
    return PathTable(Router(health_routes(service), redirect_slashes=False, default=nowhere))

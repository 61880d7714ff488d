"""`/callbacks/…`: where vendors call back. The address is the secret, so there is no key, and no address is ever logged.

The rule: a stranger gets the 404 of a path that leads nowhere, before a byte of the body is read.
"""

from starlette.routing import Route

from reelway.dialects.openai_videos import render_error
from reelway.dialects.spec import Outgoing
from reelway.engine.submissions import CALLBACK_PATH
from reelway.mounting.bodies import BodyStream
from reelway.mounting.exchange import Exchange, Guarded, MethodNotAllowed
from reelway.service import Service
from reelway.vendors.spec import Callback

__all__ = ["callback_route"]

_BODY_BYTES = 1_000_000
_IDLE_SECONDS = 5.0


def callback_route(service: Service) -> Route:
    """Return the route."""

    async def perform(exchange: Exchange) -> None:
        if exchange.method != "POST":
            raise MethodNotAllowed(exchange.method, CALLBACK_PATH, ("POST",))

        async def read() -> Callback:
            stream = BodyStream(exchange.receive, limit=_BODY_BYTES, idle_seconds=_IDLE_SECONDS)
            return Callback(headers=exchange.headers, query=exchange.query, body=await stream.whole())

        parts = exchange.path_parameters
        answer = await service.hear(parts["video_id"], parts["attempt"], parts["secret"], read)
        await exchange.answer(Outgoing(body={} if answer is None else answer))

    return Route(
        f"{CALLBACK_PATH}/{{video_id}}/{{attempt}}/{{secret}}", Guarded(perform, render_error), name="callbacks"
    )

"""What a path that leads nowhere answers: the error of the dialect it looks like, and what there is."""

from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from reelway.core.errors import NotFound
from reelway.dialects.openai_videos import render_error
from reelway.dialects.spec import Dialect
from reelway.mounting.exchange import Exchange, Guarded, RenderError

__all__ = ["Nowhere"]

_SHOWN = 80


class Nowhere:
    """An ASGI app for every other path."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self._dialects = tuple(dialects)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        render: RenderError = render_error
        most = 0
        for dialect in self._dialects:
            likeness = _likeness(dialect, scope["path"])
            if likeness > most or (likeness == most and dialect.render_error is render_error):
                render, most = dialect.render_error, likeness
        await Guarded(self._refuse, render)(scope, receive, send)

    async def _refuse(self, exchange: Exchange) -> None:
        raise NotFound(
            f"There is nothing at {exchange.path[:_SHOWN]}; the sandbox plays {', '.join(map(_place, self._dialects))}.",
            code="unknown_path",
        )


def _place(dialect: Dialect) -> str:
    """Return a dialect and where it begins: `kling at /kling/v1/videos`."""
    creates = [endpoint.path for endpoint in dialect.endpoints if endpoint.method == "POST"]
    return f"{dialect.name} at {min(creates, key=len)}" if creates else dialect.name


def _likeness(dialect: Dialect, path: str) -> int:
    """Return how many first parts of the path some path of the dialect has too."""
    parts = path.split("/")[1:]
    return max((_common(endpoint.path.split("/")[1:], parts) for endpoint in dialect.endpoints), default=0)


def _common(pattern: list[str], parts: list[str]) -> int:
    length = 0
    for wanted, part in zip(pattern, parts, strict=False):
        if wanted != part or wanted.startswith("{"):
            break
        length += 1
    return length

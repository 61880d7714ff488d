"""`/files/…`: where vendors fetch the inputs they take by address alone. A link needs no key, and ends with its time."""

from collections.abc import AsyncIterator

from starlette.routing import Route

from reelway.dialects.openai_videos import render_error
from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange, check_names
from reelway.mounting.files import OpenedContent, serve_content
from reelway.service import Service
from reelway.service.files import FILES_PATH

__all__ = ["file_route"]


def file_route(service: Service) -> Route:
    """Return the route. The last part of the path is a name for vendors' eyes; the signature is about what comes before."""

    async def answer(exchange: Exchange) -> None:
        parts = exchange.path_parameters
        check_names(parts.values())
        content = await service.open_file(parts["key"], parts["expires"], parts["secret"])

        def read(start: int, stop: int) -> AsyncIterator[bytes]:
            return service.read_asset(content.blob.key, start, stop)

        opened = OpenedContent(blob=content.blob, filename=content.filename, path=content.path, read=read)
        await serve_content(exchange, opened, render_error)

    return get_route(f"{FILES_PATH}/{{expires}}/{{secret}}/{{key:path}}/{{name}}", answer)

"""Fetches the inputs a request only gives an address of. Off unless switched on: a make-believe vendor should reach nobody."""

import asyncio

import aiohttp

from reelway.core.errors import InvalidRequest, TooLarge
from reelway.core.videos import Blob
from reelway.network.guard import AddressRefused, PublicResolver, check_url
from reelway.sandbox.folder import SandboxFolder

__all__ = ["fetch_input"]

_SECONDS = 30.0
_PIECE = 256 * 1024


async def fetch_input(
    folder: SandboxFolder, url: str, *, field: str, now: float, limit_bytes: int, allowed_hosts: frozenset[str]
) -> Blob:
    """Return the bytes behind an address as an upload. Redirects are not followed. Raises `InvalidRequest`."""
    try:
        address = check_url(url, allowed_hosts=allowed_hosts)
        connector = aiohttp.TCPConnector(resolver=PublicResolver(allowed_hosts))
        async with (
            asyncio.timeout(_SECONDS),
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise InvalidRequest(f"{field} could not be fetched: HTTP {answer.status}", param=field)
            with await asyncio.to_thread(folder.upload, now, limit_bytes) as upload:
                async for piece in answer.content.iter_chunked(_PIECE):
                    if not upload.fits(piece):
                        raise TooLarge(f"{field} is larger than {limit_bytes} bytes", param=field)
                    await asyncio.to_thread(upload.write, piece)
                return upload.keep(answer.content_type)
    except AddressRefused as error:
        raise InvalidRequest(f"{field} is not fetched: {error}", param=field) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise InvalidRequest(f"{field} could not be fetched: {reason}", param=field) from error

"""Fetches what callers only gave an address of. Everything about such an address is distrusted: see `guard`."""

import asyncio
from collections.abc import Callable

import aiohttp
from yarl import URL

from reelway.assets.spec import AssetStore
from reelway.core.errors import InputUnreachable, InvalidRequest, TooLarge
from reelway.core.videos import Blob
from reelway.network.guard import AddressRefused, PublicResolver, check_url

__all__ = ["Fetcher"]

_REDIRECTS = 3
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_PIECE = 256 * 1024


class Fetcher:
    """Streams a URL into the asset store."""

    def __init__(
        self,
        assets: AssetStore,
        new_key: Callable[[], str],
        *,
        limit_bytes: int = 100 * 1024 * 1024,
        seconds: float = 60.0,
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._assets = assets
        self._new_key = new_key
        self._limit_bytes = limit_bytes
        self._seconds = seconds
        self._allowed_hosts = allowed_hosts
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, address: str, *, field: str, under: str = "") -> Blob:
        """Return the bytes behind an address, kept as an input; `under` this prefix, where one is given.

        Raise `InvalidRequest` with the reason they cannot be had; `InputUnreachable` where they may be in a while.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(address, field, under)
        except AddressRefused as error:
            raise InvalidRequest(f"{field} is not fetched: {error}", param=field, code="url_refused") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise InputUnreachable(f"{field} could not be fetched: {reason}", param=field) from error

    async def _follow(self, address: str, field: str, under: str) -> Blob:
        url = check_url(address, allowed_hosts=self._allowed_hosts)
        for _ in range(_REDIRECTS + 1):
            async with self._open().get(url, allow_redirects=False) as answer:
                if answer.status in {301, 302, 303, 307, 308} and "Location" in answer.headers:
                    url = check_url(str(url.join(URL(answer.headers["Location"]))), allowed_hosts=self._allowed_hosts)
                    continue
                if answer.status != 200:
                    message = f"{field} could not be fetched: the server answered {answer.status}"
                    if answer.status in _MAY_PASS:
                        raise InputUnreachable(message, param=field)
                    raise InvalidRequest(message, param=field, code="url_unreachable")
                return await self._keep(answer, field, under)
        raise InvalidRequest(f"{field} redirects more than {_REDIRECTS} times", param=field, code="url_unreachable")

    async def _keep(self, answer: aiohttp.ClientResponse, field: str, under: str) -> Blob:
        if (answer.content_length or 0) > self._limit_bytes:
            raise TooLarge(f"{field} is larger than {self._limit_bytes} bytes", param=field)
        key = self._new_key()
        key = f"{under}/{key.rpartition('/')[2]}" if under else key
        async with self._assets.writer(key, limit_bytes=self._limit_bytes) as writer:
            async for piece in answer.content.iter_chunked(_PIECE):
                await writer.write(piece)
            stored = await writer.commit()
        return stored.as_blob(answer.content_type)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=64, resolver=PublicResolver(self._allowed_hosts))
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(sock_connect=10, sock_read=20),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "reelway"},
            )
        return self._session

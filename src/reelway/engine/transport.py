"""The one way out: sends what adapters want sent, and tells apart what never arrived from what may have.

A billable request goes over a connection of its own, because a kept-alive one can die between two requests and then nobody
knows whether the request arrived; and its bytes leave only while its permit holds (`fence`). Nothing here repeats a request.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
import msgspec
from aiohttp.client_reqrep import ClientRequest
from yarl import URL

from reelway.assets.spec import AssetStore
from reelway.core.errors import NotSent, StorageFailed, UnexpectedResponse, VendorUnreachable
from reelway.core.record import Record
from reelway.core.videos import Blob
from reelway.engine.account import Account
from reelway.engine.fence import FencedRequest, Permit, PermitWithdrawn, fenced_socket, sending
from reelway.engine.json_texts import LongTextFilter
from reelway.network.guard import AddressRefused, PublicResolver, check_url
from reelway.vendors.spec import Base64, DataUri, FilePart, HttpRequest, HttpResponse, PublicUrl

__all__ = ["Stream", "TimeLimits", "Transport"]

_BODY_LIMIT = 16 * 1024 * 1024
_LONG_TEXT = 64 * 1024
_LONG_BODY_LIMIT = 2 * 1024**3
"""Of an answer whose long texts are left out, so many bytes are read at most."""
_PIECE = 1024 * 1024
_REDIRECTS = 5
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientSSLError,
    aiohttp.InvalidURL,
    AddressRefused,
)


class TimeLimits(Record):
    """Seconds."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 180.0
    arrival: float = 20.0
    """How long the bytes of a billable request may be on their way once they have left."""
    download_total: float = 1800.0


class Stream(Record):
    """An answer whose body is read in pieces."""

    status: int
    headers: dict[str, str]
    pieces: AsyncIterator[bytes]
    address: str = ""
    """Where it came from after all redirects, without the query: links to one file differ in their signatures."""


class Transport:
    """One per process. Opens its connections when first used."""

    def __init__(self, assets: AssetStore, limits: TimeLimits, link_for: Callable[[Blob], str]) -> None:
        self._assets = assets
        self._limits = limits
        self._link_for = link_for
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def send(self, account: Account, request: HttpRequest, *, permit: Permit | None = None) -> HttpResponse:
        """Send once. Raise `NotSent` when it surely did not arrive, `VendorUnreachable` when nobody can know.

        A billable request needs a permit, and after this nothing of it leaves any more.
        """
        if not request.billable:
            return await self._send(account, request)
        if permit is None:
            raise AssertionError(f"a billable request to {account.name} without a permit")
        answer = None
        try:
            with sending(permit):
                answer = await self._send(account, request)
        except VendorUnreachable as error:
            if permit.has_left:
                raise
            if not permit.is_good:
                raise PermitWithdrawn from error
            raise NotSent(f"{account.name} was not reached: {_reason(error)}") from error
        finally:
            permit.end(answered=answer is not None)
        return answer

    async def _send(self, account: Account, request: HttpRequest) -> HttpResponse:
        url = _address(account, request)
        session = self._session(account, url, fresh=request.billable, download=request.drop_long_texts)
        try:
            async with (
                self._body(account, request) as (data, headers),
                session.request(request.method, url, data=data, headers=headers, allow_redirects=False) as answer,
            ):
                content = await _read_limited(answer.content, drop_long_texts=request.drop_long_texts)
                return HttpResponse(status=answer.status, headers=_lower(answer.headers), body=content)
        except _NEVER_SENT as error:
            raise NotSent(f"{account.name} could not be reached at {url.host}: {_reason(error)}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise VendorUnreachable(f"{account.name} gave no answer: {_reason(error)}") from error

    @asynccontextmanager
    async def stream(self, account: Account, request: HttpRequest, *, own_origin: str = "") -> AsyncIterator[Stream]:
        """Open a download. Redirects are followed by hand so that each address is checked; credentials stay at home.

        Home is the account's own server, or `own_origin` where the download begins there.
        """
        url = _address(account, request)
        home = url.origin() if str(url.origin()) == own_origin else URL(account.base_url).origin()
        try:
            async with self._body(account, request) as (data, headers):
                for _ in range(_REDIRECTS + 1):
                    if url.origin() != home:
                        headers = {name: value for name, value in headers.items() if not _is_secret(name)}
                    session = self._session(account, url, download=True)
                    async with session.request(
                        request.method, url, data=data, headers=headers, allow_redirects=False
                    ) as answer:
                        is_elsewhere = answer.status in {301, 302, 303, 307, 308} and "Location" in answer.headers
                        if is_elsewhere and data is None:  # a body is for the server it was made for
                            url = url.join(URL(answer.headers["Location"]))
                            continue
                        yield Stream(
                            status=answer.status,
                            headers=_lower(answer.headers),
                            pieces=answer.content.iter_chunked(_PIECE),
                            address=str(url.with_query(None).with_fragment(None)),
                        )
                        return
                raise VendorUnreachable(f"{account.name} redirected more than {_REDIRECTS} times")
        except AddressRefused as error:
            raise UnexpectedResponse(f"{account.name} names an address that is not fetched: {error}") from error
        except _NEVER_SENT as error:
            raise NotSent(f"the result of {account.name} could not be reached: {_reason(error)}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VendorUnreachable(f"the result of {account.name} broke off: {_reason(error)}") from error

    def _session(
        self, account: Account, url: URL, *, fresh: bool = False, download: bool = False
    ) -> aiohttp.ClientSession:
        at_home = url.origin() == URL(account.base_url).origin()
        guarded = not at_home and not account.private_network
        if guarded:
            check_url(str(url))
        name = "download" if download else "billable" if fresh else "plain"
        name = f"guarded {name}" if guarded else name
        if name not in self._sessions:
            connector = aiohttp.TCPConnector(
                limit=2048,
                limit_per_host=256,
                force_close=fresh,
                resolver=PublicResolver() if guarded else None,
                ttl_dns_cache=60,
                socket_factory=fenced_socket(self._limits.arrival) if fresh else None,
            )
            total = self._limits.download_total if download else self._limits.total
            self._sessions[name] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(
                    total=total, sock_connect=self._limits.connect, sock_read=self._limits.read
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "reelway"},
                request_class=FencedRequest if fresh else ClientRequest,
                trust_env=False,
            )
        return self._sessions[name]

    @asynccontextmanager
    async def _body(self, account: Account, request: HttpRequest) -> AsyncIterator[tuple[Any, dict[str, str]]]:
        """Give the body and the headers. Raise `NotSent` when its inputs cannot be read: nothing left this machine then."""
        headers = dict(request.headers)
        async with AsyncExitStack() as borrowed:
            data: Any = None
            try:
                if request.json is not None:
                    encoded = msgspec.json.encode(await self._fill(request.json))
                    # A large body handed over whole would be copied in one go, and aiohttp warns of that.
                    data = encoded if len(encoded) <= _PIECE else BytesIO(encoded)
                    headers["Content-Type"] = "application/json"
                elif request.form:
                    data = await self._multipart(request.form, borrowed)
            except KeyError as error:
                raise NotSent(f"{account.name} was sent nothing: the input {error} is not stored any more") from error
            except (OSError, StorageFailed) as error:
                raise NotSent(f"{account.name} was sent nothing: an input cannot be read: {_reason(error)}") from error
            yield data, headers

    async def _multipart(self, form: tuple[tuple[str, Any], ...], borrowed: AsyncExitStack) -> aiohttp.FormData:
        data = aiohttp.FormData(default_to_multipart=True)
        for name, value in form:
            if isinstance(value, FilePart):
                path = await borrowed.enter_async_context(self._assets.local_copy(value.blob.key))
                file = borrowed.enter_context(await asyncio.to_thread(path.open, "rb"))
                data.add_field(name, file, filename=value.filename, content_type=value.blob.media_type)
            else:
                data.add_field(name, await self._fill(value))
        return data

    async def _fill(self, value: Any) -> Any:
        """Replace the stand-ins for bytes in a body by the bytes."""
        match value:
            case Base64(blob=blob):
                return base64.b64encode(await self._whole(blob)).decode("ascii")
            case DataUri(blob=blob, media_type=media_type):
                text = base64.b64encode(await self._whole(blob)).decode("ascii")
                return f"data:{media_type or blob.media_type};base64,{text}"
            case PublicUrl(blob=blob):
                return self._link_for(blob)
            case dict():
                return {name: await self._fill(part) for name, part in value.items()}
            case list() | tuple():
                return [await self._fill(part) for part in value]
            case _:
                return value

    async def _whole(self, blob: Blob) -> bytes:
        return b"".join([piece async for piece in self._assets.read(blob.key)])


def _address(account: Account, request: HttpRequest) -> URL:
    text = request.path if "://" in request.path else account.base_url.rstrip("/") + request.path
    url = URL(text, encoded=True)
    return url.extend_query(list(request.query)) if request.query else url


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _is_secret(name: str) -> bool:
    return name.lower() in {"authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"}


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def _read_limited(content: aiohttp.StreamReader, *, drop_long_texts: bool) -> bytes:
    body = bytearray()
    texts = LongTextFilter(_LONG_TEXT) if drop_long_texts else None
    arrived = 0
    async for piece in content.iter_chunked(65536):
        arrived += len(piece)
        body += piece if texts is None else texts.feed(piece)
        if len(body) > _BODY_LIMIT or arrived > _LONG_BODY_LIMIT:
            raise UnexpectedResponse(f"the answer is larger than {_BODY_LIMIT} bytes")
    return bytes(body if texts is None else body + texts.finish())

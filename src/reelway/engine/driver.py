"""Drives an adapter's generator over the transport, and never lets a lost billable request look like an ordinary error."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from yarl import URL

from reelway.core.errors import CallerError, SubmitOutcomeUnknown, UnexpectedResponse, VendorUnreachable
from reelway.engine.account import Account
from reelway.engine.fence import Permit
from reelway.engine.json_texts import decode_base64_text
from reelway.engine.tokens import Tokens
from reelway.engine.transport import Stream, Transport
from reelway.vendors.spec import Adapter, Credential, Download, Flow, HttpRequest, HttpResponse

__all__ = ["Driver"]

T = TypeVar("T")


class Driver:
    """Performs the steps of adapters."""

    def __init__(self, transport: Transport, clock: Callable[[], float], *, tokens: Tokens | None = None) -> None:
        self._transport = transport
        self._clock = clock
        self._tokens = Tokens(clock) if tokens is None else tokens

    async def run(
        self, flow: Flow[T], adapter: Adapter, account: Account, *, permit_for: Callable[[], Permit] | None = None
    ) -> T:
        """Return what the flow returns. `permit_for` gives leave to send a billable request, a new one for each.

        Raises what the flow raises (`VendorRefused`, `UnexpectedResponse`), `NotSent` or `VendorUnreachable`; and
        `SubmitOutcomeUnknown` when the billable request went out and its outcome is not known.
        """
        permits: list[Permit] = []

        def permit() -> Permit:
            if permit_for is None:
                raise AssertionError(f"a billable request to {account.name}, and nobody gave leave to send it")
            permits.append(permit_for())
            return permits[-1]

        try:
            request = next(flow)
            while True:
                request = flow.send(await self._send(request, adapter, account, permit))
        except StopIteration as stop:
            result: T = stop.value
            return result
        except (VendorUnreachable, UnexpectedResponse, CallerError) as error:
            if any(permit.has_left for permit in permits):
                raise SubmitOutcomeUnknown(str(error)) from error
            raise
        finally:
            flow.close()

    async def _send(
        self, request: HttpRequest, adapter: Adapter, account: Account, permit: Callable[[], Permit]
    ) -> HttpResponse:
        """Sign and send. Nothing came of a request whose token was refused, so it goes out once more with a new one."""

        async def send(credential: Credential) -> HttpResponse:
            signed = adapter.authorize(request, credential, self._clock())
            return await self._transport.send(account, signed, permit=permit() if request.billable else None)

        credential = await self._tokens.credential(account)
        response = await send(credential)
        if response.status != 401:
            return response
        renewed = await self._tokens.credential(account, refused=credential)
        if renewed == credential:
            return response
        return await send(renewed)

    @asynccontextmanager
    async def open(
        self, download: Download, adapter: Adapter, account: Account, *, start: int = 0, validator: str = ""
    ) -> AsyncIterator[Stream]:
        """Open a result from byte `start` on, if it is still the file the `validator` stands for, else from its first byte.

        A file within JSON always begins at its first byte. The account's credential goes to its own host, or to the origin of
        the vendor's that the download names.
        """
        request = download.request
        if not download.base64_key:
            request = request.evolve(headers=(*request.headers, *_asking_for(start, validator)))
        credential = await self._credential(download, account)
        if credential is not None:
            signed = adapter.authorize(request, credential, self._clock())
            async with self._transport.stream(account, signed, own_origin=download.own_origin) as stream:
                if stream.status != 401:
                    yield _decoded(stream, download)
                    return
            renewed = await self._tokens.credential(account, refused=credential)
            request = adapter.authorize(request, renewed, self._clock())
        async with self._transport.stream(account, request, own_origin=download.own_origin) as stream:
            yield _decoded(stream, download)

    async def _credential(self, download: Download, account: Account) -> Credential | None:
        """Return what this download is signed with, None where it is not."""
        path = download.request.path
        allowed = {str(URL(account.base_url).origin()), download.own_origin}
        if not download.authorize or ("://" in path and str(URL(path).origin()) not in allowed):
            return None
        return await self._tokens.credential(account)


def _asking_for(start: int, validator: str) -> tuple[tuple[str, str], ...]:
    """Return the headers that ask for the bytes as they are, which alone can be counted and resumed."""
    headers: tuple[tuple[str, str], ...] = (("Accept-Encoding", "identity"),)
    if start:
        headers += (("Range", f"bytes={start}-"),)
    return (*headers, ("If-Range", validator)) if start and validator else headers


def _decoded(stream: Stream, download: Download) -> Stream:
    """Return the file within the answer, where the answer only carries it. How long the file is, nobody has said."""
    if not download.base64_key or stream.status != 200:
        return stream
    of_the_json = {"content-length", "etag", "last-modified"}
    headers = {name: value for name, value in stream.headers.items() if name not in of_the_json}
    pieces = decode_base64_text(stream.pieces, download.base64_key, download.base64_index)
    return stream.evolve(headers=headers, pieces=pieces)

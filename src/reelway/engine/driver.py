"""Drives an adapter's generator over the transport, and never lets a lost billable request look like an ordinary error."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from yarl import URL

from reelway.core.errors import SubmitOutcomeUnknown, UnexpectedResponse, VendorUnreachable
from reelway.engine.account import Account
from reelway.engine.transport import Stream, Transport
from reelway.vendors.spec import Adapter, Download, Flow

__all__ = ["Driver"]

T = TypeVar("T")


class Driver:
    """Performs the steps of adapters."""

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock

    async def run(self, flow: Flow[T], adapter: Adapter, account: Account) -> T:
        """Return what the flow returns.

        Raises what the flow raises (`VendorRefused`, `UnexpectedResponse`), `NotSent` or `VendorUnreachable`; and
        `SubmitOutcomeUnknown` when the billable request went out and its outcome is not known.
        """
        sent_billable = False
        try:
            request = next(flow)
            while True:
                signed = adapter.authorize(request, account.credential, self._clock())
                sent_billable = sent_billable or request.billable
                response = await self._transport.send(account, signed)
                request = flow.send(response)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except (VendorUnreachable, UnexpectedResponse) as error:
            if sent_billable:
                raise SubmitOutcomeUnknown(str(error)) from error
            raise
        finally:
            flow.close()

    def open(
        self, download: Download, adapter: Adapter, account: Account, *, start: int = 0
    ) -> AbstractAsyncContextManager[Stream]:
        """Open a result from byte `start` on. The account's credential goes to its own host only."""
        request = download.request
        at_home = "://" not in request.path or URL(request.path).origin() == URL(account.base_url).origin()
        if download.authorize and at_home:
            request = adapter.authorize(request, account.credential, self._clock())
        if start:
            request = request.evolve(headers=(*request.headers, ("Range", f"bytes={start}-")))
        return self._transport.stream(account, request)

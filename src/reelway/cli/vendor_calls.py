"""One free call to a vendor, to learn whether it is there and takes the key. Creates nothing, follows no redirect."""

import http.client
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from reelway.engine.account import Account
from reelway.engine.sign_in import CannotSignIn, SignInFailed, sign_in_of
from reelway.settings import AccountSettings
from reelway.vendors.registry import adapters
from reelway.vendors.spec import Credential, HttpRequest

__all__ = ["VendorAnswer", "call_vendor"]

_TIMEOUT_SECONDS = 10.0
_FREE_CALLS = {"openai_videos": "/videos?limit=1"}
"""By adapter: a path that costs nothing and needs the key. Others are only knocked at."""


class VendorAnswer(NamedTuple):
    """How the vendor answered; `date` is its clock in Unix seconds."""

    level: Literal["good", "warning", "bad"]
    text: str
    remedy: str = ""
    date: float | None = None


def call_vendor(account: AccountSettings) -> VendorAnswer:
    """Knock at the vendor's door."""
    known = adapters()
    if account.vendor not in known:
        return VendorAnswer(
            "warning", f"{account.vendor} is not served by this version", "Its account stays unused until it is."
        )
    request = HttpRequest(method="GET", path=_FREE_CALLS.get(account.vendor, ""))
    try:
        credential, signed_in = _sign_in(account)
    except (CannotSignIn, SignInFailed) as error:
        return VendorAnswer("bad", f"{account.name} cannot sign in: {error}", "Check the credentials of the account.")
    if request.path:
        request = known[account.vendor].authorize(request, credential, time.time())
    try:
        status, date = _get(account.base_url, request)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return VendorAnswer(
            "bad", f"{account.base_url} cannot be reached: {reason}", "Check the address and the network."
        )
    if status in {401, 403}:
        return VendorAnswer("bad", f"{account.base_url} refuses the key ({status})", "Check the key.", date)
    if status >= 500:
        return VendorAnswer(
            "warning", f"{account.base_url} answers {status}", "The vendor has a problem; look again.", date
        )
    taken = " and takes the key" if request.path and status < 300 else ", and the account signs in" if signed_in else ""
    return VendorAnswer("good", f"{account.base_url} answers{taken}", "", date)


def _sign_in(account: AccountSettings) -> tuple[Credential, bool]:
    """Return what requests are signed with, and whether a token was fetched for it."""
    credential = Credential(values=account.credential())
    sign_in = sign_in_of(
        Account(
            name=account.name,
            vendor=account.vendor,
            service=account.service,
            base_url=account.base_url,
            credential=credential,
        )
    )
    if sign_in is None:
        return credential, False
    return Credential(values={**credential.values, "access_token": sign_in(credential).value}), True


def _get(base_url: str, request: HttpRequest) -> tuple[int, float | None]:
    url = urlsplit(base_url)
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            url.netloc, timeout=_TIMEOUT_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(url.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", (url.path + request.path) or "/", headers=dict(request.headers))
        response = connection.getresponse()
        date = response.getheader("Date")
        return response.status, parsedate_to_datetime(date).timestamp() if date else None
    finally:
        connection.close()

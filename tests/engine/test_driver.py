"""What the driver adds to an adapter: a fresh token where the old one was refused, and files that come within JSON."""

import base64
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.engine.loopback import Vendor, running

from reelway.assets.folder import FolderAssets
from reelway.core.errors import NotSent, SubmitOutcomeUnknown, UnexpectedResponse
from reelway.core.videos import MediaKind
from reelway.engine.account import Account
from reelway.engine.driver import Driver
from reelway.engine.fence import Permit
from reelway.engine.sign_in import AccessToken, SignInFailed
from reelway.engine.tokens import Tokens
from reelway.engine.transport import TimeLimits, Transport
from reelway.vendors.spec import Accepted, Credential, Download, Flow, HttpRequest, HttpResponse, Status, Submission

FILM = bytes(range(256)) * 500


class Acme:
    """Sends one billable request, and signs with the token."""

    vendor = "acme"
    url_kinds = frozenset[MediaKind]()
    link_kinds = frozenset[MediaKind]()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        raise NotImplementedError
        yield HttpRequest(method="GET", path="/")

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        raise NotImplementedError
        yield HttpRequest(method="GET", path="/")

    def pay(self) -> Flow[HttpResponse]:
        response = yield HttpRequest(method="POST", path="/pay", json={}, billable=True)
        if response.status >= 500:
            raise UnexpectedResponse("broken")
        return response

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        token = f"Bearer {credential.values['access_token']}"
        return request.evolve(headers=(*request.headers, ("Authorization", token)))


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A loopback server."""
    async with running() as vendor:
        yield vendor


@pytest.fixture
async def driver(tmp_path: Path) -> AsyncIterator[Driver]:
    """A driver whose account gets a new token at every sign-in; the third sign-in fails."""
    assets = FolderAssets(tmp_path / "assets")
    transport = Transport(assets, TimeLimits(connect=2.0, read=2.0, total=5.0, download_total=5.0), lambda blob: "")
    numbers = itertools.count()

    def sign_in(credential: Credential) -> AccessToken:
        number = next(numbers)
        if number == 2:
            raise SignInFailed("away")
        return AccessToken(value=f"token-{number}", expires_at=9999.0)

    yield Driver(transport, lambda: 1000.0, tokens=Tokens(lambda: 1000.0, sign_in_of=lambda account: sign_in))
    await transport.close()


def permit() -> Permit:
    return Permit(lambda: True)


def account(vendor: Vendor) -> Account:
    return Account(name="acme", vendor="acme", base_url=vendor.url, private_network=True)


def shown(vendor: Vendor) -> list[str]:
    return [headers.get("Authorization", "").removeprefix("Bearer ") for _, _, headers, _ in vendor.requests]


async def test_a_refused_token_is_renewed_and_the_request_sent_again(driver: Driver, vendor: Vendor) -> None:
    """A 401 bought nothing, so even the billable request may go out a second time; it never goes out a third."""
    adapter = Acme()

    async def refuse(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer token-1"
        return web.json_response({}, status=200 if good else 401)

    vendor.handler = refuse
    response = await driver.run(adapter.pay(), adapter, account(vendor), permit_for=permit)
    assert (response.status, shown(vendor)) == (200, ["token-0", "token-1"])


async def test_a_second_refusal_is_the_answer(driver: Driver, vendor: Vendor) -> None:
    """And a sign-in that fails after a refusal says that nothing was sent: it is safe to come back."""
    adapter = Acme()

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=401)

    vendor.handler = refuse
    assert (await driver.run(adapter.pay(), adapter, account(vendor), permit_for=permit)).status == 401
    assert shown(vendor) == ["token-0", "token-1"]

    with pytest.raises(NotSent):
        await driver.run(adapter.pay(), adapter, account(vendor), permit_for=permit)


async def test_a_request_that_broke_after_a_refusal_is_an_unknown_outcome(driver: Driver, vendor: Vendor) -> None:
    """The second one may have been accepted."""
    adapter = Acme()

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=401 if len(vendor.requests) == 1 else 502)

    vendor.handler = answer
    with pytest.raises(SubmitOutcomeUnknown):
        await driver.run(adapter.pay(), adapter, account(vendor), permit_for=permit)
    assert len(vendor.requests) == 2


async def fetched(driver: Driver, download: Download, vendor: Vendor, start: int = 0) -> tuple[int, bytes]:
    async with driver.open(download, Acme(), account(vendor), start=start) as stream:
        return stream.status, b"".join([piece async for piece in stream.pieces])


async def test_a_file_within_json_is_decoded_while_it_arrives(driver: Driver, vendor: Vendor) -> None:
    """It is asked for with the same request as its operation, and always from its first byte."""

    async def answer(request: web.Request) -> web.StreamResponse:
        texts = [base64.b64encode(part).decode() for part in (b"other", FILM)]
        return web.json_response({"done": True, "videos": [{"bytesBase64Encoded": text} for text in texts]})

    vendor.handler = answer
    request = HttpRequest(method="POST", path="/fetch", json={"operationName": "a"})
    download = Download(request=request, authorize=True, base64_key="bytesBase64Encoded", base64_index=1)

    assert await fetched(driver, download, vendor) == (200, FILM)
    assert await fetched(driver, download, vendor, start=77) == (200, FILM)
    assert [json.loads(body) for *_, body in vendor.requests] == [{"operationName": "a"}] * 2
    assert all("Range" not in headers for _, _, headers, _ in vendor.requests)

    async with driver.open(download, Acme(), account(vendor)) as stream:
        assert "content-length" not in stream.headers


async def test_a_download_renews_a_refused_token_too(driver: Driver, vendor: Vendor) -> None:
    """A result may be fetched long after the token was made."""

    async def answer(request: web.Request) -> web.StreamResponse:
        good = request.headers.get("Authorization") == "Bearer token-1"
        return web.Response(status=200 if good else 401, body=b"film")

    vendor.handler = answer
    download = Download(request=HttpRequest(method="GET", path="/v"), authorize=True)

    assert await fetched(driver, download, vendor) == (200, b"film")
    assert shown(vendor) == ["token-0", "token-1"]


async def test_only_named_origins_see_the_token(driver: Driver, vendor: Vendor) -> None:
    """The account's own host and the one the adapter names; an address from an answer is no reason."""
    second = vendor.url.replace("127.0.0.1", "localhost")

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"film")

    vendor.handler = answer
    request = HttpRequest(method="GET", path=f"{second}/v")
    for download in (
        Download(request=request, authorize=True, own_origin=second),
        Download(request=request, authorize=True),
        Download(request=request, own_origin=second),
    ):
        assert await fetched(driver, download, vendor) == (200, b"film")
    assert shown(vendor) == ["token-0", "", ""]

"""The one way out, against a real server on loopback: what never arrived, what may have, and where credentials go."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.engine.loopback import Vendor, running

from reelway.assets.folder import FolderAssets
from reelway.core.errors import NotSent, UnexpectedResponse, VendorUnreachable
from reelway.core.videos import Blob
from reelway.engine.account import Account
from reelway.engine.fence import Permit
from reelway.engine.transport import TimeLimits, Transport
from reelway.vendors.spec import Base64, DataUri, FilePart, HttpRequest

LIMITS = TimeLimits(connect=2.0, read=2.0, total=5.0, download_total=5.0)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A loopback server."""
    async with running() as vendor:
        yield vendor


@pytest.fixture
async def assets(tmp_path: Path) -> AsyncIterator[FolderAssets]:
    """A folder with nothing in it."""
    assets = FolderAssets(tmp_path / "assets")
    await assets.open()
    yield assets
    await assets.close()


@pytest.fixture
async def transport(assets: FolderAssets) -> AsyncIterator[Transport]:
    """The transport under test."""
    transport = Transport(assets, LIMITS, lambda blob: f"https://gateway.example/{blob.key}")
    yield transport
    await transport.close()


def permit() -> Permit:
    return Permit(lambda: True)


def account(url: str, *, private_network: bool = False) -> Account:
    return Account(name="acme", vendor="acme", base_url=url, private_network=private_network)


async def keep(assets: FolderAssets, data: bytes) -> Blob:
    async with assets.writer("inputs/a", limit_bytes=1000) as writer:
        await writer.write(data)
        stored = await writer.commit()
    return Blob(key=stored.key, sha256=stored.sha256, bytes=stored.bytes, media_type="image/png")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_refused_connection_never_arrived(transport: Transport) -> None:
    """Nobody listens: the billable request may be sent again."""
    with pytest.raises(NotSent):
        await transport.send(
            account(f"http://127.0.0.1:{free_port()}"),
            HttpRequest(method="POST", path="/a", billable=True),
            permit=permit(),
        )


async def test_a_broken_connection_may_have_arrived(transport: Transport, vendor: Vendor) -> None:
    """The server hangs up without an answer: nobody can know, and it was sent exactly once."""

    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        await asyncio.Event().wait()
        raise AssertionError

    vendor.handler = hang_up
    with pytest.raises(VendorUnreachable):
        await transport.send(
            account(vendor.url), HttpRequest(method="POST", path="/a", json={}, billable=True), permit=permit()
        )
    assert len(vendor.requests) == 1


async def test_silence_may_have_arrived(assets: FolderAssets, vendor: Vendor) -> None:
    """No answer within the time limit is no proof of anything."""

    async def say_nothing(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    vendor.handler = say_nothing
    transport = Transport(assets, TimeLimits(connect=1.0, read=0.05, total=1.0), lambda blob: "")
    with pytest.raises(VendorUnreachable):
        await transport.send(
            account(vendor.url), HttpRequest(method="POST", path="/a", json={}, billable=True), permit=permit()
        )
    await transport.close()


async def test_an_answer_that_drips_is_cut(assets: FolderAssets, vendor: Vendor) -> None:
    """Every byte comes in time and the whole never does: the limit for all of it holds, and nobody can know what happened."""

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(1000):
            await answer.write(b" ")
            await asyncio.sleep(0.005)
        raise AssertionError

    vendor.handler = drip
    transport = Transport(assets, TimeLimits(connect=1.0, read=1.0, total=0.1), lambda blob: "")
    with pytest.raises(VendorUnreachable):
        await transport.send(
            account(vendor.url), HttpRequest(method="POST", path="/a", json={}, billable=True), permit=permit()
        )
    assert len(vendor.requests) == 1
    await transport.close()


async def test_an_endless_answer_is_cut(transport: Transport, vendor: Vendor) -> None:
    """A body beyond the limit is refused while it is read, not kept."""

    async def flood(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(17 * 1024 * 1024))

    vendor.handler = flood
    with pytest.raises(UnexpectedResponse):
        await transport.send(account(vendor.url), HttpRequest(method="GET", path="/a"))


async def test_bytes_are_filled_in_while_sending(transport: Transport, vendor: Vendor, assets: FolderAssets) -> None:
    """Adapters name blobs; base64, data URIs and file parts appear on the wire only."""
    blob = await keep(assets, b"abc")

    async def fine(request: web.Request) -> web.StreamResponse:
        return web.json_response({})

    vendor.handler = fine
    body = {"plain": Base64(blob=blob), "list": [DataUri(blob=blob)]}
    await transport.send(account(vendor.url), HttpRequest(method="POST", path="/a", json=body))
    assert vendor.requests[0][3] == b'{"plain":"YWJj","list":["data:image/png;base64,YWJj"]}'

    form = (("prompt", "a fox"), ("file", FilePart(blob=blob, filename="a.png")))
    await transport.send(account(vendor.url), HttpRequest(method="POST", path="/a", form=form))
    sent = vendor.requests[1][3]
    assert b'name="prompt"' in sent
    assert b'filename="a.png"' in sent
    assert b"abc" in sent


@pytest.mark.parametrize("kind", ["json", "form"])
async def test_an_input_that_is_gone_is_never_sent(transport: Transport, vendor: Vendor, kind: str) -> None:
    """Then nothing left this machine, so nobody needs to ask whether it arrived."""
    blob = Blob(key="inputs/gone", sha256="0" * 64, bytes=3, media_type="image/png")
    given = (
        HttpRequest(method="POST", path="/a", json={"image": Base64(blob=blob)})
        if kind == "json"
        else HttpRequest(method="POST", path="/a", form=(("f", FilePart(blob=blob, filename="a.png")),))
    )
    with pytest.raises(NotSent, match="acme was sent nothing: the input 'inputs/gone' is not stored any more"):
        await transport.send(account(vendor.url), given)
    assert vendor.requests == []


async def test_a_redirect_to_another_host_leaves_the_credential_behind(transport: Transport, vendor: Vendor) -> None:
    """Downloads follow redirects, but the key stays with the account's own host."""
    _, port = vendor.url.rsplit(":", 1)

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.path == "/start":
            raise web.HTTPFound(f"http://localhost:{port}/end")
        return web.Response(body=b"video")

    vendor.handler = redirect
    request = HttpRequest(method="GET", path="/start", headers=(("Authorization", "Bearer secret"),))
    async with transport.stream(account(vendor.url, private_network=True), request) as stream:
        assert b"".join([piece async for piece in stream.pieces]) == b"video"
    assert vendor.requests[0][2]["Authorization"] == "Bearer secret"
    assert "Authorization" not in vendor.requests[1][2]


async def test_a_result_inside_our_network_is_refused(transport: Transport, vendor: Vendor) -> None:
    """A vendor on the internet cannot send us to an address of our own network."""
    request = HttpRequest(method="GET", path=f"{vendor.url}/metadata")
    with pytest.raises(UnexpectedResponse, match="not fetched"):
        async with transport.stream(account("https://vendor.example"), request):
            pass
    assert vendor.requests == []


async def test_long_texts_are_left_out_while_an_answer_is_read(transport: Transport, vendor: Vendor) -> None:
    """An answer of many times the limit arrives when it is a file in JSON; its short texts arrive as they are."""

    async def film(request: web.Request) -> web.StreamResponse:
        return web.json_response({"name": "operations/1", "video": "A" * (20 * 1024 * 1024), "done": True})

    vendor.handler = film
    answer = await transport.send(
        account(vendor.url), HttpRequest(method="POST", path="/a", json={}, drop_long_texts=True)
    )
    assert answer.body == b'{"name": "operations/1", "video": "", "done": true}'

    with pytest.raises(UnexpectedResponse):
        await transport.send(account(vendor.url), HttpRequest(method="POST", path="/a", json={}))


async def test_an_origin_of_the_vendors_gets_the_credential_and_nobody_after_it(
    transport: Transport, vendor: Vendor
) -> None:
    """A result may lie at a second server of the vendor's; a redirect from there leaves the credential behind."""
    _, port = vendor.url.rsplit(":", 1)
    second = f"http://localhost:{port}"

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.path == "/start":
            raise web.HTTPFound(f"http://127.0.0.1:{port}/end")
        return web.Response(body=b"video")

    vendor.handler = redirect
    request = HttpRequest(method="GET", path=f"{second}/start", headers=(("Authorization", "Bearer secret"),))
    home = account("https://vendor.example", private_network=True)
    async with transport.stream(home, request, own_origin=second) as stream:
        assert b"".join([piece async for piece in stream.pieces]) == b"video"
    assert vendor.requests[0][2]["Authorization"] == "Bearer secret"
    assert "Authorization" not in vendor.requests[1][2]

    async with transport.stream(home, request, own_origin="http://elsewhere.example") as stream:
        assert stream.status == 200
    assert "Authorization" not in vendor.requests[2][2]


async def test_a_download_that_asks_with_a_body_is_not_sent_on(transport: Transport, vendor: Vendor) -> None:
    """Only the server it was made for gets a body; a redirect is an answer like any other."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    vendor.handler = redirect
    request = HttpRequest(method="POST", path="/fetch", json={"operationName": "operations/1"})
    async with transport.stream(account(vendor.url), request) as stream:
        assert stream.status == 307
    assert [entry[:2] for entry in vendor.requests] == [("POST", "/fetch")]
    assert vendor.requests[0][3] == b'{"operationName":"operations/1"}'

"""Vertex AI over real sockets: a token from a key file, a video of 24 MB within an answer, and one in a bucket."""

import base64
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.engine.loopback import Vendor, running
from tests.vendors.google_cases import NAME, VEO, submission

from reelway.assets.folder import FolderAssets
from reelway.engine.account import Account
from reelway.engine.driver import Driver
from reelway.engine.fence import Permit
from reelway.engine.transport import TimeLimits, Transport
from reelway.vendors.spec import Credential, Running, Succeeded
from reelway.vendors.vertex import ADAPTER

FILM = bytes(range(256)) * 96_000
PIECE = 1 << 20


class Cloud:
    """Google, as far as Veo needs it: tokens, operations, and objects."""

    def __init__(self, vendor: Vendor, *, inline: bool) -> None:
        self.inline = inline
        self.looks = 0
        self.seen: list[tuple[str, str, str]] = []
        vendor.handler = self.answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path, request.headers.get("Authorization", "")))
        if request.path == "/token":
            return web.json_response({"access_token": "ya29.loopback", "expires_in": 3600})
        if request.headers.get("Authorization") != "Bearer ya29.loopback":
            return web.json_response({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, status=401)
        if request.path.endswith(":predictLongRunning"):
            return web.json_response({"name": NAME})
        if request.path.startswith("/storage/"):
            return web.Response(body=FILM[:PIECE])
        self.looks += 1
        if self.looks == 1:
            return web.json_response({"name": NAME, "done": False})
        if not self.inline:
            videos = [{"gcsUri": "gs://out/video_1-1/run/sample_0.mp4", "mimeType": "video/mp4"}]
            return web.json_response({"name": NAME, "done": True, "response": {"videos": videos}})
        return await self._film(request)

    async def _film(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": "application/json"})
        await answer.prepare(request)
        head = {"name": NAME, "done": True, "response": {"videos": [{"mimeType": "video/mp4"}]}}
        opened = json.dumps(head).removesuffix("}]}}").encode() + b', "bytesBase64Encoded": "'
        await answer.write(opened)
        for at in range(0, len(FILM), PIECE * 3 // 4):
            await answer.write(base64.b64encode(FILM[at : at + PIECE * 3 // 4]))
        await answer.write(b'"}]}}')
        return answer


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A loopback server."""
    async with running() as vendor:
        yield vendor


@pytest.fixture
async def driver(tmp_path: Path) -> AsyncIterator[Driver]:
    """A driver on real sockets."""
    transport = Transport(FolderAssets(tmp_path / "assets"), TimeLimits(), lambda blob: "")
    yield Driver(transport, lambda: 1_790_000_000.0)
    await transport.close()


def account(vendor: Vendor, **settings: str) -> Account:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    secrets = {
        "type": "service_account",
        "client_email": "gateway@acme.example",
        "private_key": pem,
        "token_uri": f"{vendor.url}/token",
    }
    return Account(
        name="vertex",
        vendor="vertex",
        service="vertex",
        base_url=vendor.url,
        credential=Credential(values={"credentials_json": json.dumps(secrets)}),
        settings={"project": "acme", "location": "us-central1", **settings},
        private_network=True,
    )


async def made(driver: Driver, vertex: Account) -> Succeeded:
    given = submission(VEO, settings=vertex.settings, service="vertex")
    accepted = await driver.run(ADAPTER.submit(given), ADAPTER, vertex, permit_for=lambda: Permit(lambda: True))
    assert await driver.run(ADAPTER.check(accepted.operation), ADAPTER, vertex) == Running()
    status = await driver.run(ADAPTER.check(accepted.operation), ADAPTER, vertex)
    assert isinstance(status, Succeeded)
    return status


async def digest(driver: Driver, status: Succeeded, vertex: Account) -> str:
    found: Any = hashlib.sha256()
    async with driver.open(status.outputs[0].video, ADAPTER, vertex) as stream:
        assert stream.status == 200
        async for piece in stream.pieces:
            found.update(piece)
    return str(found.hexdigest())


async def test_a_film_within_an_answer_never_lies_in_memory(driver: Driver, vendor: Vendor) -> None:
    """24 MB come as 32 MB of base64, once at the look and once at the download; a few MB are held at a time."""
    cloud = Cloud(vendor, inline=True)
    vertex = account(vendor)
    tracemalloc.start()
    status = await made(driver, vertex)
    assert await digest(driver, status, vertex) == hashlib.sha256(FILM).hexdigest()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 16 * PIECE
    assert cloud.seen[0][:2] == ("POST", "/token")
    assert sum(path == "/token" for _, path, _ in cloud.seen) == 1


async def test_a_film_in_a_bucket_is_fetched_with_the_same_token(driver: Driver, vendor: Vendor) -> None:
    """From the storage's own origin, which the account names."""
    storage = vendor.url.replace("127.0.0.1", "localhost")
    cloud = Cloud(vendor, inline=False)
    vertex = account(vendor, storage_uri="gs://out", storage_url=storage)

    status = await made(driver, vertex)

    assert await digest(driver, status, vertex) == hashlib.sha256(FILM[:PIECE]).hexdigest()
    assert cloud.seen[-1][1:] == ("/storage/v1/b/out/o/video_1-1/run/sample_0.mp4", "Bearer ya29.loopback")

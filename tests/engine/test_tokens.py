"""Access tokens: fetched by Google's and Microsoft's own libraries from servers on loopback, kept, renewed, and never shown."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.core.pipeline.transport import HttpResponse
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth import jwt
from tests.engine.loopback import Vendor, running

from reelway.core.errors import NotSent, VendorRefused
from reelway.core.failures import FailureKind
from reelway.engine.account import Account
from reelway.engine.sign_in import AccessToken, CannotSignIn, SignInFailed, azure_token, sign_in_of
from reelway.engine.tokens import Tokens
from reelway.vendors.spec import Credential

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
AUDIENCE = "https://oauth2.googleapis.com/token"
Reply = tuple[int, dict[str, Any]]


class Clock:
    """Time that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class TokenServer:
    """Google's token server: believes assertions that Google's own library can verify."""

    def __init__(self, vendor: Vendor) -> None:
        self.replies: Iterator[Reply] = iter(())
        self.claims: list[dict[str, Any]] = []
        self.url = f"{vendor.url}/token"
        vendor.handler = self.answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        self.claims.append(dict(jwt.decode(str(form["assertion"]), certs=PUBLIC, audience=AUDIENCE)))
        status, body = next(self.replies)
        return web.json_response(body, status=status)


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    """A token server with nothing to say yet."""
    async with running() as vendor:
        yield TokenServer(vendor)


def key_of(server: TokenServer) -> dict[str, str]:
    return {
        "type": "service_account",
        "client_email": "gateway@acme.example",
        "private_key_id": "1",
        "private_key": PRIVATE,
        "token_uri": server.url,
    }


def account(**secrets: str) -> Account:
    return Account(
        name="vertex", vendor="vertex", base_url="https://vertex.example", credential=Credential(values=secrets)
    )


def given(name: str, seconds: int = 3600) -> Reply:
    return 200, {"access_token": name, "expires_in": seconds, "token_type": "Bearer"}


@pytest.mark.parametrize("part", ["credentials_file", "credentials_json"])
async def test_a_service_account_signs_in(server: TokenServer, tmp_path: Path, part: str) -> None:
    """Google's library signs; the secret key stays with the account, the token stands beside it."""
    server.replies = iter([given("ya29.one")])
    key = json.dumps(key_of(server))
    file = tmp_path / "key.json"
    file.write_text(key)
    vertex = account(**{part: str(file) if part == "credentials_file" else key})

    credential = await Tokens(Clock()).credential(vertex)

    assert credential.values["access_token"] == "ya29.one"
    assert server.claims[0]["iss"] == "gateway@acme.example"
    assert server.claims[0]["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert "ya29" not in repr(credential)


async def test_machines_sign_in_with_what_they_have(
    server: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without secrets uses application default credentials."""
    server.replies = iter([given("ya29.adc")])
    file = tmp_path / "adc.json"
    file.write_text(json.dumps({**key_of(server), "project_id": "acme"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    credential = await Tokens(Clock()).credential(account())

    assert credential.values == {"access_token": "ya29.adc"}


def counting(lives: list[float], clock: Clock, failing: Callable[[int], Exception | None] = lambda number: None) -> Any:
    """Return a way to sign in that gives tokens of these lives, one after another."""
    given_out: list[str] = []

    def sign_in(credential: Credential) -> AccessToken:
        number = len(given_out)
        given_out.append(f"token-{number}")
        error = failing(number)
        if error is not None:
            raise error
        return AccessToken(value=f"token-{number}", expires_at=clock.now + lives[number])

    sign_in.given_out = given_out  # type: ignore[attr-defined]
    return sign_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tokens(clock: Clock, sign_in: Any) -> Tokens:
    return Tokens(clock, sign_in_of=lambda account: sign_in)


async def shown(tokens: Tokens, refused: Credential | None = None) -> str:
    credential = await tokens.credential(account(), refused=refused)
    return credential.values["access_token"]


@pytest.mark.parametrize(("life", "until"), [(3600.0, 3300.0), (100.0, 90.0)])
async def test_a_token_is_kept_until_shortly_before_it_expires(clock: Clock, life: float, until: float) -> None:
    """Five minutes before its end, or with a tenth of a short life left."""
    held = tokens(clock, counting([life, life], clock))
    assert await shown(held) == "token-0"

    clock.now += until - 1
    assert await shown(held) == "token-0"
    clock.now += 2
    assert await shown(held) == "token-1"


async def test_many_at_once_fetch_one_token(clock: Clock) -> None:
    """A hundred jobs that begin together are one request at the token server."""
    sign_in = counting([3600.0], clock)
    held = tokens(clock, sign_in)

    assert set(await asyncio.gather(*(shown(held) for _ in range(100)))) == {"token-0"}
    assert sign_in.given_out == ["token-0"]


async def test_a_refused_token_is_replaced_once(clock: Clock) -> None:
    """However many requests were refused with it."""
    sign_in = counting([3600.0, 3600.0], clock)
    held = tokens(clock, sign_in)
    refused = await held.credential(account())

    assert set(await asyncio.gather(*(shown(held, refused) for _ in range(9)))) == {"token-1"}
    assert sign_in.given_out == ["token-0", "token-1"]


@pytest.mark.parametrize("error", [SignInFailed("busy"), CannotSignIn("revoked")])
async def test_a_good_token_stands_in_while_no_new_one_can_be_had(clock: Clock, error: Exception) -> None:
    """The token server may be away for the five minutes in which the old token is still good."""
    held = tokens(clock, counting([3600.0] * 9, clock, lambda number: error if number else None))
    await shown(held)
    clock.now += 3400
    assert await shown(held) == "token-0"

    clock.now += 201
    with pytest.raises((NotSent, VendorRefused)):
        await shown(held)


async def test_a_refused_token_never_stands_in(clock: Clock) -> None:
    """The vendor has said that it will not do."""
    held = tokens(clock, counting([3600.0] * 9, clock, lambda number: SignInFailed("busy") if number == 1 else None))
    refused = await held.credential(account())

    with pytest.raises(NotSent):
        await shown(held, refused)
    assert await shown(held) == "token-2"


async def test_a_key_that_is_refused_is_the_operators_business(server: TokenServer) -> None:
    """The job goes to another account, and its caller learns nothing of keys."""
    server.replies = iter([(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})])
    with pytest.raises(VendorRefused) as caught:
        await Tokens(Clock()).credential(account(credentials_json=json.dumps(key_of(server))))

    assert caught.value.failure.kind is FailureKind.AUTHENTICATION
    assert "the operator has to check the credentials" in caught.value.failure.message
    assert "JWT" not in caught.value.failure.message


async def test_a_token_server_out_of_reach_means_that_nothing_was_sent() -> None:
    """The engine asks again later; nothing was paid for."""
    key = {"type": "service_account", "client_email": "a@b.example", "private_key": PRIVATE}
    with pytest.raises(NotSent):
        await Tokens(Clock()).credential(
            account(credentials_json=json.dumps({**key, "token_uri": "http://127.0.0.1:9/token"}))
        )


@pytest.mark.parametrize(
    "secrets",
    [
        {"credentials_file": "/nowhere/key.json"},
        {"credentials_json": "no json"},
        {"credentials_json": "[]"},
        {"credentials_json": '{"type": "service_account"}'},
        {"credentials_json": '{"type": "authorized_user"}'},
        {"credentials_json": '{"type": "external_account"}'},
        {"credentials_json": '{"type": "external_account", "credential_source": {"environment_id": "aws1"}}'},
        {"credentials_json": '{"type": "impersonated_service_account"}'},
        {"credentials_json": '{"type": "gdch_service_account"}'},
    ],
)
async def test_a_key_that_cannot_be_read_is_told(secrets: dict[str, str]) -> None:
    """Every kind of key file that is broken ends the same way."""
    with pytest.raises(VendorRefused):
        await Tokens(Clock()).credential(account(**secrets))


def test_an_account_with_a_key_of_its_own_needs_no_token() -> None:
    """Only Vertex AI without a key, and Azure without one, sign in anywhere."""
    azure = Account(name="azure", vendor="openai_videos", service="azure", base_url="https://azure.example")

    assert sign_in_of(account(api_key="k")) is None
    assert sign_in_of(account(access_token="t")) is None
    assert sign_in_of(azure) is azure_token
    assert sign_in_of(azure.evolve(credential=Credential(values={"api_key": "k"}))) is None
    assert sign_in_of(azure.evolve(service="compatible")) is None


class Entra:
    """Microsoft's token server, as a transport of Microsoft's own library."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.body = body
        self.sent: list[dict[str, str]] = []

    def __enter__(self) -> "Entra":
        return self

    def __exit__(self, *details: object) -> None:
        return

    def open(self) -> None:
        return

    def close(self) -> None:
        return

    def send(self, request: Any, **options: Any) -> Any:
        if request.method == "GET":
            base = "https://login.microsoftonline.com/tenant/oauth2/v2.0"
            return _Answer(request, 200, {"token_endpoint": f"{base}/token", "authorization_endpoint": f"{base}/auth"})
        self.sent.append(dict(request.body))
        return _Answer(request, self.status, self.body)


class _Answer(HttpResponse):
    def __init__(self, request: Any, status: int, body: dict[str, Any]) -> None:
        super().__init__(request, None)
        self.status_code = status
        self.headers = {"content-type": "application/json"}
        self.content_type = "application/json"
        self._body = json.dumps(body).encode()

    def body(self) -> bytes:
        return self._body


ENTRA_SECRETS = Credential(values={"tenant_id": "tenant", "client_id": "client", "client_secret": "secret"})


def test_a_client_signs_in_at_entra() -> None:
    """With tenant, client and secret, for the scope of Azure's own AI services."""
    entra = Entra(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": "eyJ.token"})
    token = azure_token(ENTRA_SECRETS, transport=entra, disable_instance_discovery=True)

    assert token.value == "eyJ.token"
    assert "eyJ" not in repr(token)
    assert entra.sent[0]["scope"] == "https://cognitiveservices.azure.com/.default"
    assert (entra.sent[0]["client_id"], entra.sent[0]["grant_type"]) == ("client", "client_credentials")


def test_a_secret_that_entra_refuses_is_the_operators_business() -> None:
    """Trying again is no use."""
    entra = Entra(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."})

    with pytest.raises(CannotSignIn):
        azure_token(ENTRA_SECRETS, transport=entra, disable_instance_discovery=True)
    with pytest.raises(CannotSignIn):
        azure_token(Credential(values={"client_secret": "secret"}))


def test_without_microsofts_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an optional extra."""
    monkeypatch.setitem(sys.modules, "azure.identity", None)

    with pytest.raises(CannotSignIn, match=r"pip install 'reelway\[azure\]'"):
        azure_token(ENTRA_SECRETS)


def test_nobodys_library_is_loaded_before_it_is_needed() -> None:
    """Most servers have no account that signs in, and starting would take twice as long."""
    names = "{'google.auth', 'azure', 'requests'}"
    program = f"import sys, reelway.engine.driver; print({names} & set(sys.modules) or 'none')"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "none"

"""Vidu's signature on callbacks: over address, time and nonce, with the key that created the task."""

import msgspec
import pytest
from tests.vendors.vidu_cases import submission

from reelway.core.errors import UnexpectedResponse
from reelway.dialects.vidu_signing import signed_headers
from reelway.vendors.spec import Callback, CanVerifyCallback, Credential
from reelway.vendors.vidu import ADAPTER
from reelway.vendors.vidu_signing import sign

KEY = Credential(values={"api_key": "vda_0000000000000000_fixturekey"})
URL = "https://gw.example/callbacks/vidu?job=vj_01&try=1"
OURS = submission().evolve(callback_url=URL)
NOW = 1_795_339_800.0
SIGNED = {
    "date": "Sun, 22 Nov 2026 09:30:00 GMT",
    "x-request-nonce": "9a1d4c52-0f6b-4e0e-8a6d-2f7c1b5e3d10",
    "x-hmac-signed-headers": "Date;x-request-nonce",
    "x-hmac-signature": "ZpfNuMmzMq7G557xL9+MXCzVPsDXZgVEVqnKeRH2//w=",
    "x-hmac-algorithm": "hmac-sha256",
    "x-hmac-access-key": "vidu",
}


def called(headers: dict[str, str], now: float = NOW) -> None:
    ADAPTER.verify_callback(Callback(headers=headers, body=b"{}"), OURS, KEY, now)


def resigned(**changes: str) -> dict[str, str]:
    """Return other headers with a good signature of their own."""
    headers = {**SIGNED, **changes}
    names = tuple(headers["x-hmac-signed-headers"].split(";"))
    return {**headers, "x-hmac-signature": sign(URL, "vda_0000000000000000_fixturekey", headers, names)}


@pytest.mark.parametrize("late", [-299, 0, 299])
def test_the_sheets_vector_is_good(late: int) -> None:
    """For five minutes, in both directions."""
    called(SIGNED, NOW + late)


@pytest.mark.parametrize("late", [-301, 301, 86_400])
def test_a_replayed_one_is_not(late: int) -> None:
    """Its time is signed, so nobody can make it young again."""
    with pytest.raises(UnexpectedResponse, match="too long ago"):
        called(SIGNED, NOW + late)


@pytest.mark.parametrize(
    "changes",
    [
        {"date": "Sun, 22 Nov 2026 09:30:01 GMT"},
        {"x-request-nonce": "another"},
        {"x-hmac-signed-headers": "date;x-request-nonce"},
        {"x-hmac-signature": "ZpfNuMmzMq7G557xL9+MXCzVPsDXZgVEVqnKeRH2//A="},
        {"x-hmac-signature": "é"},
        {"x-hmac-signature": ""},
        {"x-hmac-signed-headers": ""},
    ],
)
def test_whatever_is_changed_breaks_it(changes: dict[str, str]) -> None:
    """Every signed part, their list, and the signature itself."""
    with pytest.raises(UnexpectedResponse):
        called({**SIGNED, **changes})


def test_another_key_or_address_breaks_it() -> None:
    """A callback of one attempt is none of another."""
    with pytest.raises(UnexpectedResponse):
        ADAPTER.verify_callback(Callback(headers=SIGNED), OURS, Credential(values={"api_key": "other"}), NOW)
    with pytest.raises(UnexpectedResponse):
        ADAPTER.verify_callback(Callback(headers=SIGNED), OURS.evolve(callback_url=f"{URL}2"), KEY, NOW)


def test_a_signature_must_be_over_the_date() -> None:
    """Else it would be good for ever."""
    with pytest.raises(UnexpectedResponse, match="not over its date"):
        called(resigned(**{"x-hmac-signed-headers": "x-request-nonce"}))


def test_a_date_that_is_none_is_refused() -> None:
    """However well it is signed."""
    with pytest.raises(UnexpectedResponse, match="no date"):
        called(resigned(date="today"))


def test_our_sandbox_signs_as_vidu_does() -> None:
    """The sheet's vector from the other side, and one with another nonce."""
    key = KEY.values["api_key"]
    sent = {name.lower(): value for name, value in signed_headers(URL, key, NOW, SIGNED["x-request-nonce"]).items()}

    assert sent == SIGNED
    called({name.lower(): value for name, value in signed_headers(URL, key, NOW + 9, "abc").items()})


def test_an_unsigned_one_names_nothing() -> None:
    """Another Reelway cannot sign; the engine wakes at its call all the same."""
    with pytest.raises(UnexpectedResponse, match="not signed"):
        called({})
    assert isinstance(ADAPTER, CanVerifyCallback)


@pytest.mark.parametrize("name", ["id", "task_id"])
def test_the_task_may_be_called_by_either_name(name: str) -> None:
    """The vendor's page shows `id`; a production adapter takes both. Its state is for a look to find out."""
    heard = ADAPTER.read_callback(Callback(body=msgspec.json.encode({name: "9", "status": "success"})), OURS)

    assert heard.operation is not None
    assert (heard.operation.key, heard.operation.certain) == ("9", False)

"""Who asks in Kling's words: a plain key, or a token that names the key and is signed with it."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from reelway.core.errors import AuthenticationRequired
from reelway.dialects.kling import key_of, render_error
from reelway.vendors.kling import ADAPTER
from reelway.vendors.spec import Credential, HttpRequest

KEY = "sk-test-0001"
NOW = 1_793_000_000.0
GOOD = {"iss": KEY, "exp": int(NOW) + 1800, "nbf": int(NOW) - 5}


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: Any = GOOD, secret: str = KEY, header: Any = None) -> str:
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT'} if header is None else header)}.{segment(claims)}"
    return f"{signed}.{segment(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def asked(credential: str, now: float = NOW) -> str | None:
    return key_of({"authorization": f"Bearer {credential}"}, now=now)


def refused(credential: str, now: float = NOW) -> AuthenticationRequired:
    with pytest.raises(AuthenticationRequired) as caught:
        asked(credential, now)
    return caught.value


def code_of(error: AuthenticationRequired) -> tuple[int, int]:
    answer = render_error(error, "r")
    return answer.status, answer.body["code"]


def test_a_plain_key_is_the_key() -> None:
    """With or without care about spaces and case."""
    assert asked(KEY) == KEY
    assert key_of({"authorization": f" bearer  {KEY} "}) == KEY


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Basic x"}]
)
def test_no_key_is_none(headers: dict[str, str]) -> None:
    """Whether that is allowed, whoever authenticates decides."""
    assert key_of(headers) is None


def test_a_token_signed_with_the_key_it_names_is_that_key() -> None:
    """Access key and secret key are both set to the Reelway key."""
    assert asked(token()) == KEY
    assert asked(token({**GOOD, "iat": 1, "aud": "x"})) == KEY


@pytest.mark.parametrize(
    ("claims", "now", "code"),
    [
        (GOOD, NOW - 6, (401, 1003)),
        (GOOD, NOW - 5, None),
        (GOOD, NOW + 1799, None),
        (GOOD, NOW + 1800, (401, 1004)),
        ({"iss": KEY, "exp": int(NOW) + 1}, NOW, None),
    ],
)
def test_a_token_has_its_time(claims: dict[str, Any], now: float, code: tuple[int, int] | None) -> None:
    """From `nbf` on, and until before `exp`; without `nbf` from ever."""
    if code is None:
        assert asked(token(claims), now) == KEY
    else:
        assert code_of(refused(token(claims), now)) == code


@pytest.mark.parametrize(
    "credential",
    [
        token(secret="another"),
        token(GOOD, header={"alg": "none"}),
        token(GOOD, header={"alg": "HS512"}),
        token({**GOOD, "iss": ""}, secret=""),
        token({**GOOD, "exp": "soon"}),
        token({**GOOD, "exp": 1.5}),
        token({**GOOD, "nbf": True}),
        token({"iss": KEY}),
        token({"exp": 2_000_000_000}),
        token([]),
        token(b"\xff\xfe"),
        token()[:-1] + "!",
        token().rpartition(".")[0] + ".",
        "eyJ.eyJ.eyJ",
        "eyJ..",
        "eyJ" + "a" * 9000 + ".b.c",
    ],
)
def test_a_token_that_is_not_ours_is_refused(credential: str) -> None:
    """With one code for all: who guesses learns nothing."""
    assert code_of(refused(credential)) == (401, 1002)


def test_a_bad_token_is_refused_before_its_time_is_judged() -> None:
    """So that an expired token of somebody else does not look like one of ours."""
    assert code_of(refused(token({**GOOD, "exp": 1}, secret="another"))) == (401, 1002)
    assert "both to your Reelway key" in refused(token(secret="another")).message


def test_what_our_own_adapter_signs_is_good() -> None:
    """Two gateways understand each other in the older way too."""
    pair = Credential(values={"access_key": KEY, "secret_key": KEY})
    signed = ADAPTER.authorize(HttpRequest(method="GET", path="/"), pair, NOW)

    assert key_of({name.lower(): value for name, value in signed.headers}, now=NOW) == KEY

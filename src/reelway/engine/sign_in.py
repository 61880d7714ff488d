"""How an account signs in where its key is not what the vendor wants to see: through Google's and Microsoft's own libraries.

They read the key, sign, and fetch the token; all of it blocks, so it runs in a thread, and nothing is imported before it is needed.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any

from reelway.core.record import Record
from reelway.engine.account import Account
from reelway.vendors.spec import Credential

__all__ = ["AccessToken", "CannotSignIn", "SignIn", "SignInFailed", "azure_token", "google_token", "sign_in_of"]

_GOOGLE_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
_REQUEST_SECONDS = 20.0


class AccessToken(Record):
    """What the vendor wants to see, and until when it will take it."""

    value: str
    expires_at: float
    """Unix seconds."""

    def __repr__(self) -> str:
        return f"AccessToken(redacted, expires_at={self.expires_at})"


class CannotSignIn(Exception):
    """The credentials are missing, unreadable or refused: the operator has to act."""


class SignInFailed(Exception):
    """Whoever gives out tokens could not be reached, or had no time."""


SignIn = Callable[[Credential], AccessToken]
"""Returns a new token. Blocks; raises `CannotSignIn` or `SignInFailed`."""


def sign_in_of(account: Account) -> SignIn | None:
    """Return how this account gets its tokens; None where its own key is all the vendor asks for."""
    if account.credential.values.keys() & {"api_key", "access_token"}:
        return None
    if account.vendor == "vertex":
        return google_token
    if (account.vendor, account.service) == ("openai_videos", "azure"):
        return azure_token
    return None


def google_token(credential: Credential) -> AccessToken:
    """Sign in at Google: with `credentials_file` or `credentials_json`, else with what the machine itself may use."""
    import google.auth.transport.requests
    import requests
    from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

    try:
        with requests.Session() as session:
            post = partial(google.auth.transport.requests.Request(session), timeout=_REQUEST_SECONDS)
            keys = _google_credentials(credential.values)
            keys.refresh(post)
    except TransportError as error:
        raise SignInFailed(f"Google's token server could not be reached: {error}") from error
    except RefreshError as error:
        if error.retryable:
            raise SignInFailed(f"Google's token server has no time: {error.args[:1]}") from error
        raise CannotSignIn(f"Google refused the credentials: {error.args[:1]}") from error
    except (GoogleAuthError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CannotSignIn(f"Google's credentials cannot be used: {error}") from error
    if not keys.token or keys.expiry is None:
        raise SignInFailed("Google's token server gave no token")
    return AccessToken(value=keys.token, expires_at=keys.expiry.replace(tzinfo=UTC).timestamp())


def azure_token(credential: Credential, **options: Any) -> AccessToken:
    """Sign in at Microsoft Entra: with tenant, client and secret, else with the identity of the machine."""
    try:
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import ClientSecretCredential, DefaultAzureCredential
    except ImportError as error:
        raise CannotSignIn("signing in at Microsoft Entra needs a library: pip install 'reelway[azure]'") from error

    secrets = credential.values
    keys: ClientSecretCredential | DefaultAzureCredential
    try:
        if secrets.get("client_secret"):
            keys = ClientSecretCredential(
                secrets.get("tenant_id", ""), secrets.get("client_id", ""), secrets["client_secret"], **options
            )
        else:
            keys = DefaultAzureCredential(managed_identity_client_id=secrets.get("client_id"), **options)
        with keys:
            token = keys.get_token(_AZURE_SCOPE)
    except (ClientAuthenticationError, ValueError) as error:
        raise CannotSignIn(f"Microsoft Entra refused the credentials: {error}") from error
    except AzureError as error:
        raise SignInFailed(f"Microsoft Entra could not be reached: {error}") from error
    return AccessToken(value=token.token, expires_at=float(token.expires_on))


def _google_credentials(secrets: Mapping[str, str]) -> Any:
    import google.auth

    path, text = secrets.get("credentials_file"), secrets.get("credentials_json")
    if not path and not text:
        found, _ = google.auth.default(scopes=_GOOGLE_SCOPES)
        return found
    info = json.loads(text or Path(str(path)).read_text())
    return _google_loader(info)(info)


def _google_loader(info: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    """Return what reads this kind of key; Google's own loader for all kinds warns against itself."""
    from google.auth import aws, identity_pool, impersonated_credentials
    from google.oauth2 import credentials, service_account

    match info.get("type"):
        case "service_account":
            return partial(service_account.Credentials.from_service_account_info, scopes=_GOOGLE_SCOPES)
        case "authorized_user":
            return partial(credentials.Credentials.from_authorized_user_info, scopes=_GOOGLE_SCOPES)
        case "impersonated_service_account":
            load = impersonated_credentials.Credentials.from_impersonated_service_account_info
            return partial(load, scopes=_GOOGLE_SCOPES)
        case "external_account" if "environment_id" in (info.get("credential_source") or {}):
            return partial(aws.Credentials.from_info, scopes=_GOOGLE_SCOPES)
        case "external_account":
            return partial(identity_pool.Credentials.from_info, scopes=_GOOGLE_SCOPES)
        case kind:
            raise ValueError(f"a key file of type {kind!r} is not known here")

"""What an operator can do about an object store that refuses.

The one rule: of what the store said only its status and its code are told. The rest may hold keys, signatures and signed addresses.
"""

import re

from reelway.core.errors import StorageFailed

__all__ = ["is_beyond_the_end", "is_without_bucket", "object_failed"]

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>|\"reason\": ?\"([A-Za-z0-9]{1,60})\"")
_MISSING = "there is no such bucket: create it, or correct REELWAY_ASSETS_URL"
_FORBIDDEN = "the credentials may not do this: allow them to read, write, list and delete below this address"
_UNKNOWN = "the store does not accept the credentials: check the access key and its secret"
_CLOCK = "the clocks of this machine and of the store disagree: set this machine's clock (NTP)"
_EXPIRED = "the credentials have expired: renew them"
_REGION = "the bucket is in another region: set AWS_REGION"
_BUSY = "the store is too busy or broken: look at its own state"
_FULL = "the store has no room left: make room or raise the quota"
_UNREACHABLE = "the store cannot be reached: check the network and, where one is set, the endpoint"
_NO_CREDENTIALS = "no credentials were found: set those of this store, docs/howto/object-stores.md lists them"

_BY_CODE = {
    "NoSuchBucket": _MISSING,
    "ContainerNotFound": _MISSING,
    "ContainerBeingDeleted": _MISSING,
    "AccessDenied": _FORBIDDEN,
    "AllAccessDisabled": _FORBIDDEN,
    "AuthorizationFailure": _FORBIDDEN,
    "AuthorizationPermissionMismatch": _FORBIDDEN,
    "InsufficientAccountPermissions": _FORBIDDEN,
    "InvalidAccessKeyId": _UNKNOWN,
    "SignatureDoesNotMatch": _UNKNOWN,
    "AuthenticationFailed": _UNKNOWN,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidToken": _EXPIRED,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "SlowDown": _BUSY,
    "ServerBusy": _BUSY,
    "InternalError": _BUSY,
    "ServiceUnavailable": _BUSY,
    "QuotaExceeded": _FULL,
    "XMinioStorageFull": _FULL,
}
_BY_STATUS = {"401": _UNKNOWN, "403": _FORBIDDEN, "301": _REGION, "429": _BUSY, "507": _FULL}
_BY_WORDS = (("without LOCATION", _REGION), ("Credential", _NO_CREDENTIALS), ("HTTP error", _UNREACHABLE))
_SIGNING_IN = re.compile(r"token request|169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal")
"""Where the library looks for credentials that no variable gives."""


def object_failed(error: BaseException, place: str, doing: str) -> StorageFailed:
    """Return what to raise for an error met while doing something at this place. Raise it `from None`: see the rule above."""
    text = str(error)
    status, code = _status(text), _code(text)
    if _SIGNING_IN.search(text):
        return StorageFailed(f"{place}: {_NO_CREDENTIALS} ({status or type(error).__name__}, while {doing})")
    advice = _BY_CODE.get(code) or _BY_STATUS.get(status) or (_BUSY if status.startswith("5") else None)
    if advice is None and not status:
        advice = next((advice for words, advice in _BY_WORDS if words in text), None)
    if advice is None and isinstance(error, TimeoutError | OSError):
        advice = _UNREACHABLE
    said = " ".join(part for part in (status, code) if part) or type(error).__name__
    return StorageFailed(f"{place}: {advice or 'the store refused: look at its own log'} ({said}, while {doing})")


def is_without_bucket(error: BaseException) -> bool:
    """Say whether it is not the object that is missing, but all of them."""
    return _BY_CODE.get(_code(str(error))) is _MISSING


def is_beyond_the_end(error: BaseException) -> bool:
    """Say whether the range asked for begins after the last byte."""
    return _status(str(error)) == "416"


def _status(text: str) -> str:
    found = _STATUS.search(text)
    return found[1] if found else ""


def _code(text: str) -> str:
    found = _CODE.search(text)
    return (found[1] or found[2]) if found else ""

"""Access tokens for the accounts that need them: kept until shortly before they expire, and fetched once at a time.

A token that the vendor refuses is fetched again once. Tokens live in memory only.
"""

import asyncio
from collections.abc import Callable

from reelway.core.errors import NotSent, VendorError, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.engine.account import Account
from reelway.engine.sign_in import AccessToken, CannotSignIn, SignIn, SignInFailed, sign_in_of
from reelway.telemetry import logger
from reelway.vendors.spec import Credential

__all__ = ["Tokens"]

_log = logger("engine.tokens")
_PART = "access_token"
_EARLY_SECONDS = 300.0
"""A token is replaced so long before it expires, or when a tenth of a short life is left."""


class _Holder:
    """What one account has to show."""

    def __init__(self, sign_in: SignIn) -> None:
        self.sign_in = sign_in
        self.lock = asyncio.Lock()
        self.token: AccessToken | None = None
        self.renew_at = 0.0


class Tokens:
    """The tokens of all accounts. One per process."""

    def __init__(
        self, clock: Callable[[], float], *, sign_in_of: Callable[[Account], SignIn | None] = sign_in_of
    ) -> None:
        self._clock = clock
        self._sign_in_of = sign_in_of
        self._holders: dict[str, _Holder] = {}

    async def credential(self, account: Account, *, refused: Credential | None = None) -> Credential:
        """Return what requests are signed with: the account's own secrets, and a token among them where it needs one.

        `refused` is a credential the vendor did not take: its token is replaced. Raise `VendorRefused` when the account
        cannot sign in, `NotSent` when it could not just now.
        """
        holder = self._holder(account)
        if holder is None:
            return account.credential
        async with holder.lock:
            token = holder.token
            is_refused = refused is not None and token is not None and refused.values.get(_PART) == token.value
            if token is None or is_refused or self._clock() >= holder.renew_at:
                token = await self._renew(holder, account, None if is_refused else token)
            return Credential(values={**account.credential.values, _PART: token.value})

    def _holder(self, account: Account) -> _Holder | None:
        if account.name not in self._holders:
            sign_in = self._sign_in_of(account)
            if sign_in is None:
                return None
            self._holders[account.name] = _Holder(sign_in)
        return self._holders[account.name]

    async def _renew(self, holder: _Holder, account: Account, good: AccessToken | None) -> AccessToken:
        """Fetch a token; one that is still good stands in where that fails."""
        try:
            token = await asyncio.to_thread(holder.sign_in, account.credential)
        except (CannotSignIn, SignInFailed) as error:
            _log.warning("sign_in_failed", account=account.name, reason=str(error))
            holder.token = good
            if good is not None and self._clock() < good.expires_at:
                return good
            raise _failure(account, error) from error
        lifetime = token.expires_at - self._clock()
        holder.token, holder.renew_at = token, token.expires_at - min(_EARLY_SECONDS, lifetime / 10)
        return token


def _failure(account: Account, error: CannotSignIn | SignInFailed) -> VendorError:
    """Return what the engine understands. Why it happened is for the operator's log, not for callers."""
    if isinstance(error, SignInFailed):
        return NotSent(f"{account.name} could not fetch an access token, so nothing was sent")
    message = f"`{account.name}` could not sign in; the operator has to check the credentials of this account."
    return VendorRefused(Failure(kind=FailureKind.AUTHENTICATION, message=message))

"""What is probably not meant about the accounts of these settings, in sentences for the log and for `reelway doctor`."""

from collections.abc import Iterable

from reelway.catalog.routes import services_of
from reelway.catalog.spec import ModelCard
from reelway.settings.accounts import AccountSettings

__all__ = ["account_notices"]


def account_notices(accounts: Iterable[AccountSettings], cards: Iterable[ModelCard]) -> tuple[str, ...]:
    """Return a sentence for every account that names a service its vendor does not have, and so gets no video."""
    known_cards = tuple(cards)
    notices = []
    for account in accounts:
        services = services_of(known_cards, account.vendor)
        if account.service and services and account.service not in services:
            notices.append(
                f"account {account.name!r}: {account.vendor} has no service {account.service!r}, so it gets no video; "
                f"use one of {', '.join(services)}."
            )
    return tuple(notices)

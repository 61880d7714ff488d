"""The accounts of these settings: those an operator configured, and the sandbox's where it is on."""

from urllib.parse import urlsplit

from reelway.bootstrap.backends import is_shared
from reelway.bootstrap.sandbox import SANDBOX_PATH
from reelway.catalog.catalog import Catalog
from reelway.engine.account import Account
from reelway.settings import AccountSettings, Settings, account_notices, all_accounts
from reelway.telemetry import logger
from reelway.vendors.registry import adapters
from reelway.vendors.spec import Credential

__all__ = ["configured_accounts", "sandbox_account", "sandbox_is_on"]

_log = logger("bootstrap")


def configured_accounts(settings: Settings, catalog: Catalog) -> tuple[Account, ...]:
    """Return one account for each credential at a vendor, with what the vendor's card says of all of them."""
    given = all_accounts(settings)
    for notice in account_notices(given, catalog.cards):
        _log.warning("account_without_service", notice=notice)
    accounts = tuple(_account(settings, account, catalog) for account in given)
    for account in accounts:
        if account.vendor not in adapters():
            _log.warning("vendor_not_served", account=account.name, vendor=account.vendor)
    return accounts


def _account(settings: Settings, given: AccountSettings, catalog: Catalog) -> Account:
    vendor = catalog.vendors.get(given.vendor)
    limit = catalog.limit_at(urlsplit(given.base_url).hostname or "")
    max_in_flight, per_minute = given.max_in_flight, given.requests_per_minute
    previous = given.previous_credential()
    return Account(
        name=given.name,
        vendor=given.vendor,
        base_url=given.base_url,
        service=given.service,
        credential=Credential(values=given.credential()),
        previous=(Credential(values=previous),) if previous else (),
        models=given.models,
        weight=given.weight,
        priority=given.priority,
        max_in_flight=(limit.max_in_flight if limit else 0) if max_in_flight is None else max_in_flight,
        requests_per_minute=(limit.requests_per_minute if limit else 0) if per_minute is None else per_minute,
        draining=given.draining,
        full_codes=vendor.full_codes if vendor else (),
        settings=given.settings,
        submit_policy=given.submit_policy or settings.submit_policy.get(given.vendor, "fail"),
        retry_failed_renders=given.retry_failed_renders or settings.retry_failed_renders,
        charges_failed_renders=vendor is None or not vendor.failed_renders_free,
        private_network=given.private_network,
        delete_after_collect=given.delete_after_collect,
    )


def sandbox_is_on(settings: Settings, configured: tuple[Account, ...]) -> bool:
    """Whether the make-believe vendor runs within this server.

    In a fleet each node's would be a vendor of its own: a video made at one could not be looked at by another that took it over.
    """
    if settings.sandbox == "on" and is_shared(settings):
        _log.warning("sandbox_of_one_node", advice="run `reelway sandbox` once, and give every node an account there")
    return settings.sandbox == "on" or (settings.sandbox == "auto" and not configured and not is_shared(settings))


def sandbox_account(settings: Settings, sandbox_key: str) -> Account:
    """Return the account at the sandbox within this server, asked after all others."""
    return Account(
        name="sandbox",
        vendor="openai_videos",
        service="sandbox",
        base_url=f"{settings.address}{SANDBOX_PATH}/v1",
        credential=Credential(values={"api_key": sandbox_key}),
        priority=1_000,
        sandbox=True,
    )

"""The accounts of these settings: those an operator configured, and the sandbox's where it is on."""

from reelway.bootstrap.backends import is_shared
from reelway.bootstrap.sandbox import SANDBOX_PATH
from reelway.engine.account import Account
from reelway.settings import Settings, all_accounts
from reelway.telemetry import logger
from reelway.vendors.registry import adapters
from reelway.vendors.spec import Credential

__all__ = ["configured_accounts", "sandbox_account", "sandbox_is_on"]

_log = logger("bootstrap")


def configured_accounts(settings: Settings) -> tuple[Account, ...]:
    """Return one account for each credential at a vendor."""
    configured = tuple(
        Account(
            name=given.name,
            vendor=given.vendor,
            base_url=given.base_url,
            service=given.service,
            credential=Credential(values=given.credential()),
            models=given.models,
            weight=given.weight,
            priority=given.priority,
            max_in_flight=given.max_in_flight,
            settings=given.settings,
            submit_policy=given.submit_policy or settings.submit_policy.get(given.vendor, "fail"),
            private_network=given.private_network,
            delete_after_collect=given.delete_after_collect,
        )
        for given in all_accounts(settings)
    )
    for account in configured:
        if account.vendor not in adapters():
            _log.warning("vendor_not_served", account=account.name, vendor=account.vendor)
    return configured


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

"""The secret each tenant's messages are signed with.

The one rule: no two tenants share one, since whoever can verify a message can forge it.
"""

import os
from collections.abc import Callable

from reelway.webhooks.signing import SECRET_BYTES, make_secret
from reelway.webhooks.spec import Facts

__all__ = ["TenantSecrets"]

_FACT = "webhook_secret"


def _random() -> bytes:
    return os.urandom(SECRET_BYTES)


class TenantSecrets:
    """Secrets, each made when it is first asked for and kept for good."""

    def __init__(self, facts: Facts, entropy: Callable[[], bytes] = _random) -> None:
        self._facts = facts
        self._entropy = entropy

    async def secret(self, tenant: str) -> str:
        """Return a tenant's secret, `whsec_…`."""
        name = f"{_FACT}:{tenant}"
        return await self._facts.fact(name) or await self._facts.set_fact(name, make_secret(self._entropy()))

"""Addresses that open one file without a key until their time is over, as a vendor's storage has them.

They all lead to the content path of the OpenAI dialect, whichever dialect shows them. Where the sandbox is reached is what it was
told, else what the request that is being answered says: a sandbox has no address of its own.
"""

import math
from collections.abc import Mapping

from reelway.accounts.links import is_signed, sign_link
from reelway.core.errors import PermissionDenied
from reelway.core.videos import Variant
from reelway.dialects.spec import Incoming, OpenContent
from reelway.sandbox.tasks import LinkTo, Task

__all__ = ["Links", "origin_of"]


class Links:
    """Signs links, and knows its own again."""

    def __init__(self, secret: bytes, link_seconds: float) -> None:
        self._secret = secret
        self._link_seconds = link_seconds

    def to_files_of(self, task: Task, origin: str, now: float) -> LinkTo:
        """Return what gives the files of a video their addresses, good from now on."""
        seconds = self._link_seconds if task.faults.link_seconds is None else task.faults.link_seconds
        # Two looks within a second give the same link, and none works longer than the file is kept.
        expires = math.floor(min(now + seconds, task.expires_at))

        def link(variant: Variant, index: int) -> str:
            signature = sign_link(self._secret, task.id, variant, index, expires)
            query = f"variant={variant}&index={index}&expires={expires}&signature={signature}"
            return f"{origin}/v1/videos/{task.id}/content?{query}"

        return link

    def is_one(self, call: OpenContent, incoming: Incoming, now: float) -> bool:
        """Tell whether the request came by a link. Raises `PermissionDenied` for one that is forged or too old."""
        query = dict(incoming.query)
        if "signature" not in query:
            return False
        expires = query.get("expires", "")
        if not is_signed(self._secret, call.id, call.variant, call.index, expires, query["signature"], now):
            raise PermissionDenied(
                "This link is not signed by this sandbox or its time has passed; look at the video again for a fresh one.",
                code="link_expired",
            )
        return True


def origin_of(headers: Mapping[str, str], public_url: str | None, prefix: str) -> str:
    """Return where the sandbox is reached: without an address of its own, by the request that is answered."""
    if public_url is not None:
        return public_url.rstrip("/")
    scheme = "https" if headers.get("x-forwarded-proto", "") == "https" else "http"
    return f"{scheme}://{headers.get('host', 'localhost')}{prefix}"

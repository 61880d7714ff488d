"""What a caller hears whose request no account can take."""

from collections.abc import Sequence

from reelway.core.errors import CallerError, InvalidRequest, NoRoute
from reelway.core.videos import ResolvedRequest
from reelway.engine.router import Obstacle

__all__ = ["no_route"]


def no_route(resolved: ResolvedRequest, obstacles: Sequence[Obstacle]) -> CallerError:
    """Return the refusal of a request that no account can take: for want of an account, or of an address for its files."""
    if obstacles:
        return InvalidRequest(
            f"no configured account can make {resolved.model} from these files: {obstacles[0].reason}. "
            "Give the file by a public URL, or have the operator set REELWAY_PUBLIC_URL",
            code="public_url_required",
        )
    message = (
        f"no configured account can make {resolved.model} in mode {resolved.mode}: "
        "configure a vendor that serves it (see GET /v1/models), or switch the sandbox on"
    )
    return NoRoute(message, param="model", retry_after_seconds=10)

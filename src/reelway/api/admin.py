"""`/admin/v1`: what operators ask a running server. Only keys with the scope `admin` may."""

from typing import Any

from starlette.routing import Route

from reelway.core.errors import InvalidRequest
from reelway.core.jobs import Attempt
from reelway.core.money import to_text
from reelway.dialects.openai_videos import key_of
from reelway.dialects.spec import Outgoing
from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange
from reelway.service import Service
from reelway.service.reading import require
from reelway.service.submits import LostSubmit

__all__ = ["admin_routes", "submit_view"]

_MOST = 100


def admin_routes(service: Service) -> list[Route]:
    """Return the routes for operators."""

    async def answer(exchange: Exchange) -> None:
        require(await service.authenticate(key_of(exchange.headers)), "admin")
        query = dict(exchange.query)
        if query.get("outcome", "unknown") != "unknown":
            raise InvalidRequest("outcome must be 'unknown': all other submits are accounted for", param="outcome")
        found = await service.submits.lost(_limit(query.get("limit")))
        await exchange.answer(Outgoing(body={"object": "list", "data": [submit_view(one) for one in found]}))

    return [get_route("/admin/v1/submits", answer)]


def submit_view(submit: LostSubmit) -> dict[str, Any]:
    """Return how a submit is shown, here and by the command line. Secrets of attempts stay inside."""
    said = submit.said
    return {
        "object": "submit",
        "video": submit.video,
        "tenant": submit.tenant,
        "state": submit.state,
        "model": submit.model,
        "account": submit.account,
        "quoted": to_text(submit.reserved),
        "attempts": [_attempt(attempt) for attempt in submit.attempts],
        "said": None if said is None else {"verdict": said.verdict, "by": said.by, "at": said.at, "key": said.key},
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    settled = attempt.settlement
    return {
        "number": attempt.number,
        "account": attempt.account,
        "reference": attempt.reference,
        "outcome": attempt.outcome,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "lookups": attempt.lookups,
        "heard": [heard.key for heard in attempt.heard],
        "settled": None
        if settled is None
        else {
            "verdict": settled.verdict,
            "by": settled.by,
            "at": settled.at,
            "key": settled.key,
            "amount": to_text(settled.amount),
        },
    }


def _limit(text: str | None) -> int:
    if text is None:
        return _MOST
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST)) and 1 <= int(text) <= _MOST):
        raise InvalidRequest(f"limit must be a whole number from 1 to {_MOST} (got {text[:20]!r})", param="limit")
    return int(text)

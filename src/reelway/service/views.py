"""From our record to what a caller may see: live where it is unfinished, measured where it is finished, never a vendor's id."""

from collections.abc import Sequence
from typing import Any

import msgspec

from reelway.catalog.pricing import Quote
from reelway.core.jobs import Job, JobRoute
from reelway.core.keys import Caller
from reelway.core.lifecycle import State, public_status
from reelway.core.money import to_text
from reelway.core.videos import Cost, Input, ResolvedRequest, RouteView, Video
from reelway.engine.runtime import Engine
from reelway.service.contents import ContentKeeper

__all__ = ["quote_view", "view"]

_POLL_SHARE = 0.05


def view(job: Job, caller: Caller, engine: Engine, contents: ContentKeeper, now: float) -> Video:
    """Return the video."""
    request, status = job.request, public_status(job.state)
    typical = engine.typical_seconds(job)
    place = engine.place(job) if job.state is State.QUEUED else None
    progress = engine.board.progress(job, now, typical)
    outputs = contents.linked(job)
    first = outputs[0] if outputs else None
    return Video(
        id=job.id,
        model=request.model,
        status=status,
        progress=progress,
        created_at=job.created_at,
        updated_at=job.updated_at,
        completed_at=job.completed_at,
        expires_at=job.expires_at,
        prompt=request.prompt,
        mode=request.mode,
        seconds=_seconds(first.seconds if first else request.seconds),
        width=first.width if first else request.width,
        height=first.height if first else request.height,
        ratio=request.ratio,
        tier=request.tier,
        seed=request.seed,
        fps=request.fps,
        audio=request.audio,
        options=request.options,
        usage=job.usage or {},
        remixed_from_video_id=request.source_video_id if request.operation != "create" else None,
        failure=job.failure,
        tags=request.tags,
        outputs=outputs,
        warnings=request.warnings,
        eta_seconds=None
        if job.is_final
        else _eta(job, progress, typical, now, 0.0 if place is None else place.wait_seconds),
        queue_position=None if place is None else place.position,
        cost=Cost(reserved=to_text(job.reserved), settled=_settled(job)),
        route=RouteView(vendor=job.route.vendor, account=job.route.account) if job.route and caller.is_admin else None,
        sandbox=job.route is not None and job.route.sandbox,
        user=request.user,
        poll_after_seconds=None if job.is_final else min(max(typical * _POLL_SHARE, 0.5), 5.0),
        client_reference=request.client_reference,
    )


def quote_view(resolved: ResolvedRequest, price: Quote, routes: Sequence[JobRoute], caller: Caller) -> dict[str, Any]:
    """Return what a create would do and cost."""
    shown = msgspec.to_builtins(resolved.evolve(inputs=(), warnings=()))
    answer: dict[str, Any] = {
        "object": "video.quote",
        "model": resolved.model,
        "request": {**shown, "size": resolved.size, "inputs": [_input_facts(given) for given in resolved.inputs]},
        "available": bool(routes),
        "warnings": msgspec.to_builtins(resolved.warnings),
        "price": {"currency": "USD", "amount": to_text(price.amount), "lines": msgspec.to_builtins(price.lines)},
    }
    if caller.is_admin:
        answer["route"] = {"vendor": routes[0].vendor, "account": routes[0].account} if routes else None
    return answer


def _input_facts(given: Input) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": given.kind, "role": given.role}
    if given.blob is not None:
        facts |= {"media_type": given.blob.media_type, "bytes": given.blob.bytes, "sha256": given.blob.sha256}
    if given.name is not None:
        facts["name"] = given.name
    if given.url is not None:
        facts["url"] = given.url
    return facts


def _settled(job: Job) -> str | None:
    """Return what it came to: of a video that was not made and not charged, nothing."""
    if job.settled is None:
        return to_text(0) if job.is_final else None
    return to_text(job.settled)


def _seconds(value: float | None) -> str | None:
    """Return a length as text: whole where it is whole to a tenth of a second."""
    if value is None or value < 0:
        return None
    return str(round(value)) if abs(value - round(value)) < 0.1 else f"{value:.1f}"


def _eta(job: Job, progress: int, typical: float, now: float, wait_seconds: float) -> float:
    """Return the seconds that are probably left: from the vendor's progress where there is one, else from experience."""
    if job.submitted_at is None:
        return round(wait_seconds + typical, 1)
    elapsed = now - job.submitted_at
    if progress >= 10:
        return round(max(elapsed * (100 - progress) / progress, 0.0), 1)
    return round(max(typical - elapsed, 1.0), 1)

"""Holds a request against its model card, as the vendor would hold it against its model.

A mistake of whoever wrote the request is thus found where the vendor would find it. What the card only warns about, a vendor
passes over in silence: it is not refused, and stands in the log of creates.
"""

from collections.abc import Mapping

from reelway.catalog.catalog import Catalog
from reelway.catalog.resolve import resolve
from reelway.core.errors import NotFound
from reelway.core.failures import FailureKind
from reelway.core.videos import InputReference, MediaKind, Operation, ResolvedRequest, Role, VideoRequest
from reelway.sandbox.tasks import TaskInput

__all__ = ["judge", "roles_of", "with_judgement"]

_OPERATIONS: Mapping[str, Operation] = {"edit": "edit", "extend": "extend", "remix": "remix"}


def judge(request: VideoRequest, inputs: tuple[TaskInput, ...], catalog: Catalog) -> ResolvedRequest:
    """Return what the request means. `inputs` are its own in their order, then the video it works on, where it named one.

    Raises `NotFound` for a model nobody has, `InvalidRequest` for what the card does not allow.
    """
    try:
        card = catalog.card(request.model)
    except NotFound as error:
        error.kind = FailureKind.MODEL_NOT_FOUND
        raise
    own = inputs[: len(request.inputs)]
    measured = tuple(
        given.evolve(kind=item.kind, blob=item.blob, data=None, url=None, file_id=None, video_id=None)
        for given, item in zip(request.inputs, own, strict=True)
    )
    sources = tuple(
        InputReference(field="video", kind=MediaKind.VIDEO, role=Role.SOURCE, blob=item.blob)
        for item in inputs[len(own) :]
    )
    return resolve(request.evolve(inputs=(*measured, *sources)), card)


def with_judgement(request: VideoRequest, resolved: ResolvedRequest) -> VideoRequest:
    """Return the request with everything said that the card says about it."""
    return request.evolve(
        operation=_OPERATIONS.get(resolved.mode, "create"),
        seconds=resolved.seconds,
        width=resolved.width,
        height=resolved.height,
        ratio=resolved.ratio,
        tier=resolved.tier,
        fps=resolved.fps,
        seed=resolved.seed,
        audio=resolved.audio,
        options=resolved.options,
        metadata=dict(resolved.tags),
    )


def roles_of(resolved: ResolvedRequest) -> dict[str, Role]:
    """Return the role of each input by the name of its file."""
    return {given.blob.key: given.role for given in resolved.inputs if given.blob is not None}

"""Holds a request against its model card, as the vendor would hold it against its model.

A mistake of whoever wrote the request is thus found where the vendor would find it. What the card only warns about, a vendor
passes over in silence: it is not refused, and stands in the log of creates.
"""

from collections.abc import Mapping

from reelway.catalog.catalog import Catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.failures import FailureKind
from reelway.core.videos import InputReference, MediaKind, Operation, ResolvedRequest, Role, VideoRequest
from reelway.sandbox.tasks import TaskInput

__all__ = ["Judge", "roles_of", "with_judgement"]

_OPERATIONS: Mapping[str, Operation] = {"edit": "edit", "extend": "extend", "remix": "remix"}


class Judge:
    """Knows every model by the names a caller and its vendor have for it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._by_vendors_id: dict[str, list[ModelCard]] = {}
        for card in catalog.cards:
            for name in {*card.known_as, *(route.model for route in card.routes)}:
                self._by_vendors_id.setdefault(name, []).append(card)

    def resolve(self, request: VideoRequest, inputs: tuple[TaskInput, ...]) -> ResolvedRequest:
        """Return what the request means. `inputs` are its own in their order, then the video it works on, where it named one.

        Several of our models may be one of the vendor's: what one of them allows, the vendor makes. Raises `NotFound` for a
        model nobody has, `InvalidRequest` for what no card of this name allows.
        """
        request = _with_bytes(request, inputs)
        refusals: list[InvalidRequest] = []
        for card in self._cards(request.model):
            try:
                return resolve(request, card)
            except InvalidRequest as error:
                refusals.append(error)
        raise refusals[0]

    def _cards(self, name: str) -> list[ModelCard]:
        """Return the card of a public name, or all that a vendor's id stands for, the one that is known by it first."""
        if name not in self._catalog.names and name in self._by_vendors_id:
            return sorted(self._by_vendors_id[name], key=lambda card: name not in card.known_as)
        try:
            return [self._catalog.card(name)]
        except NotFound as error:
            error.kind = FailureKind.MODEL_NOT_FOUND
            raise


def _with_bytes(request: VideoRequest, inputs: tuple[TaskInput, ...]) -> VideoRequest:
    """Return the request with every input as the file it came to be, measured."""
    own = inputs[: len(request.inputs)]
    measured = tuple(
        given.evolve(kind=item.kind, blob=item.blob, data=None, url=None, file_id=None, video_id=None)
        for given, item in zip(request.inputs, own, strict=True)
    )
    sources = tuple(
        InputReference(field="video", kind=MediaKind.VIDEO, role=Role.SOURCE, blob=item.blob)
        for item in inputs[len(own) :]
    )
    return request.evolve(inputs=(*measured, *sources))


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

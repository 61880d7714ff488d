"""What the tests of Vidu's adapter share: pictures and submissions."""

from typing import Any

from reelway.core.videos import Blob, Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.spec import Submission

__all__ = ["image", "submission"]


def image(name: str | None = None, *, size: int | None = None, role: Role = Role.REFERENCE) -> Input:
    """Return a picture: an address, or bytes of a size."""
    if size is None:
        return Input(kind=MediaKind.IMAGE, role=role, url="https://media.example/a.png", name=name)
    blob = Blob(key=f"inputs/{size}", sha256="01", bytes=size, media_type="image/png", width=1280, height=720)
    return Input(kind=MediaKind.IMAGE, role=role, blob=blob, name=name)


def submission(mode: Mode = Mode.T2V, *inputs: Input, **changes: Any) -> Submission:
    plain = ResolvedRequest(
        operation="create",
        model="viduq3-turbo",
        card="viduq3-turbo",
        mode=mode,
        prompt="A boat",
        inputs=inputs,
        seconds=5,
        tier="720p",
        audio=True,
    )
    return Submission(request=plain.evolve(**changes), model="viduq3-turbo", reference="video_1-1", started_at=1.0)

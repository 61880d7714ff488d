"""A request becomes a video of the asked shape; what is not said follows the inputs, then habit."""

from pathlib import Path
from typing import Any

import pytest

from reelway.core.errors import InvalidRequest
from reelway.core.videos import MediaKind, Role, VideoRequest
from reelway.sandbox.plans import Shape, assign_roles, choose_shape, make_specs, seed_of
from reelway.sandbox.tasks import Task, TaskInput

SOURCE = Shape(seconds=4.0, width=640, height=360, fps=30)


def request(**changes: Any) -> VideoRequest:
    return VideoRequest(model="m", prompt="a fox", **changes)


def item(kind: MediaKind = MediaKind.IMAGE, role: Role = Role.REFERENCE, file: str = "input-0") -> TaskInput:
    return TaskInput(file=file, kind=kind, role=role, media_type="image/png", bytes=1, sha256="00")


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, (5, 1280, 720, 24)),
        ({"seconds": -1}, (5, 1280, 720, 24)),
        ({"seconds": 8, "width": 1920, "height": 1080, "fps": 30}, (8, 1920, 1080, 30)),
        ({"ratio": "9:16"}, (5, 720, 1280, 24)),
        ({"tier": "1080p", "ratio": "1:1"}, (5, 1080, 1080, 24)),
        ({"tier": "pro"}, (5, 1920, 1080, 24)),
        ({"tier": "unheard_of", "ratio": "adaptive"}, (5, 1280, 720, 24)),
        ({"tier": "1080p", "ratio": "adaptive"}, (5, 1920, 1080, 24)),
        ({"width": 1023, "height": 577}, (5, 1022, 576, 24)),
        ({"width": 1, "height": 99999}, (5, 16, 8192, 24)),
        ({"fps": 1000}, (5, 1280, 720, 120)),
    ],
)
def test_shape_without_inputs(asked: dict[str, Any], wanted: tuple[float, ...]) -> None:
    """Any words a gateway may send give a size that can be encoded."""
    shape = choose_shape(request(**asked))
    assert (shape.seconds, shape.width, shape.height, shape.fps) == wanted


def test_shape_follows_the_source() -> None:
    """An edit is as long and large as its source; an extension is longer by what was asked."""
    assert choose_shape(request(operation="edit"), source=SOURCE) == SOURCE
    assert choose_shape(request(operation="extend", seconds=6), source=SOURCE) == SOURCE.evolve(seconds=10.0)
    assert choose_shape(request(operation="extend"), source=SOURCE).seconds == 9
    upright = SOURCE.evolve(width=360, height=640)
    assert choose_shape(request(operation="edit", tier="1080p"), source=upright) == upright.evolve(
        width=1080, height=1920
    )


def test_shape_follows_the_picture_where_none_is_asked() -> None:
    """A portrait picture makes a portrait video, unless a size was asked for."""
    assert choose_shape(request(), picture=(1000, 1500)).evolve(seconds=5) == Shape(
        seconds=5, width=720, height=1080, fps=24
    )
    assert choose_shape(request(ratio="16:9"), picture=(1000, 1500)).width == 1280


@pytest.mark.parametrize("seconds", [0, 301])
def test_impossible_lengths_are_refused(seconds: int) -> None:
    """Nothing and too much cannot be rendered."""
    with pytest.raises(InvalidRequest, match="up to 300 seconds"):
        choose_shape(request(seconds=seconds))


@pytest.mark.parametrize(
    ("count", "mode", "roles"),
    [
        (1, None, [Role.FIRST_FRAME]),
        (2, None, [Role.FIRST_FRAME, Role.LAST_FRAME]),
        (3, None, [Role.REFERENCE] * 3),
        (2, "r2v", [Role.REFERENCE] * 2),
        (1, "reference_material", [Role.REFERENCE]),
    ],
)
def test_roles_by_number_and_mode(count: int, mode: str | None, roles: list[Role]) -> None:
    """Pictures without a role get the usual one."""
    given = tuple(item() for _ in range(count))
    assert [named.role for named in assign_roles(request(mode=mode), given, (None,) * count)] == roles


def test_given_roles_stay() -> None:
    """Named roles are kept; a video without one is the source, a sound a reference."""
    inputs = (item(), item(MediaKind.VIDEO), item(MediaKind.AUDIO))
    named = assign_roles(request(), inputs, (Role.LAST_FRAME, None, None))
    assert [given.role for given in named] == [Role.LAST_FRAME, Role.SOURCE, Role.REFERENCE]


def test_seed_is_stable() -> None:
    """The asked seed is used; without one the same words always give the same."""
    assert seed_of(request(seed=7)) == 7
    assert seed_of(request()) == seed_of(request()) >= 0
    assert seed_of(request()) != seed_of(request().evolve(prompt="a wolf"))


def test_specs_hold_everything() -> None:
    """Each take has a spec of its own; files are looked for in the task's folder."""
    task = Task(
        id="t", holder="h", model="m", operation="create", prompt="fox [[delay:1]]", created_at=0, render_seconds=0,
        seconds=2, width=320, height=180, fps=24, seed=5, n=2, audio=False,
        inputs=(item(role=Role.FIRST_FRAME, file="a"), item(role=Role.LAST_FRAME, file="b"), item(file="c")),
    )  # fmt: skip
    first, second = make_specs(task, Path("/x"), draft=True)
    assert (first.prompt, first.seed, second.seed, first.audio, first.draft) == ("fox", 5, 6, False, True)
    assert (first.first_frame, first.last_frame, first.references) == (Path("/x/a"), Path("/x/b"), (Path("/x/c"),))

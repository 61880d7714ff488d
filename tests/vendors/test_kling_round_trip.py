"""Options of Kling's that hang together or have no field, through both designs and back: the same video is meant."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.vendors.round_trip import Line, carried, lines, meaning

from reelway.catalog.examples import example
from reelway.catalog.resolve import resolve
from reelway.core.videos import InputReference, MediaKind, Mode, ResolvedRequest, Role

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINES = lines("kling")
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters=";@<>"), min_size=1, max_size=20
)


def each(*modes: Mode) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("line", [line for line in LINES if line.mode in modes], ids=str)


def asked(line: Line, prompt: str, options: dict[str, Any], **changes: Any) -> ResolvedRequest:
    request = example(line.card, line.mode).evolve(prompt=prompt, options=options, **changes)
    return resolve(request, line.card)


def said(request: ResolvedRequest) -> str:
    """Return everything that is said in words, however it is divided up."""
    options = request.options
    shots = " ".join(
        f"shot {number}, {shot['duration']}, {shot['prompt']};"
        for number, shot in enumerate(options.get("multi_prompt", ()), start=1)
    )
    negative = options.get("negative_prompt")
    parts = [request.prompt, f"Negative prompt: {negative}" if negative else "", shots]
    return "\n".join(part for part in parts if part)


def shape(request: ResolvedRequest) -> dict[str, Any]:
    """Return what is asked for beyond words; several shots are several shots, whoever planned them."""
    found = meaning(request)
    options = found.pop("options")
    found.pop("prompt")
    several = options.pop("multi_shot", None) or bool({"multi_prompt", "shot_type"} & options.keys())
    for name in ("multi_prompt", "shot_type", "negative_prompt"):
        options.pop(name, None)
    return {**found, **options, "several": several}


@st.composite
def storyboards(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """Draw a length, and options about shots that agree with it."""
    lengths = draw(st.lists(st.integers(3, 5), min_size=1, max_size=3))
    shots = [
        {"index": n, "prompt": draw(WORDS).strip() or "x", "duration": str(length)}
        for n, length in enumerate(lengths, 1)
    ]
    options = draw(
        st.sampled_from(
            [
                {},
                {"multi_shot": True},
                {"shot_type": "intelligence"},
                {"multi_prompt": shots},
                {"multi_prompt": shots, "shot_type": "customize", "multi_shot": True},
            ]
        )
    )
    negative = draw(st.sampled_from([{}, {"negative_prompt": "people"}]))
    return sum(lengths), {**options, **negative}


@each(Mode.T2V, Mode.I2V, Mode.FIRST_LAST, Mode.R2V)
@FEW
@given(storyboard=storyboards(), prompt=WORDS.map(str.strip).filter(bool))
def test_a_storyboard_arrives_whole(line: Line, storyboard: tuple[int, dict[str, Any]], prompt: str) -> None:
    """As a list or as words, nothing of it is lost and nothing is added."""
    seconds, options = storyboard
    sent = asked(line, prompt, options, seconds=seconds)

    arrived, _ = carried(line, sent)

    assert said(arrived) == said(sent)
    assert shape(arrived) == shape(sent)
    assert arrived.warnings == ()


@each(Mode.I2V, Mode.R2V, Mode.EDIT)
def test_elements_arrive_under_their_names(line: Line) -> None:
    """The older API has no names, so there the prompt comes back with numbers."""
    elements = [{"element_id": "163"}, {"element_id": "940000000000000777", "id": "Zhang"}]
    sent = asked(line, "@element_1 meets @Zhang", {"element_list": elements})

    arrived, _ = carried(line, sent)

    named = line.leg.service == "current"
    assert arrived.options["element_list"] == (
        elements if named else [{"element_id": e["element_id"]} for e in elements]
    )
    assert arrived.prompt == ("@element_1 meets @Zhang" if named else "@element_1 meets @element_2")


@each(Mode.R2V)
@FEW
@given(
    roles=st.permutations([Role.REFERENCE, Role.FIRST_FRAME, Role.REFERENCE, Role.LAST_FRAME]),
    name=st.sampled_from(["coat", "image_1", "image_4"]),
)
def test_the_prompt_means_the_same_pictures(line: Line, roles: list[Role], name: str) -> None:
    """Whatever the order on the wire, and whatever one of them is called."""
    inputs = tuple(
        InputReference(
            field=f"p[{n}]",
            kind=MediaKind.IMAGE,
            role=role,
            url=f"https://m.example/{n}",
            name=name if n == 0 else None,
        )
        for n, role in enumerate(roles)
    )
    sent = asked(line, f"Only @{name} moves", {}, inputs=inputs)

    arrived, _ = carried(line, sent)

    called = arrived.prompt.removeprefix("Only @").removesuffix(" moves")
    by_name = [given.url for given in arrived.inputs if given.name == called]
    by_place = [arrived.inputs[int(called.rpartition("_")[2]) - 1].url] if called.startswith("image_") else []
    assert (by_name or by_place) == ["https://m.example/0"]

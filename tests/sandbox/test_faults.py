"""Directives are read exactly, and what is not understood is refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.core.errors import InvalidRequest
from reelway.core.failures import FailureKind
from reelway.sandbox.backend import SandboxSettings
from reelway.sandbox.faults import ALWAYS, DIRECTIVES, Faults, HttpFault, read_faults, strip_directives


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("a fox", {}),
        ("[[fail:content_policy]]", {"fail": FailureKind.CONTENT_POLICY}),
        ("[[ Fail : vendor_error ]] fox", {"fail": FailureKind.VENDOR_ERROR}),
        ("[[refuse:insufficient_quota]]", {"refuse": FailureKind.INSUFFICIENT_QUOTA}),
        ("[[moderation]]", {"refuse": FailureKind.CONTENT_POLICY}),
        ("[[http:500]]", {"create": (HttpFault(status=500, times=1),)}),
        ("[[http:503x2]]", {"create": (HttpFault(status=503, times=2, retry_after_seconds=1.0),)}),
        ("[[rate:429x3]]", {"create": (HttpFault(status=429, times=3, retry_after_seconds=1.0),)}),
        ("[[submit:lost_answer]]", {"lose_answers": 1}),
        ("[[submit:lost_answerx2]]", {"lose_answers": 2}),
        ("[[submit:slow:2.5]]", {"answer_seconds": 2.5}),
        ("[[delay:20]]", {"render_seconds": 20.0}),
        ("[[delay:0]]", {"render_seconds": 0.0}),
        ("[[progress:stuck]]", {"stuck": True}),
        ("[[poll:500x3]]", {"poll": (HttpFault(status=500, times=3),)}),
        ("[[poll:odd]]", {"odd_polls": ALWAYS}),
        ("[[poll:odd x2]]", {"odd_polls": 2}),
        ("[[result:truncated]]", {"result": "truncated"}),
        ("[[result:textx1]]", {"result": "text", "result_times": 1}),
        ("[[result:gone]]", {"result": "gone"}),
        ("[[result:empty]]", {"result": "empty"}),
        ("[[result:cut]]", {"result": "cut", "result_times": 1}),
        ("[[result:slow:3]]", {"result_seconds": 3.0}),
        ("[[result:missing]]", {"result": "missing"}),
        ("[[result:mistyped]]", {"result": "mistyped"}),
        ("[[result:403]]", {"result_errors": (HttpFault(status=403, times=ALWAYS),)}),
        ("[[result:503x2]]", {"result_errors": (HttpFault(status=503, times=2, retry_after_seconds=1.0),)}),
        ("[[link:60]]", {"link_seconds": 60.0}),
        ("[[callback:none]]", {"callback_none": True}),
        ("[[callback:twice]]", {"callback_twice": True}),
        ("[[callback:forged]]", {"callback_forged": True}),
        ("[[callback:late:5]] [[callback:twice]]", {"callback_seconds": 5.0, "callback_twice": True}),
        ("x [[delay:3]] y [[fail:timed_out]]", {"render_seconds": 3.0, "fail": FailureKind.TIMED_OUT}),
    ],
)
def test_directives_mean_what_they_say(text: str, changes: dict[str, Any]) -> None:
    """Each spelling gives exactly these faults and no others."""
    assert read_faults(text) == Faults().evolve(**changes)


@pytest.mark.parametrize(
    "text",
    [
        "[[fial:content_policy]]",
        "[[fail]]",
        "[[fail:nonsense]]",
        "[[moderation:yes]]",
        "[[http:200]]",
        "[[http:x2]]",
        "[[delay:soon]]",
        "[[delay:-1]]",
        "[[delay:999999]]",
        "[[delay:nan]]",
        "[[submit:lost]]",
        "[[progress:slow]]",
        "[[poll:pondering]]",
        "[[result:broken]]",
        "[[result:200]]",
        "[[result:missingx2]]",
        "[[link:soon]]",
        "[[callback:lost]]",
        "[[callback:late]]",
        "[[callback:none:5]]",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """A misspelt directive is an error of the test that holds it, and is named."""
    with pytest.raises(InvalidRequest, match=r"is no directive|is used like this") as caught:
        read_faults(f"a fox {text}")
    assert text in caught.value.message


def test_prompt_wins_over_the_server() -> None:
    """What the whole server was told holds until a prompt says otherwise."""
    everywhere = "[[delay:20]] [[fail:vendor_error]]"
    assert read_faults("a fox", everywhere).render_seconds == 20
    assert read_faults("a fox [[delay:1]]", everywhere) == Faults(render_seconds=1, fail=FailureKind.VENDOR_ERROR)


def test_every_example_in_the_list_works() -> None:
    """The list that messages and docs show is read by the same reader."""
    for usage in DIRECTIVES:
        assert read_faults(f"[[{usage.replace('KIND', 'vendor_error')}]]") != Faults()


@given(st.text(max_size=80))
def test_ordinary_prompts_are_left_alone(prompt: str) -> None:
    """Without double brackets nothing is read and no word is lost."""
    plain = prompt.replace("[", "(")
    assert read_faults(plain) == Faults()
    assert strip_directives(plain) == " ".join(plain.split())


def test_directives_do_not_show_in_the_picture() -> None:
    """The picture shows the prompt alone."""
    assert strip_directives("a fox [[delay:3]] in  snow [[fail:timed_out]]") == "a fox in snow"


def test_every_directive_and_setting_is_documented() -> None:
    """The page that people read names everything the code knows."""
    page = (Path(__file__).parents[2] / "docs/howto/sandbox.md").read_text(encoding="utf-8")
    for usage in DIRECTIVES:
        assert f"[[{usage}]]" in page
    for name in SandboxSettings.__struct_fields__:
        assert f"`{name}`" in page

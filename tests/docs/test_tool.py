"""The tool that keeps the docs current: that it would notice."""

import pytest
from scripts import docs


def test_a_part_is_replaced_and_its_surroundings_are_not() -> None:
    """Text by hand and text from code share a page."""
    page = "before\n<!-- generated: one -->\nold\n<!-- end -->\nafter\n"

    filled = docs._filled(page, {"one": lambda: "new\n"})

    assert filled == "before\n<!-- generated: one -->\n\nnew\n\n<!-- end -->\nafter\n"
    assert docs._filled(filled, {"one": lambda: "new\n"}) == filled


def test_an_unknown_part_is_an_error() -> None:
    """A misspelt name must not stay empty for ever."""
    with pytest.raises(KeyError, match="no generated part"):
        docs._filled("<!-- generated: two -->\n<!-- end -->", {"one": str})


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("https://example.com", None),
        ("concepts.md", None),
        ("concepts.md#the-life-of-a-job", None),
        ("#configuration", None),
        ("concepts.md#the-death-of-a-job", "there is no such heading"),
        ("gone.md", "there is no such file"),
        ("../../outside.md", "leads out of the project"),
    ],
)
def test_a_link_is_followed(target: str, problem: str | None) -> None:
    """To the heading, where one is named."""
    assert docs._problem(docs.ROOT / "docs" / "configuration.md", target) == problem

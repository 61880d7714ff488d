"""Option values: the card's type decides, whatever the encoding was."""

from typing import Any

import pytest

from reelway.catalog.spec import OptionCard
from reelway.catalog.values import ValueRefused, describe_option, fit_option


def option(kind: Any, **rules: Any) -> OptionCard:
    return OptionCard(type=kind, summary="", **rules)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "true", True),
        ("boolean", "Off", False),
        ("boolean", "1", True),
        ("integer", "8", 8),
        ("integer", "8.0", 8),
        ("number", "0.5", 0.5),
        ("number", "2", 2),
        ("string", "8", 8),
        ("string", "true", True),
        ("object", '{"b": 1, "a": [true]}', {"a": [True], "b": 1}),
        ("array", "[1, 2]", [1, 2]),
    ],
)
def test_text_and_json_become_one_value(kind: str, text: str, value: Any) -> None:
    """What a form says and what JSON says end as the same thing."""
    assert fit_option(option(kind), text) == fit_option(option(kind), value)


def test_objects_are_put_in_order() -> None:
    """Equal objects encode to equal bytes, whatever the order of their keys."""
    assert list(fit_option(option("object"), {"b": {"d": 1, "c": 2}, "a": 1})["b"]) == ["c", "d"]


def test_a_word_is_found_in_any_case() -> None:
    """The card's own spelling is sent."""
    assert fit_option(option("string", values=("PAD", "CROP")), "pad") == "PAD"


@pytest.mark.parametrize(
    ("rules", "value", "allowed"),
    [
        (option("boolean"), "perhaps", "true or false"),
        (option("integer"), "8.5", "a whole number"),
        (option("integer"), True, "a whole number"),
        (option("integer", min=1, max=9), 10, "a whole number from 1 to 9"),
        (option("number", min=0), -1, "a number of at least 0"),
        (option("number", max=1), 1.5, "a number of at most 1"),
        (option("number"), "nan", "a number"),
        (option("number"), "inf", "a number"),
        (option("string", values=("calm", "wild")), "loud", "one of calm, wild"),
        (option("string", values=("calm",)), "loud", "calm"),
        (option("string", max_length=3), "loud", "text of at most 3 characters"),
        (option("string"), [1], "text"),
        (option("array", max_length=1), [1, 2], "an array of at most 1 item"),
        (option("array"), "no json", "an array"),
        (option("object"), "[]", "an object"),
    ],
)
def test_a_refusal_says_what_is_allowed(rules: OptionCard, value: Any, allowed: str) -> None:
    """The words of the refusal are those of the documentation."""
    with pytest.raises(ValueRefused) as refused:
        fit_option(rules, value)
    assert str(refused.value) == allowed == describe_option(rules)

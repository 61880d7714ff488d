"""Values of a card's options: text becomes the type the card names, then it is held against the card.

A form and a JSON body must resolve to equal bytes, so the type comes from the card alone, never from the encoding.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reelway.catalog.spec import OptionCard

__all__ = ["ValueRefused", "describe_option", "fit_option", "sorted_deep"]

_TRUE = frozenset({"true", "1", "yes", "on", "enabled"})
_FALSE = frozenset({"false", "0", "no", "off", "disabled"})
_INTEGER = re.compile(r"[+-]?\d{1,18}(\.0+)?")
_LONGEST_NUMBER = 40


class ValueRefused(ValueError):
    """The value is not what the option takes; the text says what it takes."""


def fit_option(option: OptionCard, value: Any) -> Any:
    """Return the value in the option's own type. Raises `ValueRefused` with what is allowed."""
    fitted = _COERCIONS[option.type](value)
    if fitted is None:
        raise ValueRefused(describe_option(option))
    if isinstance(fitted, str) and option.values:
        fitted = _same_word(fitted, option.values)
    too_long = option.max_length is not None and isinstance(fitted, str | list) and len(fitted) > option.max_length
    number = fitted if isinstance(fitted, int | float) and not isinstance(fitted, bool) else None
    outside = number is not None and (
        (option.min is not None and number < option.min) or (option.max is not None and number > option.max)
    )
    if too_long or outside or (option.values and fitted not in option.values):
        raise ValueRefused(describe_option(option))
    return fitted


def describe_option(option: OptionCard) -> str:
    """Return what an option takes, for messages and docs: `one of low, high` or `a number from 0 to 1`."""
    if option.values:
        words = ", ".join(value if isinstance(value, str) else json.dumps(value) for value in option.values)
        return words if len(option.values) == 1 else f"one of {words}"
    if option.type == "boolean":
        return "true or false"
    article = "an" if option.type in ("array", "object") else "a"
    noun = {"integer": "whole number", "string": "text"}.get(option.type, option.type)
    text = noun if option.type == "string" else f"{article} {noun}"
    if option.min is not None and option.max is not None:
        text += f" from {option.min:g} to {option.max:g}"
    elif option.min is not None:
        text += f" of at least {option.min:g}"
    elif option.max is not None:
        text += f" of at most {option.max:g}"
    if option.max_length is not None:
        noun = "item" if option.type == "array" else "character"
        text += f" of at most {option.max_length} {noun}{'' if option.max_length == 1 else 's'}"
    return text


def _same_word(word: str, values: tuple[Any, ...]) -> str:
    """Return the card's own spelling of a word given in another case."""
    if word in values:
        return word
    folded = word.lower()
    return next((value for value in values if isinstance(value, str) and value.lower() == folded), word)


def _to_boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def _to_integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = value.strip() if isinstance(value, str) else ""
    return int(text.partition(".")[0]) if _INTEGER.fullmatch(text) else None


def _to_number(value: Any) -> float | int | None:
    whole = _to_integer(value)
    if whole is not None:
        return whole
    if isinstance(value, bool):
        return None
    try:
        number = float(value if isinstance(value, float | int) else str(value).strip()[:_LONGEST_NUMBER])
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _to_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
    return None


def _to_object(value: Any) -> dict[str, Any] | None:
    decoded = _decoded(value)
    return sorted_deep(decoded) if isinstance(decoded, dict) else None


def _to_array(value: Any) -> list[Any] | None:
    decoded = _decoded(value)
    if isinstance(decoded, tuple):
        decoded = list(decoded)
    return sorted_deep(decoded) if isinstance(decoded, list) else None


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def sorted_deep(value: Any) -> Any:
    """Return the value with the keys of every object in order, so that equal objects encode to equal bytes."""
    if isinstance(value, dict):
        return {str(key): sorted_deep(member) for key, member in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list | tuple):
        return [sorted_deep(member) for member in value]
    return value


_COERCIONS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "boolean": _to_boolean,
        "integer": _to_integer,
        "number": _to_number,
        "string": _to_text,
        "object": _to_object,
        "array": _to_array,
    }
)

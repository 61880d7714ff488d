"""What can be made to go wrong, and how it is asked for: words in double square brackets, in a prompt or for the whole server.

Pure. A directive that is not understood is refused, because a test that misbehaves by accident proves nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from reelway.core.errors import InvalidRequest
from reelway.core.failures import FailureKind
from reelway.core.record import Record

__all__ = ["ALWAYS", "DIRECTIVES", "Faults", "HttpFault", "ResultFault", "read_faults", "strip_directives"]

ALWAYS = 1_000_000_000
"""How often a fault without a count happens, where one time would make little sense."""

_DIRECTIVE = re.compile(r"\[\[\s*([a-z_]+)\s*(?::\s*([^\[\]]*?)\s*)?\]\]", re.IGNORECASE)
_COUNTED = re.compile(r"([a-z0-9_]+?)(?:\s*x\s*(\d{1,6}))?")
_LONGEST_SECONDS = 3600.0

ResultFault = Literal["truncated", "gone", "text", "empty", "cut", "mistyped", "missing"]


class HttpFault(Record):
    """The first `times` requests are answered with this status."""

    status: int
    times: int
    retry_after_seconds: float | None = None


class Faults(Record):
    """Everything that goes wrong with one video; nothing does by default."""

    fail: FailureKind | None = None
    """The video fails after its time."""
    refuse: FailureKind | None = None
    """The create is refused."""
    create: tuple[HttpFault, ...] = ()
    """Creates that are answered with an error, and make nothing."""
    lose_answers: int = 0
    """So many creates make a video, and break off instead of answering."""
    answer_seconds: float = 0.0
    """A create answers so much later than it makes the video."""
    render_seconds: float | None = None
    """How long the video takes."""
    stuck: bool = False
    """It is never finished."""
    poll: tuple[HttpFault, ...] = ()
    """Looks that are answered with an error."""
    odd_polls: int = 0
    """So many looks show a status that nobody has met."""
    result: ResultFault | None = None
    result_times: int = ALWAYS
    result_seconds: float = 0.0
    """The bytes begin so much later."""
    result_errors: tuple[HttpFault, ...] = ()
    """Downloads that are answered with an error."""
    link_seconds: float | None = None
    """How long a link to the file works."""
    callback_none: bool = False
    """The callback address hears nothing."""
    callback_twice: bool = False
    """It hears everything twice."""
    callback_forged: bool = False
    """Before the truth it hears lies: that this video failed, and that one is finished which nobody ordered."""
    callback_seconds: float = 0.0
    """It hears everything so much later."""


def read_faults(prompt: str, everywhere: str = "") -> Faults:
    """Return what the prompt asks for, and where it says nothing, what the server was told. Raises `InvalidRequest`."""
    faults = Faults()
    for text in (everywhere, prompt):
        for match in _DIRECTIVE.finditer(text):
            faults = _apply(faults, match[1].lower(), (match[2] or "").strip().lower(), match[0])
    return faults


def strip_directives(prompt: str) -> str:
    """Return the prompt without its directives, as it is shown in the picture."""
    return " ".join(_DIRECTIVE.sub(" ", prompt).split())


def _apply(faults: Faults, name: str, value: str, text: str) -> Faults:
    reader = _READERS.get(name)
    if reader is None:
        raise InvalidRequest(
            f"{text} is no directive of the sandbox; known are {', '.join(f'[[{known}]]' for known in DIRECTIVES)}",
            code="unknown_directive",
            param="prompt",
        )
    try:
        return faults.evolve(**reader(value))
    except (KeyError, ValueError) as error:
        usage = "; ".join(f"[[{known}]]: {meaning}" for known, meaning in DIRECTIVES.items() if _named(known, name))
        raise InvalidRequest(
            f"{text} is not understood; it is used like this: {usage}", code="unknown_directive", param="prompt"
        ) from error


def _named(usage: str, name: str) -> bool:
    return usage.partition(":")[0] == name


def _kind(value: str) -> FailureKind:
    return FailureKind(value)


def _seconds(value: str) -> float:
    seconds = float(value.removesuffix("s"))
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise ValueError(f"{seconds} seconds")
    return seconds


def _counted(value: str, times: int) -> tuple[str, int]:
    """Return the word and how often: `503x2` is 503, twice."""
    match = _COUNTED.fullmatch(value)
    if match is None:
        raise ValueError(value)
    return match[1], int(match[2]) if match[2] else times


def _http(value: str, usual_times: int = 1) -> HttpFault:
    word, times = _counted(value, usual_times)
    status = int(word)
    if not 400 <= status <= 599:
        raise ValueError(word)
    return HttpFault(status=status, times=times, retry_after_seconds=1.0 if status in (429, 503) else None)


def _submit(value: str) -> dict[str, Any]:
    word, _, rest = value.partition(":")
    if word == "slow":
        return {"answer_seconds": _seconds(rest)}
    kind, times = _counted(value, 1)
    if kind != "lost_answer":
        raise ValueError(value)
    return {"lose_answers": times}


def _poll(value: str) -> dict[str, Any]:
    word, times = _counted(value, ALWAYS)
    return {"odd_polls": times} if word == "odd" else {"poll": (_http(value),)}


def _progress(value: str) -> dict[str, Any]:
    if value != "stuck":
        raise ValueError(value)
    return {"stuck": True}


def _result(value: str) -> dict[str, Any]:
    word, _, rest = value.partition(":")
    if word == "slow":
        return {"result_seconds": _seconds(rest)}
    kind, times = _counted(value, 1 if word.startswith("cut") else ALWAYS)
    if kind.isdigit():
        return {"result_errors": (_http(value, ALWAYS),)}
    if kind == "missing" and word != kind:  # it is seen by looking, so there is nothing to count
        raise ValueError(value)
    return {"result": _RESULTS[kind], "result_times": times}


def _link(value: str) -> dict[str, Any]:
    return {"link_seconds": _seconds(value)}


def _callback(value: str) -> dict[str, Any]:
    word, colon, rest = value.partition(":")
    if word == "late":
        return {"callback_seconds": _seconds(rest)}
    if colon:
        raise ValueError(value)
    return {_CALLBACKS[word]: True}


def _nothing(value: str) -> None:
    if value:
        raise ValueError(value)


def _moderation(value: str) -> dict[str, Any]:
    _nothing(value)
    return {"refuse": FailureKind.CONTENT_POLICY}


_RESULTS: Mapping[str, ResultFault] = {
    "truncated": "truncated",
    "gone": "gone",
    "text": "text",
    "empty": "empty",
    "cut": "cut",
    "mistyped": "mistyped",
    "missing": "missing",
}
_CALLBACKS: Mapping[str, str] = {
    "none": "callback_none",
    "twice": "callback_twice",
    "forged": "callback_forged",
}
_READERS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "fail": lambda value: {"fail": _kind(value)},
    "refuse": lambda value: {"refuse": _kind(value)},
    "moderation": _moderation,
    "http": lambda value: {"create": (_http(value),)},
    "rate": lambda value: {"create": (_http(value),)},
    "submit": _submit,
    "delay": lambda value: {"render_seconds": _seconds(value)},
    "progress": _progress,
    "poll": _poll,
    "result": _result,
    "link": _link,
    "callback": _callback,
}

DIRECTIVES: Mapping[str, str] = {
    "fail:KIND": "the video fails after its time, with one of the failure kinds (content_policy, vendor_error, …)",
    "refuse:KIND": "the create is refused at once with that kind",
    "moderation": "the create is refused with 400 and a moderation code",
    "http:503x2": "the first two creates of this prompt are answered with 503 and make nothing",
    "rate:429x2": "the same with 429 and Retry-After",
    "submit:lost_answer": "a video is made, and the connection breaks off instead of answering; x2 for twice",
    "submit:slow:5": "the answer to the create comes five seconds after the video was begun",
    "delay:20": "the video takes 20 seconds",
    "progress:stuck": "the video stays at 42 percent for ever",
    "poll:500x3": "the first three looks are answered with 500",
    "poll:odd": "every look shows a status that nobody knows; oddx3 for the first three",
    "result:truncated": "the file is a part of the video; truncatedx1 for the first download only",
    "result:text": "the file is an error page",
    "result:empty": "the file is empty",
    "result:gone": "the file is answered with 410",
    "result:cut": "the first download breaks off in the middle; cutx3 for three",
    "result:slow:5": "the file begins five seconds late",
    "result:mistyped": "the file is answered as `text/html`, and is the video all the same",
    "result:403": "the file is answered with 403; any status from 400 to 599, 503x2 for the first two downloads",
    "result:missing": "the video is completed, and there is no file at all",
    "link:60": "links to the file work for a minute; whoever looks again gets a fresh one",
    "callback:none": "the callback address hears nothing",
    "callback:twice": "the callback address hears everything twice",
    "callback:late:5": "the callback address hears everything five seconds late",
    "callback:forged": "the callback address first hears that the video failed, and of one that nobody ordered",
}
"""Every directive with what it does, for messages and docs."""

"""What a create looks like at servers that put it into another API's words: LiteLLM, new-api, Google's own OpenAI layer.

They drop what they do not translate, in silence, and the vendor behind them charges for what is left. So each gets what its
source is known to hand on, under the names it hands on, and everything else is refused here.
"""

from typing import Any

from reelway.core.videos import MediaKind, Mode, Role
from reelway.vendors.openai_fields import (
    Field,
    basics,
    cannot,
    first_frame_only,
    in_words,
    is_sora,
    one_take,
    shape_and_numbers,
)
from reelway.vendors.spec import DataUri, HttpRequest, Submission
from reelway.vendors.wire import post

__all__ = ["google_request", "litellm_request", "newapi_request"]

_FROM_VIDEO = (Mode.EDIT, Mode.EXTEND, Mode.REMIX)
_GOOGLE_OPTIONS = frozenset({"negative_prompt", "person_generation", "style"})


def litellm_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """LiteLLM hands fields on one by one, keeps `metadata` to itself, and makes a word of every file but `input_reference`."""
    one_take(submission)
    fields = [*basics(submission, first_frame_only(submission))]
    if not is_sora(submission):
        fields += shape_and_numbers(submission)
        fields += [(name, in_words(value)) for name, value in sorted(submission.request.options.items())]
    return post("/videos", form=fields, headers=headers, billable=True)


def newapi_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """new-api hands Sora's form on as it is; every other channel reads a few fields, and the rest from `metadata` in its vendor's
    own spelling. A file is overlooked by most of them, and what becomes of a second picture differs."""
    one_take(submission)
    if is_sora(submission):
        form = [*basics(submission, first_frame_only(submission))]
        return post("/videos", form=form, headers=headers, billable=True)
    request = submission.request
    body: dict[str, Any] = dict(basics(submission))
    if request.seconds is not None and request.seconds > 0:
        body["duration"] = request.seconds  # Kling's channel reads this one, Veo's and Seedance's read both
    if request.inputs:
        picture = _picture(submission)
        body |= {"image": picture, "images": [picture]}  # Kling's channel reads the one, all others the list
    metadata = _in_vendors_spelling(submission)
    if metadata:
        body["metadata"] = metadata
    return post("/videos", json=body, headers=headers, billable=True)


def google_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Google documents a prompt, a model, and Veo's parameters under names of their own."""
    one_take(submission)
    request = submission.request
    if request.mode is not Mode.T2V:
        raise cannot(submission, "pictures and videos are taken by Google's own API; use an account with vendor google")
    if request.audio is False:
        raise cannot(submission, "every video it makes has sound")
    strange = sorted(set(request.options) - _GOOGLE_OPTIONS)
    if strange:
        raise cannot(submission, f"it has no {', '.join(strange)}; use an account with vendor google")
    shape = (
        ("aspect_ratio", request.ratio),
        ("resolution", "4K" if request.tier == "4k" else request.tier),
        ("duration_seconds", request.seconds),
        ("frame_rate", request.fps),
        ("seed", request.seed),
        *sorted(request.options.items()),
    )
    fields: list[Field] = [("model", submission.model), ("prompt", request.prompt)]
    fields += [(name, in_words(value)) for name, value in shape if value is not None]
    return post("/videos", form=fields, headers=headers, billable=True)


def _picture(submission: Submission) -> Any:
    inputs = submission.request.inputs
    given = inputs[0]
    if len(inputs) > 1 or given.kind is not MediaKind.IMAGE or given.role is not Role.FIRST_FRAME:
        raise cannot(submission, f"one first frame is the only input it takes (got {len(inputs)} inputs)")
    if given.blob is not None:
        return DataUri(blob=given.blob)
    if given.url is None:
        raise cannot(submission, "it takes a picture as a file or an address, and no vendor's file id")
    return given.url


def _in_vendors_spelling(submission: Submission) -> dict[str, Any]:
    """Return the shape, the sound and the options under every name that one of its channels reads; none minds the others."""
    request = submission.request
    named: dict[str, Any] = {"resolution": request.tier, "seed": request.seed, "fps": request.fps, **request.options}
    named |= {"aspect_ratio": request.ratio, "ratio": request.ratio, "generate_audio": request.audio}
    if request.audio is not None:
        named["sound"] = "on" if request.audio else "off"
    said = {name: value for name, value in named.items() if value is not None}
    return said | {_camel(name): value for name, value in said.items()}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)

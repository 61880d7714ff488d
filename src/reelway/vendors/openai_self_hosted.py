"""What a create looks like at servers that run a model of their own: vLLM-Omni 0.30 and SGLang 0.5.23.

Both ignore a field they do not know, so an option goes where the model gets to see it. Neither can say that a model has no use
for it.
"""

from collections.abc import Iterable

from reelway.core.videos import Input, MediaKind, Role
from reelway.vendors.openai_fields import Field, basics, cannot, filename, in_words, one_take
from reelway.vendors.spec import FilePart, HttpRequest, Submission
from reelway.vendors.wire import post

__all__ = ["sglang_request", "vllm_request"]

_VLLM_FIELDS = frozenset(
    {
        "boundary_ratio",
        "enable_frame_interpolation",
        "flow_shift",
        "frame_interpolation_exp",
        "frame_interpolation_model_path",
        "frame_interpolation_scale",
        "guidance_scale",
        "guidance_scale_2",
        "lora",
        "negative_prompt",
        "num_frames",
        "num_inference_steps",
        "quality",
        "sound_duration",
        "start_time_seconds",
        "true_cfg_scale",
    }
)
"""Options with a form field of their own; the model finds all others in `extra_params`."""

_IN_ORDER = (Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE, Role.SOURCE)
_SHORT_EDGES = {"480p": 480, "720p": 720, "768p": 768, "1080p": 1080, "1440p": 1440, "2k": 1440, "4k": 2160}


def vllm_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Return the create for vLLM-Omni, which reads forms only."""
    one_take(submission)
    request = submission.request
    fields = [*basics(submission, _vllm_inputs(submission))]
    if request.size is None:
        fields += [("aspect_ratio", request.ratio)] if request.ratio is not None else []
        fields += [("short_edge", str(_short_edge(submission)))] if request.tier is not None else []
    fields += _rate_and_seed(submission)
    if request.audio:
        fields.append(("generate_sound", "true"))
    further = {}
    for name, value in sorted(request.options.items()):
        if name in _VLLM_FIELDS:
            fields.append((name, in_words(value)))
        else:
            further[name] = value
    if further:
        fields.append(("extra_params", in_words(further)))
    return post("/videos", form=fields, headers=headers, billable=True)


def sglang_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Return the create for SGLang: JSON, and a form only where a file is in it, on which its early versions insist."""
    request = submission.request
    if request.size is None and (request.ratio is not None or request.tier is not None):
        raise cannot(submission, "it takes a size in pixels, and neither a ratio nor a resolution")
    fields = [*basics(submission, _sglang_input(submission)), *_rate_and_seed(submission)]
    if request.n > 1:
        fields.append(("n", str(request.n)))
    options = sorted(request.options.items())
    if any(isinstance(value, FilePart) for _, value in fields):
        form = [*fields, *((name, in_words(value)) for name, value in options)]
        return post("/videos", form=form, headers=headers, billable=True)
    return post("/videos", json=dict([*fields, *options]), headers=headers, billable=True)


def _vllm_inputs(submission: Submission) -> list[Field]:
    """One input goes by its kind; several are files in one order, which the models that take several know (MiniMax H3)."""
    inputs = sorted(submission.request.inputs, key=lambda given: _IN_ORDER.index(given.role))
    if len(inputs) == 1 and inputs[0].kind is not MediaKind.AUDIO:
        given = inputs[0]
        if given.url is not None:
            return [(f"{given.kind}_reference", in_words({f"{given.kind}_url": given.url}))]
        return [("input_reference", _file(submission, given, "input"))]
    return [
        ("input_references", _file(submission, given, f"{given.kind}_{number}"))
        for number, given in enumerate(inputs, 1)
    ]


def _sglang_input(submission: Submission) -> list[Field]:
    inputs = submission.request.inputs
    if len(inputs) > 1:
        raise cannot(submission, f"it takes one input (got {len(inputs)})")
    if not inputs:
        return []
    (given,) = inputs
    if given.kind is MediaKind.AUDIO:
        raise cannot(submission, "it takes no audio")
    is_video = given.kind is MediaKind.VIDEO
    if given.url is not None:
        return [("video_url" if is_video else "reference_url", given.url)]
    return [("video_reference" if is_video else "input_reference", _file(submission, given, "input"))]


def _file(submission: Submission, given: Input, stem: str) -> FilePart:
    if given.blob is None:
        raise cannot(submission, f"it takes the {given.kind} as a file")
    return FilePart(blob=given.blob, filename=filename(stem, given.blob))


def _rate_and_seed(submission: Submission) -> Iterable[Field]:
    numbers = (("fps", submission.request.fps), ("seed", submission.request.seed))
    return [(name, str(value)) for name, value in numbers if value is not None]


def _short_edge(submission: Submission) -> int:
    tier = submission.request.tier or ""
    if tier not in _SHORT_EDGES:
        raise cannot(submission, f"it takes a size in pixels, and {tier} says none")
    return _SHORT_EDGES[tier]

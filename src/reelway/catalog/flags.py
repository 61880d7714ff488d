"""Old flags in prompts (`--dur 5 --rs 1080p`), on the models whose vendor reads them there.

Left in the prompt they would change length and price behind our back; so they are taken out and mean the field they stand
for, like an entry of `parameters`: they fill gaps and never override.
"""

import re
from typing import Any

from reelway.catalog.messages import shown
from reelway.catalog.options import fold_name
from reelway.catalog.sizes import parse_ratio, parse_tier
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import RequestWarning, VideoRequest

__all__ = ["take_flags"]

_FLAG = re.compile(r"(?<!\S)--([A-Za-z_]+)(?:\s*=\s*|\s+)([^\s-]\S*|-\d+)")
_NUMBERS = frozenset({"seconds", "fps", "seed"})
_FIELDS = {"seconds": "seconds", "fps": "fps", "seed": "seed", "resolution": "tier", "aspect_ratio": "ratio"}


def take_flags(request: VideoRequest, card: ModelCard) -> VideoRequest:
    """Return the request without the flags this card knows; other words that look like flags stay in the prompt."""
    prompt = request.prompt or ""
    if not card.prompt_flags or "--" not in prompt:
        return request
    names = {fold_name(flag): field for flag, field in card.prompt_flags.items()}
    taken = [match for match in _FLAG.finditer(prompt) if fold_name(match[1]) in names]
    for match in taken:
        request = _fill(request, names[fold_name(match[1])], f"prompt --{match[1]}", match[2])
    for match in reversed(taken):
        prompt = f"{prompt[: match.start()].rstrip()} {prompt[match.end() :].lstrip()}".strip()
    return request.evolve(prompt=prompt)


def _fill(request: VideoRequest, name: str, said: str, text: str) -> VideoRequest:
    field = _FIELDS.get(name)
    if field is None:
        known = {fold_name(key) for key in (*request.options, *request.metadata, *request.parameters)}
        if fold_name(name) in known:
            return _in_vain(request, said, name)
        return request.evolve(parameters={**request.parameters, name: text})
    value = _read(name, said, text, request.model)
    asked = getattr(request, field)
    if asked is None and not (field in ("tier", "ratio") and request.width is not None):
        return request.evolve(**{field: value}, spelled={**request.spelled, field: said})
    return request if asked == value else _in_vain(request, said, name)


def _read(name: str, said: str, text: str, model: str) -> Any:
    if name not in _NUMBERS:
        return (parse_tier(text) if name == "resolution" else parse_ratio(text)) or text.lower()
    if not re.fullmatch(r"-?\d{1,10}", text):
        raise InvalidRequest(f"{said} must be a whole number for {model} (got {shown(text)})", param="prompt")
    return int(text)


def _in_vain(request: VideoRequest, said: str, winner: str) -> VideoRequest:
    warning = RequestWarning(field="prompt", message=f"{said} was left out because {winner} is given")
    return request.evolve(warnings=(*request.warnings, warning))

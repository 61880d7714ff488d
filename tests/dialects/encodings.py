"""One body in every encoding that clients really use, and a short way to read it."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from openai._qs import Querystring

from reelway.core.videos import VideoRequest
from reelway.dialects.openai_videos import make_dialect
from reelway.dialects.spec import CreateVideo, FormField, Incoming, Upload

__all__ = [
    "as_bytes",
    "by_key",
    "encodings",
    "form",
    "from_form",
    "from_json",
    "in_order",
    "json_text",
    "read",
    "repeated",
]

_ENDPOINTS = {(endpoint.method, endpoint.path): endpoint for endpoint in make_dialect().endpoints}


def read(incoming: Incoming, *, path: str = "/v1/videos") -> VideoRequest:
    """Return the request that the dialect reads at this path."""
    call = _ENDPOINTS[incoming.method, path].read(incoming)
    assert isinstance(call, CreateVideo)
    return call.request


def from_json(body: Any, *, path: str = "/v1/videos", **path_parameters: str) -> VideoRequest:
    """Return the request in a JSON body."""
    return read(Incoming(method="POST", path=path, path_parameters=path_parameters, json=body), path=path)


def from_form(*fields: tuple[str, str | Upload], path: str = "/v1/videos", **path_parameters: str) -> VideoRequest:
    """Return the request in a form."""
    return read(Incoming(method="POST", path=path, path_parameters=path_parameters, form=form(*fields)), path=path)


def form(*fields: tuple[str, str | Upload]) -> tuple[FormField, ...]:
    return tuple(FormField(name=name, value=value) for name, value in fields)


def as_bytes(request: VideoRequest) -> bytes:
    """Return what equal requests have in common, to the byte."""
    return msgspec.json.encode(request)


def encodings(body: Mapping[str, Any]) -> dict[str, Incoming]:
    """Return the same body as JSON and as the forms of curl, the Node client and the Python client."""
    ways: dict[str, Any] = {"json text": json_text, "repeated": repeated, "in order": in_order, "by key": by_key}
    found = {name: Incoming(method="POST", path="/v1/videos", form=way(body)) for name, way in ways.items()}
    return {"json": Incoming(method="POST", path="/v1/videos", json=dict(body)), **found}


def json_text(body: Mapping[str, Any]) -> tuple[FormField, ...]:
    """Lists and objects as JSON text in one field, as people write with curl."""
    return form(*((name, _text(value)) for name, value in body.items()))


def repeated(body: Mapping[str, Any]) -> tuple[FormField, ...]:
    """Lists as a field that comes several times, as browsers send them; objects as JSON text."""
    fields: list[tuple[str, str | Upload]] = []
    for name, value in body.items():
        parts = value if isinstance(value, list) else [value]
        fields += [(name, _text(part)) for part in parts]
    return form(*fields) if not isinstance(body.get("content"), list) else json_text(body)


def in_order(body: Mapping[str, Any]) -> tuple[FormField, ...]:
    """Brackets, item after item, as the Node client sends them."""
    return form(*(pair for name, value in body.items() for pair in _brackets(name, value)))


def by_key(body: Mapping[str, Any]) -> tuple[FormField, ...]:
    """Brackets, all values of one name together, as the Python client sends them: by its own code."""
    pairs = Querystring(array_format="brackets").stringify_items(dict(body), array_format="brackets")
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return form(*((name, value) for name, values in grouped.items() for value in values))


def _brackets(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, part in value.items() for pair in _brackets(f"{name}[{key}]", part)]
    if isinstance(value, list):
        return [pair for part in value for pair in _brackets(f"{name}[]", part)]
    return [(name, _text(value))]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

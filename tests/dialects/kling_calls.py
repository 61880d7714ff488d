"""What the tests of the Kling dialect share: requests to its paths, and what became of them."""

from typing import Any

import pytest

from reelway.catalog.load import load_catalog
from reelway.core.errors import CallerError
from reelway.core.videos import Role, VideoRequest
from reelway.dialects.kling import make_dialect
from reelway.dialects.spec import Call, CreateVideo, Endpoint, Incoming

__all__ = ["CARD", "ENDPOINTS", "MEDIA", "current", "inputs_of", "legacy", "omni", "read", "refused"]

ENDPOINTS: dict[tuple[str, str], Endpoint] = {(one.method, one.path): one for one in make_dialect().endpoints}
CARD = load_catalog().card("kling-video")
MEDIA = "https://media.example.test/"


def read(method: str, path: str, query: dict[str, str] | None = None, json: Any = None, **parameters: str) -> Call:
    incoming = Incoming(
        method=method,
        path=path.format(**parameters),
        path_parameters=parameters,
        query=tuple((query or {}).items()),
        json=json,
    )
    return ENDPOINTS[method, path].read(incoming)


def created(call: Call) -> VideoRequest:
    assert isinstance(call, CreateVideo)
    return call.request


def legacy(product: str, **body: Any) -> VideoRequest:
    """Return what a create at the older API asks for."""
    return created(
        read("POST", f"/kling/v1/videos/{product}", json={"model_name": "kling-v3", "prompt": "A boat", **body})
    )


def current(product: str, body: dict[str, Any], model: str = "kling-3.0") -> VideoRequest:
    """Return what a create at the current API asks for."""
    return created(read("POST", f"/kling/{product}/{{model}}", json=body, model=model))


def omni(*contents: dict[str, Any], **settings: Any) -> VideoRequest:
    return current("omni-video", {"contents": [{"type": "prompt", "text": "A boat"}, *contents], "settings": settings})


def inputs_of(request: VideoRequest) -> list[tuple[Role | None, str | None, str | None]]:
    return [(given.role, given.url, given.name) for given in request.inputs]


def refused(read_it: Any, *arguments: Any, **fields: Any) -> CallerError:
    with pytest.raises(CallerError) as caught:
        read_it(*arguments, **fields)
    return caught.value

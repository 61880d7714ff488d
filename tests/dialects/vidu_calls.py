"""What the tests of the Vidu dialect share: requests to its paths, and what became of them."""

from typing import Any

import pytest

from reelway.core.errors import CallerError
from reelway.core.videos import VideoRequest
from reelway.dialects.spec import Call, CreateVideo, Endpoint, Incoming
from reelway.dialects.vidu import make_dialect

__all__ = ["ENDPOINTS", "MEDIA", "asked", "read", "refused"]

ENDPOINTS: dict[tuple[str, str], Endpoint] = {(one.method, one.path): one for one in make_dialect().endpoints}
MEDIA = "https://media.example.test/"


def read(method: str, path: str, query: tuple[tuple[str, str], ...] = (), json: Any = None, **parameters: str) -> Call:
    incoming = Incoming(
        method=method, path=path.format(**parameters), path_parameters=parameters, query=query, json=json
    )
    return ENDPOINTS[method, path].read(incoming)


def asked(path: str, **body: Any) -> VideoRequest:
    """Return what a create asks for; a body without a model gets one."""
    call = read("POST", f"/ent/v2/{path}", json={"model": "viduq3-turbo", "prompt": "A boat", **body})
    assert isinstance(call, CreateVideo)
    return call.request


def refused(path: str, **body: Any) -> CallerError:
    with pytest.raises(CallerError) as caught:
        asked(path, **body)
    return caught.value

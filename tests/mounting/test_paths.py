"""The table of paths finds what the router would find."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Mount, Route, Router

from reelway.mounting.paths import PathTable

PATHS = ["/a", "/a/{id}", "/a/{id}/b", "/a/{id}/c.d", "/m/{model}:run", "/m/{model}/x/{rest:path}", "/n/{count:int}"]


class Named:
    """An endpoint that says its name and what it was given."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send((self.name, dict(scope.get("path_params", {}))))


ROUTER = Router(
    [*(Route(path, Named(path)) for path in PATHS), Route("/only-get", Named("get"), methods=["GET"])],
    redirect_slashes=False,
    default=Named("nowhere"),
)


async def found(app: Any, path: str, **scope: Any) -> Any:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    await app({"type": "http", "method": "GET", "path": path, "headers": [], **scope}, None, send)
    return said[0]


SEGMENT = st.sampled_from(["a", "b", "c.d", "cxd", "m", "x", "n", "7", "q:run", "", "é", "only-get"])


@given(st.lists(SEGMENT, max_size=5).map(lambda parts: "/" + "/".join(parts)))
async def test_it_finds_what_the_router_finds(path: str) -> None:
    """The same endpoint with the same parameters, or nowhere for both."""
    assert await found(PathTable(ROUTER), path) == await found(ROUTER, path)


@pytest.mark.parametrize("path", ["/a/\n", "/a/b\n", "/a/x/b/", "//a"])
async def test_nothing_is_found_by_being_close(path: str) -> None:
    """Line ends and further slashes are part of a path."""
    assert await found(PathTable(ROUTER), path) == await found(ROUTER, path)


async def test_fixed_paths_win() -> None:
    """Whatever stands first."""
    router = Router([Route("/a/{id}", Named("parameter")), Route("/a/fixed", Named("fixed"))])
    assert await found(PathTable(router), "/a/fixed") == ("fixed", {})


async def test_what_is_not_plain_is_left_to_the_router() -> None:
    """Mounts, typed parameters and a path prefix of the server work as always."""
    router = Router([Route("/a", Named("a")), Mount("/inner", app=Named("inner"))], default=Named("nowhere"))
    assert (await found(PathTable(router), "/inner/x"))[0] == "inner"
    assert (await found(PathTable(router), "/outer/a", root_path="/outer"))[0] == "a"

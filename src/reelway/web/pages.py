"""What a person sees: `/`, and the reference at `/docs`, drawn from the OpenAPI document.

The rule: a page is one file that needs nothing else, from nobody. Its content security policy allows its own style and script.
"""

import base64
import hashlib
import html
from collections.abc import Callable
from functools import cached_property
from importlib import resources
from typing import Any

from starlette.routing import Route

from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange

__all__ = ["page_routes"]

_HTML = b"text/html; charset=utf-8"


def page_routes(document: Callable[[], bytes]) -> list[Route]:
    """Return the routes. `document` gives the OpenAPI document as JSON; pages are made when somebody first looks at them."""
    pages = _Pages(document)

    async def answer_welcome(exchange: Exchange) -> None:
        page, policy = pages.welcome
        address = f"{exchange.scope.get('scheme', 'http')}://{exchange.headers.get('host', 'localhost')}"
        page = page.replace(b"{url}", html.escape(address).encode())
        await exchange.whole(200, _HTML, page, _protection(policy))

    async def answer_reference(exchange: Exchange) -> None:
        page, policy = pages.reference
        await exchange.whole(200, _HTML, page, _protection(policy))

    return [
        get_route("/", answer_welcome),
        get_route("/docs", answer_reference),
    ]


class _Pages:
    """The pages, each made once."""

    def __init__(self, document: Callable[[], bytes]) -> None:
        self._document = document

    @cached_property
    def reference(self) -> tuple[bytes, str]:
        script = _read("reference.js")
        # In a script element only `<` can end the data early; as an escape it means the same to JSON.
        data = self._document().decode().replace("<", "\\u003c")
        return _fill("reference.html", style=_read("pages.css"), script=script, document=data)

    @cached_property
    def welcome(self) -> tuple[bytes, str]:
        return _fill("welcome.html", style=_read("pages.css"))


def _fill(name: str, **parts: str) -> tuple[bytes, str]:
    """Return a page and its policy."""
    page = _read(name)
    for part, text in parts.items():
        page = page.replace(f"{{{part}}}", text)
    return page.encode(), _policy(parts)


def _policy(parts: dict[str, Any]) -> str:
    rules = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    rules += [f"{part}-src '{_digest(parts[part])}'" for part in ("style", "script") if part in parts]
    return "; ".join(rules)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _protection(policy: str) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cache-control", b"no-cache"),
    )


def _read(name: str) -> str:
    return resources.files(__package__).joinpath("html", name).read_text(encoding="utf-8")

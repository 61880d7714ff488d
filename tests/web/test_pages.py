"""The pages for people: self-contained, and nothing but themselves may run in them."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.api.conftest import Ask
from tests.mounting.asgi import Got

SHIM = Path(__file__).with_name("page_shim.mjs")


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_needs_nothing_from_elsewhere(ask: Ask, path: str) -> None:
    """No address of another host is loaded, and the policy would not allow it."""
    page = (await ask("GET", path, key=None)).body.decode()
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "@import" not in page


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_the_policy_allows_exactly_what_the_page_holds(ask: Ask, path: str) -> None:
    """The digests in the policy are those of the style and the script in the page."""
    answer = await ask("GET", path, key=None)
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["style-src"] == f"'{digest_of('style', answer)}'"
    if path == "/docs":
        assert policy["script-src"] == f"'{digest_of('script', answer)}'"
    else:
        assert "script-src" not in policy
    assert not re.search(r"\sstyle=|\son[a-z]+=", answer.body.decode().split("</style>")[1].split("<script")[0])


async def test_the_pages_are_protected(ask: Ask) -> None:
    """They cannot be framed or taken for another type, and tell no other site where one came from."""
    for path in ("/", "/docs"):
        headers = (await ask("GET", path, key=None)).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


async def test_the_reference_holds_the_document(ask: Ask) -> None:
    """The data in the page is the document itself, and cannot end its element."""
    page = (await ask("GET", "/docs", key=None)).body.decode()
    data = re.search(r'<script type="application/json" id="document">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert "<" not in data[1]
    assert json.loads(data[1]) == (await ask("GET", "/openapi.json", key=None)).json


async def test_the_welcome_shows_the_address_it_was_asked_under(ask: Ask) -> None:
    """A host name cannot bring markup along."""
    page = (await ask("GET", "/", key=None, headers={"host": "<b>video.example</b>"})).body.decode()
    assert "http://&lt;b&gt;video.example&lt;/b&gt;/v1/videos" in page


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
async def test_the_script_draws_every_operation(ask: Ask, tmp_path: Path) -> None:
    """Run against a small imitation of a browser's document, it names every operation and raises nothing."""
    page = (await ask("GET", "/docs", key=None)).body.decode()
    (tmp_path / "page.html").write_text(page)
    done = subprocess.run(["node", str(SHIM), str(tmp_path / "page.html")], capture_output=True, text=True, timeout=30)  # noqa: ASYNC221
    assert done.returncode == 0, done.stderr
    drawn = done.stdout
    document = (await ask("GET", "/openapi.json", key=None)).json
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["summary"] in drawn
    assert "undefined" not in drawn
    assert "[object Object]" not in drawn


def digest_of(element: str, answer: Got) -> str:
    found = re.search(rf"<{element}>(.*?)</{element}>", answer.body.decode(), re.DOTALL)
    assert found is not None
    return "sha256-" + base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()

"""What is known of each adapter's abilities, and from whom: read from the tests that prove it, never written by hand.

A vendor's own client proves our server, against which the adapter is held in turn; a test that runs one says so with
`@pytest.mark.proves(vendor, abilities…, client=…)`. A fixture folder proves an ability by a document or a recording.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from reelway.vendors.registry import adapters
from reelway.vendors.spec import CanCancel, CanDelete, CanFind, CanReadCallback

__all__ = ["ABILITIES", "abilities_of", "evidence"]

ROOT = Path(__file__).resolve().parent.parent
ABILITIES = ("submit", "check", "cancel", "delete", "find", "callback")
_OPTIONAL = {"cancel": CanCancel, "delete": CanDelete, "find": CanFind, "callback": CanReadCallback}
_SOURCES = {"documentation": "document", "recorded": "recording"}


def abilities_of(vendor: str) -> tuple[str, ...]:
    """Return what an adapter can do, in the order of `ABILITIES`."""
    adapter = adapters()[vendor]
    return tuple(name for name in ABILITIES if name not in _OPTIONAL or isinstance(adapter, _OPTIONAL[name]))


def evidence() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return who proves which ability of which vendor, clients first; what nobody proves is missing."""
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for vendor, ability, source in (*_by_clients(), *_by_fixtures()):
        found[vendor, ability][source] = None
    return {key: tuple(sources) for key, sources in found.items()}


def _by_clients() -> Iterator[tuple[str, str, str]]:
    for path in sorted((ROOT / "tests" / "acceptance").glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
                client = next(ast.literal_eval(word.value) for word in node.keywords if word.arg == "client")
                vendor, *abilities = (ast.literal_eval(argument) for argument in node.args)
                yield from ((vendor, ability, client) for ability in abilities)


def _by_fixtures() -> Iterator[tuple[str, str, str]]:
    for path in sorted((ROOT / "tests" / "vendors" / "fixtures").glob("*/*/case.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        for step in case["steps"]:
            yield path.parent.parent.name, step["do"], _SOURCES[case["marked"]]

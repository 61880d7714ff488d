"""Writes the generated parts of the docs from the code, and checks that every link leads somewhere.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything around it is written by hand. Run it with
`make docs`; `tests/docs` fails when a part has fallen behind.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from scripts.docs_parts import PARTS
from scripts.docs_vendors import vendor_sections

from reelway.catalog.load import load_catalog
from reelway.catalog.pages import render_pages

__all__ = ["ROOT", "broken_links", "main", "pages", "stale_pages"]

ROOT = Path(__file__).resolve().parent.parent
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def written_pages() -> Iterator[Path]:
    """Yield the pages people write, which may have generated parts."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "vendors")


def vendor_pages() -> Mapping[str, str]:
    """Return the pages of `docs/vendors`, which are generated as a whole."""
    catalog = load_catalog()
    return render_pages(catalog, vendor_sections(catalog))


def pages() -> dict[Path, str]:
    """Return every page as it should be."""
    found = {path: _filled(path.read_text(encoding="utf-8")) for path in written_pages()}
    return found | {ROOT / "docs" / "vendors" / name: text for name, text in vendor_pages().items()}


def stale_pages() -> list[Path]:
    """Return the pages that have fallen behind the code, and vendor pages whose vendor is gone."""
    wanted = pages()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return stale + [path for path in (ROOT / "docs" / "vendors").glob("*.md") if path not in wanted]


def broken_links() -> list[str]:
    """Return a sentence for every link between our own files that leads nowhere."""
    found = []
    for path in [*written_pages(), *sorted((ROOT / "docs" / "vendors").glob("*.md"))]:
        text = _CODE.sub("", path.read_text(encoding="utf-8"))
        targets = [match["target"] for pattern in (_LINK, _IMAGE) for match in pattern.finditer(text)]
        found += [(path.relative_to(ROOT), target, _problem(path, target)) for target in targets]
    return [f"{page}: {target}: {problem}" for page, target, problem in found if problem]


def main() -> int:
    """Write the pages and check the links."""
    for path in stale_pages():
        text = pages().get(path)
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    problems = broken_links()
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def _filled(text: str, parts: Mapping[str, Callable[[], str]] = PARTS) -> str:
    def fill(match: re.Match[str]) -> str:
        if match["name"] not in parts:
            raise KeyError(f"no generated part is called {match['name']}; there are {', '.join(sorted(parts))}")
        return f"{match[1]}\n{parts[match['name']]().strip()}\n\n{match[3]}"

    return _PART.sub(fill, text)


def _problem(page: Path, target: str) -> str | None:
    if re.match(r"[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.is_relative_to(ROOT):
        return "leads out of the project"
    if not file.exists():
        return "there is no such file"
    if anchor and file.suffix == ".md" and anchor not in _anchors(file.read_text(encoding="utf-8")):
        return "there is no such heading"
    return None


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page, as GitHub makes them from headings."""
    headings = _HEADING.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    sys.exit(main())

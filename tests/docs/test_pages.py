"""The docs: generated parts are current, links lead somewhere, and nothing of the writer's machine is in what we hand out."""

import re
import subprocess
from pathlib import Path

import pytest
from scripts.docs import ROOT, broken_links, stale_pages, written_pages
from scripts.docs_parts import PARTS

LOCAL_PLACES = re.compile(r"(?<![\w/.~-])/(?:work|root|home|tmp|Users)/[a-z]\w*", re.IGNORECASE)
REGISTRIES = re.compile(
    r"\b(?:files\.pythonhosted|pypi|registry\.npmjs|npmjs|registry\.yarnpkg)\.(?:org|com)\b", re.IGNORECASE
)


def _tracked_texts() -> dict[str, str]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts[name] = content.decode("utf-8")
    return texts


def test_generated_parts_are_current() -> None:
    """`make docs` writes them again."""
    assert [str(path.relative_to(ROOT)) for path in stale_pages()] == []


def test_links_lead_somewhere() -> None:
    """To a file of ours, and to a heading in it."""
    assert broken_links() == []


def test_every_generated_part_is_used() -> None:
    """A part nobody shows is dead code."""
    texts = "".join(path.read_text(encoding="utf-8") for path in written_pages())

    assert {name for name in PARTS if f"<!-- generated: {name} -->" not in texts} == set()


def test_every_page_can_be_found() -> None:
    """From the index of the docs, by following links."""
    found, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / target).resolve() for target in targets]

    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")} - {
        str(path.relative_to(ROOT)) for path in found
    } == set()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout, so there is no list of tracked files")
def test_nothing_of_this_machine_is_handed_out() -> None:
    """No home folders, and no address of a package index: everyone uses their own."""
    problems = []
    for name, text in _tracked_texts().items():
        if Path(name) == Path(__file__).relative_to(ROOT):
            continue
        problems += [
            f"{name}: {found[0]}" for pattern in (LOCAL_PLACES, REGISTRIES) for found in pattern.finditer(text)
        ]

    assert problems == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout, so there is no list of tracked files")
def test_no_large_files_are_handed_out() -> None:
    """A clone stays quick; media are rendered when they are needed."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    large = {
        name
        for name in filter(None, names.split("\0"))
        if (ROOT / name).is_file() and (ROOT / name).stat().st_size > 400_000
    }

    assert large == set()

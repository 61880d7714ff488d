"""The gate: runs every check to its end, then says in the last lines what failed and what was skipped.

A check that could not run counts as failed; a skipped test is never a quiet one.
"""

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_BIN = ROOT / ".venv" / "bin"
_REPORT = ROOT / ".cache" / "tests.xml"
_CODE = [folder for folder in ("src", "tests", "bench", "scripts") if (ROOT / folder).is_dir()]


class Check(NamedTuple):
    """One command that must end with 0."""

    name: str
    command: list[str]


class Outcome(NamedTuple):
    """How a check went."""

    check: Check
    passed: bool
    seconds: float


CHECKS = [
    Check("format", [str(_BIN / "ruff"), "format", "--check", *_CODE]),
    Check("lint", [str(_BIN / "ruff"), "check", *_CODE]),
    Check("types", [str(_BIN / "mypy")]),
    Check("layers", [str(_BIN / "lint-imports"), "--no-logo"]),
]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # so that our lines stand where they belong among those of the checks


def main(arguments: list[str]) -> int:
    """Run the checks and the tests; return the exit code."""
    checks = list(CHECKS)
    if arguments != ["check"]:
        _REPORT.parent.mkdir(exist_ok=True)
        _REPORT.unlink(missing_ok=True)
        checks.append(Check("tests", [str(_BIN / "pytest"), f"--junitxml={_REPORT}", *arguments]))
    outcomes = [_run(check) for check in checks]
    skipped = _skipped() if checks[-1].name == "tests" else Counter()
    return _summarise(outcomes, skipped)


def _run(check: Check) -> Outcome:
    _say(f"\n=== {check.name}: {Path(check.command[0]).name} {' '.join(check.command[1:])}")
    began = time.monotonic()
    try:
        code = subprocess.run(check.command, cwd=ROOT, check=False).returncode
    except OSError as error:
        _say(f"{check.command[0]} cannot be run: {error.strerror}")
        code = 1
    return Outcome(check, code == 0, time.monotonic() - began)


def _skipped() -> Counter[str]:
    """Return why tests were skipped, and how many for each reason."""
    if not _REPORT.is_file():
        return Counter()
    reasons: Counter[str] = Counter()
    for skip in ElementTree.parse(_REPORT).iter("skipped"):  # noqa: S314 - our own file
        reasons[skip.get("message") or "no reason given"] += 1
    return reasons


def _summarise(outcomes: list[Outcome], skipped: Counter[str]) -> int:
    _say("\n" + "=" * 72)
    for outcome in outcomes:
        _say(f"{'passed' if outcome.passed else 'FAILED':8} {outcome.check.name:8} {outcome.seconds:7.1f} s")
    if skipped:
        _say("\n" + "!" * 72)
        _say(f"!! {skipped.total()} TESTS WERE SKIPPED, so this run proves less than it should:")
        for reason, count in skipped.most_common():
            _say(f"!!   {count} x {reason}")
        _say("!" * 72)
    failed = [outcome.check.name for outcome in outcomes if not outcome.passed]
    _say(f"\nFAILED: {', '.join(failed)}" if failed else "\nEverything passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

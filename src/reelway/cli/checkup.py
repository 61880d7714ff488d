"""The checks of `reelway doctor`, each of which ends in findings and none of which raises.

Nothing is changed: folders are not made, databases not upgraded, and vendors are asked only what costs nothing.
"""

import os
import platform
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from reelway.cli.database import database_file, is_postgres, place_of_database
from reelway.cli.exits import CommandFailed
from reelway.cli.records import finish
from reelway.cli.running import running_server
from reelway.cli.vendor_calls import VendorAnswer, call_vendor
from reelway.core.errors import ReelwayError
from reelway.settings import (
    AccountSettings,
    Settings,
    SettingsInvalid,
    account_notices,
    all_accounts,
    environment_notices,
    find_file,
    load_settings,
    unknown_variables,
)

__all__ = ["Finding", "check_everything"]

_LITTLE_SPACE = 2_000_000_000
_NO_SPACE = 200_000_000
_CLOCK_TOLERANCE_SECONDS = 30.0
_ENCODERS = ("libx264", "aac")
_DECODERS = ("h264", "hevc", "vp9", "av1", "aac", "opus")


class Finding(NamedTuple):
    """One line of the report; `remedy` says what to do."""

    level: Literal["good", "warning", "bad"]
    subject: str
    found: str
    remedy: str = ""


Call = Callable[[AccountSettings], VendorAnswer]


def check_everything(*, config: Path | None, data_dir: Path | None, call: Call = call_vendor) -> list[Finding]:
    """Run all checks; without usable settings, only those that need none."""
    findings = [_python(), _sqlite(), *_codecs()]
    try:
        settings = load_settings(config=config, data_dir=data_dir)
        file = find_file(settings.data_dir, config)
    except SettingsInvalid as error:
        return [
            *findings,
            *(
                Finding("bad", "settings", problem, "Correct it; nothing below was checked.")
                for problem in error.problems
            ),
        ]
    findings.append(Finding("good", "settings", str(file) if file else "defaults and variables; no reelway.toml"))
    findings += [
        Finding("warning", "settings", f"{name} is not a setting", "Look for a misspelling.")
        for name in unknown_variables(os.environ)
    ]
    findings += [*_data_folder(settings), _database(settings), _port(settings)]
    return findings + _vendors(settings, call)


def _python() -> Finding:
    return Finding("good", "python", f"{platform.python_version()} ({sys.executable})")


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < (3, 35):
        return Finding("bad", "sqlite", sqlite3.sqlite_version, "A Python with SQLite 3.35 or newer is needed.")
    return Finding("good", "sqlite", sqlite3.sqlite_version)


def _codecs() -> list[Finding]:
    try:
        import av
        import av.codec
    except ImportError as error:
        return [Finding("bad", "codecs", f"PyAV cannot be loaded: {error}", "Install Reelway again.")]
    missing = [f"{name} encoder" for name in _ENCODERS if not _has_codec(name, "w")]
    missing += [f"{name} decoder" for name in _DECODERS if not _has_codec(name, "r")]
    if missing:
        return [
            Finding(
                "bad",
                "codecs",
                f"PyAV {av.__version__} lacks {', '.join(missing)}",
                "Install the PyAV wheel from the package index.",
            )
        ]
    return [Finding("good", "codecs", f"PyAV {av.__version__}: {', '.join(_ENCODERS + _DECODERS)}")]


def _has_codec(name: str, mode: Literal["r", "w"]) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        Codec(name, mode)
    except UnknownCodecError:
        return False
    return True


def _data_folder(settings: Settings) -> list[Finding]:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return [
            Finding(
                "bad",
                "data folder",
                f"{folder} cannot be written to",
                "Change its owner, or set REELWAY_DATA_DIR to another folder.",
            )
        ]
    state = "" if existing == folder else " (will be made)"
    findings = [Finding("good", "data folder", f"{folder}{state}")]
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free"
    if free < _NO_SPACE:
        return [*findings, Finding("bad", "disk", text, "Free some space: finished videos cannot be kept.")]
    if free < _LITTLE_SPACE:
        return [
            *findings,
            Finding(
                "warning", "disk", text, "Free some space, or keep videos for fewer days (REELWAY_RETENTION_DAYS)."
            ),
        ]
    return [*findings, Finding("good", "disk", text)]


def _revision(settings: Settings) -> tuple[str, str | None]:
    """Return where the records are and which shape they have, None where there is nothing yet."""
    if is_postgres(settings):
        from reelway.store.postgres import administration

        return place_of_database(settings), finish(administration.revision(settings.database))
    from reelway.store.revisions import revision_of

    file = database_file(settings)
    if not file.exists():
        return str(file), None
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return str(file), revision_of(connection) or "none"


def _database(settings: Settings) -> Finding:
    from reelway.store.revisions import HEAD, KNOWN

    try:
        file, revision = _revision(settings)
    except (CommandFailed, ReelwayError, sqlite3.Error) as error:
        return Finding("bad", "database", str(error), "Check REELWAY_DATABASE_URL and the rights of the file.")
    if revision is None:
        return Finding("good", "database", f"{file} (will be made)")
    if revision == HEAD:
        return Finding("good", "database", f"{file}, revision {revision}")
    if revision in KNOWN:
        return Finding(
            "warning",
            "database",
            f"{file}, revision {revision} of {HEAD}",
            "`reelway db upgrade` brings it up to date; so does the next start.",
        )
    return Finding(
        "bad",
        "database",
        f"{file}, revision {revision}: written by a newer version",
        "Install that version of Reelway, or restore a backup.",
    )


def _port(settings: Settings) -> Finding:
    running = running_server(settings.data_dir)
    if running is not None:
        return Finding("good", "port", f"a server runs at {running.address} (process {running.process_id})")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Finding(
                "bad",
                "port",
                f"{settings.host}:{settings.port}: {error.strerror}",
                "Set REELWAY_PORT to another port, or end what listens there.",
            )
    return Finding("good", "port", f"{settings.host}:{settings.port} is free")


def _vendors(settings: Settings, call: Call) -> list[Finding]:
    findings = [
        Finding("warning", "vendors", text) for text in environment_notices(os.environ, own_address=settings.address)
    ]
    accounts = all_accounts(settings)
    findings += [Finding("warning", "vendors", text) for text in _account_notices(settings, accounts)]
    findings += _lost_accounts(settings, accounts)
    if not accounts:
        text = "none configured: the sandbox answers" if settings.sandbox != "off" else "none configured"
        level: Literal["warning", "bad"] = "warning" if settings.sandbox != "off" else "bad"
        return [*findings, Finding(level, "vendors", text, "docs/configuration.md says how to add one.")]
    clocks = []
    for account in accounts:
        answer = call(account)
        findings.append(Finding(answer.level, f"vendor {account.name}", answer.text, answer.remedy))
        if answer.date is not None:
            clocks.append(time.time() - answer.date)
    return [*findings, _clock(min(clocks, key=abs))] if clocks else findings


def _account_notices(settings: Settings, accounts: Sequence[AccountSettings]) -> tuple[str, ...]:
    from reelway.catalog.catalog import CatalogInvalid
    from reelway.catalog.load import load_catalog

    try:
        catalog = load_catalog(extra_cards=settings.models, aliases=settings.aliases)
    except CatalogInvalid as error:
        return (str(error),)
    return account_notices(accounts, catalog.cards)


def _busy_accounts(settings: Settings) -> dict[str, int]:
    if is_postgres(settings):
        from reelway.store.postgres import administration

        return finish(administration.unfinished_accounts(settings.database))
    from reelway.store.admin import unfinished_accounts

    return unfinished_accounts(database_file(settings))


def _lost_accounts(settings: Settings, accounts: Sequence[AccountSettings]) -> list[Finding]:
    """Find accounts that videos are being made at and that are not configured any more."""
    try:
        busy = _busy_accounts(settings)
    except (CommandFailed, ReelwayError):
        return []  # none yet, or said above
    known = {account.name for account in accounts} | ({"sandbox"} if settings.sandbox != "off" else set())
    return [
        Finding(
            "bad",
            "vendors",
            f"{count} video(s) are being made at the account {name!r}, which is not configured any more",
            "Bring it back, with `draining = true` if it should get no more, until they have ended; else they fail in time.",
        )
        for name, count in busy.items()
        if name not in known
    ]


def _clock(ahead_seconds: float) -> Finding:
    if abs(ahead_seconds) <= _CLOCK_TOLERANCE_SECONDS:
        return Finding("good", "clock", "agrees with the vendors' clocks")
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    return Finding(
        "bad",
        "clock",
        f"{abs(ahead_seconds):.0f} seconds {direction} the vendors' clocks",
        "Set the clock (NTP): signatures and links depend on it.",
    )

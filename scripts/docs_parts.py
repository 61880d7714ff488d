"""The generated parts of the docs, each drawn from the one place in the code that decides."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from reelway.cli.exits import EXIT_MEANINGS
from reelway.cli.main import app
from reelway.core.failures import FailureKind, remedy_for
from reelway.core.lifecycle import FINAL, TRANSITIONS, State, public_status
from reelway.dialects.aliases import ALIASES, INPUT_SLOTS
from reelway.settings import ENVIRONMENT_VENDORS, AccountSettings, Settings, TenantSettings
from reelway.settings.environment import EnvironmentVendor
from reelway.settings.settings import SECTIONS
from reelway.vendors.openai_services import SERVICES, Service

__all__ = ["PARTS", "environment_table", "names", "table"]


_UNUSUAL_DEFAULTS = {"data_dir": "`~/.local/share/reelway`", "models": '`"*"`'}
"""Those that are computed."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _lifecycle_diagram() -> str:
    """Return the table of transitions as a diagram; failing and cancelling, possible anywhere, are drawn once."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.QUEUED}"]
    anywhere = {
        (event, target) for (_, event), target in TRANSITIONS.items() if target in {State.FAILED, State.CANCELLED}
    }
    for (state, event), target in TRANSITIONS.items():
        if (event, target) not in anywhere:
            lines.append(f"    {state} --> {target}: {event}")
    lines += [f"    {state} --> [*]" for state in sorted(FINAL - {State.FAILED, State.CANCELLED})]
    lines.append("```")
    unfinished = [state for state in State if state not in FINAL]
    for event, target in sorted(anywhere):
        sources = [state for (state, at), _ in TRANSITIONS.items() if at == event]
        places = "any unfinished state" if set(sources) == set(unfinished) else ", ".join(f"`{one}`" for one in sources)
        lines.append(f"\n`{event}` leads from {places} to `{target}`.")
    return "\n".join(lines)


def _lifecycle_statuses() -> str:
    return table(("state", "what callers see"), [(f"`{state}`", f"`{public_status(state)}`") for state in State])


def _failure_kinds() -> str:
    remedies = {"none": "no", "later": "yes, the same way after a pause", "elsewhere": "yes, another account at once"}
    rows = [(f"`{kind}`", remedies[remedy_for(kind)]) for kind in FailureKind]
    return table(("`error.code`", "tried again when the vendor surely refused the submit"), rows)


def _exit_codes() -> str:
    return table(("code", "meaning"), [(str(int(code)), text) for code, text in EXIT_MEANINGS.items()])


def _aliases() -> str:
    rows = [(f"`{known[0]}`", names(known[1:])) for known in ALIASES.values() if len(known) > 1]
    for slot in INPUT_SLOTS.values():
        known = (*slot.single, *slot.several)
        if len(known) > 1:
            rows.append((f"`{known[0]}`", names(known[1:])))
    return table(("field", "also understood"), rows)


def names(words: Iterable[str]) -> str:
    """Return names as they stand in text."""
    return ", ".join(f"`{word}`" for word in words)


def _settings() -> str:
    single = {name: field for name, field in Settings.model_fields.items() if name not in SECTIONS.values()}
    rows = [
        (f"`REELWAY_{name.upper()}`", f"`{name}`", _default(name, field), field.description or "")
        for name, field in single.items()
    ]
    return table(("variable", "in the file", "default", "meaning"), rows)


def _default(name: str, field: Any) -> str:
    if name in _UNUSUAL_DEFAULTS:
        return _UNUSUAL_DEFAULTS[name]
    value = field.default
    if value is PydanticUndefined:
        return "needed"
    if value is None or value in ((), "", {}):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _sections() -> str:
    rows = []
    for section, field in SECTIONS.items():
        brackets = f"`[[{section}]]`" if section != field else f"`[{section}]`"
        rows.append((brackets, Settings.model_fields[field].description or ""))
    return table(("table", "meaning"), rows)


def _account_fields() -> str:
    return table(("field", "default", "meaning"), list(_fields(AccountSettings)))


def _tenant_fields() -> str:
    return table(("field", "default", "meaning"), list(_fields(TenantSettings)))


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        yield f"`{name}`", _default(name, field), field.description or ""


def environment_table(entries: Iterable[EnvironmentVendor]) -> str:
    """Return which variables switch vendors on."""
    rows = [
        (names(entry.variables), f"`{entry.vendor}`", f"`{entry.base_url_variable}`", entry.summary)
        for entry in entries
    ]
    return table(("variables", "adapter", "another base URL", "what"), rows)


def _environment_vendors() -> str:
    return environment_table(ENVIRONMENT_VENDORS)


def _openai_services() -> str:
    rows = [
        (
            f"`{service.name}`",
            service.title,
            names(service.further_words) or "–",
            _finding(service),
            _cancelling(service),
            "yes" if service.deletes else "no endpoint",
            "the link in the object" if service.has_links else "`/content`",
        )
        for service in SERVICES.values()
    ]
    head = ("service", "server", "further states", "a create whose answer was lost", "cancel", "delete", "result")
    return table(head, rows)


def _finding(service: Service) -> str:
    return (
        "in the list, if it has one"
        if service.may_lack_lists
        else "in the list"
        if service.lists
        else "cannot be looked for"
    )


def _cancelling(service: Service) -> str:
    return "yes" if service.is_ours else "by deleting" if service.cancels_by_deleting else "no"


def _decisions() -> str:
    folder = Path(__file__).resolve().parent.parent / "docs" / "decisions"
    titles = {
        path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in sorted(folder.glob("[0-9]*.md"))
    }
    return "\n".join(
        f"- [{title.removeprefix('# ').partition('. ')[2] or title}]({name})" for name, title in titles.items()
    )


def _commands() -> str:
    """Return the help of every command, as the command itself prints it."""
    command = typer.main.get_command(app)
    return "\n\n".join(_help(command, ["reelway"]))


def _help(command: Any, path: list[str]) -> Iterator[str]:
    context = command.make_context(
        " ".join(path), [], resilient_parsing=True, terminal_width=100, max_content_width=100
    )
    text = context.get_help().replace(str(Path.home()), "~")
    yield f"{'#' * min(len(path) + 1, 4)} {' '.join(path)}\n\n```text\n{text.strip()}\n```"
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from _help(child, [*path, name])


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "account-fields": _account_fields,
        "aliases": _aliases,
        "commands": _commands,
        "decisions": _decisions,
        "environment-vendors": _environment_vendors,
        "exit-codes": _exit_codes,
        "failure-kinds": _failure_kinds,
        "lifecycle-diagram": _lifecycle_diagram,
        "lifecycle-statuses": _lifecycle_statuses,
        "openai-services": _openai_services,
        "sections": _sections,
        "settings": _settings,
        "tenant-fields": _tenant_fields,
    }
)

# Help must not depend on the machine it is written on: no colours, no width of a terminal.
os.environ.setdefault("NO_COLOR", "1")

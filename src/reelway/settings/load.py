"""Gathers the settings: given values win over `REELWAY_…` variables, these over `reelway.toml`, that over defaults.

Every problem becomes one sentence that names where the value came from, and all of them are told at once.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from reelway.core.errors import GatewayError
from reelway.settings.accounts import AccountSettings
from reelway.settings.environment import (
    BASE_URL_VARIABLES,
    OPENAI_SERVICE_VARIABLE,
    VERTEX_STORAGE_VARIABLE,
    accounts_from_environment,
)
from reelway.settings.settings import SECTIONS, Settings, default_data_dir

__all__ = ["SettingsInvalid", "all_accounts", "find_file", "load_settings", "unknown_variables"]

FILE_NAME = "reelway.toml"
_PREFIX = "REELWAY_"
_CLIENT_VARIABLES = frozenset({"REELWAY_CONFIG", "REELWAY_URL", "REELWAY_DIE_AT"})
_SECRET_FIELDS = frozenset({"api_key", "key", "secrets", "previous_key", "previous_secrets"})


class SettingsInvalid(GatewayError):
    """Settings that cannot be used; each problem is a sentence that says which value, where it stands and what is allowed."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_settings(*, config: Path | None = None, **given: Any) -> Settings:
    """Return the settings of this process. `given` are values of the command line; those that are None do not count.

    `config` names the file to read, instead of `REELWAY_CONFIG` and the usual places.
    """
    given = {name: value for name, value in given.items() if value is not None}
    variables = _read_variables()
    data_dir = Path(given.get("data_dir") or variables.get("data_dir") or default_data_dir()).expanduser()
    file = find_file(data_dir, config)
    values = _read_file(file) if file else {}
    if file and "data_dir" in values and file.parent == data_dir.absolute():
        raise SettingsInvalid(
            f"data_dir in {file}: a file found in the data folder cannot name another one; remove it."
        )
    try:
        settings = Settings(**{**values, **variables, **given})
    except ValidationError as error:
        raise SettingsInvalid(*_sentences(error, given, variables, file)) from None
    return settings.model_copy(update={"accounts": _with_keys(settings.accounts, file)})


def find_file(data_dir: Path, config: Path | None = None) -> Path | None:
    """Return the file to read: `config`, the one `REELWAY_CONFIG` names, `reelway.toml` here, or in the data folder."""
    named = config or os.environ.get("REELWAY_CONFIG")
    if named:
        path = Path(named).expanduser().absolute()
        if not path.is_file():
            origin = "--config" if config else "REELWAY_CONFIG"
            raise SettingsInvalid(f"{origin}: there is no file {path}; correct the path or leave it out.")
        return path
    candidates = (Path.cwd() / FILE_NAME, data_dir.absolute() / FILE_NAME)
    return next((path for path in candidates if path.is_file()), None)


def all_accounts(settings: Settings, environment: Mapping[str, str] | None = None) -> tuple[AccountSettings, ...]:
    """Return the accounts of the file, then those the usual variables describe unless the file has one of that name."""
    names = {account.name for account in settings.accounts}
    found = accounts_from_environment(os.environ if environment is None else environment, own_address=settings.address)
    return settings.accounts + tuple(account for account in found if account.name not in names)


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the `REELWAY_…` variables that mean nothing: misspelt ones, most likely."""
    single = set(Settings.model_fields) - set(SECTIONS.values())
    known = {_PREFIX + name.upper() for name in single} | _CLIENT_VARIABLES
    known |= {*BASE_URL_VARIABLES, OPENAI_SERVICE_VARIABLE, VERTEX_STORAGE_VARIABLE}
    return tuple(sorted(name for name in environment if name.startswith(_PREFIX) and name not in known))


def _read_variables() -> dict[str, Any]:
    values = EnvSettingsSource(Settings)()
    tables = {field: table for table, field in SECTIONS.items()}
    problems = [
        f"{_PREFIX}{field.upper()}: this is a table and cannot be a variable; write [{tables[field]}] in {FILE_NAME}."
        for field in values
        if field in tables
    ]
    if problems:
        raise SettingsInvalid(*problems)
    return values


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{path}: cannot be read ({error.strerror}); check its owner and rights.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: is not valid TOML: {error}.") from None
    return {SECTIONS.get(name, name): value for name, value in values.items()}


def _with_keys(accounts: tuple[AccountSettings, ...], file: Path | None) -> tuple[AccountSettings, ...]:
    """Return the accounts with the keys that `key_env` points to."""
    complete, problems = [], []
    for account in accounts:
        found: dict[str, SecretStr] = {}
        for field in ("key", "previous_key"):
            variable = getattr(account, f"{field}_env")
            if variable is None:
                continue
            found[field] = SecretStr(os.environ.get(variable, ""))
            if getattr(account, field) is not None:
                problems.append(
                    f"account {account.name!r} in {file}: has both {field} and {field}_env; keep one of them."
                )
            elif not found[field].get_secret_value():
                problems.append(
                    f"account {account.name!r} in {file}: the variable {variable} is not set; set it or correct {field}_env."
                )
        complete.append(account.model_copy(update=found))
    if problems:
        raise SettingsInvalid(*problems)
    return tuple(complete)


def _sentences(
    error: ValidationError, given: Mapping[str, Any], variables: Mapping[str, Any], file: Path | None
) -> list[str]:
    sentences: list[str] = []
    for problem in error.errors(include_url=False):
        place = tuple(problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        if problem["type"] == "extra_forbidden":
            message = "there is no such setting; look for a misspelling (docs/configuration.md lists them all)"
        elif problem["type"] == "missing":
            message = "is needed and not there"
        elif place and not _SECRET_FIELDS & set(map(str, place)) and isinstance(problem["input"], str | int | float):
            message = f"{message} (got {problem['input']!r})"
        sentence = f"{_origin(place, given, variables, file)}: {message}."
        if sentence not in sentences:
            sentences.append(sentence)
    return sentences


def _origin(
    place: tuple[str | int, ...], given: Mapping[str, Any], variables: Mapping[str, Any], file: Path | None
) -> str:
    """Say where a value was written: an option, a variable, or a line of thought in the file."""
    if not place:
        return str(file) if file else "settings"
    field = str(place[0])
    if field in given:
        return f"--{field.replace('_', '-')}"
    if field in variables:
        return _PREFIX + field.upper()
    table = {name: section for section, name in SECTIONS.items()}.get(field, field)
    if len(place) > 1 and isinstance(place[1], int):
        return " ".join(map(str, (f"[[{table}]] number {place[1] + 1}", *place[2:], f"in {file}")))
    return " ".join(map(str, (table, *place[1:], f"in {file}")))

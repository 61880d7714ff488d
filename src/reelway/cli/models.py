"""`reelway models`: what can be made, and within which limits."""

from typing import Annotated, Any

import typer

from reelway.cli.options import ApiKey, DataDir, Json, Url

__all__ = ["models"]


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show everything about this model.", show_default=False)
    ] = None,
    as_json: Json = False,
    url: Url = None,
    key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """List the models of the server, or show one with its limits."""
    from reelway.cli.embedded import connect
    from reelway.cli.output import emit, table

    with connect(url, key, data_dir, quiet=as_json) as client:
        answer = client.model(name) if name else client.models()
    if as_json:
        emit(answer)
    elif name:
        _show(answer)
    else:
        table(("MODEL", "TITLE", "MODES", "SECONDS"), [_row(model) for model in answer["data"]])


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    card = model.get("video") or {}
    modes = card.get("modes") or {}
    lengths = {_seconds(mode.get("seconds")) for mode in modes.values()} - {"-"}
    return (str(model["id"]), str(card.get("title") or "-"), ", ".join(modes) or "-", "; ".join(sorted(lengths)) or "-")


def _show(model: dict[str, Any]) -> None:
    from reelway.cli.output import table

    card = model.get("video") or {}
    typer.echo(f"{model['id']}: {card.get('title', '')}")
    for text in (card.get("summary"), _deprecation(card.get("deprecation"))):
        if text:
            typer.echo(text)
    typer.echo("")
    rows = [
        (
            name,
            ", ".join(_input(rule) for rule in mode.get("inputs") or ()) or "-",
            _seconds(mode.get("seconds")),
            ", ".join(mode.get("resolutions") or ()) or "-",
            ", ".join(mode.get("aspect_ratios") or ()) or "-",
        )
        for name, mode in (card.get("modes") or {}).items()
    ]
    table(("MODE", "INPUTS", "SECONDS", "RESOLUTIONS", "ASPECT RATIOS"), rows)
    options = card.get("options") or {}
    if options:
        typer.echo("")
        table(("OPTION", "ALLOWED", "MEANING"), [_option(name, option) for name, option in options.items()])
    for title in ("limits", "notes"):
        lines = card.get(title) or ()
        if lines:
            typer.echo(f"\n{title.capitalize()}:")
        for line in lines:
            typer.echo(f"- {line}")
    for line in card.get("price") or ():
        typer.echo(f"Price: {line.get('text')}")


def _seconds(rule: dict[str, Any] | None) -> str:
    """Return lengths as text: `4, 6, 8`, or `3-15` where none is left out."""
    values = (rule or {}).get("values") or []
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]}-{values[-1]}"
    return ", ".join(map(str, values)) or "-"


def _input(rule: dict[str, Any]) -> str:
    least, most = rule.get("min", 0), rule.get("max", 1)
    count = str(most) if least == most else f"{least}-{most}"
    return f"{count} {rule.get('kind')} ({str(rule.get('role')).replace('_', ' ')})"


def _option(name: str, option: dict[str, Any]) -> tuple[str, str, str]:
    return name, str(option.get("allowed") or option.get("type")), str(option.get("summary") or "")


def _deprecation(found: Any) -> str | None:
    if not found:
        return None
    return str(found.get("message") or found) if isinstance(found, dict) else str(found)

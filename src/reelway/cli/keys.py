"""`reelway keys`: API keys and the webhook secret, directly in the database, with or without a server running."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Config, DataDir, Json
from reelway.cli.records import with_store

if TYPE_CHECKING:
    from reelway.core.keys import ApiKey, Scope
    from reelway.store.spec import JobStore

__all__ = ["app"]

app = typer.Typer(
    help="Make, list and revoke API keys; show the webhook secret.", no_args_is_help=True, rich_markup_mode=None
)

_SCOPES = ("create", "read", "admin")
_SECONDS_A_DAY = 86_400

Found = TypeVar("Found")


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for, so that you recognise it in the list.")],
    tenant: Annotated[
        str, typer.Option("--tenant", help="Whose videos it sees: tenants see only their own.")
    ] = "default",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", help="create, read or admin; again for more. Default: create and read.", show_default=False
        ),
    ] = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0.01, help="Expires after so many days.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it. It is shown this once; only its hash is kept."""
    from reelway.accounts.keys import KeyRing
    from reelway.cli.output import emit, note
    from reelway.settings import load_settings

    scopes = tuple(dict.fromkeys(scope or ("create", "read")))
    unknown = sorted(set(scopes) - set(_SCOPES))
    if unknown:
        raise CommandFailed(
            f"--scope is one of {', '.join(_SCOPES)} (got {unknown[0]!r}).", Exit.INVALID, param="scope"
        )
    now = time.time()
    expires_at = None if days is None else now + days * _SECONDS_A_DAY

    async def issue(store: "JobStore") -> "tuple[str, ApiKey]":
        return await KeyRing(store).issue(name, tenant, cast("tuple[Scope, ...]", scopes), now, expires_at)

    text, key = with_store(load_settings(config=config, data_dir=data_dir), issue)
    if as_json:
        emit({"id": key.id, "key": text, "name": key.name, "tenant": key.tenant, "scopes": key.scopes} | _times(key))
        return
    note(f"{key.id} for tenant {key.tenant}, may {', '.join(key.scopes)}. The key is shown this once:")
    typer.echo(text)


@app.command("list")
def list_keys(data_dir: DataDir = None, config: Config = None, as_json: Json = False) -> None:
    """List all keys; a key's text is not among what is kept."""
    from reelway.cli.output import emit, table
    from reelway.settings import load_settings

    keys = with_store(load_settings(config=config, data_dir=data_dir), lambda store: store.keys())
    if as_json:
        emit(
            {
                "object": "list",
                "data": [
                    {"id": key.id, "name": key.name, "tenant": key.tenant, "hint": key.hint, "scopes": key.scopes}
                    | _times(key)
                    for key in keys
                ],
            }
        )
        return
    head = ("ID", "NAME", "TENANT", "KEY", "MAY", "CREATED", "STATE")
    now = time.time()
    table(
        head,
        [
            (key.id, key.name, key.tenant, key.hint, ", ".join(key.scopes), _day(key.created_at), _state(key, now))
            for key in keys
        ],
    )


@app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of a key, as `reelway keys list` shows it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Revoke a key. A running server stops honouring it within seconds."""
    from reelway.settings import load_settings

    now = time.time()
    if not with_store(load_settings(config=config, data_dir=data_dir), lambda store: store.revoke_key(key_id, now)):
        raise CommandFailed(
            f"there is no key {key_id!r}, or it is revoked already; `reelway keys list` shows them.", Exit.INVALID
        )
    typer.echo(f"{key_id}: revoked")


@app.command("webhook-secret")
def show_webhook_secret(
    tenant: Annotated[
        str, typer.Option("--tenant", help="Whose messages it verifies: each tenant has a secret of its own.")
    ] = "default",
    data_dir: DataDir = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Print the secret with which receivers verify webhook messages. Made when it is first needed, the same ever after."""
    from reelway.cli.output import emit
    from reelway.settings import load_settings
    from reelway.webhooks.tenants import TenantSecrets

    settings = load_settings(config=config, data_dir=data_dir)
    secret = with_store(settings, lambda store: TenantSecrets(store).secret(tenant))
    if as_json:
        emit({"tenant": tenant, "secret": secret})
    else:
        typer.echo(secret)


def _times(key: "ApiKey") -> dict[str, float | None]:
    return {"created_at": key.created_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at}


def _state(key: "ApiKey", now: float) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'expired' if key.expires_at <= now else 'until'} {_day(key.expires_at)}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")

"""The settings themselves. A single value comes from `REELWAY_<NAME>` or from `reelway.toml`, a table from the file alone."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from reelway.settings.accounts import AccountSettings, RenderPolicy, SubmitPolicy, TenantSettings, WebAddress

__all__ = ["SECTIONS", "Settings", "default_data_dir"]

SECTIONS = {
    "account": "accounts",
    "model": "models",
    "aliases": "aliases",
    "rates": "rates",
    "submit_policy": "submit_policy",
    "tenant": "tenants",
}
"""The tables of `reelway.toml`, and the field each of them fills."""

_MEGABYTE = 1_000_000


def default_data_dir() -> Path:
    """Return `reelway` in the user's XDG data folder."""
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "reelway"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _split(given: Any) -> Any:
    """Read a comma list as environment variables carry it."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


class Settings(BaseSettings):
    """Every setting of a server. Made by `load_settings`; the constructor itself looks at its arguments alone."""

    model_config = SettingsConfigDict(env_prefix="REELWAY_", env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; `0.0.0.0` for every interface."
    )
    port: int = Field(default=8080, ge=1, le=65535, description="Port to listen on.")
    public_url: WebAddress | None = Field(
        default=None,
        description="Where callers and vendors reach this server from outside, `https://video.example.com` say. "
        "Signed links and vendor callbacks are built from it.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="A fixed admin key for development; any text. Without it a first key is made and printed once.",
    )
    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=default_data_dir, description="Folder for the database and the files of this server."
    )
    database_url: str | None = Field(
        default=None,
        description="Where the records are kept: `sqlite:////var/lib/reelway.db` say, or for several nodes "
        "`postgresql://USER:PASSWORD@HOST/DATABASE`; else `data_dir/reelway.db`.",
    )
    database_connections: int = Field(
        default=8,
        ge=1,
        le=200,
        description="Connections to PostgreSQL on which a node reads at once; beside them one writes and one listens.",
    )
    assets_url: str | None = Field(
        default=None,
        description="Where the bytes are kept: `file:///srv/videos` say, or a bucket, `s3://BUCKET/FOLDER`, `gs://BUCKET/FOLDER` "
        "or `az://CONTAINER/FOLDER`, with credentials from the variables that are usual there; else `data_dir/assets`.",
    )

    role: Literal["all", "api", "worker"] = Field(
        default="all",
        description="What this node of a fleet does: `api` answers callers, `worker` makes the videos, `all` does both. "
        "Nodes share one PostgreSQL.",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        le=600,
        description="How long at least a server that is told to end goes on answering, so that a load balancer sees at `/readyz` "
        "that it should send nobody any more.",
    )

    sandbox: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="The make-believe vendor: `auto` means on only while no vendor is configured, and never on PostgreSQL, where "
        "each node's would be another one.",
    )
    sandbox_render_seconds: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="How long the sandbox takes over a video, at least; without it, 2 seconds and a tenth of its length.",
    )
    sandbox_faults: str = Field(
        default="",
        description="What the sandbox does wrong with every video: `[[poll:500x3]]` say, see docs/howto/sandbox.md.",
    )
    sandbox_draft: bool = Field(
        default=False, description="The sandbox paints one picture a second: for tests that make many videos."
    )
    sandbox_stock: bool = Field(
        default=False,
        description="The sandbox hands out copies of one small clip, each with a mark: for tests that make thousands.",
    )
    sandbox_log: Path | None = Field(
        default=None,
        description="A file to which the sandbox adds a JSON line for every submit, every file made and every file handed out.",
    )
    sandbox_fetch_urls: bool = Field(
        default=False, description="Whether the sandbox fetches inputs that are given by address."
    )
    sandbox_link_seconds: float = Field(
        default=86_400.0, ge=0, description="How long the sandbox's links to files work, as vendors' links expire."
    )
    sandbox_strict: bool = Field(
        default=False,
        description="Whether the sandbox holds requests in the OpenAI dialect against the model cards too. Those in vendors' own "
        "dialects always are.",
    )

    timestamps: Literal["s", "ms"] = Field(
        default="s", description="Unit of `created_at` and its like in the video object: seconds or milliseconds."
    )
    b64_json_limit_bytes: int = Field(
        default=25 * _MEGABYTE, ge=0, description="Largest video that `response_format=b64_json` puts into the answer."
    )
    max_upload_bytes: int = Field(default=100 * _MEGABYTE, ge=1, description="Largest single file in a form.")
    max_body_bytes: int = Field(default=250 * _MEGABYTE, ge=1, description="Largest form, all files together.")
    max_json_bytes: int = Field(default=64 * _MEGABYTE, ge=1, description="Largest JSON body; it is held in memory.")

    retention_days: float = Field(
        default=7.0, gt=0, le=36500, description="How long the files of a finished video are kept."
    )
    input_retention_hours: float = Field(default=48.0, gt=0, description="How long uploaded input files are kept.")
    file_link_hours: float | None = Field(
        default=None,
        gt=0,
        description="How long an address is good that a vendor fetches an input from; else as long as inputs are kept.",
    )
    lease_seconds: float = Field(
        default=10.0,
        ge=1,
        le=300,
        description="How long a silent node keeps its videos before another takes them over.",
    )
    poll_shortest_seconds: float = Field(
        default=2.0, gt=0, description="Shortest pause between two looks at a vendor's task."
    )
    poll_longest_seconds: float = Field(
        default=20.0, gt=0, description="Longest pause between two looks at a vendor's task."
    )
    lookup_seconds: float = Field(
        default=5.0, ge=0, description="Pause between two look-ups of a submit whose answer was lost."
    )
    arrival_seconds: float = Field(
        default=20.0,
        ge=0,
        le=600,
        description="How long a request may still be on its way to a vendor after its sender ended or lost its lease: so long a "
        "look-up that finds nothing proves nothing. Best not less than `lease_seconds`.",
    )
    callback_wait_seconds: float = Field(
        default=600.0,
        ge=0,
        description="How long a submit whose answer was lost waits for the vendor to call back, where nothing can be looked up.",
    )
    retry_failed_renders: RenderPolicy = Field(
        default="never",
        description="Whether another account may try after a render failed at one, where that may help: `never`; `free`, where the "
        "vendor says that failed renders cost nothing and reports no charge; `always`, also where the failed one may have cost "
        "the account something. The caller pays for one video in any case.",
    )
    max_unfinished_per_key: int = Field(
        default=0, ge=0, description="Videos under way of one API key; a create beyond is answered 429. 0: no limit."
    )
    max_unfinished_per_user: int = Field(
        default=0,
        ge=0,
        description="Videos under way of one end user (`user`) of a tenant; a create beyond is answered 429. 0: no limit.",
    )
    connect_seconds: float = Field(default=10.0, gt=0, description="Time limit for reaching a vendor's server.")
    read_seconds: float = Field(default=60.0, gt=0, description="Time limit for silence in the middle of an answer.")
    request_seconds: float = Field(default=300.0, gt=0, description="Time limit for one whole request to a vendor.")
    download_seconds: float = Field(
        default=1800.0, gt=0, description="Time limit for fetching one finished video, over all connections it takes."
    )
    store_seconds: float = Field(
        default=600.0, gt=0, description="Time limit for the asset store to make one fetched file durable."
    )
    collects_at_once: int = Field(
        default=4, ge=1, le=256, description="Finished videos of one account that are fetched at a time."
    )
    max_output_bytes: int = Field(
        default=2000 * _MEGABYTE, ge=1, description="Largest video that is accepted from a vendor."
    )
    private_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(),
        description="Hosts of a private network that input and callback URLs may point to; all others must be public.",
    )

    media_processes: int = Field(default=2, ge=1, le=64, description="Processes that decode and measure media.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important lines to log."
    )
    log_json: bool = Field(default=False, description="Log JSON lines instead of text.")

    accounts: Annotated[tuple[AccountSettings, ...], NoDecode] = Field(
        default=(), description="One `[[account]]` for each credential at a vendor; its fields are below."
    )
    submit_policy: Annotated[dict[str, SubmitPolicy], NoDecode] = Field(
        default={},
        description="By vendor: what becomes of a submit whose outcome nobody can look up. `fail` (the default) ends the "
        "video as `submission_unknown`; `resubmit` sends it again and may pay twice.",
    )
    tenants: Annotated[dict[str, TenantSettings], NoDecode] = Field(
        default={},
        description='One `[tenant."name"]` for each tenant that is not like all others; its fields are below.',
    )
    aliases: Annotated[dict[str, str], NoDecode] = Field(
        default={}, description='More names for models: `sora-2 = "veo3.1"` keeps old callers alive.'
    )
    models: Annotated[tuple[dict[str, Any], ...], NoDecode] = Field(
        default=(), description="One `[[model]]` for each model card of your own."
    )
    rates: Annotated[dict[str, Decimal], NoDecode] = Field(
        default={}, description='US dollars for one unit of another currency: `CNY = "0.14"`.'
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Look at the arguments alone: `load_settings` gathers the rest, so that it can say where a value came from."""
        return (init_settings,)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [account.name for account in self.accounts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two accounts are called {twice[0]!r}; give each [[account]] a name of its own")
        if self.role != "all" and self.database.startswith("sqlite:"):
            raise ValueError(f"role is {self.role!r}, but a SQLite file is used by one server alone; leave it at 'all'")
        if self.poll_shortest_seconds > self.poll_longest_seconds:
            raise ValueError("poll_shortest_seconds is greater than poll_longest_seconds; make it the smaller one")
        return self

    @property
    def database(self) -> str:
        """The database that holds: the one set, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'reelway.db'}"

    @property
    def assets(self) -> str:
        """The place for bytes that holds: the one set, or a folder in the data folder."""
        return self.assets_url or (self.data_dir / "assets").as_uri()

    @property
    def sandbox_directives(self) -> str:
        """What holds for every video of the sandbox, in the words it understands in a prompt."""
        delay = "" if self.sandbox_render_seconds is None else f"[[delay:{self.sandbox_render_seconds:g}]]"
        return f"{delay}{self.sandbox_faults}"

    @property
    def address(self) -> str:
        """Where a program on this machine reaches the server."""
        host = self.host if self.host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - compared, never bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

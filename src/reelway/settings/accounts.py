"""One `[[account]]` of `reelway.toml`: a credential at a vendor, where it works, and what may be asked of it.

Secrets stay wrapped until an adapter signs a request with them; printing an account never shows one.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

__all__ = ["AccountSettings", "RenderPolicy", "SubmitPolicy", "TenantSettings", "WebAddress"]

SubmitPolicy = Literal["fail", "resubmit"]
"""What becomes of a submit whose outcome nobody can look up: end the video, or risk paying twice."""

RenderPolicy = Literal["never", "free", "always"]
"""Whether another account may try after a failed render: never, where the failed one cost nothing, or whatever it cost."""


def _web_address(text: str) -> str:
    """Return the address without a slash at its end."""
    scheme, separator, rest = text.partition("://")
    if scheme not in {"http", "https"} or not separator or not rest.strip("/"):
        raise ValueError("must be an address that begins with http:// or https://")
    return text.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]


def _model_names(given: Any) -> Any:
    """Return a table for the three ways of writing `models`."""
    if given == "*":
        return {}
    if isinstance(given, list | tuple):
        return dict.fromkeys(given, "{model}")
    if isinstance(given, dict):
        return given
    raise ValueError('must be "*", a list of public names, or a table from public name to the vendor\'s name')


class AccountSettings(BaseModel):
    """Several accounts may serve the same vendor; the router spreads work over them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Your name for it, seen in logs and by admins."
    )
    vendor: str = Field(description="The adapter: `openai_videos`, `google`, `bytedance`, `kling`, …")
    base_url: WebAddress = Field(description="Where the vendor's API begins, `https://example.com/v1` say.")
    service: str = Field(
        default="", description="The vendor's surface where it has several: `compatible`, `azure`, `ark`, …"
    )
    key: SecretStr | None = Field(default=None, description="The API key itself. Prefer `key_env`.")
    key_env: str | None = Field(default=None, description="The environment variable that holds the API key.")
    previous_key: SecretStr | None = Field(
        default=None,
        description="The API key before this one, for the work that was begun with it. Prefer `previous_key_env`.",
    )
    previous_key_env: str | None = Field(
        default=None, description="The environment variable that holds the API key before this one."
    )
    secrets: dict[str, SecretStr] = Field(
        default={}, description="Credentials of more than one part, by the vendor's names: `access_key`, `secret_key`."
    )
    previous_secrets: dict[str, SecretStr] = Field(
        default={}, description="Those before these, for the work that was begun with them."
    )
    models: Annotated[dict[str, str], BeforeValidator(_model_names)] = Field(
        default={},
        description='Which public models it may make: `"*"` for all whose cards name this vendor, a list of names, '
        "or a table from public name to the vendor's name (`*` stands for all others, `{model}` for the public name).",
    )
    weight: int = Field(default=1, ge=1, description="Its share of the work among accounts of the same priority.")
    priority: int | None = Field(
        default=None,
        description="Accounts with a lower number are asked first, those of one number share the work. Without it, 0, and the "
        "order of the model card's routes decides among accounts without it.",
    )
    max_in_flight: int | None = Field(
        default=None,
        ge=0,
        description="Unfinished videos at a time; 0 sets no limit of ours. Without it, the vendor's published limit where there is "
        "one.",
    )
    requests_per_minute: int | None = Field(
        default=None, ge=0, description="New videos in any minute; as `max_in_flight` otherwise."
    )
    draining: bool = Field(
        default=False, description="Give it no new video; what it works on is finished there. For accounts about to go."
    )
    retry_failed_renders: RenderPolicy | None = Field(
        default=None, description="`never`, `free` or `always`; without it, the setting `retry_failed_renders` decides."
    )
    submit_policy: SubmitPolicy | None = Field(
        default=None, description="`fail` or `resubmit`; without it, `[submit_policy]` decides for the vendor."
    )
    private_network: bool = Field(
        default=False, description="Its results may lie at addresses of a private network: for servers of your own."
    )
    delete_after_collect: bool = Field(
        default=False,
        description="Have the vendor delete its copy once ours is stored, and when a video is deleted, where it has a way to.",
    )
    settings: dict[str, str] = Field(default={}, description="The vendor's own settings, `region` or `project` say.")

    def credential(self) -> dict[str, str]:
        """Return the secrets in the clear, by name; the single key is called `api_key`."""
        return _in_the_clear(self.secrets, self.key)

    def previous_credential(self) -> dict[str, str]:
        """Return the secrets it had before; empty where it had none."""
        return _in_the_clear(self.previous_secrets, self.previous_key)


def _in_the_clear(secrets: dict[str, SecretStr], key: SecretStr | None) -> dict[str, str]:
    values = {name: value.get_secret_value() for name, value in secrets.items()}
    if key is not None:
        values["api_key"] = key.get_secret_value()
    return values


class TenantSettings(BaseModel):
    """What one tenant, as API keys name it, may have of the accounts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        description="Its share of an account that several tenants wait for; all others have 1.",
    )

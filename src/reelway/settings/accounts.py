"""One `[[account]]` of `reelway.toml`: a credential at a vendor, where it works, and what may be asked of it.

Secrets stay wrapped until an adapter signs a request with them; printing an account never shows one.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

__all__ = ["AccountSettings", "SubmitPolicy", "WebAddress"]

SubmitPolicy = Literal["fail", "resubmit"]
"""What becomes of a submit whose outcome nobody can look up: end the video, or risk paying twice."""


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
    secrets: dict[str, SecretStr] = Field(
        default={}, description="Credentials of more than one part, by the vendor's names: `access_key`, `secret_key`."
    )
    models: Annotated[dict[str, str], BeforeValidator(_model_names)] = Field(
        default={},
        description='Which public models it may make: `"*"` for all whose cards name this vendor, a list of names, '
        "or a table from public name to the vendor's name (`*` stands for all others, `{model}` for the public name).",
    )
    weight: int = Field(default=1, ge=1, description="Its share of the work among accounts of the same priority.")
    priority: int = Field(default=0, description="Accounts with a lower number are asked first.")
    max_in_flight: int = Field(default=0, ge=0, description="Unfinished videos at a time; 0 sets no limit of ours.")
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
        values = {name: value.get_secret_value() for name, value in self.secrets.items()}
        if self.key is not None:
            values["api_key"] = self.key.get_secret_value()
        return values

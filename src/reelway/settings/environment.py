"""Accounts from the variables that vendors' own tools use: whoever has `GEMINI_API_KEY` set needs no file.

Nothing here reads the process: the environment comes in as an argument. Only whether
gcloud's own file is there is asked of the disk.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from reelway.settings.accounts import AccountSettings
from reelway.vendors.openai_services import SERVICES
from reelway.vendors.vertex import host_of

__all__ = [
    "BASE_URL_VARIABLES",
    "ENVIRONMENT_VENDORS",
    "OPENAI_SERVICE_VARIABLE",
    "VERTEX_STORAGE_VARIABLE",
    "EnvironmentVendor",
    "accounts_from_environment",
    "environment_notices",
]


class EnvironmentVendor(NamedTuple):
    """One vendor that is switched on by variables."""

    account: str
    vendor: str
    service: str
    secrets: Mapping[str, str]
    """Name of the credential's part → the variable that holds it; all of them must be set."""
    base_url: str
    base_url_variable: str
    """Overrides `base_url`."""
    summary: str
    needs: tuple[str, ...] = ()
    """Variables without which the secrets say too little; where there are no secrets, the machine itself may sign in."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that must be set."""
        return (*self.secrets.values(), *self.needs)


ENVIRONMENT_VENDORS = (
    EnvironmentVendor(
        "openai",
        "openai_videos",
        "compatible",
        {"api_key": "OPENAI_API_KEY"},
        "",
        "REELWAY_OPENAI_BASE_URL",
        "Any server that speaks the OpenAI Videos API, at `OPENAI_BASE_URL`; `REELWAY_OPENAI_SERVICE` says which kind "
        "it is where its address does not.",
    ),
    EnvironmentVendor(
        "azure",
        "openai_videos",
        "azure",
        {"api_key": "AZURE_OPENAI_API_KEY"},
        "",
        "REELWAY_AZURE_BASE_URL",
        "Azure OpenAI with a key; `AZURE_OPENAI_DEPLOYMENT` names the deployment for `sora-2`.",
        ("AZURE_OPENAI_ENDPOINT",),
    ),
    EnvironmentVendor(
        "azure",
        "openai_videos",
        "azure",
        {"tenant_id": "AZURE_TENANT_ID", "client_id": "AZURE_CLIENT_ID", "client_secret": "AZURE_CLIENT_SECRET"},
        "",
        "REELWAY_AZURE_BASE_URL",
        "Azure OpenAI through Microsoft Entra, which needs `pip install 'reelway[azure]'`.",
        ("AZURE_OPENAI_ENDPOINT",),
    ),
    EnvironmentVendor(
        "azure",
        "openai_videos",
        "azure",
        {},
        "",
        "REELWAY_AZURE_BASE_URL",
        "The same with the identity of the machine, where Azure provides one (`IDENTITY_ENDPOINT` or "
        "`AZURE_FEDERATED_TOKEN_FILE`); `AZURE_CLIENT_ID` chooses among several.",
        ("AZURE_OPENAI_ENDPOINT",),
    ),
    EnvironmentVendor(
        "google",
        "google",
        "gemini-api",
        {"api_key": "GEMINI_API_KEY"},
        "https://generativelanguage.googleapis.com",
        "REELWAY_GOOGLE_BASE_URL",
        "Gemini Omni through the Gemini API; Veo left it on 2026-10-22.",
    ),
    EnvironmentVendor(
        "vertex",
        "vertex",
        "vertex",
        {"credentials_file": "GOOGLE_APPLICATION_CREDENTIALS"},
        "",
        "REELWAY_VERTEX_BASE_URL",
        "Veo and Omni through Vertex AI, with the key file of a service account or of a workload's identity; reads "
        "`GOOGLE_CLOUD_LOCATION`, and puts results into the bucket `REELWAY_VERTEX_STORAGE_URI` names.",
        ("GOOGLE_CLOUD_PROJECT",),
    ),
    EnvironmentVendor(
        "vertex",
        "vertex",
        "vertex",
        {},
        "",
        "REELWAY_VERTEX_BASE_URL",
        "The same after `gcloud auth application-default login`, or, with `GOOGLE_GENAI_USE_VERTEXAI=true`, as the machine's "
        "own service account.",
        ("GOOGLE_CLOUD_PROJECT",),
    ),
    EnvironmentVendor(
        "bytedance",
        "bytedance",
        "ark",
        {"api_key": "ARK_API_KEY"},
        "https://ark.cn-beijing.volces.com/api/v3",
        "REELWAY_BYTEDANCE_BASE_URL",
        "Seedance through Ark; a `bytepluses.com` base URL selects BytePlus.",
    ),
    EnvironmentVendor(
        "kling",
        "kling",
        "current",
        {"api_key": "KLING_API_KEY"},
        "https://api-singapore.klingai.com",
        "REELWAY_KLING_BASE_URL",
        "Kling's current API, with an API key; keys belong to one region, so set the base URL to match.",
    ),
    EnvironmentVendor(
        "kling",
        "kling",
        "legacy",
        {"access_key": "KLING_ACCESS_KEY", "secret_key": "KLING_SECRET_KEY"},
        "https://api-singapore.klingai.com",
        "REELWAY_KLING_BASE_URL",
        "Kling's older API, with an access key and a secret key; an API key is preferred where both are set.",
    ),
    EnvironmentVendor(
        "alibaba",
        "alibaba",
        "",
        {"api_key": "DASHSCOPE_API_KEY"},
        "https://dashscope.aliyuncs.com/api/v1",
        "REELWAY_ALIBABA_BASE_URL",
        "HappyHorse through DashScope (Model Studio). A key belongs to one region, whose base URL has to be set unless it is "
        "Beijing's; `DASHSCOPE_BASE_URL` or `DASHSCOPE_HTTP_BASE_URL`, as the vendor's clients have it, will do, and "
        "`DASHSCOPE_WORKSPACE` names a workspace.",
    ),
    EnvironmentVendor(
        "xai",
        "xai",
        "",
        {"api_key": "XAI_API_KEY"},
        "https://api.x.ai",
        "REELWAY_XAI_BASE_URL",
        "Grok Imagine.",
    ),
    EnvironmentVendor(
        "vidu",
        "vidu",
        "",
        {"api_key": "VIDU_API_KEY"},
        "https://api.vidu.com",
        "REELWAY_VIDU_BASE_URL",
        "Vidu; keys from mainland China belong to `https://api.vidu.cn`.",
    ),
    EnvironmentVendor(
        "minimax",
        "minimax",
        "",
        {"api_key": "MINIMAX_API_KEY"},
        "https://api.minimax.io",
        "REELWAY_MINIMAX_BASE_URL",
        "Hailuo and MiniMax-H3; keys belong to one region, so set the base URL to match (`https://api.minimax.cn` in China).",
    ),
)

OPENAI_SERVICE_VARIABLE = "REELWAY_OPENAI_SERVICE"
VERTEX_STORAGE_VARIABLE = "REELWAY_VERTEX_STORAGE_URI"
_OPENAI_HOSTS = (
    ("api.openai.com", "openai"),
    (".openai.azure.com", "azure"),
    (".services.ai.azure.com", "azure"),
    ("generativelanguage.googleapis.com", "google"),
)
"""Ends of host names whose service is known."""

BASE_URL_VARIABLES = tuple(sorted({entry.base_url_variable for entry in ENVIRONMENT_VENDORS}))


def accounts_from_environment(
    environment: Mapping[str, str], *, own_address: str | None = None
) -> tuple[AccountSettings, ...]:
    """Return an account for every vendor whose variables are set; one that points at `own_address` is left out."""
    found: dict[str, AccountSettings] = {}
    for entry in ENVIRONMENT_VENDORS:
        account = _account(entry, environment)
        if account is not None and not _same_server(account.base_url, own_address):
            found.setdefault(account.name, account)
    return tuple(found.values())


def environment_notices(environment: Mapping[str, str], *, own_address: str | None = None) -> tuple[str, ...]:
    """Return a sentence for every vendor that looks half configured, or configured by mistake."""
    notices = []
    address = _openai_address(environment)
    if environment.get("OPENAI_API_KEY") and not address:
        notices.append(
            "OPENAI_API_KEY is set without OPENAI_BASE_URL and is not used: OpenAI ended its own Videos API on 2026-09-24. "
            "Set OPENAI_BASE_URL to a compatible server."
        )
    kind = environment.get(OPENAI_SERVICE_VARIABLE, "")
    if kind and kind not in SERVICES:
        notices.append(f"{OPENAI_SERVICE_VARIABLE} is {kind!r}, which is no service; use one of {', '.join(SERVICES)}.")
    if address and _same_server(address, own_address):
        notices.append("OPENAI_BASE_URL points at this very server and is not used as a vendor.")
    if environment.get("AZURE_OPENAI_ENDPOINT") and "azure" not in {
        account.name for account in accounts_from_environment(environment)
    }:
        notices.append(
            "AZURE_OPENAI_ENDPOINT is set without AZURE_OPENAI_API_KEY; the account was left out. Set both, or sign in through "
            "Microsoft Entra with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."
        )
    for whole, missing in (
        (("AZURE_OPENAI_API_KEY",), "AZURE_OPENAI_ENDPOINT"),
        (("KLING_ACCESS_KEY",), "KLING_SECRET_KEY"),
        (("KLING_SECRET_KEY",), "KLING_ACCESS_KEY"),
    ):
        if all(environment.get(name) for name in whole) and not environment.get(missing):
            notices.append(f"{whole[0]} is set without {missing}; the account was left out. Set both.")
    return tuple(notices)


def _account(entry: EnvironmentVendor, environment: Mapping[str, str]) -> AccountSettings | None:
    secrets = {part: environment.get(variable, "") for part, variable in entry.secrets.items()}
    if not entry.secrets:
        own = _own_identity(entry, environment)
        if own is None:
            return None
        secrets = own
    service, settings, models = entry.service, {}, {}
    base_url = environment.get(entry.base_url_variable) or entry.base_url
    if not all(secrets.values()) or not (base_url or all(environment.get(name) for name in entry.needs)):
        return None
    if entry.account == "openai":
        base_url = _openai_address(environment)
        service = environment.get(OPENAI_SERVICE_VARIABLE) or _openai_service(base_url)
    elif entry.account == "azure":
        endpoint = environment.get("AZURE_OPENAI_ENDPOINT", "").rstrip("/")
        if endpoint and not base_url:
            base_url = endpoint if endpoint.endswith("/openai/v1") else f"{endpoint}/openai/v1"
        deployment = environment.get("AZURE_OPENAI_DEPLOYMENT")
        models = {"sora-2": deployment} if deployment else {}
    elif entry.account == "vertex":
        if not environment.get("GOOGLE_CLOUD_PROJECT"):
            return None
        settings = _vertex_settings(environment, at_google=not base_url)
        base_url = base_url or f"https://{host_of(settings['location'])}"
    elif entry.account == "bytedance" and "bytepluses.com" in base_url:
        service = "byteplus"
    elif entry.account == "alibaba":
        base_url, settings = _dashscope_place(entry, environment)
    if not base_url:
        return None
    return AccountSettings(
        name=entry.account,
        vendor=entry.vendor,
        service=service,
        base_url=base_url,
        secrets={part: SecretStr(value) for part, value in secrets.items()},
        models=models,
        settings=settings,
    )


def _own_identity(entry: EnvironmentVendor, environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return with what the machine signs in by itself; None where nothing says that it may."""
    if entry.account == "azure":
        provided = any(environment.get(name) for name in ("IDENTITY_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE"))
        client = environment.get("AZURE_CLIENT_ID", "")
        return ({"client_id": client} if client else {}) if provided else None
    folder = environment.get("CLOUDSDK_CONFIG") or f"{environment.get('HOME', '')}/.config/gcloud"
    file = Path(folder) / "application_default_credentials.json"
    if file.is_file():
        return {"credentials_file": str(file)}
    return {} if environment.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower() in {"1", "true"} else None


def _vertex_settings(environment: Mapping[str, str], *, at_google: bool) -> dict[str, str]:
    """Return project, place and bucket. Google has Omni at `global` alone, wherever its Veo is."""
    storage = environment.get(VERTEX_STORAGE_VARIABLE)
    return {
        "project": environment["GOOGLE_CLOUD_PROJECT"],
        "location": environment.get("GOOGLE_CLOUD_LOCATION") or "us-central1",
        **({"omni_location": "global"} if at_google else {}),
        **({"storage_uri": storage} if storage else {}),
    }


def _dashscope_place(entry: EnvironmentVendor, environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return address and workspace. The variables of the vendor's clients may name its API for chats, at the same host."""
    names = (entry.base_url_variable, "DASHSCOPE_BASE_URL", "DASHSCOPE_HTTP_BASE_URL")
    address = next((environment[name] for name in names if environment.get(name)), entry.base_url)
    parts, path = urlsplit(address), urlsplit(entry.base_url).path
    if not parts.path.strip("/") or (parts.hostname or "").endswith(".aliyuncs.com"):
        address = f"{parts.scheme}://{parts.netloc}{path}"
    workspace = environment.get("DASHSCOPE_WORKSPACE")
    return address, {"workspace": workspace} if workspace else {}


def _openai_address(environment: Mapping[str, str]) -> str:
    return environment.get("REELWAY_OPENAI_BASE_URL") or environment.get("OPENAI_BASE_URL") or ""


def _openai_service(base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    return next((service for ending, service in _OPENAI_HOSTS if host.endswith(ending)), "compatible")


def _same_server(address: str, own_address: str | None) -> bool:
    """Tell whether both addresses are this machine's and have the same port."""
    if not address or not own_address:
        return False
    ours, theirs = urlsplit(own_address), urlsplit(address)
    local = {"localhost", "127.0.0.1", "::1"}
    return theirs.port == ours.port and (theirs.hostname == ours.hostname or {theirs.hostname, ours.hostname} <= local)

"""Accounts from the variables vendors' own tools use."""

from pathlib import Path

import pytest

from reelway.settings import accounts_from_environment, environment_notices

PROJECT = {"GOOGLE_CLOUD_PROJECT": "p"}
SERVER = {"OPENAI_API_KEY": "sk-a", "OPENAI_BASE_URL": "https://video.example/v1/"}


def test_without_variables_there_are_no_accounts() -> None:
    """An empty variable is as good as none."""
    assert accounts_from_environment({}) == ()
    assert accounts_from_environment({"XAI_API_KEY": ""}) == ()


def test_a_compatible_server_is_an_account() -> None:
    """The usual two variables of OpenAI's clients."""
    [account] = accounts_from_environment(SERVER)

    assert (account.name, account.vendor, account.service) == ("openai", "openai_videos", "compatible")
    assert account.base_url == "https://video.example/v1"
    assert account.credential() == {"api_key": "sk-a"}


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://me.openai.azure.com/openai/v1/", "azure"),
        ("https://me.services.ai.azure.com/openai/v1", "azure"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "google"),
        ("https://api.openai.com.example/v1", "compatible"),
    ],
)
def test_known_addresses_are_told_apart(address: str, service: str) -> None:
    """Whose host it is decides which fields and words it has."""
    [account] = accounts_from_environment(SERVER | {"OPENAI_BASE_URL": address})

    assert account.service == service


def test_the_kind_of_an_openai_compatible_server_can_be_said() -> None:
    """An address of one's own tells nothing about the program behind it."""
    said = SERVER | {"REELWAY_OPENAI_SERVICE": "litellm"}
    [account] = accounts_from_environment(said)

    assert account.service == "litellm"
    assert environment_notices(said) == ()
    assert "which is no service" in environment_notices(SERVER | {"REELWAY_OPENAI_SERVICE": "lite-llm"})[0]


def test_a_lone_openai_key_is_no_vendor() -> None:
    """Many machines have one; it must not switch the sandbox off for an API that has ended."""
    environment = {"OPENAI_API_KEY": "sk-a"}

    assert accounts_from_environment(environment) == ()
    assert "OPENAI_BASE_URL" in environment_notices(environment)[0]


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080/v1", "http://localhost:8080/v1", "http://[::1]:8080/v1"])
def test_the_server_is_not_its_own_vendor(base: str) -> None:
    """Whoever tries the official client in the same shell has our address in the variable."""
    environment = SERVER | {"OPENAI_BASE_URL": base}

    assert accounts_from_environment(environment, own_address="http://127.0.0.1:8080") == ()
    assert "this very server" in environment_notices(environment, own_address="http://127.0.0.1:8080")[0]
    assert len(accounts_from_environment(environment, own_address="http://127.0.0.1:9090")) == 1


def test_azure_gets_its_path_and_its_deployment() -> None:
    """The endpoint is the resource's; the deployment's name is the vendor's id of `sora-2`."""
    environment = {"AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com/", "AZURE_OPENAI_API_KEY": "k"}

    [account] = accounts_from_environment(environment | {"AZURE_OPENAI_DEPLOYMENT": "my-sora"})

    assert (account.service, account.base_url) == ("azure", "https://me.openai.azure.com/openai/v1")
    assert account.models == {"sora-2": "my-sora"}
    assert environment_notices({"AZURE_OPENAI_ENDPOINT": "https://me"})[0].startswith(
        "AZURE_OPENAI_ENDPOINT is set without"
    )


def test_kling_takes_one_key_or_two() -> None:
    """The API key is preferred where both are there, and each is for an API of its own; half a pair is told."""
    pair = {"KLING_ACCESS_KEY": "a", "KLING_SECRET_KEY": "s"}

    [older] = accounts_from_environment(pair)
    assert (older.service, older.credential()) == ("legacy", {"access_key": "a", "secret_key": "s"})
    [both] = accounts_from_environment(pair | {"KLING_API_KEY": "k"})
    assert (both.service, both.credential()) == ("current", {"api_key": "k"})
    assert accounts_from_environment({"KLING_ACCESS_KEY": "a"}) == ()
    assert "KLING_SECRET_KEY" in environment_notices({"KLING_ACCESS_KEY": "a"})[0]


def test_another_base_url_may_mean_another_service() -> None:
    """BytePlus is the same API elsewhere."""
    environment = {"ARK_API_KEY": "k", "REELWAY_BYTEDANCE_BASE_URL": "https://ark.ap-southeast.bytepluses.com/api/v3"}

    assert accounts_from_environment(environment)[0].service == "byteplus"
    assert accounts_from_environment({"ARK_API_KEY": "k"})[0].service == "ark"


@pytest.mark.parametrize(
    ("variable", "given", "base_url"),
    [
        ("UNSET", "", "https://dashscope.aliyuncs.com/api/v1"),
        ("REELWAY_ALIBABA_BASE_URL", "https://dashscope-us.aliyuncs.com", "https://dashscope-us.aliyuncs.com/api/v1"),
        ("REELWAY_ALIBABA_BASE_URL", "http://other.example/sandbox/api/v1", "http://other.example/sandbox/api/v1"),
        ("REELWAY_ALIBABA_BASE_URL", "http://other.example/", "http://other.example/api/v1"),
        (
            "DASHSCOPE_BASE_URL",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "https://dashscope-intl.aliyuncs.com/api/v1",
        ),
        (
            "DASHSCOPE_HTTP_BASE_URL",
            "https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1",
            "https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1",
        ),
    ],
)
def test_dashscope_is_where_the_key_belongs(variable: str, given: str, base_url: str) -> None:
    """Beijing unless something says otherwise; the vendor's own variables may name another API of the same host."""
    [account] = accounts_from_environment({"DASHSCOPE_API_KEY": "k", variable: given, "DASHSCOPE_WORKSPACE": "ws-1"})

    assert (account.base_url, account.settings) == (base_url, {"workspace": "ws-1"})


def test_vertex_needs_a_project() -> None:
    """Credentials alone do not say where to bill."""
    environment = {"GOOGLE_APPLICATION_CREDENTIALS": "/keys/me.json"}

    assert accounts_from_environment(environment) == ()
    [account] = accounts_from_environment(environment | PROJECT | {"GOOGLE_CLOUD_LOCATION": "global"})
    assert account.settings == {"project": "p", "location": "global", "omni_location": "global"}
    assert account.credential() == {"credentials_file": "/keys/me.json"}


@pytest.mark.parametrize(
    ("location", "base_url"),
    [
        ("", "https://us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_vertex_has_a_host_for_each_location(location: str, base_url: str) -> None:
    """A region, the whole world, or a part of it; Omni is made at `global` from all of them."""
    environment = PROJECT | {"GOOGLE_APPLICATION_CREDENTIALS": "/keys/me.json", "GOOGLE_CLOUD_LOCATION": location}

    [account] = accounts_from_environment(environment)
    assert (account.base_url, account.settings["omni_location"]) == (base_url, "global")

    [elsewhere] = accounts_from_environment(environment | {"REELWAY_VERTEX_BASE_URL": "http://gateway.example"})
    assert elsewhere.base_url == "http://gateway.example"
    assert "omni_location" not in elsewhere.settings


def test_vertex_signs_in_with_what_gcloud_left(tmp_path: Path) -> None:
    """After `gcloud auth application-default login` a project is all that is missing."""
    environment = PROJECT | {"HOME": str(tmp_path)}
    assert accounts_from_environment(environment) == ()

    folder = tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True)
    file = folder / "application_default_credentials.json"
    file.write_text("{}")

    [account] = accounts_from_environment(environment)
    assert account.credential() == {"credentials_file": str(file)}
    [moved] = accounts_from_environment(PROJECT | {"CLOUDSDK_CONFIG": str(folder)})
    assert moved.credential() == {"credentials_file": str(file)}


def test_vertex_may_sign_in_as_the_machine_where_it_is_said() -> None:
    """A project alone says nothing: many machines have one, and it must not switch the sandbox off."""
    assert accounts_from_environment(PROJECT) == ()
    [account] = accounts_from_environment(PROJECT | {"GOOGLE_GENAI_USE_VERTEXAI": "true"})
    assert account.credential() == {}


def test_vertex_results_go_to_the_bucket_that_is_named() -> None:
    """Without one they come within the answers."""
    environment = PROJECT | {"GOOGLE_GENAI_USE_VERTEXAI": "true", "REELWAY_VERTEX_STORAGE_URI": "gs://out/reelway"}

    [account] = accounts_from_environment(environment)
    assert account.settings["storage_uri"] == "gs://out/reelway"


ENDPOINT = {"AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com"}
CLIENT = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}


@pytest.mark.parametrize(
    ("variables", "credential"),
    [
        ({"AZURE_OPENAI_API_KEY": "k", **CLIENT}, {"api_key": "k"}),
        (CLIENT, {"tenant_id": "t", "client_id": "c", "client_secret": "s"}),
        ({"IDENTITY_ENDPOINT": "http://169.254.0.1"}, {}),
        ({"AZURE_FEDERATED_TOKEN_FILE": "/var/token", "AZURE_CLIENT_ID": "c"}, {"client_id": "c"}),
    ],
)
def test_azure_takes_a_key_a_client_or_the_machine_itself(
    variables: dict[str, str], credential: dict[str, str]
) -> None:
    """In this order; none of them says anything without the endpoint."""
    [account] = accounts_from_environment(ENDPOINT | variables)

    assert (account.service, account.credential()) == ("azure", credential)
    assert environment_notices(ENDPOINT | variables) == ()
    assert accounts_from_environment(variables) == ()


def test_every_vendor_of_the_list_can_be_switched_on() -> None:
    """All usual variables together give one account for each."""
    others = ("GEMINI", "ARK", "KLING", "DASHSCOPE", "XAI", "VIDU", "MINIMAX")
    environment = SERVER | {f"{vendor}_API_KEY": "x" for vendor in others}

    names = [account.name for account in accounts_from_environment(environment)]

    assert names == ["openai", "google", "bytedance", "kling", "alibaba", "xai", "vidu", "minimax"]

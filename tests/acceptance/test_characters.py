"""Characters over real sockets: OpenAI's own client, a gateway, a second gateway in Vidu's words, and the sandbox behind it."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY, Gateway, Sandbox, make_key

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")]

MODEL = "viduq3-turbo"
FRONT, SIDE = picture(640, 640), picture(800, 600)


class Chain(NamedTuple):
    """Two gateways, the first a customer of the second as if that were Vidu, which the sandbox plays for it."""

    near: Gateway
    far: Gateway
    vendor: Sandbox
    folder: Path

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    def account(url: str) -> str:
        return f'[[account]]\nname = "vidu"\nvendor = "vidu"\nbase_url = "{url}"\nkey = "{KEY}"\n'

    folder = tmp_path_factory.mktemp("near")
    with (
        Sandbox(tmp_path_factory.mktemp("vendor")) as vendor,
        Gateway(tmp_path_factory.mktemp("far"), settings=account(vendor.url)) as far,
        Gateway(folder, settings=account(far.url)) as near,
    ):
        yield Chain(near, far, vendor, folder)


@pytest.fixture(scope="module")
def client(chain: Chain) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{chain.near.url}/v1", api_key=KEY) as client:
        yield client


def in_base64(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def kept(chain: Chain, name: str, *files: bytes, **options: Any) -> Any:
    """Keep a character by pictures; return the answer."""
    body = {"name": name, "images": [in_base64(data) for data in files]}
    return chain.near.ask("POST", "/v1/videos/characters", body=body, **options)


def digests(*files: bytes) -> list[str]:
    return [hashlib.sha256(data).hexdigest() for data in files]


def test_characters_reach_the_vendor_as_subjects(chain: Chain, client: openai.OpenAI) -> None:
    """By name, byte for byte, with the prompt as it was; the near one's are its own, the far one never hears of them."""
    mira, otto = kept(chain, "Mira", FRONT, SIDE).json, kept(chain, "Otto", SIDE).json
    assert set(mira) == {"id", "object", "name", "created_at"}
    prompt = "@Mira and @Otto bake bread and laugh"
    named = {"characters": [{"id": mira["id"]}, {"id": otto["id"]}]}
    video = client.videos.create_and_poll(model=MODEL, prompt=prompt, seconds="3", extra_body=named)  # type: ignore[arg-type]

    assert video.status == "completed", video
    assert (video.model_extra or {})["warnings"] == []
    (seen,) = chain.seen(prompt)
    found = [(one["name"], one["role"], one["sha256"]) for one in seen["references"]]
    names = ["Mira", "Mira", "Otto"]
    assert found == [
        (name, "reference", sha256) for name, sha256 in zip(names, digests(FRONT, SIDE, SIDE), strict=True)
    ]
    assert chain.far.ask("GET", f"/v1/videos/characters/{mira['id']}").status == 404


def test_openais_own_client_makes_one_from_a_video(chain: Chain, client: openai.OpenAI) -> None:
    """Two stills of it are what the vendor is shown."""
    source = client.videos.create_and_poll(model=MODEL, prompt="a teapot", seconds="4")
    film = client.videos.download_content(source.id).read()
    made = client.videos.create_character(name="Mossy", video=("mossy.mp4", film, "video/mp4"))
    assert made.id is not None
    assert (made.id[:5], made.name) == ("char_", "Mossy")
    assert client.videos.get_character(made.id).created_at == made.created_at

    prompt = "@Mossy rushes through a lobby"
    video = client.videos.create_and_poll(
        model=MODEL,
        prompt=prompt,
        seconds="3",  # type: ignore[arg-type]
        extra_body={"characters": [{"id": made.id}]},
    )
    assert video.status == "completed", video
    (seen,) = chain.seen(prompt)
    stills = [(one["name"], one["kind"], one["media_type"]) for one in seen["references"]]
    assert stills == [("Mossy", "image", "image/webp"), ("Mossy", "image", "image/png")]


def test_a_quote_prices_what_a_create_would_do(chain: Chain) -> None:
    """With the pictures by name, and a warning where the prompt calls nobody."""
    made = kept(chain, "Mira", FRONT).json
    body = {"model": MODEL, "prompt": "Mira bakes", "seconds": 3, "characters": [{"id": made["id"]}]}
    quote = chain.near.ask("POST", "/v1/videos/quote", body=body).json

    assert [one["name"] for one in quote["request"]["inputs"]] == ["Mira"]
    assert quote["request"]["mode"] == "r2v"
    assert [warning["field"] for warning in quote["warnings"]] == ["characters[0]"]
    assert quote["price"]["amount"] != "0.00"


def test_other_models_and_other_tenants_are_refused(chain: Chain, client: openai.OpenAI) -> None:
    """With the models that would do, and as if there were no such character."""
    made = kept(chain, "Mira", FRONT).json
    with pytest.raises(openai.BadRequestError, match=f"models that have: {MODEL}") as refused:
        client.videos.create(model="sora-2", prompt="@Mira", extra_body={"characters": [{"id": made["id"]}]})
    assert refused.value.code == "characters_not_supported"

    other = make_key(chain.folder, "stranger", "--tenant", "elsewhere")
    path = f"/v1/videos/characters/{made['id']}"
    body = {"model": MODEL, "prompt": "@Mira", "seconds": 3, "characters": [made["id"]]}
    assert chain.near.ask("GET", path, key=other).status == 404
    assert chain.near.ask("DELETE", path, key=other).status == 404
    assert chain.near.ask("POST", "/v1/videos", body=body, key=other).json["error"]["code"] == "character_not_found"
    assert chain.near.ask("GET", path).status == 200


def test_a_repeated_create_is_one_character(chain: Chain) -> None:
    """By its key; the same key for something else is a conflict."""
    first = kept(chain, "Mira", FRONT, headers={"Idempotency-Key": "mira"})
    again = kept(chain, "Mira", FRONT, headers={"Idempotency-Key": "mira"})
    other = kept(chain, "Mira", SIDE, headers={"Idempotency-Key": "mira"})

    assert (first.status, again.json) == (200, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status, other.json["error"]["code"]) == (409, "idempotency_mismatch")


def test_a_deleted_character_leaves_no_file(chain: Chain) -> None:
    """And nobody can name it any more."""
    made = kept(chain, "Mira", FRONT, SIDE).json
    files = chain.folder / "assets" / "characters" / made["id"]
    assert len(list(files.iterdir())) == 2

    gone = chain.near.ask("DELETE", f"/v1/videos/characters/{made['id']}")
    assert gone.json == {"id": made["id"], "object": "character.deleted", "deleted": True}
    assert not files.exists() or not list(files.iterdir())
    body = {"model": MODEL, "prompt": "@Mira", "seconds": 3, "characters": [made["id"]]}
    assert chain.near.ask("POST", "/v1/videos", body=body).status == 404

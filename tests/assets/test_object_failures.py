"""What an operator reads when an object store refuses: what to do, and never a secret."""

from pathlib import Path

import pytest
from tests.objects import S3Server

from reelway.assets import object_places
from reelway.assets.object_failures import object_failed
from reelway.assets.objects import ObjectAssets
from reelway.core.errors import StorageFailed

SECRET = "a-secret-that-is-told-to-nobody"


async def opened(url: str, scratch: Path) -> str:
    """Return what opening this store says."""
    with pytest.raises(StorageFailed) as refused:
        await ObjectAssets(url, scratch).open()
    assert refused.value.__cause__ is None
    return str(refused.value)


async def test_a_bucket_that_is_not_there(s3_url: str, tmp_path: Path) -> None:
    """Is said at the start, with its address."""
    said = await opened("s3://nowhere/folder", tmp_path)
    assert said.startswith("s3://nowhere/folder: there is no such bucket: create it, or correct REELWAY_ASSETS_URL")
    assert "404 NoSuchBucket" in said


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
async def test_credentials_that_are_not_accepted(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The message says which to check, and holds nothing of them, nor of the signatures made with them."""
    monkeypatch.setenv(name, SECRET)
    said = await opened(s3_url, tmp_path)
    assert "credentials" in said
    assert SECRET not in said
    assert "Signature=" not in said
    assert "StringToSign" not in said


async def test_another_ones_bucket(s3: S3Server, s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good credentials that may not write there are told apart from bad ones."""
    for name, value in s3.guest().items():
        monkeypatch.setenv(name, value)
    said = await opened(s3_url, tmp_path)
    assert "the credentials may not do this: allow them to read, write, list and delete" in said
    assert "403 AccessDenied" in said


async def test_a_store_out_of_reach(tmp_path: Path, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names the endpoint's setting as what to look at."""
    monkeypatch.setitem(object_places._RETRY, "max_retries", 1)
    for endpoint in ("http://127.0.0.1:9", "http://nowhere.invalid:80"):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        said = await opened(s3_url, tmp_path)
        assert "cannot be reached: check the network and, where one is set, the endpoint" in said


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3:///folder", "s3://key:secret@bucket", "s3://bucket?versionId=1", "s3://bucket#x", "ftp://bucket"],
)
def test_an_address_that_is_none(url: str, tmp_path: Path) -> None:
    """Is refused before anybody is asked; keys do not belong into it."""
    with pytest.raises(StorageFailed, match="REELWAY_ASSETS_URL") as refused:
        ObjectAssets(url, tmp_path)
    assert "secret" not in str(refused.value)


def test_settings_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library says of a broken key may quote it; we do not."""
    key = tmp_path / "key.json"
    key.write_text(f'{{"type": "service_account", "private_key": "{SECRET}"}}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    with pytest.raises(
        StorageFailed, match=r"gs://bucket: the variables for this store do not fit together"
    ) as refused:
        ObjectAssets("gs://bucket", tmp_path)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def answer(status: str, code: str) -> str:
    """Return an error as the library words it, with more in it than should be told."""
    return (
        f"Generic S3 error: Error performing PUT https://host/key?sig={SECRET} in 1s - Server returned non-2xx "
        f"status code: {status}: <Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"
    )


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (answer("403 Forbidden", "RequestTimeTooSkewed"), "set this machine's clock (NTP) (403 RequestTimeTooSkewed"),
        (answer("400 Bad Request", "ExpiredToken"), "the credentials have expired: renew them"),
        (answer("301 Moved Permanently", "PermanentRedirect"), "the bucket is in another region: set AWS_REGION"),
        (answer("503 Service Unavailable", "SlowDown"), "too busy or broken"),
        (answer("500 Internal Server Error", "Unheard"), "too busy or broken"),
        (answer("507 Insufficient Storage", "QuotaExceeded"), "make room or raise the quota"),
        (answer("404 Not Found", "ContainerNotFound"), "there is no such bucket"),
        (answer("403 Forbidden", "AuthorizationPermissionMismatch"), "allow them to read, write, list and delete"),
        (answer("403 Forbidden", "AuthenticationFailed"), "does not accept the credentials"),
        (answer("418 I'm a teapot", "Teapot"), "the store refused: look at its own log (418 Teapot, while brewing)"),
        ("Error performing PUT http://169.254.169.254/latest/api/token - HTTP error", "no credentials were found"),
        ("Received redirect without LOCATION, this normally indicates a wrong region", "set AWS_REGION"),
        ("HTTP error: error sending request", "cannot be reached"),
    ],
)
def test_every_refusal_says_what_to_do(text: str, advice: str) -> None:
    """By the store's own code first, then by the status, then by what the library met."""
    said = str(object_failed(RuntimeError(text), "s3://bucket", "brewing"))
    assert advice in said
    assert said.startswith("s3://bucket: ")
    assert SECRET not in said

"""Addresses of buckets: `s3://bucket/folder`, `gs://bucket/folder`, `az://container/folder`.

Credentials come from the variables that are usual for each. The time limits are ours everywhere: a part that is sent over a slow
line may take two minutes, and what does not answer is given up after one minute of retries.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from obstore.store import AzureStore, GCSStore, S3Store

from reelway.core.errors import StorageFailed

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

__all__ = ["OBJECT_SCHEMES", "Bucket", "open_bucket"]

Bucket: TypeAlias = S3Store | GCSStore | AzureStore

OBJECT_SCHEMES = ("az", "gs", "s3")
_CLIENT: "ClientConfig" = {
    # For a server on one's own machine or network; without such an endpoint every address is https anyway.
    "allow_http": True,
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=120),
}
_RETRY: "RetryConfig" = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}


def open_bucket(url: str) -> Bucket:
    """Return the bucket at this address, seen from its folder on. Nothing is asked of it yet. Raise `StorageFailed`."""
    parts = urlsplit(url)
    name, folder = parts.netloc, unquote(parts.path).strip("/") or None
    if not name or parts.query or parts.fragment or "@" in name or ":" in name:
        raise StorageFailed(
            f"{parts.scheme}:// in REELWAY_ASSETS_URL is followed by BUCKET or BUCKET/FOLDER and no more"
        )
    try:
        match parts.scheme:
            case "s3":
                return S3Store(name, prefix=folder, client_options=_CLIENT, retry_config=_RETRY)
            case "gs":
                return GCSStore(name, prefix=folder, client_options=_CLIENT, retry_config=_RETRY)
            case "az":
                return AzureStore(name, prefix=folder, client_options=_CLIENT, retry_config=_RETRY)
    except Exception as error:  # what a library says of settings may quote them
        raise StorageFailed(
            f"{url}: the variables for this store do not fit together ({type(error).__name__}); "
            "docs/howto/object-stores.md lists them"
        ) from None
    raise StorageFailed(
        f"REELWAY_ASSETS_URL begins with {parts.scheme!r}; there are {', '.join(OBJECT_SCHEMES)} and file"
    )

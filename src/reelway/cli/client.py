"""A thin HTTP client for our own API, on the standard library alone so that commands start quickly.

A broken connection is tried again only where that cannot create anything twice. Redirects are not followed: the key goes to
the address that was given and to no other.
"""

import base64
import http.client
import json
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from reelway.cli.exits import CommandFailed, Exit, exit_for_status
from reelway.cli.forms import Body

__all__ = ["Answer", "Client", "ConnectionBroke", "ServerFailed"]

_TRIES = 3
_ERROR_BYTES = 1 << 20
_BREAKS = (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)


class ConnectionBroke(CommandFailed):
    """No answer, or half of one."""


class ServerFailed(CommandFailed):
    """The server answered with an error of its own (5xx)."""


class Answer(NamedTuple):
    """What came back; `body` must be read while the request's context is open."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: http.client.HTTPResponse

    def json(self) -> dict[str, Any]:
        """Return the body as an object."""
        try:
            value = json.loads(self.body.read())
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise CommandFailed(
                "what answered is not a Reelway server: the body is not a JSON object; check REELWAY_URL.",
                Exit.UNREACHABLE,
            )
        return value


class Client:
    """Speaks to one server with one key."""

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout_seconds: float = 90.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        base = address.rstrip("/").removesuffix("/v1")
        self.address = base
        self._url = urllib.parse.urlsplit(base)
        if self._url.scheme not in {"http", "https"} or not self._url.hostname:
            raise CommandFailed(
                f"{address!r} is not the address of a server; write it like http://127.0.0.1:8080.", Exit.INVALID
            )
        self._key = key
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep

    def create(self, body: Body, *, idempotency_key: str, strict: bool = False) -> dict[str, Any]:
        """Create a video. The idempotency key makes it safe to send the request again after a break."""
        headers = {"Idempotency-Key": idempotency_key} | ({"Reelway-Strict": "true"} if strict else {})
        return self._call("POST", "/v1/videos", body=body, headers=headers)

    def read(self, video_id: str, *, wait_seconds: float = 0.0) -> tuple[dict[str, Any], float | None]:
        """Return a video, and after how many seconds it is worth asking again."""
        query = {"wait": f"{wait_seconds:g}"} if wait_seconds else {}
        with self.request("GET", f"/v1/videos/{_quote(video_id)}", query=query) as answer:
            pause = answer.headers.get("openai-poll-after-ms", "")
            return answer.json(), int(pause) / 1000 if pause.isdigit() else None

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of the caller's videos."""
        return self._call("GET", "/v1/videos", query=query)

    def delete(self, video_id: str) -> dict[str, Any]:
        """Delete a video and its files."""
        return self._call("DELETE", f"/v1/videos/{_quote(video_id)}")

    def cancel(self, video_id: str) -> dict[str, Any]:
        """Cancel a video."""
        return self._call("POST", f"/v1/videos/{_quote(video_id)}/cancel")

    def models(self) -> dict[str, Any]:
        """Return every model this server offers."""
        return self._call("GET", "/v1/models")

    def model(self, name: str) -> dict[str, Any]:
        """Return one model with its card."""
        return self._call("GET", f"/v1/models/{_quote(name)}")

    def is_ready(self) -> bool:
        """Tell whether the server takes requests."""
        try:
            with self.request("GET", "/readyz", tries=1):
                return True
        except CommandFailed:
            return False

    def _call(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        with self.request(method, path, **given) as answer:
            return answer.json()

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        timeout_seconds: float | None = None,
        tries: int = _TRIES,
    ) -> Iterator[Answer]:
        """Send a request and lend its answer; an error answer raises."""
        target = path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        connection, answer = self._send_patiently(
            method, target, dict(headers or {}), body, timeout_seconds or self._timeout_seconds, tries
        )
        try:
            if answer.status >= 300:
                raise _failure(answer)
            yield answer
        except _BREAKS as error:
            raise ConnectionBroke(
                f"the connection to {self.address} broke ({_reason(error)}); try again.", Exit.UNREACHABLE
            ) from error
        finally:
            answer.body.close()  # where the server closes, the response alone holds the socket
            connection.close()

    def _send_patiently(
        self, method: str, target: str, headers: dict[str, str], body: Body | None, timeout_seconds: float, tries: int
    ) -> tuple[http.client.HTTPConnection, Answer]:
        number = 1
        while True:
            try:
                return self._send(method, target, headers, body, timeout_seconds)
            except (OSError, http.client.HTTPException) as error:
                if number >= tries or isinstance(error, ConnectionRefusedError | ssl.SSLError | TimeoutError):
                    raise ConnectionBroke(
                        f"no server answers at {self.address} ({_reason(error)}); "
                        "start one with `reelway serve`, or correct REELWAY_URL.",
                        Exit.UNREACHABLE,
                    ) from error
                self._sleep(0.5 * number)
                number += 1

    def _send(
        self, method: str, target: str, headers: dict[str, str], body: Body | None, timeout_seconds: float
    ) -> tuple[http.client.HTTPConnection, Answer]:
        connection, target = self._connect(target, headers, timeout_seconds)
        headers |= {"Authorization": f"Bearer {self._key}", "User-Agent": "reelway-cli", "Accept-Encoding": "identity"}
        if body is not None:
            headers |= {"Content-Type": body.content_type, "Content-Length": str(body.length)}
        try:
            try:
                connection.request(method, target, body=body, headers=headers)
            except (BrokenPipeError, ConnectionResetError):
                # A server that refuses a large upload answers before it has read all of it.
                if body is None or connection.sock is None:
                    raise
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        return connection, Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response)

    def _connect(
        self, target: str, headers: dict[str, str], timeout_seconds: float
    ) -> tuple[http.client.HTTPConnection, str]:
        """Open a connection, through the proxy the environment names if there is one, and return what to ask for on it."""
        host, port, secure = self._url.hostname or "", self._url.port, self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        target = self._url.path + target
        proxy = urllib.request.getproxies().get(self._url.scheme)
        if not proxy or host in {"localhost", "127.0.0.1", "::1"} or urllib.request.proxy_bypass(host):
            return kind(host, port, timeout=timeout_seconds), target
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        login = {}
        if parts.username:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            login = {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        connection = kind(parts.hostname or "", parts.port or 3128, timeout=timeout_seconds)
        if secure:
            connection.set_tunnel(host, port or 443, headers=login)
            return connection, target
        headers |= login
        return connection, f"http://{self._url.netloc}{target}"


def _failure(answer: Answer) -> CommandFailed:
    """Return what an error answer means for the command."""
    text = answer.body.read(_ERROR_BYTES)
    try:
        error = json.loads(text)["error"]
        message, code, param = str(error["message"]), error.get("code"), error.get("param")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, code, param = f"the server answered {answer.status} without an explanation", None, None
    if 300 <= answer.status < 400:
        place = answer.headers.get("location", "another address")
        return CommandFailed(
            f"the server sends us on to {place}; set REELWAY_URL to the address it really has.", Exit.INVALID
        )
    kind = ServerFailed if answer.status >= 500 else CommandFailed
    return kind(message, exit_for_status(answer.status), code=code, param=param)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _quote(text: str) -> str:
    return urllib.parse.quote(text, safe="")

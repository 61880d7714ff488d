"""Which addresses outsiders may send us to. A name is resolved once, every address is checked, and the connection goes
to an address that passed: there is no second look-up that could answer differently.
"""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

__all__ = ["AddressRefused", "PublicResolver", "check_url", "is_public_address"]

_PORTS = frozenset({80, 443, 8080, 8443})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that was ever given out of IPv6 for the internet; `is_global` alone lets retired private ranges (`fec0::`) pass."""


class AddressRefused(Exception):
    """The address is not one that outsiders may send us to."""


def is_public_address(text: str) -> bool:
    """Tell whether an IP address is on the public internet; IPv4 inside IPv6 counts as the IPv4 address it carries."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public_address(str(inner))
        if address in _NAT64:  # carries an IPv4 address in its last 32 bits
            return is_public_address(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast


def check_url(url: str, *, allowed_hosts: frozenset[str] = frozenset()) -> URL:
    """Return the parsed URL, or raise `AddressRefused` for a scheme, port or literal address that is not allowed."""
    try:
        parsed = URL(url)
        port = parsed.port
    except ValueError as error:
        raise AddressRefused(f"not a URL: {error}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise AddressRefused("only http and https addresses are allowed")
    if parsed.host in allowed_hosts:
        return parsed
    if parsed.user or parsed.password:
        raise AddressRefused("an address with a user name or password in it is not allowed")
    if port not in _PORTS:
        raise AddressRefused(f"port {port} is not allowed")
    try:
        literal = ipaddress.ip_address(parsed.host)
    except ValueError:
        return parsed
    if not is_public_address(str(literal)):
        raise AddressRefused(f"{parsed.host} is not a public address")
    return parsed


class PublicResolver(AbstractResolver):
    """Resolves names and drops every address that is not public."""

    def __init__(self, allowed_hosts: frozenset[str] = frozenset()) -> None:
        self._inner = ThreadedResolver()
        self._allowed_hosts = allowed_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of a name; raise when it has others, since a mixed answer is a trick."""
        found = await self._inner.resolve(host, port, family)
        if host not in self._allowed_hosts:
            for entry in found:
                if not is_public_address(entry["host"]):
                    raise AddressRefused(f"{host} has an address that is not public")
        return found

    async def close(self) -> None:
        await self._inner.close()

    def __repr__(self) -> str:
        return "PublicResolver()"

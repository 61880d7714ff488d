"""Addresses that outsiders may not send us to."""

import socket

import pytest
from aiohttp.abc import ResolveResult

from reelway.network.guard import AddressRefused, PublicResolver, check_url, is_public_address


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::a00:1",
        "fec0::1",
    ],
)
def test_addresses_inside_a_network_are_not_public(address: str) -> None:
    """Private, loopback, link-local, metadata, multicast and IPv4-in-IPv6 forms of them are refused."""
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_on_the_internet_are_public(address: str) -> None:
    """Ordinary addresses pass, whichever family."""
    assert is_public_address(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a",
        "gopher://example.com/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://example.com:22/",
        "http://user:secret@example.com/",
        "https:///nothing",
        "not a url",
        "http://[bad",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    """Scheme, port, literal address and credentials are checked before anything is looked up."""
    with pytest.raises(AddressRefused):
        check_url(url)


def test_a_public_url_passes() -> None:
    """An ordinary address is returned parsed."""
    assert check_url("https://example.com/a.png?x=1").host == "example.com"


def test_an_allowed_host_may_be_private() -> None:
    """The operator's own media hosts are exempt."""
    assert check_url("http://127.0.0.1:9000/a.png", allowed_hosts=frozenset({"127.0.0.1"})).port == 9000


async def test_a_name_with_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers with one public and one private address is a trick, so all of it is refused."""
    resolver = PublicResolver()

    async def answer(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        def entry(address: str) -> ResolveResult:
            return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}

        return [entry("1.1.1.1"), entry("10.0.0.1")]

    monkeypatch.setattr(resolver._inner, "resolve", answer)
    with pytest.raises(AddressRefused):
        await resolver.resolve("rebind.example", 80)
    await resolver.close()

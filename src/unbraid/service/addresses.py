"""Which addresses of the network are open to everyone."""

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def may_connect(address: Address, others: Sequence[Network]) -> bool:
    """Whether an address is public, or in one of the networks that an operator allows.

    An address of IPv6 that stands for one of IPv4 is as open as that.

    Example:
        >>> may_connect(ipaddress.ip_address("::ffff:127.0.0.1"), [])
        False
        >>> may_connect(ipaddress.ip_address("2606:4700::6810:84e5"), [])
        True
    """
    if any(address.version == each.version and address in each for each in others):
        return True
    return _is_public(address) and all(map(_is_public, _meant(address)))


def _is_public(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _meant(address: Address) -> list[Address]:
    """The addresses of IPv4 within one of IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo:
        found += address.teredo
    if address in NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]

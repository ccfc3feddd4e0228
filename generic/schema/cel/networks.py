"""URLs, addresses and networks. Part of `functions.py`.

Mirrors `apiserver/pkg/cel/library/{urls,ip,cidr}.go`.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.values import Cidr, Url

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def parse_url(text: Any) -> Url:
    """An absolute URI or an absolute path, as url.ParseRequestURI takes them."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 -- raises for a bad one
    except (ValueError, TypeError):
        raise EvaluationError(f'URL parse error during conversion from string: parse "{text}": invalid') from None
    if _CONTROL.search(text) or not (text.startswith("/") or (parts.scheme and len(text) > len(parts.scheme) + 1)):
        raise EvaluationError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return Url(parts)


def _host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


def _hostname(url: Url) -> str:
    host = _host(url)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _query(url: Url) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for key, value in parse_qsl(url.parts.query, keep_blank_values=True):
        made.setdefault(key, []).append(value)
    return made


def _ip(value: Any) -> Address:
    if type(value) is Cidr:
        return value.interface.ip
    try:
        if not isinstance(value, str) or "%" in value:
            raise ValueError
        found = ipaddress.ip_address(value)
    except ValueError:
        raise EvaluationError(f'IP Address "{value}" parse error during conversion from string') from None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        raise EvaluationError(f'IPv4-mapped IPv6 address "{value}" is not allowed')
    return found


def _canonical(text: Any) -> bool:
    return bool(str(_ip(text)) == text)


def _cidr(value: Any) -> Cidr:
    try:
        if not isinstance(value, str) or not re.search(r"/\d+$", value) or "%" in value:
            raise ValueError
        made = ipaddress.ip_interface(value)
    except ValueError:
        raise EvaluationError(f'network address parse error during conversion from string: "{value}"') from None
    return Cidr(made)


def _is(parse: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            parse(value)
        except EvaluationError:
            return False
        return True

    return check


def _address(value: Any) -> Address:
    if not isinstance(value, _ADDRESSES):
        raise EvaluationError(NO_OVERLOAD)
    return value


def _is_global(value: Any) -> bool:
    found = _address(value)
    broadcast = found.version == 4 and int(found) == 0xFFFFFFFF
    return not (found.is_unspecified or found.is_loopback or found.is_multicast or found.is_link_local or broadcast)


def _link_local_multicast(value: Any) -> bool:
    found = _address(value)
    if found.version == 4:
        return found in ipaddress.ip_network("224.0.0.0/24")
    return int(found) >> 112 & 0xFF0F == 0xFF02


def _contains_ip(network: Cidr, value: Any) -> bool:
    found = _ip(value) if isinstance(value, str) else _address(value)
    return found.version == network.interface.version and found in network.interface.network


def _contains_cidr(network: Cidr, value: Any) -> bool:
    other = (_cidr(value) if isinstance(value, str) else value).interface
    if other.version != network.interface.version:
        return False
    return other.ip in network.interface.network and other.network.prefixlen >= network.interface.network.prefixlen


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "url": parse_url,
    "isURL": _is(parse_url),
    "getScheme": lambda url: url.parts.scheme,
    "getHost": _host,
    "getHostname": _hostname,
    "getPort": lambda url: "" if url.parts.port is None else str(url.parts.port),
    "getEscapedPath": lambda url: quote(url.parts.path, safe="/%:@!$&'()*+,;=~-._"),
    "getQuery": _query,
    "ip": _ip,
    "isIP": _is(_ip),
    "ip.isCanonical": _canonical,
    "family": lambda value: _address(value).version,
    "isUnspecified": lambda value: _address(value).is_unspecified,
    "isLoopback": lambda value: _address(value).is_loopback,
    "isLinkLocalMulticast": _link_local_multicast,
    "isLinkLocalUnicast": lambda value: _address(value).is_link_local,
    "isGlobalUnicast": _is_global,
    "cidr": _cidr,
    "isCIDR": _is(_cidr),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "masked": lambda value: Cidr(ipaddress.ip_interface(str(value.interface.network))),
    "prefixLength": lambda value: value.interface.network.prefixlen,
}

_URL, _IP, _CIDR = "kubernetes.URL", "net.IP", "net.CIDR"
SIGNATURES = (
    f"url(string): {_URL}",
    "isURL(string): bool",
    *(f"{_URL}.{name}(): string" for name in ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath")),
    f"{_URL}.getQuery(): map<string, list<string>>",
    f"ip(string): {_IP}",
    f"{_CIDR}.ip(): {_IP}",
    "isIP(string): bool",
    "ip.isCanonical(string): bool",
    f"{_IP}.family(): int",
    *(
        f"{_IP}.{name}(): bool"
        for name in ("isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast")
    ),
    f"string({_IP}): string",
    f"cidr(string): {_CIDR}",
    "isCIDR(string): bool",
    *(f"{_CIDR}.containsIP({of}): bool" for of in (_IP, "string")),
    *(f"{_CIDR}.containsCIDR({of}): bool" for of in (_CIDR, "string")),
    f"{_CIDR}.masked(): {_CIDR}",
    f"{_CIDR}.prefixLength(): int",
    f"string({_CIDR}): string",
)

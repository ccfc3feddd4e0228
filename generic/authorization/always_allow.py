"""Paths anybody may use: probes of an aggregated API server. Mirrors `apiserver/pkg/authorization/path/path.go`."""

from collections.abc import Iterable

from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict

_ALLOW = Verdict(Decision.ALLOW)
_NO_OPINION = Verdict(Decision.NO_OPINION)


class AlwaysAllowPaths:
    """Allows non-resource requests for these paths; one that ends in `*` stands for all that begin so."""

    def __init__(self, paths: Iterable[str] = ("/healthz", "/readyz", "/livez")) -> None:
        """Raises ValueError on a `*` anywhere but at the end, or on an empty path."""
        paths = [path.removeprefix("/") for path in paths]
        for path in paths:
            if not path or "*" in path[:-1]:
                raise ValueError(f"only trailing * allowed in {path!r}")
        self._exact = frozenset(path for path in paths if not path.endswith("*"))
        self._prefixes = tuple(path[:-1] for path in paths if path.endswith("*"))

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        if attributes.is_resource_request:
            return _NO_OPINION
        path = attributes.path.removeprefix("/")
        return _ALLOW if path in self._exact or path.startswith(self._prefixes) else _NO_OPINION

"""PathMux: handlers by path, exact before prefix. Mirrors `apiserver/pkg/server/mux/pathrecorder.go`.

Each GenericServer has one for everything that is not a REST resource: health, metrics, discovery,
the aggregator's proxies. Handlers may come and go while requests run.
"""

from generic.types import ASGIApp


class PathMux:
    """A table of paths. Exact matches win; among prefixes, most slashes, then longest."""

    def __init__(self) -> None:
        self._exact: dict[str, ASGIApp] = {}
        self._prefixes: list[tuple[str, ASGIApp]] = []
        self._unlisted: set[str] = set()

    def handle(self, path: str, app: ASGIApp, *, listed: bool = True) -> None:
        """Serve exactly `path`; `listed`: `/` shows it. Raises ValueError if something already does."""
        if path in self._exact:
            raise ValueError(f"path {path} is already handled")
        self._exact[path] = app
        if not listed:
            self._unlisted.add(path)

    def handle_prefix(self, prefix: str, app: ASGIApp) -> None:
        """Serve everything below `prefix`, which ends in a slash. Raises ValueError if taken."""
        if not prefix.endswith("/"):
            raise ValueError(f"prefix {prefix} does not end in a slash")
        if any(taken == prefix for taken, _ in self._prefixes):
            raise ValueError(f"prefix {prefix} is already handled")
        prefixes = [*self._prefixes, (prefix, app)]
        prefixes.sort(key=lambda entry: (-entry[0].count("/"), -len(entry[0])))
        # Replaced, not changed: a request being routed keeps the list it started with.
        self._prefixes = prefixes

    def unhandle(self, path: str) -> None:
        """Forget an exact path or a prefix; nothing happens if it is unknown."""
        self._exact.pop(path, None)
        self._prefixes = [entry for entry in self._prefixes if entry[0] != path]

    def find(self, path: str) -> ASGIApp | None:
        """The handler for a path, if any."""
        found = self._exact.get(path)
        if found is not None:
            return found
        for prefix, app in self._prefixes:
            if path.startswith(prefix):
                return app
        return None

    def find_exact(self, path: str) -> ASGIApp | None:
        """The handler of exactly this path, if any."""
        return self._exact.get(path)

    def paths(self) -> list[str]:
        """Every path handled but those that are not listed, sorted: what `/` lists."""
        return sorted({*self._exact, *(prefix for prefix, _ in self._prefixes)} - self._unlisted)

"""Context: what a hook may ask about the request it serves. Made by everything here that calls a hook."""

from dataclasses import dataclass

from generic.client.rest import Client
from generic.request.context import RequestContext
from generic.request.user import ANONYMOUS_USER, UserInfo


@dataclass(frozen=True, slots=True)
class Context:
    """One request. `main` reaches the main server, with this server's own rights; None in local debug mode."""

    request: RequestContext
    main: Client | None = None
    dry_run: bool = False
    """For what prepares, and for subresources: nothing will be stored. Validators are not told, they change nothing."""

    @property
    def user(self) -> UserInfo:
        """Who asks."""
        return self.request.user or ANONYMOUS_USER

    @property
    def verb(self) -> str:
        """As in RBAC: create, update, patch, delete, get ..."""
        return self.request.info.verb

    @property
    def namespace(self) -> str:
        """Of the path; empty for cluster-scoped kinds."""
        return self.request.info.namespace

    @property
    def name(self) -> str:
        """Of the path; empty while an object is being created."""
        return self.request.info.name

    def warn(self, text: str) -> None:
        """Tell the client something it prints as a warning."""
        self.request.warn(text)

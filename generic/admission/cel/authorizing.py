"""`authorizer` in expressions: what the one who writes, or a service account, may do besides.

Called by `expressions.py`; what is asked is decided through `Decisions`. An expression runs without waiting and an
authorizer may have to wait, so a question without an answer ends the run; whoever runs it gets the answer and begins
anew. Mirrors `apiserver/pkg/cel/library/authz.go`, and the caching authorizer of `plugin/authorizer`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from generic.admission.interface import Attributes
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.meta import names
from generic.meta.errors import StatusError
from generic.request.user import ALL_AUTHENTICATED, UserInfo
from generic.schema.cel.environment import Library
from generic.schema.cel.errors import EvaluationError
from generic.schema.cel.types import DeclType

_PACKAGE = "kubernetes.authorization"
AUTHORIZER = DeclType("abstract", name=f"{_PACKAGE}.Authorizer")
RESOURCE_CHECK = DeclType("abstract", name=f"{_PACKAGE}.ResourceCheck")

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Answer:
    """Of an authorizer, as expressions see it."""

    allowed: bool
    reason: str = ""
    error: str | None = None


class Undecided(Exception):
    """The run of an expression ends here until somebody has asked the authorizer this."""

    def __init__(self, question: AuthorizationAttributes) -> None:
        super().__init__(question.verb)
        self.question = question


class Decisions:
    """The authorizer's answers for one write: each question is asked once."""

    def __init__(self, authorizer: Authorizer, user: UserInfo) -> None:
        self._authorizer = authorizer
        self._user = user
        self._answers: dict[tuple[Any, ...], Answer] = {}

    def answer(self, question: AuthorizationAttributes) -> Answer:
        """Raises Undecided while it is not known."""
        known = self._answers.get(_key(question))
        if known is None:
            raise Undecided(question)
        return known

    async def run(self, action: Callable[[], Made]) -> Made:
        """What `action` returns once it has every answer it needs. Raises what it raises."""
        while True:
            try:
                return action()
            except Undecided as undecided:
                self._answers[_key(undecided.question)] = await self._ask(undecided.question)

    async def _ask(self, question: AuthorizationAttributes) -> Answer:
        try:
            verdict = await self._authorizer.authorize(question)
        except StatusError as error:
            return Answer(allowed=False, error=str(error))
        return Answer(verdict.decision is Decision.ALLOW, verdict.reason)

    @property
    def authorizer(self) -> "Subject":
        """The value of `authorizer`."""
        return Subject(self, self._user)

    def of_resource(self, attributes: Attributes, namespace: str) -> "Check":
        """The value of `authorizer.requestResource`."""
        return Check(
            self,
            AuthorizationAttributes(
                user=self._user,
                verb="",
                is_resource_request=True,
                group=attributes.resource.group,
                version="*",
                resource=attributes.resource.resource,
                subresource=attributes.subresource,
                namespace=namespace,
                name=attributes.name,
            ),
        )


def _key(question: AuthorizationAttributes) -> tuple[Any, ...]:
    return (question.user.name, *(getattr(question, name) for name in _ASKED))


_ASKED = ("verb", "is_resource_request", "group", "version", "resource", "subresource", "namespace", "name", "path")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Whose rights are asked for."""

    decisions: Decisions
    user: UserInfo


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A question that lacks its verb: of a path, a group or a resource."""

    decisions: Decisions
    question: AuthorizationAttributes


def _path(subject: Subject, path: str) -> Check:
    if not path.strip():
        raise EvaluationError("path must not be empty")
    question = AuthorizationAttributes(user=subject.user, verb="", is_resource_request=False, path=path)
    return Check(subject.decisions, question)


def _group(subject: Subject, group: str) -> Check:
    question = AuthorizationAttributes(user=subject.user, verb="", is_resource_request=True, group=group, version="*")
    return Check(subject.decisions, question)


def _service_account(subject: Subject, namespace: str, name: str) -> Subject:
    if names.dns1123_subdomain(name):
        raise EvaluationError("Invalid service account name")
    if names.dns1123_label(namespace):
        raise EvaluationError("Invalid service account namespace")
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", ALL_AUTHENTICATED)
    return Subject(subject.decisions, UserInfo(f"system:serviceaccount:{namespace}:{name}", groups))


def _resource(check: Check, resource: str) -> Check:
    if not resource.strip():
        raise EvaluationError("resource must not be empty")
    return Check(check.decisions, replace(check.question, resource=resource))


def _same(check: Check, selector: str) -> Check:
    """Selectors narrow a question; no authorizer here knows them, so the wider one is asked."""
    return check


LIBRARY = Library(
    signatures=tuple(
        signature.format(p=_PACKAGE)
        for signature in (
            "{p}.Authorizer.path(string): {p}.PathCheck",
            "{p}.Authorizer.group(string): {p}.GroupCheck",
            "{p}.Authorizer.serviceAccount(string, string): {p}.Authorizer",
            "{p}.GroupCheck.resource(string): {p}.ResourceCheck",
            "{p}.ResourceCheck.subresource(string): {p}.ResourceCheck",
            "{p}.ResourceCheck.namespace(string): {p}.ResourceCheck",
            "{p}.ResourceCheck.name(string): {p}.ResourceCheck",
            "{p}.ResourceCheck.fieldSelector(string): {p}.ResourceCheck",
            "{p}.ResourceCheck.labelSelector(string): {p}.ResourceCheck",
            "{p}.PathCheck.check(string): {p}.Decision",
            "{p}.ResourceCheck.check(string): {p}.Decision",
            "{p}.Decision.errored(): bool",
            "{p}.Decision.error(): string",
            "{p}.Decision.allowed(): bool",
            "{p}.Decision.reason(): string",
        )
    ),
    implementations={
        "path": _path,
        "group": _group,
        "serviceAccount": _service_account,
        "resource": _resource,
        "subresource": lambda check, name: Check(check.decisions, replace(check.question, subresource=name)),
        "namespace": lambda check, name: Check(check.decisions, replace(check.question, namespace=name)),
        "name": lambda check, name: Check(check.decisions, replace(check.question, name=name)),
        "fieldSelector": _same,
        "labelSelector": _same,
        "check": lambda check, verb: check.decisions.answer(replace(check.question, verb=verb)),
        "errored": lambda answer: answer.error is not None,
        "error": lambda answer: answer.error or "",
        "allowed": lambda answer: answer.allowed,
        "reason": lambda answer: answer.reason,
    },
)

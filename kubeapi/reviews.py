"""Reviews: questions asked by POST and answered at once, never stored.

TokenReview and SelfSubjectReview of authentication.k8s.io, the SubjectAccessReview family and SelfSubjectRulesReview
of authorization.k8s.io. Installed by `kubeapi/server.py`; asked by every aggregated server with delegated
authentication and authorization, and by `kubectl auth`. Mirrors `pkg/registry/{authentication,authorization}`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from generic.authentication.interface import AuthenticationError, TokenAuthenticator
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.authorization.rbac import RBACAuthorizer
from generic.meta import errors, fields
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupVersion
from generic.registry.options import WriteOptions
from generic.registry.resource import Resource
from generic.registry.rest import InstalledResource
from generic.registry.strategy import Strategy
from generic.request.context import RequestContext
from generic.request.user import ALL_AUTHENTICATED, UserInfo
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi.protobuf import BUILTIN
from kubeapi.schemas import Schemas
from kubeapi.serviceaccounts.authenticator import Proof, ServiceAccountAuthenticator

AUTHENTICATION = GroupVersion("authentication.k8s.io", "v1")
AUTHORIZATION = GroupVersion("authorization.k8s.io", "v1")


class ReviewStrategy(Strategy):
    """Reviews have no name that means anything, and nothing to prepare."""

    tracks_generation = False


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Whom the reviews ask. `rules`: who may do what by RBAC, for the listing review."""

    tokens: Sequence[TokenAuthenticator]
    authorizer: Authorizer
    rules: RBACAuthorizer
    audiences: Sequence[str] = ()
    """Those this server answers to: what tokens that say nothing of it are good for."""


class Review:
    """REST storage of one kind of review: create alone. `answer` sets the status, or raises StatusError."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    async def create(
        self, request: RequestContext, namespace: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        obj.pop("status", None)
        if namespace:
            obj["metadata"].setdefault("namespace", namespace)
        obj["metadata"]["creationTimestamp"] = None
        obj["status"] = await self.answer(request, namespace, obj)
        return StoredObject(
            key="", namespace=namespace, name=obj["metadata"].get("name", ""), revision=0, raw=orjson.dumps(obj)
        )

    async def answer(self, request: RequestContext, namespace: str, obj: JSONObject) -> JSONObject:
        raise NotImplementedError

    def refuse(self, obj: JSONObject, *problems: FieldError) -> errors.StatusError:
        return errors.invalid(self.resource.group_kind, obj["metadata"].get("name") or "", problems)


class TokenReview(Review):
    """Whose token this is. A token nobody knows is an answer, not an error."""

    def __init__(self, resource: Resource, reviewers: Reviewers) -> None:
        super().__init__(resource)
        self._tokens = reviewers.tokens
        self._audiences = reviewers.audiences

    async def answer(self, request: RequestContext, namespace: str, obj: JSONObject) -> JSONObject:
        token = (obj.get("spec") or {}).get("token") or ""
        if not token:
            raise errors.bad_request("token is required for TokenReview in authentication")
        asked = obj["spec"].get("audiences") or self._audiences
        problems = []
        for authenticator in self._tokens:
            try:
                proof = await self._prove(authenticator, token, asked)
            except AuthenticationError as error:
                problems.append(str(error))
                continue
            if proof is not None:
                user = user_info(proof.user.with_group(ALL_AUTHENTICATED))
                status: JSONObject = {"authenticated": True, "user": user}
                return {**status, "audiences": list(proof.audiences)} if proof.audiences else status
        return {"user": {}, "error": ", ".join(problems) or "invalid bearer token"}

    async def _prove(self, authenticator: TokenAuthenticator, token: str, audiences: Sequence[str]) -> Proof | None:
        if isinstance(authenticator, ServiceAccountAuthenticator):
            return await authenticator.prove(token, audiences)
        # Tokens of other kinds are meant for this server and say nothing of it.
        meant = [audience for audience in audiences if audience in self._audiences]
        user = await authenticator.authenticate_token(token) if meant or not audiences else None
        return Proof(user, meant) if user is not None else None


class SelfSubjectReview(Review):
    """Who am I."""

    def __init__(self, resource: Resource, reviewers: Reviewers) -> None:
        super().__init__(resource)

    async def answer(self, request: RequestContext, namespace: str, obj: JSONObject) -> JSONObject:
        return {"userInfo": user_info(_user(request))}


class AccessReview(Review):
    """SubjectAccessReview: may this user do that."""

    def __init__(self, resource: Resource, reviewers: Reviewers) -> None:
        super().__init__(resource)
        self._authorizer = reviewers.authorizer

    async def answer(self, request: RequestContext, namespace: str, obj: JSONObject) -> JSONObject:
        spec = obj.get("spec") or {}
        problems = [*_asks_one_thing(spec), *self.problems(spec, namespace), *_nameless(obj)]
        if problems:
            raise self.refuse(obj, *problems)
        return await self._decide(_attributes(self.subject(request, spec), spec))

    def problems(self, spec: JSONObject, namespace: str) -> list[FieldError]:
        if spec.get("user") or spec.get("groups"):
            return []
        why = "at least one of user or group must be specified"
        return [fields.invalid("spec.user", spec.get("user") or "", why)]

    def subject(self, request: RequestContext, spec: JSONObject) -> UserInfo:
        return UserInfo(
            spec.get("user") or "",
            tuple(spec.get("groups") or ()),
            spec.get("uid") or "",
            {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()},
        )

    async def _decide(self, attributes: AuthorizationAttributes) -> JSONObject:
        try:
            decision, reason = await self._authorizer.authorize(attributes)
        except errors.StatusError as error:
            return {"allowed": False, "evaluationError": error.message}
        status: JSONObject = {"allowed": decision is Decision.ALLOW}
        if decision is Decision.DENY:
            status["denied"] = True
        if reason:
            status["reason"] = reason
        return status


class LocalAccessReview(AccessReview):
    """The same in one namespace, for those who may ask only there."""

    def problems(self, spec: JSONObject, namespace: str) -> list[FieldError]:
        found = super().problems(spec, namespace)
        asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if asked is not None and (asked.get("namespace") or "") != namespace:
            why = "must match metadata.namespace"
            found.append(fields.invalid("spec.resourceAttributes.namespace", asked.get("namespace") or "", why))
        if path is not None:
            found.append(fields.invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request"))
        return found


class SelfAccessReview(AccessReview):
    """May I do that."""

    def problems(self, spec: JSONObject, namespace: str) -> list[FieldError]:
        return []

    def subject(self, request: RequestContext, spec: JSONObject) -> UserInfo:
        return _user(request)


class SelfRulesReview(Review):
    """What may I do in a namespace."""

    def __init__(self, resource: Resource, reviewers: Reviewers) -> None:
        super().__init__(resource)
        self._rules = reviewers.rules

    async def answer(self, request: RequestContext, namespace: str, obj: JSONObject) -> JSONObject:
        wanted = (obj.get("spec") or {}).get("namespace") or ""
        if not wanted:
            raise errors.bad_request("no namespace on request")
        held = self._rules.rules_for(_user(request), wanted)
        rules = [rule.to_object() for rule in held.rules]
        status: JSONObject = {
            "resourceRules": [rule for rule in rules if "resources" in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
            "incomplete": bool(held.errors),
        }
        return {**status, "evaluationError": ", ".join(held.errors)} if held.errors else status


def user_info(user: UserInfo) -> JSONObject:
    """A user as authentication.k8s.io shows one."""
    shown: JSONObject = {"username": user.name}
    if user.uid:
        shown["uid"] = user.uid
    if user.groups:
        shown["groups"] = list(user.groups)
    if user.extra:
        shown["extra"] = {key: list(values) for key, values in user.extra.items()}
    return shown


def _user(request: RequestContext) -> UserInfo:
    if request.user is None:
        raise errors.bad_request("no user present on request")
    return request.user


def _asks_one_thing(spec: JSONObject) -> list[FieldError]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        return [fields.invalid("spec.nonResourceAttributes", path, why)]
    if resource is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [fields.invalid("spec.resourceAttributes", None, why)]
    return []


def _nameless(obj: JSONObject) -> list[FieldError]:
    metadata = obj["metadata"]
    given = {key: value for key, value in metadata.items() if value and key not in ("namespace", "managedFields")}
    return [fields.invalid("metadata", given, "must be empty")] if given else []


def _attributes(user: UserInfo, spec: JSONObject) -> AuthorizationAttributes:
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return AuthorizationAttributes(
            user=user, verb=path.get("verb") or "", is_resource_request=False, path=path.get("path") or ""
        )
    asked = spec["resourceAttributes"]
    keys = ("verb", "group", "version", "resource", "subresource", "namespace", "name")
    return AuthorizationAttributes(user=user, is_resource_request=True, **{key: asked.get(key) or "" for key in keys})


_KINDS: tuple[tuple[GroupVersion, str, str, bool, Callable[[Resource, Reviewers], Review]], ...] = (
    (AUTHENTICATION, "TokenReview", "tokenreviews", False, TokenReview),
    (AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews", False, SelfSubjectReview),
    (AUTHORIZATION, "SubjectAccessReview", "subjectaccessreviews", False, AccessReview),
    (AUTHORIZATION, "LocalSubjectAccessReview", "localsubjectaccessreviews", True, LocalAccessReview),
    (AUTHORIZATION, "SelfSubjectAccessReview", "selfsubjectaccessreviews", False, SelfAccessReview),
    (AUTHORIZATION, "SelfSubjectRulesReview", "selfsubjectrulesreviews", False, SelfRulesReview),
)


def install(schemas: Schemas, reviewers: Reviewers) -> list[InstalledResource]:
    """Every review, ready to be served."""
    made = []
    for version, kind, plural, namespaced, review in _KINDS:
        resource = Resource(
            version.with_resource(plural),
            kind,
            namespaced,
            schemas.object_schema(version.with_kind(kind)),
            strategy=ReviewStrategy(),
            protobuf=BUILTIN,
            columns=(),
        )
        made.append(InstalledResource(resource, review(resource, reviewers)))
    return made

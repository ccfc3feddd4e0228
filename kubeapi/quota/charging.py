"""What a write makes of the quotas of its namespace: refused, or charged. Called by ResourceQuota of `kubeapi`.

Mirrors CheckRequest of `apiserver/pkg/admission/plugin/resourcequota/controller.go`.
"""

from collections.abc import Iterable, Sequence

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.types import JSONObject
from kubeapi.quota import amounts, scopes
from kubeapi.quota.amounts import Amounts
from kubeapi.quota.evaluators import Evaluator


def charge(quotas: Sequence[JSONObject], attributes: Attributes, evaluator: Evaluator) -> list[JSONObject]:
    """The quotas whose `status.used` the write changes, as they are then. Raises StatusError 403."""
    obj = attributes.object
    if obj is None:
        return []
    concerned = [quota for quota in quotas if matches(quota, evaluator, obj)]
    for quota in concerned:
        _refuse_unknown(quota, attributes, evaluator)
    if not concerned:
        return []
    usage = evaluator.usage(obj)
    negative = [name for name, amount in usage.items() if amount.nanos < 0]
    if negative:
        raise _forbidden(attributes, f"quota usage is negative for resource(s): {_listed(negative)}")
    changed = []
    for quota in concerned:
        asked = amounts.only(_delta(quota, attributes, evaluator, usage), quota["status"]["hard"])
        if asked:
            changed.append(_charged(quota, attributes, asked))
    return changed


def matches(quota: JSONObject, evaluator: Evaluator, obj: JSONObject) -> bool:
    """Whether it limits anything such an object uses, and is about this one."""
    hard = (quota.get("status") or {}).get("hard") or {}
    return bool(evaluator.matching(hard)) and in_scope(quota, evaluator, obj)


def in_scope(quota: JSONObject, evaluator: Evaluator, obj: JSONObject) -> bool:
    """Whether it is about this object: without a scope about all."""
    return all(evaluator.matches_scope(scope, obj) for scope in scopes.of(quota))


def _refuse_unknown(quota: JSONObject, attributes: Attributes, evaluator: Evaluator) -> None:
    """Nothing can be charged that the object does not tell, nor where nobody has counted yet."""
    status, name = quota["status"], quota["metadata"]["name"]
    limited = evaluator.matching(status["hard"])
    missing = evaluator.missing(limited, attributes.object or {})
    if missing:
        raise _forbidden(attributes, f"failed quota: {name}: {missing}")
    used = status.get("used") or {}
    if any(resource not in used for resource in limited):
        raise _forbidden(attributes, f"status unknown for quota: {name}, resources: {_listed(limited)}")


def _delta(quota: JSONObject, attributes: Attributes, evaluator: Evaluator, usage: Amounts) -> Amounts:
    """What the write uses of this quota that was not in use before."""
    old = attributes.old_object
    if attributes.operation == "UPDATE" and old is not None and matches(quota, evaluator, old):
        usage = amounts.growth(usage, evaluator.usage(old))
    return {name: amount for name, amount in usage.items() if amount.nanos}


def _charged(quota: JSONObject, attributes: Attributes, asked: Amounts) -> JSONObject:
    status = quota["status"]
    hard, used = amounts.of(status["hard"]), amounts.of(status.get("used"))
    after = amounts.add(used, asked)
    exceeded = [name for name in asked if after[name] > hard[name]]
    # What a status tells has happened already.
    if exceeded and attributes.subresource != "status":
        requested, held, limited = (amounts.text(amounts.only(each, exceeded)) for each in (asked, used, hard))
        name = quota["metadata"]["name"]
        why = f"exceeded quota: {name}, requested: {requested}, used: {held}, limited: {limited}"
        raise _forbidden(attributes, why)
    return {**quota, "status": {**status, "used": amounts.to_object(after)}}


def _forbidden(attributes: Attributes, why: str) -> StatusError:
    return errors.forbidden(attributes.resource.group_resource, attributes.name, why)


def _listed(names: Iterable[str]) -> str:
    return ",".join(sorted(names))

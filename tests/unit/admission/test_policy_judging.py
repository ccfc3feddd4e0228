"""What a ValidatingAdmissionPolicy makes of a write: messages, annotations, budgets, questions to the authorizer."""

from typing import Any

import pytest

from generic.admission.cel import evaluating
from generic.admission.cel.authorizing import Decisions
from generic.admission.cel.evaluating import Inputs
from generic.admission.interface import Attributes
from generic.admission.matching import Match
from generic.admission.policy.compiled import ValidatingPolicy
from generic.admission.policy.judging import Annotation, Judgement, judge
from generic.admission.policy.source import PolicySource
from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion
from generic.request.context import RequestContext
from generic.request.info import resolve
from generic.request.user import UserInfo
from generic.types import JSONObject

CORE = GroupVersion("", "v1")
USER = UserInfo("eve", ("people",))
OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


class Authorizer:
    """Allows the verb `yes`; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[AuthorizationAttributes] = []

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        self.asked.append(attributes)
        if attributes.verb == "broken":
            raise StatusError(500, "InternalError", "cannot say")
        return Verdict(Decision.ALLOW if attributes.verb == "yes" else Decision.NO_OPINION, "because")


def _policy(*validations: JSONObject, **spec: Any) -> ValidatingPolicy:
    return ValidatingPolicy.of({"metadata": {"name": "p"}, "spec": {"validations": [*validations], **spec}})


def _inputs(policy: ValidatingPolicy, obj: JSONObject | None = None, *, authorizer: Authorizer | None = None) -> Inputs:
    request = RequestContext(resolve("POST", "/api/v1/namespaces/ns/configmaps", ""), user=USER)
    resource, kind = CORE.with_resource("configmaps"), CORE.with_kind("ConfigMap")
    attributes = Attributes("CREATE", request, resource, kind, "ns", "m", object=obj)
    decisions = Decisions(authorizer or Authorizer(), USER)
    return Inputs(attributes, Match(resource, kind), decisions, object=obj, composed=policy.composed)


def _messages(policy: ValidatingPolicy, obj: JSONObject | None = None) -> list[str]:
    return [decision.message for decision in judge(policy, _inputs(policy, obj)).decisions]


def test_the_message_is_that_of_the_expression_or_the_fixed_one_or_the_expression() -> None:
    policy = _policy(
        {"expression": "false", "message": " fixed ", "messageExpression": "' made '"},
        {"expression": "false", "message": "fixed", "messageExpression": "object.none"},
        {"expression": "false", "message": "fixed", "messageExpression": "'a\\nb'"},
        {"expression": " false "},
        {"expression": "true"},
    )
    assert _messages(policy, {}) == ["made", "fixed", "fixed", "failed expression: false", ""]


def test_a_variable_is_evaluated_when_it_is_used_and_its_error_is_told() -> None:
    variables = [{"name": "bad", "expression": "object.none"}, {"name": "good", "expression": "[1, 2]"}]
    policy = _policy(
        {"expression": "variables.good.size() == 2"},
        {"expression": "variables.bad == 1"},
        variables=variables,
    )
    assert _messages(policy, {}) == [
        "",
        "expression 'variables.bad == 1' resulted in error: composited variable \"bad\" fails to evaluate: "
        "no such key: none",
    ]


def test_match_conditions_keep_a_policy_out_and_their_errors_count_only_if_none_is_false() -> None:
    false, error = {"name": "f", "expression": "false"}, {"name": "e", "expression": "object.none"}
    both = _policy({"expression": "false"}, matchConditions=[error, false])
    assert judge(both, _inputs(both, {})) == Judgement()
    failing = _policy({"expression": "false"}, matchConditions=[{"name": "e", "expression": "object.none == 1"}])
    assert _messages(failing, {}) == ["expression 'object.none == 1' resulted in error: no such key: none"]
    ignoring = _policy({"expression": "false"}, matchConditions=[error], failurePolicy="Ignore")
    assert judge(ignoring, _inputs(ignoring, {})) == Judgement()


def test_annotations_are_texts_or_null() -> None:
    annotations = [
        {"key": "text", "valueExpression": "' x '"},
        {"key": "null", "valueExpression": "null"},
        {"key": "failed", "valueExpression": "string(object.none)"},
    ]
    policy = _policy(auditAnnotations=annotations)
    found = judge(policy, _inputs(policy, {})).annotations
    why = "expression 'string(object.none)' resulted in error: no such key: none"
    assert found == (Annotation("text", "x"), Annotation("failed", error=why))


def test_one_expression_and_all_of_a_policy_have_their_limits() -> None:
    expensive = {"expression": "object.l.all(a, object.l.all(b, a == b || true))"}
    obj: JSONObject = {"l": list(range(1000))}
    once = _policy(expensive)
    assert _messages(once, obj)[0].endswith("resulted in error: operation cancelled: actual cost limit exceeded")
    often = _policy(*[expensive] * 11)
    assert _messages(often, obj) == [OUT_OF_BUDGET]
    assert evaluating.BUDGET == 10_000_000


@pytest.mark.anyio
async def test_the_authorizer_is_asked_each_question_once_and_in_full() -> None:
    check = "authorizer.group('g').resource('r').subresource('s').namespace('n').name('o').check('{}')"
    policy = _policy(
        {"expression": check.format("yes") + ".allowed()"},
        {"expression": check.format("yes") + ".reason() == 'because'"},
        {"expression": check.format("broken") + ".errored()"},
        {"expression": "!authorizer.requestResource.check('no').allowed()"},
        {"expression": "authorizer.path('/x').check('yes').allowed()"},
        {"expression": "authorizer.serviceAccount('n', 'a').path('/x').check('yes').allowed()"},
    )
    authorizer = Authorizer()
    inputs = _inputs(policy, authorizer=authorizer)
    judgement = await inputs.decisions.run(lambda: judge(policy, inputs))
    assert [decision.message for decision in judgement.decisions] == [""] * 6
    first, _, third, path, account = authorizer.asked
    assert (first.user, first.group, first.version, first.resource, first.subresource, first.namespace, first.name) == (
        *(USER, "g", "*", "r"),
        *("s", "n", "o"),
    )
    assert (third.resource, third.namespace, third.name) == ("configmaps", "ns", "m")
    assert (path.path, path.is_resource_request) == ("/x", False)
    assert account.user.name == "system:serviceaccount:n:a"


def test_a_policy_is_in_force_with_its_binding_and_compiled_anew_when_it_changes() -> None:
    source = PolicySource(ValidatingPolicy.of)
    policy: JSONObject = {"metadata": {"name": "p"}, "spec": {"validations": [{"expression": "true"}]}}
    source.put_policy(policy)
    in_force = [source.in_force]
    source.put_binding({"metadata": {"name": "b"}, "spec": {"policyName": "p"}})
    in_force.append(source.in_force)
    (hook,) = source.hooks()
    source.put_binding({"metadata": {"name": "c"}, "spec": {"policyName": "p"}})
    (again,) = source.hooks()
    assert again.policy is hook.policy
    assert [binding.name for binding in again.bindings] == ["b", "c"]
    source.put_policy({**policy, "spec": {"validations": [{"expression": "false"}]}})
    assert source.hooks()[0].policy.validations[0].expression.source == "false"
    source.remove_binding("b")
    source.remove_binding("c")
    assert [*in_force, source.in_force] == [False, True, False]


def test_a_policy_somebody_wrote_past_validation_stops_nobody() -> None:
    source = PolicySource(ValidatingPolicy.of)
    source.put_policy({"metadata": {"name": "p"}, "spec": {"validations": [{}]}})
    source.put_binding({"metadata": {"name": "b"}, "spec": {"policyName": "p"}})
    source.put_binding({"metadata": {"name": "c"}, "spec": {}})
    assert source.hooks() == ()

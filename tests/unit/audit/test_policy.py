"""Which level a request is audited at, and what is said of a policy file that cannot be."""

import re
from pathlib import Path

import pytest

from generic.audit import policy_file
from generic.audit.policy import Policy
from generic.request import info
from generic.request.user import UserInfo

BOB = UserInfo("bob", ("dev", "system:authenticated"))
HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def policy(rules: str) -> Policy:
    return policy_file.parse(f"{HEAD}{rules}".encode())


def level(rules: str, path: str, *, method: str = "GET", user: UserInfo | None = BOB) -> str:
    path, _, query = path.partition("?")
    return policy(rules).evaluate(user, info.resolve(method, path, query)).level


def metadata(condition: str) -> str:
    return f"rules: [{{level: Metadata, {condition}}}]"


@pytest.mark.parametrize(
    ("condition", "path", "matches"),
    [
        ("users: [bob]", "/api", True),
        ("users: [eve]", "/api", False),
        ("userGroups: [ops, dev]", "/api", True),
        ("userGroups: [ops]", "/api", False),
        ("verbs: [get]", "/api/v1/pods", False),
        ("verbs: [list]", "/api/v1/pods", True),
        ("verbs: [watch]", "/api/v1/pods?watch=1", True),
        ("namespaces: [a]", "/api/v1/namespaces/a/pods", True),
        ("namespaces: ['']", "/api/v1/nodes", True),
        ("namespaces: ['']", "/api/v1/namespaces/a/pods", False),
        ("namespaces: ['']", "/healthz", False),
        ("resources: [{group: ''}]", "/api/v1/pods", True),
        ("resources: [{group: ''}]", "/apis/apps/v1/deployments", False),
        ("resources: [{group: '*'}]", "/apis/apps/v1/deployments", True),
        ("resources: [{resources: [pods]}]", "/api/v1/namespaces/a/pods/x", True),
        ("resources: [{resources: [pods]}]", "/api/v1/namespaces/a/pods/x/log", False),
        ("resources: [{resources: [pods/log]}]", "/api/v1/namespaces/a/pods/x/log", True),
        ("resources: [{resources: [pods/log]}]", "/api/v1/namespaces/a/pods/x", False),
        ("resources: [{resources: ['*']}]", "/api/v1/namespaces/a/pods/x/log", True),
        ("resources: [{resources: ['*/log']}]", "/api/v1/namespaces/a/pods/x/log", True),
        ("resources: [{resources: ['*/log']}]", "/api/v1/namespaces/a/pods/x/exec", False),
        ("resources: [{resources: ['pods/*']}]", "/api/v1/namespaces/a/pods/x/exec", True),
        ("resources: [{resources: ['pods/*']}]", "/api/v1/namespaces/a/services/x/proxy", False),
        ("resources: [{resources: [pods], resourceNames: [x]}]", "/api/v1/namespaces/a/pods/x", True),
        ("resources: [{resources: [pods], resourceNames: [x]}]", "/api/v1/namespaces/a/pods/y", False),
        ("resources: [{resources: [services]}, {resources: [pods]}]", "/api/v1/pods", True),
        ("nonResourceURLs: [/healthz*]", "/healthz/ping", True),
        ("nonResourceURLs: [/healthz]", "/healthz/ping", False),
        ("nonResourceURLs: ['*']", "/healthz", True),
        ("nonResourceURLs: ['*']", "/api/v1/pods", False),
    ],
)
def test_a_rule_matches_what_it_says(condition: str, path: str, *, matches: bool) -> None:
    assert level(metadata(condition), path) == ("Metadata" if matches else "None")


def test_every_condition_of_a_rule_must_hold() -> None:
    rule = metadata("verbs: [create], resources: [{resources: [pods]}]")
    assert level(rule, "/api/v1/namespaces/a/pods", method="POST") == "Metadata"
    assert level(rule, "/api/v1/namespaces/a/pods") == "None"


def test_the_first_rule_that_matches_decides() -> None:
    rules = "rules: [{level: None, users: [bob]}, {level: Request, verbs: [get]}, {level: RequestResponse}]"
    assert level(rules, "/api") == "None"
    assert level(rules, "/api", user=UserInfo("eve")) == "Request"
    assert level(rules, "/api", method="POST", user=UserInfo("eve")) == "RequestResponse"


def test_rules_for_users_do_not_match_who_is_not_known() -> None:
    assert level(metadata("users: [bob]"), "/api", user=None) == "None"
    assert level(metadata("userGroups: [dev]"), "/api", user=None) == "None"
    assert level("rules: [{level: Metadata}]", "/api", user=None) == "Metadata"


def test_omitted_stages_of_policy_and_rule_add_up_and_managed_fields_are_the_rules_to_decide() -> None:
    found = policy(
        "omitStages: [RequestReceived]\nomitManagedFields: true\n"
        "rules: [{level: Metadata, omitStages: [Panic], omitManagedFields: false, verbs: [get]}, {level: Metadata}]"
    )
    first = found.evaluate(BOB, info.resolve("GET", "/api", ""))
    assert first == ("Metadata", frozenset({"RequestReceived", "Panic"}), False)
    second = found.evaluate(BOB, info.resolve("POST", "/api", ""))
    assert second == ("Metadata", frozenset({"RequestReceived"}), True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEAD}rules: []", "loaded illegal policy with 0 rules"),
        (f"{HEAD}rules: [{{}}]", "rules[0].level: Required value"),
        (
            f"{HEAD}rules: [{{level: All}}]",
            'rules[0].level: Unsupported value: "All": '
            'supported values: "None", "Metadata", "Request", "RequestResponse"',
        ),
        (
            f"{HEAD}rules: [{{level: None, nonResourceURLs: [a]}}]",
            "rules[0].nonResourceURLs[0]: Invalid value: \"a\": non-resource URL rules must begin with a '/' character",
        ),
        (
            f"{HEAD}rules: [{{level: None, nonResourceURLs: ['/a*b']}}]",
            'rules[0].nonResourceURLs[0]: Invalid value: "/a*b": '
            "non-resource URL wildcards '*' must be the final character of the rule",
        ),
        (
            f"{HEAD}rules: [{{level: None, nonResourceURLs: [/a], namespaces: [x]}}]",
            'rules[0].nonResourceURLs: Invalid value: ["/a"]: '
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            f"{HEAD}rules: [{{level: None, resources: [{{resourceNames: [x]}}]}}]",
            'rules[0].resources.resourceNames: Invalid value: ["x"]: '
            "using resourceNames requires at least one resource",
        ),
        (
            f"{HEAD}omitStages: [Never]\nrules: [{{level: None}}]",
            'omitStages[0]: Invalid value: "Never": '
            "allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic",
        ),
        (f"{HEAD}rules: [{{level: None, users: bob}}]", "cannot unmarshal str into field rules[0].users of type"),
        ("apiVersion: audit.k8s.io/v1\nrules: [{level: None}]", "failed decoding: Object 'Kind' is missing"),
        (
            "apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]",
            'no kind "Policy" is registered for version "audit.k8s.io/v1beta1"',
        ),
        ("- a", "failed decoding: "),
        ("{", "failed decoding: "),
    ],
)
def test_a_bad_policy_is_refused_in_one_line_that_names_the_file(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        policy_file.load(path)
    told = str(raised.value)
    assert told.endswith(f": from file {path}")
    assert "\n" not in told


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'failed to read file path ".*nowhere": No such file'):
        policy_file.load(tmp_path / "nowhere")


def test_unknown_fields_are_warned_of_and_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    assert level("rules: [{level: Metadata, colour: red}]", "/api") == "Metadata"
    assert 'unknown field "rules[0].colour"' in caplog.text

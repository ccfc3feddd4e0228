"""Validation of webhook configurations, and of the rules that policies share with them (`admission_policies.py`).
Mirrors `pkg/apis/admissionregistration/validation/validation.go`."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from generic.admission.cel import expressions
from generic.admission.cel.expressions import ExpressionCompiler
from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_MATCHES, FAILURES, _SCOPES = ("Equivalent", "Exact"), ("Fail", "Ignore"), ("*", "Cluster", "Namespaced")
_MOST_CONDITIONS = 64
_URL_FORM = "desired format: https://host[/path]"


def webhooks(obj: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, webhook in enumerate(each(obj.get("webhooks"))):
        path, name = f"webhooks[{at}]", webhook.get("name") or ""
        found += _webhook(webhook, path)
        found += _review_versions(webhook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions")
        if name in seen:
            found.append(fields.duplicate(f"{path}.name", name))
        seen.add(name)
    return found


def _review_versions(versions: Sequence[str], path: str) -> list[FieldError]:
    if not versions:
        return [fields.required(path, "must specify one of v1, v1beta1")]
    found: list[FieldError] = []
    for at, version in enumerate(versions):
        if version in versions[:at]:
            found.append(fields.invalid(f"{path}[{at}]", version, "duplicate version"))
            continue
        found += [fields.invalid(f"{path}[{at}]", version, why) for why in names.dns1035_label(version)]
    if not {"v1", "v1beta1"} & set(versions):
        found.append(fields.invalid(path, versions, "must include at least one of v1, v1beta1"))
    return found


def _webhook(webhook: JSONObject, path: str) -> list[FieldError]:
    found = _full_name(webhook.get("name") or "", f"{path}.name")
    for at, rule in enumerate(each(webhook.get("rules"))):
        found += _rule(rule, f"{path}.rules[{at}]")
    for key, known in (("failurePolicy", FAILURES), ("matchPolicy", _MATCHES)):
        if webhook.get(key) is not None:
            found += common.among(webhook[key], f"{path}.{key}", known)
    effects = webhook.get("sideEffects")
    if effects is None:
        found.append(fields.required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun"))
    else:
        found += common.among(effects, f"{path}.sideEffects", ("None", "NoneOnDryRun"))
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        found.append(fields.invalid(f"{path}.timeoutSeconds", seconds, why))
    for key in ("namespaceSelector", "objectSelector"):
        found += validation.label_selector(webhook.get(key), f"{path}.{key}")
    if webhook.get("reinvocationPolicy") is not None:
        found += common.among(webhook["reinvocationPolicy"], f"{path}.reinvocationPolicy", ("IfNeeded", "Never"))
    found += _client(webhook.get("clientConfig") or {}, f"{path}.clientConfig")
    return found + match_conditions(list(each(webhook.get("matchConditions"))), f"{path}.matchConditions")


def _full_name(name: str, path: str) -> list[FieldError]:
    if not name:
        return [fields.required(path)]
    problems = names.dns1123_subdomain(name)
    if problems:
        return [fields.invalid(path, name, ",".join(problems))]
    why = "should be a domain with at least three segments separated by dots"
    return [fields.invalid(path, name, why)] if name.count(".") < 2 else []


def _client(config: JSONObject, path: str) -> list[FieldError]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [fields.required(path, "exactly one of url or service is required")]
    return _url(str(url), f"{path}.url") if service is None else _service(service, f"{path}.service")


def _url(url: str, path: str) -> list[FieldError]:
    parts = urlsplit(url)
    found: list[FieldError] = []
    if parts.scheme != "https":
        found.append(fields.invalid(path, parts.scheme, f"'https' is the only allowed URL scheme; {_URL_FORM}"))
    if not parts.netloc:
        found.append(fields.invalid(path, parts.netloc, f"host must be specified; {_URL_FORM}"))
    if "@" in parts.netloc:
        why = "user information is not permitted in the URL"
        found.append(fields.invalid(path, parts.netloc.rpartition("@")[0], why))
    if parts.fragment:
        found.append(fields.invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        found.append(fields.invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return found


def _service(service: JSONObject, path: str) -> list[FieldError]:
    needed = (key for key in ("name", "namespace") if not service.get(key))
    found = [fields.required(f"{path}.{key}") for key in needed]
    port, where = service.get("port"), service.get("path")
    if port is not None:
        why = f"port is not valid: {', '.join(error.detail for error in common.port(port, path))}"
        found += [fields.invalid(f"{path}.port", port, why)] if common.port(port, path) else []
    return found if where is None else found + _service_path(where, f"{path}.path")


def _service_path(where: str, path: str) -> list[FieldError]:
    if where in ("", "/"):
        return []
    if where == "//":
        return [fields.invalid(path, where, "segment[0] may not be empty")]
    found = [] if where.startswith("/") else [fields.invalid(path, where, "must start with a '/'")]
    steps = where[1:].split("/") if where else []
    if steps and not steps[-1]:
        steps.pop()
    for at, step in enumerate(steps):
        if not step:
            found.append(fields.invalid(path, where, f"segment[{at}] may not be empty"))
            continue
        found += [fields.invalid(path, where, f"segment[{at}]: {why}") for why in names.dns1123_subdomain(step)]
    return found


def _rule(rule: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    operations = rule.get("operations") or []
    if not operations:
        found.append(fields.required(f"{path}.operations"))
    if len(operations) > 1 and "*" in operations:
        why = "if '*' is present, must not specify other operations"
        found.append(fields.invalid(f"{path}.operations", operations, why))
    for at, operation in enumerate(operations):
        found += common.among(operation, f"{path}.operations[{at}]", _OPERATIONS)
    for key, words in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        values = rule.get(key) or []
        if not values:
            found.append(fields.required(f"{path}.{key}"))
        if len(values) > 1 and "*" in values:
            why = f"if '*' is present, must not specify other {words}"
            found.append(fields.invalid(f"{path}.{key}", values, why))
        if key == "apiVersions":
            found += [fields.required(f"{path}.{key}[{at}]") for at, value in enumerate(values) if not value]
    found += _resources(rule.get("resources") or [], f"{path}.resources")
    if rule.get("scope") is not None:
        found += common.among(rule["scope"], f"{path}.scope", _SCOPES)
    return found


def _resources(resources: Sequence[str], path: str) -> list[FieldError]:
    if not resources:
        return [fields.required(path)]
    found = [fields.required(f"{path}[{at}]") for at, resource in enumerate(resources) if not resource]
    if len(resources) > 1 and "*/*" in resources:
        why = "if '*/*' is present, must not specify other resources"
        found.append(fields.invalid(path, resources, why))
    for at, resource in enumerate(resources):
        main, slash, part = resource.partition("/")
        others = [other for other in resources if other != resource]
        if slash and main != "*" and f"{main}/*" in others and part != "*":
            why = f"if '{main}/*' is present, must not specify {resource}"
            found.append(fields.invalid(f"{path}[{at}]", resource, why))
        elif slash and part != "*" and f"*/{part}" in others and main != "*":
            why = f"if '*/{part}' is present, must not specify {resource}"
            found.append(fields.invalid(f"{path}[{at}]", resource, why))
    if len(resources) > 1 and "*" in resources and not any("/" in resource for resource in resources):
        why = "if '*' is present, must not specify other resources without subresources"
        found.append(fields.invalid(path, resources, why))
    return found


def expression(source: str, path: str, compiler: ExpressionCompiler, *, why: str = "") -> list[FieldError]:
    """Something that is true or false. `why`: what is said of one that is not there."""
    if not source.strip():
        return [fields.required(path, why)]
    made = compiler.compile(source, expressions.CONDITION)
    return [fields.invalid(path, source, made.error)] if made.error else []


def match_conditions(conditions: Sequence[JSONObject], path: str, *, params: bool = False) -> list[FieldError]:
    """What is asked of a request before it counts; with `params` of those of a policy too."""
    found: list[FieldError] = []
    compiler = ExpressionCompiler(params=params)
    if len(conditions) > _MOST_CONDITIONS:
        found.append(fields.too_many(path, len(conditions), _MOST_CONDITIONS))
    seen: set[str] = set()
    for at, condition in enumerate(conditions):
        here, name = f"{path}[{at}]", condition.get("name") or ""
        found += expression((condition.get("expression") or "").strip(), f"{here}.expression", compiler)
        if not name:
            found.append(fields.required(f"{here}.name"))
        else:
            found += [fields.invalid(f"{here}.name", name, why) for why in names.qualified_name(name)]
        if name in seen:
            found.append(fields.duplicate(f"{here}.name", name))
        seen.add(name)
    return found


def match_resources(match: JSONObject | None, path: str) -> list[FieldError]:
    """What a policy looks at, or where its binding holds."""
    if match is None:
        return []
    found = common.required_among(match.get("matchPolicy"), f"{path}.matchPolicy", _MATCHES)
    for key in ("namespaceSelector", "objectSelector"):
        if match.get(key) is None:
            found.append(fields.required(f"{path}.{key}"))
        else:
            found += validation.label_selector(match[key], f"{path}.{key}")
    for key in ("resourceRules", "excludeResourceRules"):
        for at, rule in enumerate(each(match.get(key))):
            found += _named_rule(rule, f"{path}.{key}[{at}]")
    return found


def _named_rule(rule: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    given = rule.get("resourceNames") or []
    for at, name in enumerate(given):
        found += [fields.invalid(f"{path}.resourceNames[{at}]", name, why) for why in names.path_segment_name(name)]
        if name in given[:at]:
            found.append(fields.duplicate(f"{path}.resourceNames[{at}]", name))
    return found + _rule(rule, path)

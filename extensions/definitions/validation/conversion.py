"""What is wrong with how a definition says its versions convert. Called by `definition.py`.

Mirrors ValidateCustomResourceConversion of `apiextensions/validation/validation.go` and the checks of webhook clients
in `apiserver/pkg/util/webhook/validation.go`.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject

_REVIEW_VERSIONS = ("v1", "v1beta1")
_FORM = "; desired format: https://host[/path]"


def problems(conversion: JSONObject | None, path: str) -> Iterator[FieldError]:
    """None is for definitions that do not say."""
    if conversion is None:
        return
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook")
    if not strategy:
        yield fields.required(f"{path}.strategy")
    elif strategy not in ("None", "Webhook"):
        yield fields.not_supported(f"{path}.strategy", strategy, ("None", "Webhook"))
    if strategy != "Webhook":
        if webhook is not None and webhook.get("clientConfig") is not None:
            why = "should not be set when strategy is not set to Webhook"
            yield fields.forbidden(f"{path}.webhookClientConfig", why)
        if webhook is not None and webhook.get("conversionReviewVersions"):
            why = "should not be set when strategy is not set to Webhook"
            yield fields.forbidden(f"{path}.conversionReviewVersions", why)
        return
    client = (webhook or {}).get("clientConfig")
    if client is None:
        yield fields.required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")
    else:
        yield from _client(client, f"{path}.webhookClientConfig")
    yield from _review_versions(
        (webhook or {}).get("conversionReviewVersions") or [], f"{path}.conversionReviewVersions"
    )


def _client(client: JSONObject, path: str) -> Iterator[FieldError]:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield fields.required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _url(url, f"{path}.url")
    elif service is not None:
        yield from _service(service, f"{path}.service")


def _url(url: str, path: str) -> Iterator[FieldError]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield fields.required(path, f"url must be a valid URL: {error}{_FORM}")
        return
    if parts.scheme != "https":
        yield fields.invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not parts.netloc:
        yield fields.invalid(path, parts.netloc, f"host must be specified{_FORM}")
    if "@" in parts.netloc:
        user = parts.netloc.rpartition("@")[0]
        yield fields.invalid(path, user, "user information is not permitted in the URL")
    if parts.fragment:
        yield fields.invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield fields.invalid(path, parts.query, "query parameters are not permitted in the URL")


def _service(service: JSONObject, path: str) -> Iterator[FieldError]:
    for key in ("name", "namespace"):
        if not service.get(key):
            yield fields.required(f"{path}.{key}", f"service {key} is required")
    port = service.get("port", 443)
    if not 0 < port < 65536:
        why = "port is not valid: must be between 1 and 65535, inclusive"
        yield fields.invalid(f"{path}.port", port, why)
    given = service.get("path")
    if given and not given.startswith("/"):
        yield fields.invalid(f"{path}.path", given, "must start with a '/'")


def _review_versions(given: list[str], path: str) -> Iterator[FieldError]:
    if not given:
        yield fields.required(path)
        return
    seen: set[str] = set()
    for at, version in enumerate(given):
        if version in seen:
            yield fields.invalid(f"{path}[{at}]", version, "duplicate version")
            continue
        seen.add(version)
        for wrong in names.dns1035_label(version):
            yield fields.invalid(f"{path}[{at}]", version, wrong)
    if not seen.intersection(_REVIEW_VERSIONS):
        yield fields.invalid(path, given, f"must include at least one of {', '.join(_REVIEW_VERSIONS)}")

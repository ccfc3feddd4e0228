"""Which strings may be names, in Kubernetes' words, and the names and uids we make."""

import uuid

import pytest

from generic.meta import names

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


@pytest.mark.parametrize("name", ["a", "a.b", "0-x.y", "a" * 253])
def test_subdomains(name: str) -> None:
    assert names.dns1123_subdomain(name) == []


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a..b", "a.", "a\n"])
def test_not_subdomains(name: str) -> None:
    assert names.dns1123_subdomain(name) == [SUBDOMAIN]


def test_length_is_counted_in_bytes() -> None:
    assert names.dns1123_subdomain("a" * 254) == ["must be no more than 253 characters"]
    assert names.label_value("é" * 32)[0] == "must be no more than 63 bytes"


def test_labels_say_what_a_dot_does() -> None:
    assert names.dns1123_label("kube-system") == []
    assert names.dns1123_label("a.b") == ["must not contain dots"]
    assert names.dns1123_label("A") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]


def test_service_names_start_with_a_letter() -> None:
    assert names.dns1035_label("web-1") == []
    assert "start with an alphabetic character" in names.dns1035_label("1web")[0]


@pytest.mark.parametrize("key", ["a", "A_b.c-1", "example.com/a", "a" * 63, "a.b/" + "c" * 63])
def test_qualified_names(key: str) -> None:
    assert names.qualified_name(key) == []


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("", ["name part must be non-empty", "name part must consist"]),
        ("/a", ["prefix part must be non-empty"]),
        ("EX/a", ["prefix part a lowercase RFC 1123 subdomain"]),
        ("a/", ["name part must be non-empty", "name part must consist"]),
        ("a" * 64, ["name part must be no more than 63 bytes"]),
        ("a/b/c", ["a valid label key must consist"]),
    ],
)
def test_not_qualified_names(key: str, parts: list[str]) -> None:
    problems = names.qualified_name(key)
    assert [problem[: len(part)] for problem, part in zip(problems, parts, strict=True)] == parts


def test_path_segments() -> None:
    assert names.path_segment_name("system:node:x") == []
    assert names.path_segment_name("..") == ["may not be '..'"]
    assert names.path_segment_name("a/b%c") == ["may not contain '/'", "may not contain '%'"]


def test_generate_name_base_may_end_in_a_dash() -> None:
    assert names.generate_name_problems(names.dns1123_subdomain, "web-") == []
    assert names.generate_name_problems(names.dns1123_subdomain, "Web-") == [SUBDOMAIN]
    assert names.generate_name_problems(names.path_segment_name, ".") == []


def test_generated_names_fit_a_label_and_differ() -> None:
    made = {names.generate_name("web-") for _ in range(200)}
    assert len(made) > 190
    assert all(len(name) == 9 and names.dns1123_label(name) == [] for name in made)
    long = names.generate_name("x" * 100)
    assert len(long) == 63
    assert set(long[58:]) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_new_uids_are_random_uuids() -> None:
    made = [names.new_uid() for _ in range(200)]
    assert len(set(made)) == 200
    for text in made:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)

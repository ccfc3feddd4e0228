"""Label and field selectors: what parses, what it selects, and the words of a refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.meta.selectors import EVERYTHING, NOTHING, FieldSelector, LabelSelector, escape

WEB = {"app": "web", "tier": "front", "size": "10", "empty": ""}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier=front", True),
        ("app=web,tier=back", False),
        ("app!=web", False),
        ("absent!=web", True),
        ("app", True),
        ("absent", False),
        ("!absent", True),
        ("! app", False),
        ("app in (web, db)", True),
        ("app in (db)", False),
        ("absent in (db)", False),
        ("app notin (web)", False),
        ("absent notin (web)", True),
        ("empty=", True),
        ("empty in (,)", True),
        ("empty in ()", True),
        ("app in (,web)", True),
        ("app notin ()", True),
        ("empty notin ()", False),
        ("size>9", True),
        ("size>10", False),
        ("size<11", True),
        ("app>1", False),
        ("absent<1", False),
        ("in in (in)", False),
        ("notin!=in", True),
    ],
)
def test_label_selector_selects(text: str, *, selected: bool) -> None:
    assert LabelSelector.parse(text).matches(WEB) is selected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a(b)", "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (,,)", "unable to parse requirement: found ')', expected: ',', or identifier"),
        ("a in (b,", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        (
            "a>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        (
            "a=-b",
            'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be an empty string or '
            "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
            "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
        (
            "-a=b",
            'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric '
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
            "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
    ],
)
def test_label_selector_refusal_is_worded_as_kubernetes_does(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 the whole message is compared below
        LabelSelector.parse(text)
    assert str(refusal.value) == message


def test_label_selector_object_forms() -> None:
    selector = LabelSelector.from_object({
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["front", "back"]},
            {"key": "absent", "operator": "DoesNotExist"},
        ],
    })
    assert selector.matches(WEB)
    assert not selector.matches({**WEB, "absent": "x"})
    assert str(selector) == "!absent,app=web,tier in (back,front)"
    assert LabelSelector.from_object({}).empty
    assert LabelSelector.from_object(None) is NOTHING
    assert not NOTHING.matches({})
    assert not NOTHING.empty
    with pytest.raises(ValueError, match=r'^"Near" is not a valid label selector operator$'):
        LabelSelector.from_object({"matchExpressions": [{"key": "a", "operator": "Near"}]})
    with pytest.raises(ValueError, match="values set can't be empty"):
        LabelSelector.from_object({"matchExpressions": [{"key": "a", "operator": "In"}]})


_KEYS = st.sampled_from(["a", "b", "example.com/c"])
_VALUES = st.sampled_from(["", "x", "y", "5"])
_TERMS = st.one_of(
    st.builds(lambda k, op, v: f"{k}{op}{v}", _KEYS, st.sampled_from(["=", "==", "!="]), _VALUES),
    st.builds(
        lambda k, op, v: f"{k} {op} ({','.join(v)})",
        _KEYS,
        st.sampled_from(["in", "notin"]),
        st.lists(_VALUES, unique=True),
    ),
    st.builds(lambda k, op: f"{op}{k}", _KEYS, st.sampled_from(["", "!"])),
    st.builds(lambda k, op: f"{k}{op}3", _KEYS, st.sampled_from("<>")),
)


@given(st.lists(_TERMS), st.dictionaries(_KEYS, _VALUES))
def test_printed_label_selector_means_the_same(terms: list[str], labels: dict[str, str]) -> None:
    selector = LabelSelector.parse(",".join(terms))
    assert LabelSelector.parse(str(selector)) == selector
    assert selector.matches(labels) is all(LabelSelector.parse(term).matches(labels) for term in terms)


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    for grammar in (LabelSelector, FieldSelector):
        try:
            assert hash(grammar.parse(text)) == hash(grammar.parse(text))
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", ()),
        (",,", ()),
        ("b!=c,a==b", (("a", "=", "b"), ("b", "!=", "c"))),
        ("a=", (("a", "=", ""),)),
        (r"a=x\,y\=z\\", (("a", "=", r"x,y=z" + "\\"),)),
        ("metadata.name=x", (("metadata.name", "=", "x"),)),
    ],
)
def test_field_selector_requirements(text: str, requirements: tuple[tuple[str, str, str], ...]) -> None:
    assert FieldSelector.parse(text).requirements == requirements


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_field_selector_refusal_is_worded_as_kubernetes_does(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 the whole message is compared below
        FieldSelector.parse(text)
    assert str(refusal.value) == message


def test_field_selector_matches_and_treats_a_missing_field_as_empty() -> None:
    selector = FieldSelector.parse("status.phase=Running,spec.nodeName!=")
    assert selector.matches({"status.phase": "Running", "spec.nodeName": "n1"})
    assert not selector.matches({"status.phase": "Running"})
    assert selector.exact("status.phase") == "Running"
    assert selector.exact("spec.nodeName") is None
    assert FieldSelector.parse("").empty
    assert EVERYTHING.empty


@given(st.text())
def test_an_escaped_value_survives_the_field_grammar(value: str) -> None:
    assert FieldSelector.parse(f"a={escape(value)}").requirements == (("a", "=", value),)

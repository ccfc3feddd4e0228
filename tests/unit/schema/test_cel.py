"""CEL: what expressions mean, what the compiler refuses, what they cost, and that they always end."""

from typing import Any

import pytest

from generic.schema.cel import schema_types
from generic.schema.cel.environment import CelEnvironment, Library
from generic.schema.cel.errors import BudgetExceeded, CompileError, EvaluationError
from generic.schema.cel.meter import Meter
from generic.schema.cel.types import DYN, DeclType
from generic.types import JSONObject

SCHEMA: JSONObject = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer"},
        "name": {"type": "string", "maxLength": 10},
        "foo-bar": {"type": "string"},
        "namespace": {"type": "string"},
        "ratio": {"type": "number"},
        "port": {"x-kubernetes-int-or-string": True},
        "items": {
            "type": "array",
            "maxItems": 5,
            "items": {"type": "object", "properties": {"k": {"type": "string"}, "v": {"type": "number"}}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "nested": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "when": {"type": "string", "format": "date-time"},
        "how": {"type": "string", "format": "duration"},
        "raw": {"type": "string", "format": "byte"},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "template": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "anything": {"x-kubernetes-preserve-unknown-fields": True},
    },
}
OBJECT: JSONObject = {
    "metadata": {"name": "m"},
    "replicas": 5,
    "name": "abc",
    "foo-bar": "x",
    "namespace": "ns",
    "ratio": 1,
    "port": 80,
    "items": [{"k": "a", "v": 2}, {"k": "b", "v": 3}],
    "labels": {"a": "b", "c": "dd"},
    "nested": {"x": ["1", "22"]},
    "when": "2020-01-02T03:04:05Z",
    "how": "1h30m",
    "raw": "YWI=",
    "set": ["b", "a"],
    "template": {"metadata": {"name": "q"}},
}
DECLARED = schema_types.of_schema(SCHEMA, resource_root=True)


@pytest.fixture(scope="module")
def environment() -> CelEnvironment:
    assert DECLARED is not None
    return CelEnvironment({"self": DECLARED, "oldSelf": DECLARED, "free": DYN})


def evaluate(environment: CelEnvironment, source: str, **free: Any) -> Any:
    values = {"self": environment.bind("self", OBJECT), **free}
    values["oldSelf"] = environment.bind("oldSelf", {**OBJECT, "set": ["a", "b"]})
    return environment.compile(source).evaluate(values)


@pytest.mark.parametrize(
    "source",
    [
        # Fields, their types, and names that are no identifiers.
        "self.replicas > 3 && self.replicas < 5.5",
        "self.foo__dash__bar == 'x' && self.__namespace__ == 'ns'",
        "self.ratio == 1.0 && type(self.ratio) == double",
        "self.port == 80 && type(self.port) == int && self.port + 1 == 81",
        "has(self.name) && !has(self.template.kind) && self.template.metadata.name == 'q'",
        "self.metadata.name.startsWith('m')",
        "self.when.getFullYear() == 2020 && self.when.getHours('America/New_York') == 22",
        "self.how == duration('90m') && string(self.how) == '5400s'",
        "self.raw == b'ab' && string(self.raw) == 'ab'",
        "self.set == oldSelf.set && ['b', 'a'] != ['a', 'b']",
        # Logic: an error on one side does not matter if the other decides.
        "1 / 0 == 1 || true",
        "!(1 / 0 == 1 && false)",
        "!self.items.all(i, i.k == 'a') && [1, 0].exists(x, 1 / x == 1)",
        # Macros.
        "self.items.map(i, i.k).join(',') == 'a,b' && self.items.filter(i, i.v > 2.0).size() == 1",
        "self.items.exists_one(i, i.k == 'a') && self.items.map(i, i.v > 2.0, i.k) == ['b']",
        "self.labels.all(k, v, k < v) && self.nested.all(k, v, v.all(x, x.size() > 0))",
        "self.items.transformList(i, x, string(i) + x.k) == ['0a', '1b']",
        "self.labels.transformMap(k, v, v + k) == {'a': 'ba', 'c': 'ddc'}",
        "self.labels.transformMapEntry(k, v, {v: k}) == {'b': 'a', 'dd': 'c'}",
        # Optionals.
        "self.?port.hasValue() && self.?template.?kind.orValue('none') == 'none'",
        "[1, 2][?5].orValue(7) == 7 && {'a': 1}[?'a'].optMap(x, x + 1).value() == 2",
        "[?optional.none(), 1] == [1] && optional.ofNonZeroValue('') == optional.none()",
        # Libraries.
        "self.name.matches('^[a-z]+$') && 'xaab'.find('a+') == 'aa' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
        "'a-b-c'.split('-', 2) == ['a', 'b-c'] && ' a '.trim().upperAscii() == 'A' && 'abc'.substring(1, 2) == 'b'",
        "'%s %d %.2f %x'.format(['a', 1, 1.5, 255]) == 'a 1 1.50 ff'",
        "[3, 1, 2].max() - [3, 1, 2].min() == [1, 1].sum() && [1, 2].isSorted() && ['a', 'b'].indexOf('b') == 1",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
        "quantity('1Gi').isGreaterThan(quantity('500Mi')) && quantity('1').add(2).asInteger() == 3",
        "url('https://a.b:80/c?x=1').getPort() == '80' && url('https://a.b/c?x=1').getQuery()['x'] == ['1']",
        "isURL('https://a.b') && !isURL('a b')",
        "ip('10.0.0.1').family() == 4 && !isIP('10.0.0.256') && ip('127.0.0.1').isLoopback()",
        "cidr('10.0.0.0/8').containsIP('10.1.1.1') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
        "string(cidr('192.168.1.5/24').masked()) == '192.168.1.0/24' && cidr('::1/128').prefixLength() == 128",
        "format.dns1123Label().validate('A').hasValue() && !format.named('uuid').value().validate("
        "'123e4567-e89b-12d3-a456-426614174000').hasValue()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2 && !isSemver('1.2')",
        "semver('1.0.0-alpha.1').isLessThan(semver('1.0.0-alpha.beta'))",
        "timestamp('2020-01-01T00:00:00Z') - timestamp('2019-12-31T00:00:00Z') == duration('24h')",
        "int('12') + int(3.7) == 15 && string(1.5) + string(true) + string(1u) == '1.5true1'",
        "-7 / 2 == -3 && -7 % 2 == -1 && 1u + 2u == 3u",
        "dyn(1) == 1.0 && dyn(1) != true && dyn('1') != 1",
    ],
)
def test_an_expression_that_holds(environment: CelEnvironment, source: str) -> None:
    assert evaluate(environment, source) is True


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("1 / 0 == 1", "division by zero"),
        ("9223372036854775807 + 1 > 0", "integer overflow"),
        ("self.items[5].k == 'a'", "index out of bounds: 5"),
        ("self.labels.b == 'a'", "no such key: b"),
        ("self.port.startsWith('a')", "no such overload"),
        ("free.all(x, x > 0)", "no such overload"),
        ("quantity('x').sign() == 0", "quantities must match the regular expression"),
        ("'a'.matches(self.name + '(?=b)')", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
        ("optional.none().value() == 1", "optional.none() dereference"),
    ],
)
def test_an_expression_that_fails_says_what_cel_go_says(environment: CelEnvironment, source: str, error: str) -> None:
    with pytest.raises(EvaluationError) as failed:
        evaluate(environment, source, free=7)
    assert error in str(failed.value)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("self.nope == 1", "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1\n | ....^"),
        ("self.replicas == 'a'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.items.all(i, i.k", "Syntax error: missing ')'"),
        ("self.anything == 1", "undefined field 'anything'"),
        ("math.abs(1) == 1", "undeclared reference to 'math'"),
        ("nosuch(self)", "undeclared reference to 'nosuch'"),
        ("optional.of(1)" + ".optMap(x, x)" * 11 + ".hasValue()", "expression nested too deeply"),
    ],
)
def test_the_compiler_refuses_and_says_where(environment: CelEnvironment, source: str, error: str) -> None:
    with pytest.raises(CompileError) as refused:
        environment.compile(source)
    assert error in str(refused.value)


def test_what_runs_away_is_cut_off(environment: CelEnvironment) -> None:
    program = environment.compile("free.all(x, free.all(y, x != y || true))")
    meter = Meter(10_000)
    with pytest.raises(BudgetExceeded):
        program.evaluate({"free": list(range(1_000_000))}, meter=meter)
    assert 10_000 < meter.spent < 11_000


@pytest.mark.parametrize(
    "source",
    [
        "optional.of(free)"
        + "".join(f".optMap(x{at}, x{at} + x{at} + x{at} + x{at})" for at in range(10))
        + ".hasValue()",
        "free.map(x, free.map(y, 'aaaaaaaaaaaaaaaaaaaa').join('')).join('').size() > 0",
        "free.map(x, 'a').join('').replace('a', free.map(x, 'b').join('')).size() > 0",
        "'%s%s%s'.format([free, [free, free], free.map(x, free)]).size() > 0",
        "free.map(x, free) == free.map(x, free) && free.map(x, free) == free.map(x, free)"
        " && [0, 1, 2, 3].all(x, free.map(x, free) == free.map(x, free))",
        "free.map(x, [x, free]).exists(x, [7, free] in [[8, free]].map(y, y))",
    ],
)
def test_little_cannot_be_made_into_something_huge(environment: CelEnvironment, source: str) -> None:
    with pytest.raises(BudgetExceeded):
        environment.compile(source).evaluate({"free": list(range(5_000))})


@pytest.mark.parametrize(
    "source",
    [
        "int(free) > 0",
        "semver(free + '.0.0').major() > 0",
        "quantity('0.5').asInteger() > 0",
        "timestamp('9999-12-31T00:00:00Z') + duration('9000h') > timestamp('2020-01-01T00:00:00Z')",
        "'%.999999999f'.format([1.5]) == ''",
        "{dyn([1]): 1}.size() > 0",
        "[1].transformMap(i, x, {dyn([x]): 1}).size() > 5",
    ],
)
def test_whatever_goes_wrong_is_the_expressions_failure(environment: CelEnvironment, source: str) -> None:
    with pytest.raises(EvaluationError):
        environment.compile(source).evaluate({"free": "9" * 5_000})


def test_a_regular_expression_takes_no_time_whatever_it_is(environment: CelEnvironment) -> None:
    # Python's own engine would take years.
    assert evaluate(environment, f"!'{'a' * 60}!'.matches('^(a+)+$')") is True


def test_a_long_chain_is_no_deeper_than_it_must_be(environment: CelEnvironment) -> None:
    assert evaluate(environment, " || ".join(["self.replicas == 1"] * 200)) is False


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [
        ("self.replicas > 3", 2, 4),
        ("self.items.all(i, i.v > 1.0)", 2, 40),
        ("self.name == 'abcdefghij'", 2, 4),
        ("self.labels.all(k, v, v.contains('x'))", 1_000_000, 1e12),
        ("self == oldSelf", 2, 4),
        ("[1, 2].all(x, x > 0)", 10, 40),
    ],
)
def test_the_cost_is_known_beforehand(environment: CelEnvironment, source: str, low: float, high: float) -> None:
    assert low <= environment.compile(source).cost.high <= high


def test_which_variables_are_used_is_known(environment: CelEnvironment) -> None:
    assert environment.compile("self == oldSelf").used == {"self", "oldSelf"}
    assert environment.compile("self.replicas > 1").used == {"self"}


def test_an_optional_variable_may_be_absent() -> None:
    environment = CelEnvironment({"old": DeclType("optional", element=DeclType("string", max_elements=10))})
    program = environment.compile("old.orValue('none')")
    assert program.evaluate({"old": environment.bind("old", None)}) == "none"
    assert program.evaluate({"old": environment.bind("old", "x")}) == "x"


def test_a_library_adds_functions_of_its_own() -> None:
    signatures = ("authorizer.Authorizer.path(string): bool",)
    library = Library(signatures, {"path": lambda held, path: path in held})
    environment = CelEnvironment(
        {"authorizer": DeclType("abstract", name="authorizer.Authorizer")}, libraries=[library]
    )
    assert environment.compile("authorizer.path('/a')").evaluate({"authorizer": {"/a"}}) is True

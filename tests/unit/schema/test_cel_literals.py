"""Objects that expressions build, as mutations of admission policies do."""

import pytest

from generic.schema.cel.environment import CelEnvironment
from generic.schema.cel.errors import CompileError
from generic.schema.cel.types import DYN
from generic.schema.cel.values import Built

ENVIRONMENT = CelEnvironment({"object": DYN}, literals=True)


def test_an_object_of_any_type_and_any_field_can_be_built() -> None:
    program = ENVIRONMENT.compile("Object{spec: Object.spec{replicas: object.a + 1, ?none: optional.none()}}")
    made = program.evaluate({"object": {"a": 1}})
    assert made == {"spec": {"replicas": 2}}
    assert isinstance(made, Built)
    assert (made.type_name, made["spec"].type_name) == ("Object", "Object.spec")
    assert (program.result_type.kind, program.result_type.name) == ("message", "Object")


def test_what_looks_like_a_type_in_a_text_or_a_comment_stays() -> None:
    program = ENVIRONMENT.compile("""Object{a: "Object.b{", b: 'it\\'s Object.c{'} // Object.d{""")
    assert program.evaluate({}) == {"a": "Object.b{", "b": "it's Object.c{"}


def test_a_patch_operation_has_its_four_fields_and_no_others() -> None:
    source = "[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('x/y~z'), value: Object.a{b: [1]}}]"
    assert ENVIRONMENT.compile(source).evaluate({}) == [{"op": "add", "path": "/a/x~1y~0z", "value": {"b": [1]}}]
    with pytest.raises(CompileError, match="undefined field 'opp'"):
        ENVIRONMENT.compile("JSONPatch{opp: 'add'}")
    with pytest.raises(CompileError, match="expected type of field 'op' is 'string' but provided type is 'int'"):
        ENVIRONMENT.compile("JSONPatch{op: 1}")


def test_errors_speak_of_the_types_as_they_were_written() -> None:
    with pytest.raises(CompileError) as refused:
        ENVIRONMENT.compile("Object.spec.x{foo: bar}")
    assert str(refused.value) == (
        "ERROR: <input>:1:20: undeclared reference to 'bar' (in container '')\n"
        " | Object.spec.x{foo: bar}\n | ...................^"
    )


def test_of_a_name_with_dots_the_first_is_the_one_that_is_not_known() -> None:
    with pytest.raises(CompileError) as refused:
        ENVIRONMENT.compile("1 == foo.bar.baz")
    assert str(refused.value) == (
        "ERROR: <input>:1:6: undeclared reference to 'foo' (in container '')\n | 1 == foo.bar.baz\n | .....^"
    )


def test_without_leave_no_object_can_be_built() -> None:
    with pytest.raises(CompileError, match="undeclared reference to 'Object'"):
        CelEnvironment({"object": DYN}).compile("Object{a: 1}")

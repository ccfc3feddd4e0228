"""RE2, the regular expressions of Go: linear in time whatever the pattern, and strict about what a pattern may be.

The CEL engine brings it along. Called by the functions of CEL and by `generic/schema/rules.py` for `pattern`.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from cel_expr_python import cel

from generic.schema.cel.errors import EvaluationError

_INVALID = "invalid regular expression: "
_GO_WORDS = (
    ("invalid perl operator: ", "invalid or unsupported Perl syntax: "),
    ("missing ): ", "missing closing ): "),
    ("missing ]: ", "missing closing ]: "),
    ("invalid repetition size: ", "invalid repeat count: "),
    ("bad repetition operator: ", "invalid nested repetition operator: "),
    ("no argument for repetition operator: ", "missing argument to repetition operator: "),
    ("invalid named capture group: ", "invalid named capture: "),
)
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_REPETITION = re.compile(r"[*+{]")
_QUICK_LENGTH = 256
_FLAGS = re.compile(r"\(\?")


@cache
def _environment() -> Any:
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml("name: regex\nextensions:\n- name: optional\n- name: regex\n"),
        variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING},
    )


@cache
def _search() -> Any:
    return _environment().compile("text.matches(pattern)")


@cache
def _find_all() -> Any:
    return _environment().compile("regex.extractAll(text, pattern)")


@lru_cache(maxsize=4096)
def problem(pattern: str) -> str:
    """What Go says of a pattern that is none; empty if it is one."""
    result = _search().eval(data={"text": "", "pattern": pattern})
    if result.type() != cel.Type.ERROR:
        return ""
    _, _, said = str(result.value()).partition(_INVALID)
    for ours, go in _GO_WORDS:
        if said.startswith(ours):
            said = go + said.removeprefix(ours)
            break
    what, colon, which = said.partition(": ")
    return f"error parsing regexp: {what}: `{which}`" if colon else f"error parsing regexp: {said}"


def search(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere. Raises EvaluationError if it is none."""
    result = _search().eval(data={"text": text, "pattern": pattern})
    if result.type() == cel.Type.ERROR:
        raise EvaluationError(problem(pattern))
    return bool(result.value())


def find_all(pattern: str, text: str) -> list[str]:
    """All matches that do not overlap, whole. Raises EvaluationError if the pattern is none."""
    if problem(pattern):
        raise EvaluationError(problem(pattern))
    # Extraction returns what is in the group, if there is one.
    found: Any = _find_all().eval(data={"text": text, "pattern": _without_groups(pattern)}).plain_value()
    return [str(each) for each in found]


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[str], bool] | None:
    """A test of texts by one pattern; None if it is none.

    Python's own engine is twenty times faster on what cannot make it slow: few repetitions, no group's, short text.
    """
    if problem(pattern):
        return None
    quick = _quick(pattern)

    def test(text: str) -> bool:
        if quick is not None and len(text) <= _QUICK_LENGTH:
            return quick(text) is not None
        return search(pattern, text)

    return test


def _quick(pattern: str) -> Callable[[str], Any] | None:
    if _REPEATED_GROUP.search(pattern) or len(_REPETITION.findall(pattern)) > 2 or not pattern.isascii():
        return None
    if re.search(r"\\[^\\.\[\](){}^$*+?|/-]|\(\?|\[\[|\[:|\{,", pattern):
        # Classes, flags and repetitions whose meaning differs between the two.
        return None
    # RE2's `$` is the very end of the text; Python's is also before a last line end.
    exact = re.sub(r"(?<!\\)((?:\\\\)*)\$(?=$|\)|\|)", r"\1\\Z", pattern)
    try:
        return re.compile(exact).search
    except re.error:
        return None


@lru_cache(maxsize=4096)
def _without_groups(pattern: str) -> str:
    """The same pattern, capturing nothing."""
    made, at, in_class = [], 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            if pattern[at + 1] == "Q" and not in_class:
                end = pattern.find("\\E", at)
                end = len(pattern) if end < 0 else end + 2
                made.append(pattern[at:end])
                at = end
                continue
            made.append(pattern[at : at + 2])
            at += 2
            continue
        if in_class:
            in_class = char != "]" or pattern[at - 1] == "[" or pattern[at - 2 : at] == "[^"
            if pattern.startswith("[:", at) and (end := pattern.find(":]", at)) > 0:
                made.append(pattern[at : end + 2])
                at, in_class = end + 2, True
                continue
        elif char == "[":
            in_class = True
        elif char == "(":
            name = re.compile(r"\(\?P?<[^>]*>").match(pattern, at)
            made.append("(?:" if name or not _FLAGS.match(pattern, at) else "(")
            at = name.end() if name else at + 1
            continue
        made.append(char)
        at += 1
    return "".join(made)

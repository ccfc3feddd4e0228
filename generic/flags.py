"""Types of flags that argparse has not, read as kube-apiserver reads them.

Called by the options modules as `type=` of an argument. Mirrors `spf13/pflag`, and the parsers of Go's standard library
behind it.
"""

import argparse
import ipaddress

from generic.meta.durations import parse_duration

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


def boolean(text: str) -> bool:
    """What `strconv.ParseBool` takes for true or false."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is not true or false")


def duration(text: str) -> float:
    """Seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def listed(text: str) -> tuple[str, ...]:
    """The parts between commas, empty ones left out."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def address(text: str) -> str:
    """An IP address, in the spelling of `ipaddress`."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an IP address") from None


def port(text: str) -> int:
    """0 is one too: any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} must be between 0 and 65535")
    return int(text)


def add_boolean(parser: argparse._ActionsContainer, name: str, *, default: bool, help: str = "") -> None:
    """A flag that says true if it stands alone, as in Go."""
    parser.add_argument(name, type=boolean, nargs="?", const=True, default=default, metavar="BOOL", help=help)

"""Which admission plugins run, and in which order."""

import argparse

import pytest

from generic.admission.interface import Attributes
from kubeapi.admission import options
from kubeapi.admission.order import DEFAULT_ON, PluginSelection


class Named:
    """A plugin that only has a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def handles(self, attributes: Attributes) -> bool:
        return False


def _parsed(*arguments: str) -> PluginSelection:
    parser = argparse.ArgumentParser()
    options.add_flags(parser)
    return options.from_arguments(parser.parse_args(arguments))


def test_plugins_run_in_their_order_but_those_that_are_off() -> None:
    plugins = [Named(name) for name in reversed(DEFAULT_ON)]
    chain = _parsed("--disable-admission-plugins", "LimitRanger,PodSecurity").chain(plugins)
    assert [plugin.name for plugin in chain] == [
        name for name in DEFAULT_ON if name not in ("LimitRanger", "PodSecurity")
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--enable-admission-plugins", "Nope"), 'enable-admission-plugins plugin "Nope" is unknown'),
        (("--disable-admission-plugins", "Nope"), 'disable-admission-plugins plugin "Nope" is unknown'),
        (
            ("--enable-admission-plugins=Priority", "--disable-admission-plugins=Priority"),
            r"\[Priority\] in enable-admission-plugins and disable-admission-plugins overlapped",
        ),
        (("--enable-admission-plugins=AlwaysDeny",), 'plugin "AlwaysDeny" is not implemented'),
    ],
)
def test_a_selection_that_cannot_be_is_refused(arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        _parsed(*arguments).check()


def test_naming_what_is_on_or_what_is_not_there_anyway_is_fine() -> None:
    _parsed("--enable-admission-plugins=ResourceQuota", "--disable-admission-plugins=NodeRestriction").check()

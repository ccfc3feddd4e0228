"""The flags that turn admission plugins on and off.

Part of the options of `trikube up`. Mirrors `apiserver/pkg/server/options/admission.go`.
"""

import argparse

from generic import flags
from kubeapi.admission.order import DEFAULT_ON, PluginSelection


def add_flags(parser: argparse.ArgumentParser) -> None:
    """With kube-apiserver's names."""
    known = f"There are {', '.join(DEFAULT_ON)}; their order is always the same"
    parser.add_argument(
        "--enable-admission-plugins",
        default="",
        metavar="NAMES",
        help="admission plugins to turn on besides those that are on, comma separated: all there are",
    )
    parser.add_argument(
        "--disable-admission-plugins",
        default="",
        metavar="NAMES",
        help=f"admission plugins to turn off, comma separated. {known}",
    )


def from_arguments(parsed: argparse.Namespace) -> PluginSelection:
    """What was given. Not checked yet."""
    return PluginSelection(
        enabled=flags.listed(parsed.enable_admission_plugins), disabled=flags.listed(parsed.disable_admission_plugins)
    )

"""`/version`: which Kubernetes version this server speaks, and which build it is.

Mirrors `apimachinery/pkg/version.Info` and KEP-4330's emulation fields.
"""

import platform
from dataclasses import dataclass

from generic.types import JSONObject

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""As Go calls them, where it calls them otherwise."""

SPOKEN = "1.37"
"""The Kubernetes minor whose API machinery this is, for servers that have no built-in kinds to tell it by."""


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """`minor_version` is a Kubernetes minor such as `1.37`; `build` names the trikube release.

    `emulated_version`: the older minor it behaves like; empty if it is itself.
    """

    minor_version: str
    build: str
    emulated_version: str = ""

    def to_object(self) -> JSONObject:
        """The document `/version` answers with. clients parse major, minor and gitVersion."""
        major, _, minor = self.minor_version.partition(".")
        # As in Kubernetes, a server says what it is, and beside it what it behaves like.
        emulated_major, _, emulated_minor = (self.emulated_version or self.minor_version).partition(".")
        machine = platform.machine().lower()
        return {
            "major": major,
            "minor": minor,
            "emulationMajor": emulated_major,
            "emulationMinor": emulated_minor,
            "minCompatibilityMajor": emulated_major,
            "minCompatibilityMinor": str(max(int(emulated_minor) - 1, 0)),
            "gitVersion": f"v{self.minor_version}.0+trikube-{self.build}",
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": platform.python_implementation().lower(),
            "platform": f"{platform.system().lower()}/{_ARCHITECTURES.get(machine, machine)}",
        }

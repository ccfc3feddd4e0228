"""Which release of trikube this is. Read by `trikube/controlplane.py` and `trikube version`."""

from importlib import metadata

try:
    BUILD = metadata.version("trikube")
except metadata.PackageNotFoundError:
    # Run from a checkout that nobody installed.
    BUILD = "0+unknown"

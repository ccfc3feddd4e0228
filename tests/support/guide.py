"""The code blocks of a guide as files, so that a test can run what a reader would type.

A block whose first line is a comment that names a file (`# test_first.py`) is that file.
"""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"

_BLOCK = re.compile(r"^```\w+\n(?P<text># (?P<name>[\w./-]+\.\w+)\n.*?)^```$", re.MULTILINE | re.DOTALL)


def write_files(guide: str, folder: Path) -> list[str]:
    """Write the files of `docs/<guide>` into `folder`; their names, in order."""
    names = []
    for block in _BLOCK.finditer((DOCS / guide).read_text()):
        path = folder / block["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["text"])
        names.append(block["name"])
    return names


def commands(guide: str) -> list[str]:
    """The lines of the `sh` blocks of `docs/<guide>`, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (DOCS / guide).read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]

"""The table of docs/build-an-aa.md names examples and tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| (?P<feature>[^|]+) \| (?P<examples>[^|]*)\| (?P<tests>`[^|]+) \|$", re.MULTILINE)


def test_every_feature_has_an_example_and_a_test_that_exist() -> None:
    rows = list(ROW.finditer((ROOT / "docs" / "build-an-aa.md").read_text().partition("| feature |")[2]))
    assert len(rows) > 15
    for row in rows:
        named = [name.strip() for name in row["examples"].split(",") if name.strip() not in ("", "all")]
        paths = [ROOT / "examples" / name for name in named]
        paths += [ROOT / "tests" / name for name in re.findall(r"`([^`]+)`", row["tests"])]
        assert [path for path in paths if not path.exists()] == [], row["feature"]

"""`python -m tools.real.differ FOLDER [SCENARIO[:KINDS] ...]`: FOLDER as given to `up.sh`; no names: all scenarios."""

import sys
from pathlib import Path

from tools.real.differ import scenarios
from tools.real.differ.asking import Pair


def main() -> int:
    folder, *wanted = sys.argv[1:]
    pair = Pair(Path(folder))
    for name, scenario in scenarios.ALL.items():
        if not wanted or any(name == each.partition(":")[0] for each in wanted):
            arguments = [each.partition(":")[2] for each in wanted if name == each.partition(":")[0]]
            sys.stdout.write(f"== {name}\n")
            scenario(pair, arguments[0] if arguments else "")
    sys.stdout.write(f"\n{pair.asked} asked, {pair.differing} differ, {len(pair.seen)} different differences\n")
    return bool(pair.differing)


sys.exit(main())

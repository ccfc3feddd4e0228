"""`python -m trikube.testing.leash MODULE ...`: run a module as `python -m` does, and end it with whoever started it.

Its standard input is a pipe nobody writes to. It ends when the starter does, were that by SIGKILL, and then this
process stops as on SIGTERM: no server outlives its tests. Started by `leashed.LeashedProcess`.
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """The module's name and arguments are those of the command line."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    # Not sys.stdin: its lock, held by a thread that waits, makes the interpreter's end a crash.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()

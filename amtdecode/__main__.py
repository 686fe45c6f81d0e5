"""`python -m amtdecode` and the `amtdecode` command."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

INTERRUPTED = 130  # as a shell says it: 128 and the number of the signal


def main() -> None:
    """Run the command line and exit with its code (docs/architecture.md §6)."""
    try:
        _main()
    except KeyboardInterrupt:  # while modules were loaded, or once more while the first was told
        os._exit(INTERRUPTED)


def _main() -> None:
    from amtdecode.cli.main import run

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us (`>&-`)
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for as long as we run
    from amtdecode.cli.console import register

    handler = register()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=handler)  # a terminal that has no arrows still gets the line
    code = run(sys.argv[1:])
    if code:
        sys.exit(code)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # all is written; the system takes the memory back faster than Python does, object by object


if __name__ == "__main__":
    main()

"""`python -m amtdecode` and the `amtdecode` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code (docs/architecture.md §6)."""
    from amtdecode.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

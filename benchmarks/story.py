"""What `diagnose` keeps of each machine, without the findings: for the memory goal, which does not count them."""

from __future__ import annotations

import sys

from amtdecode.cli.common import Inputs, calm_collector
from amtdecode.diagnosis.inputs import gather, sort_inputs


def main(path: str) -> None:
    """Put the story of a capture together."""
    kinds = sort_inputs([path])
    calm_collector()
    gather(kinds, None, Inputs(kinds.captures, quiet=True, count=None).packets)


if __name__ == "__main__":
    main(sys.argv[1])

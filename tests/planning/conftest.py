"""The makers of captures and chains live beside the package, and with the tests of the diagnosis."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "diagnosis")]

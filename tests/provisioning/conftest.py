"""The laboratory of the diagnosis, and the makers of captures beside the package."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "diagnosis")]

"""Prints the oldest version of each run-time requirement that pyproject.toml allows, as constraints for pip."""

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
own = project["dependencies"] + [need for name in ("zstd", "lz4", "live", "report", "tui") for need in extras[name]]
print("\n".join(need.replace(">=", "==") for need in own))

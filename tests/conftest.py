"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from sharkd import Sharkd

from amtdecode.engine import stack

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile(
    "default",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,  # a check of a commit says the same each time; new examples are found elsewhere
)
settings.load_profile("default")

stack.RAISE_FAULTS = True

# A runner in the background ignores Ctrl-C, and so would every command that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


def pytest_sessionstart() -> None:
    """A module that was compiled from older sources would make tests fail oddly, or pass wrongly."""
    built = min((path.stat().st_mtime for path in (ROOT / "amtdecode").rglob("*.abi3.so")), default=None)
    sources = [path for path in (ROOT / "lane").rglob("*.[ch]") if built is not None and path.stat().st_mtime > built]
    if sources:
        pytest.exit(f"{sources[0].name} is newer than what was compiled: pip install -e '.[test]'", returncode=1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared captures and data beside the checkout; tests that need it are skipped where it is absent."""
    path = Path(os.environ.get("AMTDECODE_SHARED", ROOT.parent / "shared"))
    if not (path / "captures" / "MANIFEST.tsv").exists():
        pytest.skip(f"no shared captures at {path}")
    return path


@pytest.fixture(scope="session")
def tshark() -> str:
    """The outside oracle; comparisons are skipped where it is not installed."""
    path = shutil.which("tshark")
    if path is None:
        pytest.skip("tshark is not installed")
    return path


@pytest.fixture(scope="session")
def sharkd(tshark: str) -> Iterator[Sharkd]:
    """tshark as a server, which needs no start for each capture."""
    with Sharkd(tcp__reassemble_out_of_order="TRUE") as server:
        yield server


@pytest.fixture(scope="session")
def meshcentral() -> Path:
    """The folder of MeshCentral's npm package, which AMTDECODE_MESHCENTRAL names; node runs what is in it."""
    folder = os.environ.get("AMTDECODE_MESHCENTRAL", "")
    path = Path(folder).absolute()
    if not folder or not (path / "mpsserver.js").exists() or shutil.which("node") is None:
        pytest.skip("no node, or no MeshCentral (AMTDECODE_MESHCENTRAL)")
    return path

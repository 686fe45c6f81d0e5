"""What tests of archives share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from archives import PCAPS, rotated

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """Two sensors; berlin's hellos are in three rotated files, the second cut between packets of one connection."""
    folder = tmp_path / "captures"
    (folder / "berlin").mkdir(parents=True)
    (folder / "rome").mkdir()
    for number, data in enumerate(rotated((PCAPS / "hello.pcap").read_bytes(), (13, 40))):
        (folder / "berlin" / f"ring_{number}.pcap").write_bytes(data)
    shutil.copy(PCAPS / "presence.pcapng", folder / "rome")
    return folder

"""The packets that a filter selects, each capture read once with all rooms, and judged for each filter."""

from __future__ import annotations

from pathlib import Path

import pytest
from decoded_once import decoded

import amtdecode
from amtdecode.filter import compile_filter

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def select():
    """The numbers of the packets that pass."""

    def selected(path, text):
        passes = compile_filter(text).passes
        return [packet.number for packet in decoded(str(path)) if passes(packet.facts)]

    return selected


@pytest.fixture(scope="session")
def by_library():
    """The same as a program gets them."""
    return lambda path, text: [packet.number for packet in amtdecode.packets(path, filter=text)]


@pytest.fixture(scope="session")
def pcaps():
    return ROOT / "pcaps"

"""Drives the text interface by textual's Pilot; what reads beside it is a thread."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

pytest.importorskip("textual", reason="textual is not installed")

from amtdecode.protocols.registry import REGISTRY
from amtdecode.tui.app import Tui
from amtdecode.tui.reading import Job
from amtdecode.tui.starting import beside
from amtdecode.tui.store import Store

SCREENS = Path(__file__).parent / "screens"
ANEW = "AMTDECODE_SCREENS"  # in the environment: write the screens anew


class Driver:
    """A screen that is being used."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    @property
    def lines(self):
        """What the screen shows, line by line."""
        rows = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in row).rstrip() for row in rows]

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    async def keys(self, *keys):
        """Press keys, one after the other."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text):
        """Type a text."""
        names = {" ": "space", "=": "equals_sign", ".": "full_stop", '"': "quotation_mark", "/": "slash"}
        await self.keys(*(names.get(letter, letter) for letter in text))

    async def until(self, condition, seconds=20):
        """Wait for something that comes from the reader."""
        for _ in range(seconds * 50):
            await self.pilot.pause(0.02)
            if condition():
                await self.pilot.pause()
                return
        raise AssertionError(f"it did not come:\n{self.text}")

    async def read(self):
        """Wait until all is read, diagnosed, decoded and drawn."""
        await self.until(lambda: self.app.is_settled)
        await self.pilot.pause(0.1)

    async def decoded(self):
        """Wait until what is in view is decoded, and drawn."""
        looking, packets = self.app._looking, self.app.packets.list
        await self.until(lambda: not self.app._dirty and all(looking.of(row) is not None for row in packets.wanted()))
        await self.pilot.pause(0.1)

    def matches(self, name):
        """Compare the whole screen with one that is kept."""
        path = SCREENS / f"{name}.txt"
        if os.environ.get(ANEW):
            path.write_text(self.text)
        assert self.text == path.read_text()


@pytest.fixture
def drive():
    """Runs a scenario, `async def scenario(driver)`, on captures or on packets given one by one."""

    def run(scenario, *names, size=(80, 24), packets=None, again=True, called="capture", keys=None, **options):
        async def main():
            job = Job(list(names) or [called], keys, REGISTRY, packets=packets, again=again)
            app = Tui(job, beside(job, Store(job.names), process=False), called, **options)
            async with app.run_test(size=size) as pilot:
                await scenario(Driver(app, pilot))

        asyncio.run(main())

    return run


@pytest.fixture
def pcaps():
    """The folder of captures."""
    return Path(__file__).resolve().parents[2] / "pcaps"

"""Makes the pictures of the text interface: `python docs/pictures/tui.py`, from the top of the checkout.

They are what textual exports of the screen, with pcaps/office.pcapng, which is synthetic.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amtdecode.protocols.registry import REGISTRY
from amtdecode.tui.app import Tui
from amtdecode.tui.reading import Job
from amtdecode.tui.starting import beside
from amtdecode.tui.store import Store

if TYPE_CHECKING:
    from textual.pilot import Pilot

FOLDER = Path(__file__).parent
CAPTURE = "pcaps/office.pcapng"
SIZE = (110, 30)
PICTURES = {
    # name: keys, and a text on the screen that says that it is complete
    "tui-packets": (("g", "1", "4", "enter", "enter", "down", "down", "down", "down"), "iamt.hello.uuid"),
    "tui-machines": (("m", "down"), "AMT-HELLO-003"),
}
WAIT = 100  # looks, a tenth of a second apart


async def picture(name: str, keys: tuple[str, ...], shown: str) -> None:
    """Use the screen, and keep what it shows."""
    job = Job([CAPTURE], None, REGISTRY)
    app = Tui(job, beside(job, Store([CAPTURE]), process=False), CAPTURE)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.is_settled)
        for key in keys:
            await pilot.press(key)
            await until(pilot, lambda: app.is_settled)
        await until(pilot, lambda: shown in app.export_screenshot().replace("&#160;", " "))
        svg = app.export_screenshot(title=f"amtdecode tui {CAPTURE}")
    svg = re.sub(r"terminal-\d+", "terminal", svg)  # names that differ each time
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # nothing is fetched to look at it
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")


async def until(pilot: Pilot[None], condition: object) -> None:
    """Wait for something that the reader brings. Ends the program where it does not come."""
    for _ in range(WAIT):
        await pilot.pause(0.1)
        if callable(condition) and condition():
            return
    sys.exit("it did not come")


def main() -> None:
    """Make all pictures."""
    for name, (keys, shown) in PICTURES.items():
        asyncio.run(picture(name, keys, shown))


if __name__ == "__main__":
    main()

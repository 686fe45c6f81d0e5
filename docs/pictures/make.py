"""Takes the picture of the report anew: `python docs/pictures/make.py` (extras `report` and `browser`, chromium).

The report of `pcaps/office.pcapng`, one machine opened.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import amtdecode

HERE = Path(__file__).resolve().parent
CAPTURE = HERE.parents[1] / "pcaps" / "office.pcapng"
SIZE = {"width": 1000, "height": 1180}


def main() -> None:
    """Write the picture beside this file."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "office.html"
        page.write_text(amtdecode.diagnose(CAPTURE).to_html(), "utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport=SIZE, color_scheme="light")
        shown.goto(page.as_uri())
        shown.click("details.machine summary >> nth=2")
        shown.locator("details.machine >> nth=2").evaluate("each => each.scrollIntoView()")
        shown.screenshot(path=HERE / "report.png")
        browser.close()


if __name__ == "__main__":
    main()

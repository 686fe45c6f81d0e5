"""The page in a real browser: Debian's chromium, driven by Playwright. Skipped, saying so, where either is missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_html_report import HOSTILE, of_words

import amtdecode

if TYPE_CHECKING:
    from collections.abc import Iterator

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[browser]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("no chromium: apt-get install chromium", allow_module_level=True)
PCAPS = Path(__file__).resolve().parents[2] / "pcaps"


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "office.html"
    path.write_text(amtdecode.diagnose(PCAPS / "office.pcapng").to_html(), "utf-8")
    return path.as_uri()


class Watched:
    """A page, what it said on the console, and what it asked the network for."""

    def __init__(self, browser: sync_api.Browser, address: str, **context: object) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def open_all(self) -> None:
        self.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        self.page.wait_for_function("!document.querySelector('details[open] noscript')")


def test_nothing_leaves_the_page_and_nothing_is_refused(browser: sync_api.Browser, office: str) -> None:
    watched = Watched(browser, office)
    watched.open_all()
    assert watched.said == []
    assert watched.asked == [office]
    names = watched.page.eval_on_selector_all("svg", "all => all.map(each => each.getAttribute('aria-label'))")
    assert len(names) == 4
    assert all(name.startswith("Dialogue of ") for name in names)
    arrows = watched.page.evaluate(
        "[...document.querySelectorAll('figure')].map(each => [each.querySelectorAll('.way').length,"
        " each.nextElementSibling.querySelectorAll('tbody tr:not(.gap):not(.bad)').length])"
    )
    assert all(drawn == listed > 0 for drawn, listed in arrows)
    watched.context.close()


def test_captured_text_cannot_run(browser: sync_api.Browser, tmp_path: Path) -> None:
    for number, words in enumerate(HOSTILE):
        path = tmp_path / f"{number}.html"
        path.write_text(of_words(words), "utf-8")
        watched = Watched(browser, path.as_uri())
        watched.open_all()
        assert watched.said == []
        assert watched.asked == [path.as_uri()]
        assert watched.page.locator("h1").count() == 1
        assert watched.page.locator("img, iframe, object").count() == 0
        assert watched.page.locator("script").count() == 1
        watched.context.close()


def test_the_table_sorts_and_filters_by_keyboard(browser: sync_api.Browser, office: str) -> None:
    watched = Watched(browser, office)
    page = watched.page
    page.focus("#words")
    page.keyboard.type("psk contact")
    assert page.inner_text("#count") == "1 of 4"
    assert page.locator("#all tbody tr:visible").count() == 1
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    assert page.inner_text("#count") == "4 of 4"
    for _ in range(4):  # the region of the table, and three columns
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#all th[aria-sort=ascending]").inner_text().startswith("Address")
    addresses = "all => all.map(each => each.cells[2].textContent.trim())"
    assert page.eval_on_selector_all("#all tbody tr", addresses) == [f"192.0.2.{n}" for n in (21, 22, 23, 24)]
    page.keyboard.press("Enter")
    assert page.eval_on_selector_all("#all tbody tr", addresses) == [f"192.0.2.{n}" for n in (24, 23, 22, 21)]
    watched.context.close()


def test_a_link_opens_what_it_leads_to(browser: sync_api.Browser, office: str) -> None:
    watched = Watched(browser, office)
    watched.page.click("#all tbody a >> nth=0")
    assert watched.page.locator("details.machine[open]").count() == 1
    assert watched.page.locator("details.machine[open] svg").count() == 1
    watched.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: sync_api.Browser, office: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[browser]'")
    watched = Watched(browser, office, color_scheme=scheme)
    watched.open_all()
    found = axe.Axe().run(watched.page).response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []
    watched.context.close()


def test_a_phone_needs_no_sideways_scrolling_of_the_page(browser: sync_api.Browser, office: str) -> None:
    watched = Watched(browser, office, viewport={"width": 360, "height": 740})
    watched.open_all()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360
    watched.context.close()


def test_without_scripts_it_reads(browser: sync_api.Browser, office: str) -> None:
    watched = Watched(browser, office, java_script_enabled=False)
    watched.page.click("details.machine summary >> nth=0")
    assert watched.page.locator("table.ladder >> nth=0").is_visible()
    assert "DNS query A provisionserver" in watched.page.inner_text("table.ladder >> nth=0")
    assert not watched.page.locator("#filter").is_visible()
    watched.context.close()


def test_print_shows_all(browser: sync_api.Browser, office: str) -> None:
    watched = Watched(browser, office)
    watched.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    watched.page.emulate_media(media="print")
    assert watched.page.locator("details:not([open])").count() == 0
    assert watched.page.locator("svg:visible").count() == 4
    assert not watched.page.locator("nav").is_visible()
    watched.context.close()

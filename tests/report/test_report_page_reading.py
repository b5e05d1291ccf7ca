"""Who reads the HTML report: on a train, by keyboard, by ear, in the dark, on a phone, on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.helpers.browser import Browser
from tests.helpers.report_account import EVIL


def test_nothing_is_asked_of_any_host(browser: Browser, report_page: Path) -> None:
    browser.open(report_page)
    assert browser.requests() == []
    assert browser.complaints() == []
    found = browser.script("return fetch('http://127.0.0.1:9/').then(() => 'asked', (fault) => String(fault))")
    assert "Failed to fetch" in found
    assert any("Content Security Policy" in complaint for complaint in browser.complaints())


def test_a_filter_changes_the_numbers_and_the_address_which_brings_them_back(
    browser: Browser, report_page: Path
) -> None:
    browser.open(report_page, "#from=2026-11-01&to=2026-11-09")
    everything = browser.text("#cards")
    browser.click("input[type=checkbox][value=two]")
    assert browser.text(".value") == "$0.60"
    assert browser.text("#looked-at") == "1 Nov – 9 Nov 2026; workspace two"
    address = browser.script("return location.hash")
    assert address == "#from=2026-11-01&to=2026-11-09&workspace=two"
    filtered = sorted(browser.text("#figures").split("\n"))  # labels of axes may come in another order
    browser.open(report_page, address)
    assert browser.text(".value") == "$0.60"
    assert sorted(browser.text("#figures").split("\n")) == filtered
    browser.script("location.hash = '#from=2026-11-01&to=2026-11-09'; document.body.dataset.state = 'waiting'")
    assert browser.drawn().text("#cards") == everything


def test_charts_follow_a_filter(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, "#from=2026-11-01&to=2026-11-09")
    shown = "return document.querySelector('#workflows svg').textContent"
    assert "Gone" in browser.script(shown)
    browser.click("input[type=checkbox][value=evil]")
    assert "Gone" not in browser.script(shown)
    assert "</script><img" in browser.script(shown)


def test_names_that_would_be_scripts_stay_text(browser: Browser, report_page: Path) -> None:
    browser.open(report_page)
    browser.figures()
    assert EVIL not in report_page.read_text()
    assert browser.script("return document.querySelectorAll('img').length") == 0
    assert EVIL in browser.script("return document.querySelector('#workflows table').textContent")
    assert browser.complaints() == []


def test_everything_is_reached_and_worked_by_keyboard(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, "#from=2026-11-01&to=2026-11-09")
    seen = []
    while len(seen) < 100 and (stop := browser.tab())["name"] != "body":
        assert stop["shown"], stop
        assert stop["outline"] != "none", stop
        seen.append((stop["figure"], stop["name"], stop["text"].partition(":")[0]))
    texts = [text for _, __, text in seen]
    for wanted in (
        "Skip to the charts",
        "Change between light and dark",
        "Last 7 days",
        "Workspace",
        "Workflow",
        "Trigger",
    ):
        assert wanted in texts
    for figure in browser.script("return [...document.querySelectorAll('figure')].map((each) => each.id)"):
        mine = [(name, text) for of, name, text in seen if of == figure]
        assert {"Table", "SQL"} <= {text for name, text in mine if name == "summary"}, figure
        assert any(text.startswith("Copy SQL of") for _, text in mine), figure


def test_a_filter_is_set_and_sql_copied_by_keyboard(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, "#from=2026-11-01&to=2026-11-09")
    browser.script("document.querySelectorAll('.choice summary')[2].focus()")
    browser.press(Keys.ENTER)
    browser.tab()
    browser.press(Keys.SPACE)
    assert "trigger=" in browser.drawn().script("return location.hash")
    browser.press(Keys.ESCAPE)
    assert browser.script("return document.activeElement.innerText").startswith("Trigger:")
    browser.script("document.querySelector('#spend .copy').focus()")
    browser.press(Keys.ENTER)
    browser.script("return new Promise((resume) => setTimeout(resume))")
    assert browser.text("[role=status]") == "SQL of Spend over time copied."


def test_skipping_to_the_charts_leaves_the_filters_as_they_are(browser: Browser, report_page: Path) -> None:
    address = "#from=2026-11-05&to=2026-11-05"
    browser.open(report_page, address)
    assert browser.tab()["text"] == "Skip to the charts"
    browser.press(Keys.ENTER)
    assert browser.script("return [document.activeElement.id, location.hash]") == ["figures", address]
    assert browser.tab()["figure"] == "spend"


def test_a_day_before_the_first_one_takes_it_along(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, "#from=2026-11-05&to=2026-11-09")
    set_day = (
        "const box = document.querySelectorAll('input[type=date]')[arguments[0]];"
        "box.value = arguments[1]; box.dispatchEvent(new Event('change'))"
    )
    browser.script(set_day, 1, "2026-11-02")
    assert browser.drawn().text("#looked-at") == "2 Nov 2026"
    browser.script(set_day, 0, "2026-11-06")
    assert browser.drawn().text("#looked-at") == "6 Nov 2026"


def test_charts_are_described_for_those_who_do_not_see_them(browser: Browser, report_page: Path) -> None:
    browser.open(report_page)
    labels = browser.script(
        "return [...document.querySelectorAll('.chart:not([hidden])')].map((each) => "
        "[each.getAttribute('role'), each.getAttribute('aria-label')])"
    )
    assert len(labels) == 11
    for role, label in labels:
        assert role == "img"
        assert "The table has the numbers." in label
    assert any("$900,720.52 in total" in label for _, label in labels)
    unlabelled = (
        "return [...document.querySelectorAll('input, button, select')]"
        ".filter((each) => !(each.labels?.length || each.ariaLabel || each.innerText.trim())).length"
    )
    assert browser.script(unlabelled) == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("media", ["screen", "print"])
def test_text_and_marks_stand_out_from_what_is_behind_them(
    browser: Browser, report_page: Path, dark: bool, media: str
) -> None:
    browser.open(report_page, dark=dark, media=media)
    ground, *found = browser.script(COLOURS)
    assert (sum(ground) > 3 * 128) is (not dark or media == "print")
    assert len(found) > 20
    for what, colour, behind, least in found:
        assert contrast(colour, behind) >= least, (what, colour, behind)


COLOURS = """
const channels = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const solid = (text) => !/rgba\\(.*, 0\\)|transparent/.test(text);
const behind = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (solid(colour)) return channels(colour);
  }
};
const found = [behind(document.body)];
for (const each of document.querySelectorAll("h1, h2, p, summary, button, label, th, td, pre")) {
  if (each.checkVisibility()) found.push([each.tagName, channels(getComputedStyle(each).color), behind(each), 4.5]);
}
for (const each of document.querySelectorAll("svg text")) {
  found.push(["text of a chart", channels(getComputedStyle(each).fill), found[0], 4.5]);
}
const probe = document.body.appendChild(document.createElement("i"));
for (let at = 1; at <= 9; at++) {
  probe.style.color = `var(--c${at})`;
  found.push([`colour ${at}`, channels(getComputedStyle(probe).color), found[0], 3]);
}
probe.remove();
return found;
"""


def contrast(one: list[float], other: list[float]) -> float:
    """As WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[float]) -> float:
    parts = [value / 255 for value in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_theme_is_the_systems_until_somebody_chooses(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, dark=True)
    ground = "return getComputedStyle(document.body).backgroundColor"
    dark = browser.script(ground)
    browser.click("#theme")
    assert browser.script(ground) == "rgb(255, 255, 255)" != dark


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, width=375)
    browser.figures()
    browser.script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.script("return document.documentElement.scrollWidth") <= 375


def test_on_paper_there_is_nothing_to_click(browser: Browser, report_page: Path) -> None:
    browser.open(report_page, media="print")
    clickable = (
        "return [...document.querySelectorAll('button, input, summary')]"
        ".filter((each) => each.checkVisibility()).map((each) => each.outerHTML)"
    )
    assert browser.script(clickable) == []

"""A real browser without a screen and without any network, as a person with the mailed page has one on a train."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 60
NOWHERE = "127.0.0.1:9"
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    f"--proxy-server={NOWHERE}",
    "--proxy-bypass-list=<-loopback>",
    "--window-size=1280,900",
)


def skip_reason() -> str | None:
    """Why no browser can be started here, or None where one can."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)} (apt-get install chromium chromium-driver)" if missing else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts Debian's Chromium by Debian's driver: nothing is downloaded."""
    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """What tests do with a page."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def open(self, file: Path, address: str = "", width: int = 1280, dark: bool = False, media: str = "") -> Browser:
        """Opens a page anew, and waits until all of it is drawn."""
        self.driver.get("about:blank")
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setEmulatedMedia", media=media, features=theme)
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
        )
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(file.as_uri() + address)
        return self.drawn()

    def drawn(self) -> Browser:
        """Waits until everything is drawn."""
        WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.05).until(
            lambda driver: driver.execute_script("return document.body.dataset.state === 'drawn'")
        )
        return self

    def script(self, text: str, *args: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(text, *args)

    def command(self, name: str, **more: Any) -> Any:
        """A command of the browser's own protocol."""
        return self.driver.execute_cdp_cmd(name, more)

    def text(self, selector: str) -> str:
        """What a person reads there."""
        return str(self.script("return document.querySelector(arguments[0]).innerText", selector))

    def click(self, selector: str) -> Browser:
        """Clicks, and waits until that is drawn."""
        self.script("document.querySelector(arguments[0]).click()", selector)
        return self.drawn()

    def press(self, *keys: str) -> None:
        """Presses keys, wherever the focus is."""
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def tab(self) -> dict[str, Any]:
        """Presses the tabulator; says where that led."""
        self.press(Keys.TAB)
        return dict(self.script(_FOCUSED))

    def complaints(self) -> list[str]:
        """What the console says."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the page was opened, the page's own and those without a host left out."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        assert any(url.startswith("file:") for url in asked), "requests are not recorded"
        return [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]

    def figures(self) -> dict[str, tuple[str, Sequence[Sequence[str | None]]]]:
        """Every figure's SQL, and its table as text that is exact."""
        self.script("document.querySelectorAll('details.rows').forEach((each) => { each.open = true; })")
        WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(
                "return [...document.querySelectorAll('details.rows .scroll')].every((each) => each.firstChild)"
            )
        )
        return {name: (sql, rows) for name, sql, rows in self.script(_FIGURES)}


_FOCUSED = """
const it = document.activeElement;
const box = it.getBoundingClientRect();
return {
  name: it.tagName.toLowerCase(), text: (it.getAttribute("aria-label") ?? it.innerText).trim(),
  figure: it.closest("figure")?.id ?? null, shown: box.width > 0 && box.height > 0,
  outline: getComputedStyle(it).outlineStyle,
};
"""
_FIGURES = """
return [...document.querySelectorAll("figure")].map((figure) => [
  figure.id,
  figure.querySelector("code").textContent,
  [...figure.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.dataset.value ?? null)),
]);
"""

"""The README's pictures, from the demo: `python -m tests.browser.pictures`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import Browsers
from tests.browser.product import Product
from tests.fixtures.browsers import CHROMIUM, FLAGS

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PATH = "/contacts?lifecycle_stage=Customer&sort=-updated_at"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    product = Product()
    try:
        product.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for theme in THEMES:
                take(browser, product, theme)
            browser.close()
    finally:
        product.discard()


def take(browser: Browser, product: Product, theme: Literal["light", "dark"]) -> None:
    browsers = Browsers(browser, product)
    page = browsers.log_in("alice", color_scheme=theme, viewport={"width": 1360, "height": 660})
    answer = page.goto(PATH)
    assert answer and answer.ok
    page.screenshot(path=FOLDER / f"contacts-{theme}.png")
    browsers.close()


if __name__ == "__main__":
    main()

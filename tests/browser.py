"""A real browser, and what its pages must never do."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.patience import PATIENCE_SECONDS

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",  # root has none in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREEN: ViewportSize = {"width": 1280, "height": 820}
PHONE: ViewportSize = {"width": 375, "height": 740}
PATIENCE_MILLISECONDS = 1_000 * PATIENCE_SECONDS
DOCS = Path(__file__).parents[1] / "docs"
PICTURE_WANTED = "DUBITO_PICTURE"
SERIOUS = frozenset({"serious", "critical"})


def require_chromium(environ: Mapping[str, str]) -> str:
    """Return the browser; without one fail in CI and skip at a desk."""
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    reason = "there is no Chromium: `apt install chromium` brings one"
    if environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def browser_showing(directory: Path) -> Iterator[Page]:
    """Open a browser for the block; it keeps its things in the directory."""
    browser = require_chromium(os.environ)
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            directory,
            executable_path=browser,
            headless=True,
            args=QUIET,
            viewport=SCREEN,
            service_workers="block",  # what goes through Label Studio's escapes us
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        yield context.pages[0]
        context.close()


def wait_until(
    page: Page,
    expression: str,
    arg: object = None,
    seconds: float = PATIENCE_SECONDS,
) -> Any:  # noqa: ANN401 - of the page
    """Wait until an expression of the page is true, and return its value.

    What a test compares is this value: the page may change before it is read again.

    Playwright's `wait_for_function` evaluates a string inside the page, which the
    policy of Dubito's pages forbids from the second look on.
    """
    deadline = time.monotonic() + seconds
    while not (value := page.evaluate(expression, arg)):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(50)
    return value


class Watch:
    """What goes wrong on a page, and whom it asks."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def strangers(self, *known: str) -> list[str]:
        """Return the addresses that were asked for, but for those of known hosts."""
        own = (*known, "data:", "blob:")
        return [url for url in self.asked if not url.startswith(own)]


def barriers(page: Page) -> list[str]:
    """Return what keeps people with a screen reader or a keyboard out (axe-core)."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}"
        for one in violations
        if one["impact"] in SERIOUS
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(wide))


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture for the documentation, if somebody asks for new ones."""
    if os.environ.get(PICTURE_WANTED):
        page.wait_for_timeout(1_000)
        page.screenshot(path=DOCS / name)
        with Image.open(DOCS / name) as picture:
            fewer_colours = picture.convert("RGB").quantize(128)
        fewer_colours.save(DOCS / name, optimize=True)

"""A table that is wider than a phone shows that there is more of it."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from tests.browser import PHONE, browser_showing

STYLE = Path(__file__).parents[2] / "backend" / "web" / "assets" / "style.css"
SHADOW = 10
"""Pixels at a side."""

Scheme = Literal["light", "dark"]


def table(columns: int) -> str:
    cells = "<td>aspect_of_it</td>" * columns
    return f'<div class="scroll"><table><tr>{cells}</tr></table></div>'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wide_table_has_a_shadow_where_it_goes_on(
    tmp_path: Path, scheme: Scheme
) -> None:
    def sides(columns: int, left: int) -> tuple[bool, bool]:
        """Return whether there is a shadow at the left, and at the right."""
        style = f"{STYLE.read_text()} td {{ color: transparent }}"
        content = f"<main><section>{table(columns)}</section></main>"
        page.set_content(f"<style>{style}</style>{content}")
        scrolled = page.locator(".scroll")
        scrolled.evaluate("(it, left) => { it.scrollLeft = left; }", left)
        image = Image.open(io.BytesIO(scrolled.screenshot())).convert("L")
        row = np.asarray(image, dtype=float)[5]
        middle = row[row.size // 2]
        return (
            bool(np.abs(row[:SHADOW] - middle).max() > 5),
            bool(np.abs(row[-SHADOW:] - middle).max() > 5),
        )

    with browser_showing(tmp_path) as page:
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme=scheme)

        assert sides(columns=9, left=0) == (False, True)
        assert sides(columns=9, left=100) == (True, True)
        assert sides(columns=9, left=9_999) == (True, False)
        assert sides(columns=1, left=0) == (False, False)

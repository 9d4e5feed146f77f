"""HTML: the text that people see of a page, without scripts, styles and tags."""

from __future__ import annotations

import re
from html import unescape
from types import MappingProxyType
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.kind import DataKind, ItemFile
from dubito.backend.data_kinds.texts import UPLOADED, Texts
from dubito.backend.data_kinds.values import LONGEST_TEXT

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.records import JsonObject
    from dubito.backend.state.pool import TaskInput

LONGEST_PAGE = 20 * LONGEST_TEXT
"""Characters of a page that are looked at: markup is mostly longer than its text."""

HIDDEN = "script|style|title|template|iframe|noscript"
TOKEN = re.compile(
    rf"""
      <!--.*?(?:-->|\Z)
    | <(?P<hidden>{HIDDEN})\b.*?(?:</(?P=hidden)\s*>|\Z)
    | </?(?P<tag>[a-z][a-z0-9]*)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>?
    | <[!?][^>]*>?
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
"""Markup. Each branch takes what is not closed up to the end, so that no page makes
the search begin again and again."""

INLINE = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q"
    r"|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr",
    re.IGNORECASE,
)
"""Tags that part no words: `<b>so</b>me` is one word."""

SPACES = re.compile(r"[^\S\n]+")
LINES = re.compile(r"\s*\n\s*")


class HtmlPages(Texts):
    """What a `<HyperText>` shows: a page in the data or in a file."""

    name = "html"
    title = "HTML pages (what their text means, its words and parts of words)"
    tags = MappingProxyType({"HyperText": Texts.tags["Text"]})
    reads_entries = False
    follows_uploads = True

    def content(self, data: JsonObject, plan: ReadPlan) -> object:
        """Return what is shown: a page, or the address of one."""
        return DataKind.content(self, data, plan)

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address of a page; that of an upload is always one."""
        if isinstance(content, str) and content.strip().startswith(UPLOADED):
            return content.strip()
        return super().address(content, plan)

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the text of a page; a list is none."""
        is_page = isinstance(content, str | ItemFile)
        return super().decode(content if is_page else None, plan)

    def learnt_text(self, raw: str) -> str:
        """Return the text that people see of a page."""
        return visible_text(raw)


def visible_text(page: str) -> str:
    """Return the text that people see of an HTML page, in time linear in its length."""
    bare = TOKEN.sub(_gap, page[:LONGEST_PAGE])
    lines = SPACES.sub(" ", unescape(bare[: 2 * LONGEST_TEXT]))
    return LINES.sub("\n", lines).strip()


def _gap(markup: re.Match[str]) -> str:
    """Return what stands in the place of some markup: a line end, or nothing."""
    tag = markup["tag"]
    return "\n" if tag and not INLINE.fullmatch(tag) else ""


HTML_PAGES = HtmlPages()

"""What people see of an HTML page, and where it is in the text that the editor counts.

Label Studio's editor counts the characters of all texts inside of the body, and a line
break as one: also texts that are hidden, and white space between tags. Scripts and
inner frames it takes away before. Label Studio 1.23.2 does so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from dubito.backend.data_kinds.html import INLINE, LONGEST_PAGE, TOKEN
from dubito.backend.data_kinds.passages import Passage, shortened_to

LINE_ENDS = re.compile(r"\r\n?")
WHITE = " \t\n\f"
OPENING = re.compile(r"<\w+(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>?")
CLOSING = re.compile(r"</\w+\s*>\Z")

TAKEN_AWAY = frozenset({"script", "iframe", "template"})
"""Elements of which the texts are not counted."""

IN_HEAD = frozenset({"html", "head", "base", "link", "meta"})
"""Tags with which the body does not begin, nor with elements that are hidden."""

DROPS_LINE_END = frozenset({"pre", "listing", "textarea"})
"""Tags after which browsers leave out a line end."""


@dataclass(slots=True)
class _Reader:
    """Counts the characters of a page, tag by tag.

    Attributes
    ----------
    is_in_body : whether texts count from now on
    count : how many characters were counted
    start : number of the first character of `parts`
    """

    is_in_body: bool
    count: int = 0
    start: int = 0
    parts: list[str] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    drops_line_end: bool = False

    def take_text(self, raw: str) -> None:
        """Count a text; white space before the body begins is none of it."""
        text = unescape(raw)
        if self.drops_line_end:
            text = text.removeprefix("\n")
        if not self.is_in_body:
            text = text.lstrip(WHITE)
        if text:
            self.is_in_body = True
            self.parts.append(text)
            self.count += len(text)
        self.drops_line_end = False

    def take_markup(self, markup: re.Match[str]) -> None:
        """Go on behind a tag, a comment or a hidden element."""
        if hidden := markup["hidden"]:
            self._pass_hidden(hidden.lower(), markup[0])
        elif tag := (markup["tag"] or "").lower():
            self._pass_tag(tag, is_opening=not markup[0].startswith("</"))

    def _pass_hidden(self, tag: str, element: str) -> None:
        if tag in TAKEN_AWAY or not self.is_in_body:
            return
        self.end_passage()
        inside = CLOSING.sub("", OPENING.sub("", element, count=1))
        self.count += len(unescape(inside) if tag == "title" else inside)
        self.start = self.count

    def _pass_tag(self, tag: str, *, is_opening: bool) -> None:
        self.is_in_body = self.is_in_body or (is_opening and tag not in IN_HEAD)
        self.drops_line_end = is_opening and tag in DROPS_LINE_END
        if tag == "br" or not INLINE.fullmatch(tag):
            self.end_passage()
            self.count += tag == "br"
            self.start = self.count

    def end_passage(self) -> None:
        """Begin a new passage: no word goes on."""
        text = "".join(self.parts)
        if text.strip():
            self.passages.append(Passage(self.start, text))
        self.parts.clear()
        self.start = self.count


def page_passages(page: str, *, is_inline: bool) -> list[Passage]:
    """Return what people see of a page, in time linear in its length.

    Parameters
    ----------
    is_inline : whether the page is a part of the editor's own, not in a frame, where
        browsers put what comes before the body elsewhere
    """
    reader = _Reader(is_in_body=is_inline)
    source, place = LINE_ENDS.sub("\n", page[:LONGEST_PAGE]), 0
    for markup in TOKEN.finditer(source):
        reader.take_text(source[place : markup.start()])
        reader.take_markup(markup)
        place = markup.end()
    reader.take_text(source[place:])
    reader.end_passage()
    return shortened_to(reader.passages)

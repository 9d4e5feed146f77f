"""PDFs: their text, and the looks of first pages that are pictures, such as scans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson
from PIL import Image

from dubito.backend.data_kinds.image_lists import IMAGE_LISTS
from dubito.backend.data_kinds.images import IMAGES, Picture, made_small
from dubito.backend.data_kinds.kind import DataKind, ItemFile
from dubito.backend.data_kinds.preview import Look
from dubito.backend.data_kinds.reader_process import answer_of
from dubito.backend.data_kinds.sample import MANY
from dubito.backend.data_kinds.sentence_vectors import sentence_vector
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec

MARK = b"%PDF-"
MARKED_WITHIN = 1_024
"""Bytes before the mark that readers of PDFs pass over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfContent:
    """What is learnt from a PDF: a text, pages by their looks, or both.

    Attributes
    ----------
    text : of all pages; empty if they have none
    pages : those of the first pages that are pictures, made small
    """

    text: str
    pages: tuple[Picture, ...]


class Pdfs(DataKind[PdfContent]):
    """What a `<Pdf>` shows: files, of which text and pictures of pages are learnt."""

    name = "pdf"
    title = (
        "PDFs (what their text means, its words and parts of words; the looks of first"
        " pages that are pictures)"
    )
    version = TextKind.version + IMAGES.version + 1
    tags = MappingProxyType({"Pdf": {"resolver": ""}})
    by_address = True
    in_files = True
    look = Look.LINKED
    takes_time = True

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the PDFs, unless they only go with rows of numbers."""
        return None if sample.measured_beside >= MANY else super().choose(sample)

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address of the PDF."""
        if not isinstance(content, str) or not content.strip():
            message = f"the task has no address of a PDF under {plan.schema.source!r}"
            raise BadItemError(message)
        return content.strip()

    def decode(self, content: object, plan: ReadPlan) -> PdfContent:  # noqa: ARG002
        """Return the text of a PDF and those of its first pages that are pictures."""
        raw = content.content if isinstance(content, ItemFile) else b""
        if MARK not in raw[:MARKED_WITHIN]:
            message = "the file is not a PDF"
            raise BadItemError(message)
        return _content(raw)

    def describe(self, items: Sequence[PdfContent]) -> list[TaskInput]:
        """Describe each text as texts are, and pages by the means of their numbers."""
        return [_described(one) for one in items]


def _described(pdf: PdfContent) -> TaskInput:
    looks = TaskInput()
    if pdf.pages:
        [looks] = IMAGE_LISTS.describe([pdf.pages])
    vector = sentence_vector(pdf.text)
    return replace(looks, text=pdf.text or None, vector=vector)


def _content(raw: bytes) -> PdfContent:
    """Return what the process reads of a PDF before it ends, or fails.

    Raises
    ------
    BadItemError
        if that is nothing
    """
    text, pages = "", list[Picture]()
    try:
        with answer_of("pdf_pages.py", raw, what="PDF") as output:
            text = _text(output)
            for page in _pages(output):
                pages.append(page)  # those before a failure stay
    except BadItemError:
        if not text and not pages:
            raise
    if not text and not pages:
        message = (
            "the PDF has no text, and its first pages are blank or cannot be drawn"
        )
        raise BadItemError(message)
    return PdfContent(text=text[:LONGEST_TEXT], pages=tuple(pages))


def _text(output: IO[bytes]) -> str:
    """Return the text; raise `BadItemError` if the PDF is refused."""
    answer = orjson.loads(output.readline())
    if "text" not in answer:
        raise BadItemError(answer["refused"])
    return str(answer["text"])


def _pages(output: IO[bytes]) -> Iterator[Picture]:
    """Yield the pages that are drawn, made small; `ValueError` if one breaks off."""
    while line := output.readline():
        sizes = orjson.loads(line)
        (width, height), (across, down) = sizes["size"], sizes["drawn"]
        pixels = output.read(3 * across * down)
        picture = made_small(Image.frombytes("RGB", (across, down), pixels))
        yield replace(picture, width=width, height=height)


PDFS = Pdfs()

"""PDFs: the text of their pages, read by a process of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from dubito.backend.data_kinds.kind import ItemFile
from dubito.backend.data_kinds.preview import Look
from dubito.backend.data_kinds.reader_process import answer_of
from dubito.backend.data_kinds.sample import MANY
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec

MARK = b"%PDF-"
MARKED_WITHIN = 1_024
"""Bytes before the mark that readers of PDFs pass over."""


class Pdfs(TextKind):
    """What a `<Pdf>` shows: files, of which the text is learnt."""

    name = "pdf"
    title = "PDFs (what their text means, its words and parts of words)"
    tags = MappingProxyType({"Pdf": {"resolver": ""}})
    by_address = True
    reads_entries = False
    in_files = True
    look = Look.LINKED

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the PDFs, unless they only go with rows of numbers."""
        return None if sample.measured_beside >= MANY else super().choose(sample)

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address of the PDF."""
        if not isinstance(content, str) or not content.strip():
            message = f"the task has no address of a PDF under {plan.schema.source!r}"
            raise BadItemError(message)
        return content.strip()

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:  # noqa: ARG002
        """Return the text of a PDF."""
        raw = content.content if isinstance(content, ItemFile) else b""
        if MARK not in raw[:MARKED_WITHIN]:
            message = "the file is not a PDF"
            raise BadItemError(message)
        return TaskInput(text=_text(raw)[:LONGEST_TEXT])


def _text(raw: bytes) -> str:
    """Return the text that the process finds; raise `BadItemError` if none."""
    with answer_of("pdf_text.py", raw, what="PDF") as output:
        answer = orjson.loads(output.read())
    if "text" not in answer:
        raise BadItemError(answer["refused"])
    return str(answer["text"])


PDFS = Pdfs()

"""PDFs: the text of their pages, read by a process of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from dubito.backend.data_kinds.kind import ItemFile
from dubito.backend.data_kinds.preview import Look
from dubito.backend.data_kinds.sample import MANY
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec

logger = logging.getLogger(__name__)
READER = Path(__file__).with_name("pdf_text.py")
PATIENCE_SECONDS = 60.0
"""The process has 20 seconds of computing; a busy machine makes it wait for them."""

AT_ONCE = threading.BoundedSemaphore(2)
"""Each process may fill 500 MB."""

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
    command = [sys.executable, "-P", str(READER)]
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # and no secrets
    try:
        with AT_ONCE:
            process = subprocess.run(  # noqa: S603 - the command is constant
                command,
                input=raw,
                capture_output=True,
                timeout=PATIENCE_SECONDS,
                check=True,
                env=paths,
            )
        answer = orjson.loads(process.stdout)
    except subprocess.CalledProcessError as error:
        logger.warning(
            "reading a PDF failed: %s", error.stderr[-300:].decode("latin-1")
        )
        message = "the PDF cannot be read: it is broken, or needs too much memory"
        raise BadItemError(message) from error
    except (subprocess.TimeoutExpired, orjson.JSONDecodeError) as error:
        message = "the PDF cannot be read: it is broken, or needs too much time"
        raise BadItemError(message) from error
    if "text" not in answer:
        raise BadItemError(answer["refused"])
    return str(answer["text"])


PDFS = Pdfs()

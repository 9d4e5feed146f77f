"""Lines before the table of a text file: loggers write the device and its settings."""

from __future__ import annotations

import csv
from itertools import takewhile
from typing import TYPE_CHECKING

from dubito.backend.cutting.separators import table_separator
from dubito.backend.data_kinds.csv_files import is_number, starts_with_names

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LINES = 1_000


def preamble_lines(lines: Sequence[str]) -> int:
    """Return how many lines of a file stand before its table.

    The table reaches from the end back to the first line that has as many cells; lines
    of a preamble have fewer. A single such line above numbers may as well be a header
    that does not fit, which the user has to know of: it is no preamble.

    Parameters
    ----------
    lines : the head of the file; its last line may be cut off
    """
    lines = lines[:MOST_LINES][:-1]
    if len(lines) < 2:
        return 0
    separator = table_separator(*lines[-2:])
    rows = [next(csv.reader([line], delimiter=separator), []) for line in lines]
    width = len(rows[-1])
    table = list(takewhile(lambda row: len(row) == width, reversed(rows)))[::-1]
    start = len(rows) - len(table)
    before = [row for row in rows[:start] if row]
    if any(len(row) >= width or all(map(is_number, row)) for row in before):
        return 0  # rows of a table whose later rows are longer
    is_preamble = len(before) > 1 or starts_with_names(table[:2], ())
    return start if before and is_preamble else 0

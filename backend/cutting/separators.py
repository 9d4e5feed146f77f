"""What parts the columns of a text file, its decimals and its thousands."""

from __future__ import annotations

import csv
import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from dubito.model.features.tabular import DECIMAL_COMMA

if TYPE_CHECKING:
    from collections.abc import Sequence

DECIMAL_POINT = re.compile(r"\s*[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?\s*")
WITH_POINTS = re.compile(r"[+-]?[0-9]*(\.[0-9]+)+([eE][+-]?[0-9]+)?")
WITH_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")
BELOW_THOUSAND = re.compile(r"[+-]?[0-9]{1,3}")
FEWEST_WITH_THOUSANDS = 50
"""Decimals of so many numbers hardly ever are three each time: some end with 0."""

BLANK = " "
SEPARATORS = (",", ";", "\t", BLANK)
BESIDE_COMMAS = (";", "\t")
"""What parts columns where commas are decimal."""


def table_separator(upper: str, lower: str) -> str:
    """Return what parts the columns of a table.

    The most frequent character is not always the one: numbers with decimal commas
    have more commas than separators, and times such as 10:00:00 AM have blanks.
    Of characters that both lines have equally often the most frequent one counts, a
    blank only if there is no other.

    Parameters
    ----------
    upper, lower : two lines of the table, of which the upper one may be a header
    """
    for separator in BESIDE_COMMAS:
        if _parts_decimal_commas(lower, separator):
            return separator
    even = [one for one in SEPARATORS if 0 < upper.count(one) == lower.count(one)]
    visible = [one for one in even if one != BLANK]
    return max(visible or even or SEPARATORS, key=lower.count)


def decimal_mark(lines: Sequence[str], separator: str) -> str:
    """Return what most numbers of a table have before their decimals.

    The first row may hold none: recordings often begin with zeros.

    Parameters
    ----------
    lines : of the table
    """
    if separator == ",":
        return "."
    rows = csv.reader(lines, delimiter=separator)
    cells = [cell for row in rows for cell in row]
    points = sum(DECIMAL_POINT.fullmatch(cell) is not None for cell in cells)
    return "," if sum(map(_has_decimal_comma, cells)) > points else "."


def has_thousands_marks(lines: Sequence[str], separator: str) -> bool:
    """Return whether the points of a table set thousands apart: 8.022 beside 950.

    So it is only if each number with a point can be meant so, and each column that has
    such numbers has smaller ones without a point, and no larger ones.

    Parameters
    ----------
    lines : of the table
    """
    if separator == ",":
        return False
    rows = csv.reader(lines, delimiter=separator)
    count = 0
    for column in zip_longest(*rows, fillvalue=""):
        cells = [cell.strip() for cell in column]
        pointed = [cell for cell in cells if WITH_POINTS.fullmatch(cell)]
        whole = [cell for cell in cells if cell.lstrip("+-").isdigit()]
        if not pointed:
            continue
        if not (whole and all(map(BELOW_THOUSAND.fullmatch, whole))):
            return False
        if not all(map(WITH_THOUSANDS.fullmatch, pointed)):
            return False
        count += len(pointed)
    return count >= FEWEST_WITH_THOUSANDS


def _parts_decimal_commas(line: str, separator: str) -> bool:
    """Tell whether all commas of a line are decimal if a character parts its columns.

    Some files of commas end each row with a semicolon, which parts nothing.
    """
    cells = line.strip().rstrip(separator).split(separator)
    commas = [cell for cell in cells if "," in cell]
    return len(cells) > 1 and bool(commas) and all(map(_has_decimal_comma, commas))


def _has_decimal_comma(cell: str) -> bool:
    return DECIMAL_COMMA.fullmatch(cell.strip().strip('"')) is not None

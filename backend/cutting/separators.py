"""What parts the columns of a text file that may have decimal commas."""

from __future__ import annotations

from dubito.backend.data_kinds.recording_files import DECIMAL_COMMA

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


def _parts_decimal_commas(line: str, separator: str) -> bool:
    """Tell whether all commas of a line are decimal if a character parts its columns.

    Some files of commas end each row with a semicolon, which parts nothing.
    """
    cells = line.strip().rstrip(separator).split(separator)
    commas = [cell for cell in cells if "," in cell]
    return len(cells) > 1 and bool(commas) and all(map(_has_decimal_comma, commas))


def _has_decimal_comma(cell: str) -> bool:
    return DECIMAL_COMMA.fullmatch(cell.strip().strip('"')) is not None

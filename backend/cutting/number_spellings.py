"""Numbers that pandas takes for texts: 1.234,5 and 1'234.5, or 0,5 beside a text."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARKS = " \u00a0\u202f'\u2019"
"""What sets thousands apart, beside the comma or point that is not decimal."""

GROUPS = r"^([+-]?[0-9]{1,3}(?:(?P<mark>[%s])[0-9]{3})(?:(?P=mark)[0-9]{3})*)"
GROUPED: Mapping[str, str] = MappingProxyType(
    {
        ",": GROUPS % f".{MARKS}" + "(?:,([0-9]+))?$",
        ".": GROUPS % f",{MARKS}" + r"(?:\.([0-9]+))?$",
    }
)
"""Patterns of numbers that set thousands apart, by the decimal mark of their file."""

WITH_COMMA = r"^([+-]?[0-9]*),([0-9]+(?:[eE][+-]?[0-9]+)?)$"


def with_numbers(
    frame: pd.DataFrame, decimal: str, texts: Sequence[str]
) -> pd.DataFrame:
    """Return a table with numbers in place of texts that are numbers to people.

    One text among the numbers of a column makes texts of all of them, as long as
    pandas reads it.

    Parameters
    ----------
    decimal : the decimal mark of the file
    texts : of the columns that stay texts
    """
    read = {
        str(name): _with_numbers(column, decimal)
        for name, column in frame.items()
        if column.dtype.kind == "O" and name not in texts
    }
    return frame.assign(**read) if read else frame


def _with_numbers(column: pd.Series[Any], decimal: str) -> pd.Series[Any]:
    """Return a column with its numbers as numbers.

    Thousands are set apart if some number has such a mark and decimals: 1.234 alone
    may be a thousand, or a bit more than one.
    """
    cells = column.dropna().astype(str).str.strip("; ")
    numbers = cells
    if decimal == ",":
        numbers = cells.str.replace(WITH_COMMA, r"\1.\2", regex=True)
    parts = cells.str.extract(GROUPED[decimal])
    if parts[2].notna().any():
        digits = parts[0].str.replace(r"[^0-9+-]", "", regex=True)
        whole = digits + "." + parts[2].fillna("0")
        numbers = whole.where(parts[0].notna(), numbers)
    if numbers.equals(cells):
        return column
    values = pd.to_numeric(numbers, errors="coerce")
    mixed = values.astype(object).where(values.notna(), cells)
    return mixed.infer_objects().reindex(column.index)

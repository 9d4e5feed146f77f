"""Text files of samples, read a block at a time: however large, in little memory."""

from __future__ import annotations

import gzip
import io
import re
import warnings
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from dubito.backend.cutting.number_spellings import with_numbers
from dubito.backend.cutting.preamble import preamble_lines
from dubito.backend.cutting.separators import (
    decimal_mark,
    has_thousands_marks,
    table_separator,
)
from dubito.backend.data_kinds.csv_files import (
    check_shape,
    check_widths,
    first_rows,
    starts_with_names,
)
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "<NA>")
BLOCK_ROWS = 50_000
HEAD_BYTES = 100_000
LONGER_LINE = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
UNREADABLE = "\ufffd"
"""What stands for bytes that are no letters."""

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Layout(NamedTuple):
    """How a text file writes a table.

    Attributes
    ----------
    thousands : what sets thousands apart, if whole numbers tell so
    preamble : lines before the table
    """

    separator: str
    decimal: str
    thousands: str | None
    has_names: bool
    encoding: str
    preamble: int


def csv_blocks(
    path: Path, names: Sequence[str], texts: Sequence[str] = ()
) -> Iterator[tuple[pd.DataFrame, float]]:
    """Yield the rows of a CSV file, and the share of it that is read by then.

    Parameters
    ----------
    names : of the columns to read; all if none are named
    texts : of the columns whose values are read as they are written
    """
    with path.open("rb") as raw, _unpacked(raw, path) as stream:
        size = max(1, path.stat().st_size)
        layout = layout_of(stream.read(HEAD_BYTES))
        stream.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            try:
                for frame in _frames(stream, layout, names, texts):
                    yield frame, min(1.0, raw.tell() / size)
            except pd.errors.ParserError as error:
                raise BadItemError(_reason(error)) from error


def _reason(error: pd.errors.ParserError) -> str:
    """Say why a table cannot be read, and what to do."""
    longer = LONGER_LINE.search(str(error))
    if longer:
        width, line, count = longer.groups()
        return (
            f"line {line} has {count} values, but the lines above have {width}: correct"
            " the line, or put values that hold the separator in quotation marks"
        )
    if "inside string" in str(error):
        return "a quotation mark has no end: remove it, or add the other one"
    return f"it is no table: {' '.join(str(error).split())}"


@contextmanager
def _unpacked(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".gz":
        yield raw
        return
    with gzip.open(raw) as stream:
        yield stream  # type: ignore[misc]  # it reads bytes as a file does


def layout_of(head: bytes) -> Layout:
    """Return how a file writes its table; raise `BadItemError` if it holds none."""
    encoding = "utf-16" if head[:2] in UTF_16_MARKS else "utf-8-sig"
    text = io.StringIO(head.decode(encoding, errors="replace"), newline=None).read()
    if not text.strip():
        message = "the file is empty"
        raise BadItemError(message)
    if "\0" in text:
        message = "the file is no text: give a CSV file"
        raise BadItemError(message)
    lines = text.split("\n")
    preamble = preamble_lines(lines)
    table = [line for line in lines[preamble:] if line.strip()]
    separator = table_separator(table[0], table[min(1, len(table) - 1)])
    content = "\n".join(table).encode()
    check_shape(content, separator)
    rows = first_rows(content, separator)
    has_names = starts_with_names(rows, ())
    if has_names:
        check_widths(rows)
    whole = table[:-1] if len(table) > 2 else table  # the head may end within a row
    thousands = "." if has_thousands_marks(whole, separator) else None
    decimal = "," if thousands else decimal_mark(whole, separator)
    return Layout(separator, decimal, thousands, has_names, encoding, preamble)


def _frames(
    stream: IO[bytes], layout: Layout, names: Sequence[str], texts: Sequence[str]
) -> Iterator[pd.DataFrame]:
    with pd.read_csv(
        stream,
        chunksize=BLOCK_ROWS,
        encoding_errors="replace",
        skipinitialspace=True,
        index_col=False,
        low_memory=False,
        keep_default_na=False,  # "null" and "None" are names of classes, too
        na_values=MISSING,
        usecols=_wanted(layout, names),
        **_options(layout, texts),
    ) as frames:
        for frame in frames:
            frame.columns = [str(name).strip() for name in frame.columns]
            _check_texts(frame, texts)
            if frame.columns.has_duplicates:
                message = "several columns have one name: rename them"
                raise BadItemError(message)
            yield with_numbers(frame, layout.decimal, texts)


def _options(layout: Layout, texts: Sequence[str]) -> dict[str, Any]:
    """Return how pandas is to read a file."""
    return {
        "dtype": {name if layout.has_names else int(name): str for name in texts},
        "sep": layout.separator,
        "decimal": layout.decimal,
        "thousands": layout.thousands,
        "header": 0 if layout.has_names else None,
        "encoding": layout.encoding,
        "skiprows": layout.preamble,
    }


def _check_texts(frame: pd.DataFrame, texts: Sequence[str]) -> None:
    """Raise `BadItemError` for names, labels or groups that are not in UTF-8.

    Read as they are, Öl and Ül would be one label. Bytes of other columns do not count.
    """
    cells = [
        str(cell) for name in texts if name in frame for cell in frame[name].unique()
    ]
    damage = next((text for text in (*frame, *cells) if UNREADABLE in text), None)
    if damage is not None:
        message = (
            f"{damage!r} has letters that are not in UTF-8: save the file as CSV in"
            " UTF-8, so that names and labels are kept apart"
        )
        raise BadItemError(message)


def _wanted(layout: Layout, names: Sequence[str]) -> Any:  # noqa: ANN401  # pandas' own
    """Return which columns to read, as pandas takes it; their places without names."""
    if not names:
        return None
    if layout.has_names:
        return lambda name: name.strip() in names
    return [int(name) for name in names]

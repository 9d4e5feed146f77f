"""CSV files of recordings: their columns, and which of them a label config names.

What Label Studio's editor shows is read: names in any case, places instead of names,
files without a header. The editor takes the first line for data if each of its values
is a number where the value below is one, and is none where that is none.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd

from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dubito.model.schema import Channels

MOST_SAMPLES = 2_000_000
"""Of all channels together: to describe them takes a third of a gigabyte."""

MOST_COLUMNS = 10_000
"""Of a file, most of which may not be channels."""

LONGEST_HEADER = 1_000_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PLACE = re.compile(r"[0-9]{1,6}")
WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE
)
MISSING_NUMBERS = frozenset({"", "na", "n/a", "null", "none"})
SEPARATORS: Mapping[str, str] = {
    ",": ",",
    ";": ";",
    "\t": "tab",
    "|": "|",
    " ": "space",
}
"""What parts columns, and how the `sep` of a TimeSeries names it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """The columns of a recording.

    Attributes
    ----------
    names : of the columns, as the file writes them
    labels : of the columns, no two alike
    has_header : False for a file whose columns have no names but numbers from 0
    has_places : whether a number names the column at that place
    """

    names: Sequence[str]
    labels: Sequence[str]
    columns: Sequence[object]
    has_header: bool = True
    has_places: bool = False

    @classmethod
    def of(cls, columns: Mapping[str, object]) -> Table:
        """Return columns that have their names from JSON."""
        names = [str(name) for name in columns]
        return cls(names=names, labels=names, columns=list(columns.values()))

    def place_of(self, name: str) -> int | None:
        """Return the place of the column that a label config names, if there is one.

        Raises
        ------
        BadItemError
            if there are several
        """
        if self.has_places and PLACE.fullmatch(name) and int(name) < len(self.names):
            return int(name)
        places = self._places.get(name) or self._loose_places.get(_loose(name), [])
        if len(places) > 1:
            message = (
                f"the recording has several columns named {name!r}: give each column a"
                " unique name (upper and lower case count as the same)"
            )
            raise BadItemError(message)
        return places[0] if places else None

    @cached_property
    def _places(self) -> Mapping[str, list[int]]:
        return _grouped(self.names)

    @cached_property
    def _loose_places(self) -> Mapping[str, list[int]]:
        return _grouped([_loose(name) for name in self.names])


def _grouped(names: Sequence[str]) -> Mapping[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[name].append(place)
    return dict(places)


def _loose(name: str) -> str:
    """Return a name without what need not be equal: case, spaces, quotation marks."""
    return name.strip().strip('"').strip().lower()


def read_csv(content: bytes, channels: Channels) -> Table:
    """Read a CSV file; raise `BadItemError` if it cannot be read."""
    _check_no_page(content)
    separator = channels.separator or detected_separator(content)
    check_shape(content, separator)
    rows = first_rows(content, separator)
    columns = (*channels.columns, *([channels.time] if channels.time else []))
    has_header = starts_with_names(rows, columns)
    _check_separator(rows, separator, columns)
    if has_header:
        check_widths(rows)
    frame = _frame(content, separator, has_header=has_header)
    labels = [str(label).strip() for label in frame]
    is_whole = has_header and [*map(len, rows[:1])] == [len(labels)]
    return Table(
        names=[name.strip() for name in rows[0]] if is_whole else labels,
        labels=labels,
        columns=[frame.iloc[:, place].to_numpy() for place in range(len(labels))],
        has_header=has_header,
        has_places=True,
    )


def _check_no_page(content: bytes) -> None:
    """Raise `BadItemError` for what servers send instead of a file: a log-in."""
    if WEB_PAGE.match(content):
        message = (
            "its address leads to a web page (HTML), not to a recording: link to the"
            " file itself, which must open without a log-in"
        )
        raise BadItemError(message)


def _frame(content: bytes, separator: str, *, has_header: bool) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            return pd.read_csv(
                io.BytesIO(content),
                sep=separator,
                header="infer" if has_header else None,
                skipinitialspace=True,
                index_col=False,  # a separator at the end of a line is no column
            )
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        message = f"the file is not a readable CSV in UTF-8: {reason}"
        raise BadItemError(message) from error


def first_rows(content: bytes, separator: str) -> list[list[str]]:
    """Return the first two rows of a CSV file that are not blank."""
    rows = _rows(content, separator)
    return list(islice((row for row in rows if "".join(row).strip()), 2))


def _rows(content: bytes, separator: str) -> Iterator[list[str]]:
    """Yield the rows at the head of a CSV file, up to one that cannot be read."""
    head = content[:LONGEST_HEADER].decode(errors="replace").lstrip("\ufeff")
    # What is wrong with a file that cannot be read, pandas says.
    with suppress(csv.Error, ValueError, TypeError):
        yield from csv.reader(
            io.StringIO(head), delimiter=separator, skipinitialspace=True
        )


def starts_with_names(rows: Sequence[Sequence[str]], columns: Collection[str]) -> bool:
    """Tell whether the first line holds names, as Label Studio's editor tells it.

    Where the editor finds no header, names that are asked for may still stand there,
    and a line without any number is one.
    """
    if not rows:
        return True
    first = [is_number(cell) for cell in rows[0]]
    below = [is_number(cell) for cell in rows[1]] if len(rows) > 1 else None
    if below is None or first[: len(below)] == below[: len(first)]:
        names = {_loose(name) for name in columns if not PLACE.fullmatch(name)}
        return not any(first) or not names.isdisjoint(map(_loose, rows[0]))
    return True


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number, or none."""
    text = cell.strip().lower()
    if text in MISSING_NUMBERS:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def check_widths(rows: Sequence[Sequence[str]]) -> None:
    """Raise `BadItemError` for rows that are longer than the header: all is shifted."""
    if len(rows) < 2:
        return
    values = list(rows[1])
    while values and not values[-1].strip():
        values.pop()
    if len(values) > len(rows[0]):
        message = (
            "the rows of the file have more values than the header has names: if"
            " numbers have decimal commas (1,5), use decimal points (1.5)"
        )
        raise BadItemError(message)


def detected_separator(content: bytes) -> str:
    """Return what parts the columns, told by the second line as the editor does."""
    lines = content[:LONGEST_HEADER].decode(errors="replace").strip().splitlines()
    line = lines[min(1, len(lines) - 1)] if lines else ""
    return max((",", ";", "\t", " "), key=line.count)


def _check_separator(
    rows: Sequence[Sequence[str]], separator: str, columns: Sequence[str]
) -> None:
    """Raise `BadItemError` if a whole line of names was taken for one name."""
    if not rows or len(rows[0]) > 1:
        return
    line = rows[0][0]
    apparent = max(SEPARATORS, key=line.count)
    is_column = columns and all(_loose(name) == _loose(line) for name in columns)
    if apparent != separator and apparent in line and not is_column:
        message = (
            f"the columns of the file are parted by {SEPARATORS[apparent]!r}, not by"
            f" {SEPARATORS.get(separator, separator)!r}: write"
            f' sep="{SEPARATORS[apparent]}" in the TimeSeries of the label config'
        )
        raise BadItemError(message)


def check_shape(content: bytes, separator: str) -> None:
    """Raise `BadItemError` for more rows or columns than are read: before they are.

    A few megabytes of commas are a million columns, and take pandas hours.
    """
    lines = max(content.count(b"\n"), content.count(b"\r"))
    if lines > MOST_SAMPLES + 1:  # one is the header
        message = (
            f"the file has {lines} lines; the limit is {MOST_SAMPLES}: cut the"
            " recording into shorter windows"
        )
        raise BadItemError(message)
    head = islice(filter(None, _rows(content, separator)), 2)
    check_columns(max(map(len, head), default=0), MOST_COLUMNS, "columns")


def check_columns(count: int, most: int, what: str) -> None:
    """Raise `BadItemError` for too many columns or channels."""
    if count > most:
        message = (
            f"the recording has more than {most} {what}: name fewer in the label config"
        )
        raise BadItemError(message)

"""Which columns of a JSON-MIN export hold answers, told without a label config.

Label Studio writes the data, then `id`, then the answers; but what has the name of a
data column stands where that column stood. Numbers, truth values and nothing are no
answers, and answers of a single-choice control are met again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dubito.backend.controls.registry import answers_in, region_types
from dubito.backend.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.records import JsonObject

ID = "id"
TEXT = "text"
LONGEST_CHOICE = 200
REPEATED = 2
"""So often each choice is met at least, on average."""

FEW_CHOICES = 10
"""So many choices may be met once: nobody has labelled many tasks."""


class AnswerColumns(NamedTuple):
    """Which columns hold answers.

    Attributes
    ----------
    names : of all of them: what people chose, and what they wrote
    choices : of those that hold what people chose
    is_sure : whether nothing had to be guessed
    """

    names: frozenset[str]
    choices: frozenset[str]
    is_sure: bool


@dataclass(frozen=True)
class AnswerSearch:
    """Rows of an export without the columns that Label Studio wrote for itself.

    Attributes
    ----------
    rows : data, `id` and answers, in the order of the export
    has_task_ids : whether `id` holds the numbers of the tasks
    """

    rows: Sequence[JsonObject]
    has_task_ids: bool

    def find(self) -> AnswerColumns:
        """Return the columns that hold answers.

        Raises
        ------
        ExportError
            if several columns might hold them, and nothing tells which
        """
        is_plain = self.has_task_ids and not self._is_id_overwritten()
        names = self._after_plain_id() if is_plain else self._at_the_end()
        choices = names & self._repeated or names
        is_sure = is_plain and names == choices and names <= self._after_id
        return AnswerColumns(names, choices, is_sure)

    def _after_plain_id(self) -> frozenset[str]:
        """Return what follows `id`, with the choices wherever they stand."""
        names = self._after_id
        if names & self._repeated or (names and not self._candidates):
            return names
        return names | {self._only()}

    def _at_the_end(self) -> frozenset[str]:
        """Return the choices that follow the data, and the texts that follow them."""
        columns = [key for key in self._after_data if key in self._repeated]
        if len(columns) != 1:
            return frozenset({self._only()})
        end = self._after_data.index(columns[0])
        shows_text = any(key not in self._repeated for key in self._after_data[:end])
        return frozenset(self._after_data[end:] if shows_text else columns)

    @cached_property
    def columns(self) -> dict[str, list[object]]:
        """Return the values of each column; `id` is none if it numbers the tasks."""
        columns: dict[str, list[object]] = {}
        for row in self.rows:
            for key, value in row.items():
                if key != ID or not self.has_task_ids:
                    columns.setdefault(key, []).append(value)
        return columns

    @cached_property
    def _orders(self) -> list[tuple[str, ...]]:
        """Return the orders in which the columns stand in some row."""
        return list(dict.fromkeys(tuple(row) for row in self.rows))

    @cached_property
    def _data(self) -> frozenset[str]:
        """Return the columns that hold something that is no answer."""
        columns = self.columns.items()
        return frozenset(
            key for key, values in columns if not all(map(_is_answer, values))
        )

    @cached_property
    def _repeated(self) -> frozenset[str]:
        """Return the columns that may hold the answers of a single-choice control."""
        columns = self.columns.items()
        return frozenset(key for key, values in columns if _are_choices(values))

    @property
    def _candidates(self) -> list[str]:
        return [key for key in self.columns if key in self._repeated - self._data]

    @cached_property
    def _after_data(self) -> list[str]:
        """Return the columns that stand after all that surely is data."""
        early = {key for order in self._orders for key in _until(order, self._data)}
        return [key for key in self.columns if key not in early]

    @cached_property
    def _after_id(self) -> frozenset[str]:
        """Return the columns after the data and after `id`."""
        early = {key for order in self._orders for key in _until(order, {ID})}
        return frozenset(self._after_data) - early

    def _is_id_overwritten(self) -> bool:
        """Tell whether `id` stands where the data has a column of that name.

        So it is if data follows or none goes before, and if otherwise the tasks would
        show numbers alone, and people would have written a text for each of them.
        """
        before = {key for order in self._orders for key in _until(order, {ID})} - {ID}
        if not before or any(ID in _until(one, self._data) for one in self._orders):
            return True
        always = [
            key for key in self._after_id if len(self.columns[key]) == len(self.rows)
        ]
        has_text = any(key not in self._repeated for key in always)
        return has_text and before <= self._data

    def _only(self) -> str:
        """Return the one column that may hold the answers."""
        if len(self._candidates) == 1:
            return self._candidates[0]
        columns = (
            ", ".join(map(repr, self._candidates or self.columns)) or "there are none"
        )
        message = (
            "this JSON-MIN export does not tell answer columns from data columns"
            f" ({columns}): give the label config with --config, or use the JSON export"
        )
        raise ExportError(message)


def _until(order: Sequence[str], names: frozenset[str] | set[str]) -> Sequence[str]:
    """Return what stands in a row up to the last of some names, that one too."""
    places = [place for place, key in enumerate(order) if key in names]
    return order[: places[-1] + 1] if places else ()


def _is_answer(value: object) -> bool:
    """Tell whether Label Studio may have written a value as an answer."""
    if isinstance(value, dict):
        return value.keys() <= {*region_types(), TEXT}
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str | dict) for one in value)
    return isinstance(value, str)


def _are_choices(values: Sequence[object]) -> bool:
    """Tell whether values are a few short choices that are met again and again."""
    choices = [text for text in map(_choice, values) if text]
    few = 0 < len({*choices}) <= max(FEW_CHOICES, len(choices) / REPEATED)
    return few and max(map(len, choices)) <= LONGEST_CHOICE


def _choice(value: object) -> str:
    if isinstance(value, dict):
        return repr(answers_in({"value": value}))
    return value if isinstance(value, str) else ""

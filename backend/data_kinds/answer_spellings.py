"""How the answers may be spelt in the tasks' data, which then gives them away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dubito.model.features.tabular import MARKS, MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dubito.model.schema import Schema

BETWEEN_WORDS = re.compile(r"[\W_]+")
COUNT = re.compile(r": \d+$")
"""What follows a choice that "Cache Labels" counted."""

LONGEST_ANSWER = 10_000
"""Characters: a longer value is a text, which would take much memory to compare."""


@dataclass(frozen=True, slots=True)
class AnswerSpellings:
    """The answers by value, alias, path and hotkey, whatever the case and spaces."""

    known: frozenset[str]

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return how the answers of a label config may be spelt."""
        return cls(frozenset(map(plain_spelling, (*schema.classes, *schema.captions))))

    def are_held(self, values: Iterable[object]) -> bool:
        """Tell whether values are the very answers, but for missing ones."""
        answers = [value for value in values if not self._is_missing(value)]
        return bool(answers) and all(map(self._is_known, answers))

    def _is_known(self, value: object) -> bool:
        if not isinstance(value, str) or len(value) > LONGEST_ANSWER:
            return False
        return plain_spelling(value) in self.known or self._was_cached(value)

    def _was_cached(self, value: str) -> bool:
        """Tell whether Label Studio's "Cache Labels" wrote a value.

        It writes what people chose: several choices, each with or without its count.
        """
        parts = (COUNT.sub("", part) for part in value.split(", "))
        return all(plain_spelling(part) in self.known for part in parts)

    def _is_missing(self, value: object) -> bool:
        return is_missing(value) and not self._is_known(value)


def is_missing(value: object) -> bool:
    """Tell whether a value only says that there is none."""
    if isinstance(value, str):
        return value.strip().lower() in MARKS | MISSING
    return value is None


def plain_spelling(text: str) -> str:
    """Return a text in small letters, with one space between its words.

    What parts the levels of a path, or stands for a space, parts words too.
    """
    words = BETWEEN_WORDS.sub(" ", text.casefold()).strip()
    return words or text.strip().casefold()

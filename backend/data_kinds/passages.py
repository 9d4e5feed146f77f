"""Texts as people see them, in passages: where each word is as Label Studio counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dubito.backend.data_kinds.values import LONGEST_TEXT
from dubito.model.stretches.word_units import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

LARGEST_TURN = 2**20
"""Places in a dialogue are numbers: of the turn, so many times, and of the character.
A turn has fewer characters, as its text is cut."""

OUTSIDE_UTF_16 = 0xFFFF
"""A character with a larger number counts two where browsers count a text."""


class Passage(NamedTuple):
    """A part of a text whose characters follow one another.

    Attributes
    ----------
    start : place of its first character, as a number
    speaker : who says it
    """

    start: int
    text: str
    speaker: str = ""


def shortened_to(
    passages: Iterable[Passage], longest: int = LONGEST_TEXT
) -> list[Passage]:
    """Return so many characters of passages, and none without any."""
    short, left = [], longest
    for one in passages:
        if one.text and left > 0:
            short.append(one._replace(text=one.text[:left]))
            left -= len(one.text)
    return short


def packed_passages(passages: Sequence[Passage]) -> bytes:
    """Return passages as they are kept; the standard library writes half characters."""
    return json.dumps(passages, separators=(",", ":")).encode()


def unpacked_passages(packed: bytes) -> list[Passage]:
    """Return the passages that `packed_passages` has written."""
    return [Passage(*one) for one in json.loads(packed)]


def joined(passages: Sequence[Passage]) -> str:
    """Return the text of passages; no word is in two of them."""
    return "\n".join(one.text for one in passages)


def word_places(
    passages: Sequence[Passage], *, as_browsers_count: bool
) -> tuple[NDArray[np.intp], list[str]]:
    """Return where the words of `joined` are, and who says each.

    Parameters
    ----------
    as_browsers_count : whether characters are counted in units of UTF-16

    Returns
    -------
    (n_words, 2) number of the first character, and of the one after the last;
    (n_words,) speakers
    """
    text = joined(passages)
    spans = words_of(text)
    lengths = _lengths(text) if as_browsers_count else np.ones(len(text), dtype=np.intp)
    before = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
    sizes = [len(one.text) + 1 for one in passages]
    begins = np.cumsum([0, *sizes], dtype=np.intp)[:-1]
    which = np.searchsorted(begins, spans[:, 0], side="right") - 1
    starts = np.array([one.start for one in passages], dtype=np.intp)
    places = before[spans] + (starts - before[begins])[which, None]
    return places, [passages[place].speaker for place in which.tolist()]


def _lengths(text: str) -> NDArray[np.intp]:
    """Return how many units of UTF-16 each character has."""
    numbers = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return 1 + (numbers > OUTSIDE_UTF_16).astype(np.intp)

"""Task values: what a tag's `value` attribute shows of the data of a task.

`$text` shows an entry, `$post.body` and `$rows[0].text` an entry inside of another, and
`Title: $title / $body` a text with entries in it. The rules are those of Label Studio's
editor, which is JavaScript; a test holds this module to the editor in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from dubito.model.errors import BadItemError

NAME = re.compile(r"\$[A-Za-z0-9_.{}\[\]]+")
STEP = re.compile(r"\[([^\]]*)(\]?)|([^.\[]+)")
PLACE = re.compile(r"0|[1-9][0-9]*")
DEEP = frozenset(".[]")
LARGEST_INTEGER = 10**21
"""Larger integers are written as powers of ten."""


class Missing:
    """The absence of an entry, which is not the entry `null`."""


MISSING = Missing()


def names(value: str) -> tuple[str, ...]:
    """Return the names in a `value` attribute, without their `$`."""
    entries = (name[1:] for name in NAME.findall(value))
    return tuple(dict.fromkeys(entries))


def single_name(value: str) -> str:
    """Return the name that a `value` attribute consists of; empty if it has more."""
    return value[1:] if NAME.fullmatch(value) else ""


def data_keys(value: str) -> frozenset[str]:
    """Return the keys of a task's data that a `value` attribute may read.

    `$post.body` reads the key `post.body` if the data has it, else the key `post`.
    """
    return frozenset(
        key for name in names(value) for key in (name, *_steps(name)[:1]) if key
    )


def missing_names(value: str, data: Mapping[str, object]) -> list[str]:
    """Return the names in a `value` attribute for which the data holds nothing."""
    return [name for name in names(value) if _entry(data, name) in (None, MISSING)]


def resolve(value: str, data: Mapping[str, object]) -> object:
    """Return what a tag with this `value` attribute shows of a task.

    Returns
    -------
    the entry itself, whatever its type, where the value is a single name, and None if
    there is none; else a text in which each name is replaced by its entry
    """
    if name := single_name(value):
        entry = _entry(data, name)
        return None if entry is MISSING else entry
    return NAME.sub(lambda match: as_text(_entry(data, match[0][1:])), value)


def as_text(value: object) -> str:
    """Return a value as JavaScript writes it in a text."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, list):
        return ",".join("" if one is None else as_text(one) for one in _leaves(value))
    return "undefined" if value is MISSING else "[object Object]"


def written(value: object) -> str:
    """Return a value as Python writes it: a text as it is.

    Raises
    ------
    BadItemError
        if the value has no end to speak of: lists inside lists, or endless digits
    """
    try:
        return value if isinstance(value, str) else str(value)
    except (RecursionError, ValueError) as error:
        message = (
            "the data holds lists that are nested too deeply, or an endless number"
        )
        raise BadItemError(message) from error


def _leaves(entries: list[object]) -> Iterator[object]:
    """Yield what a list and the lists in it hold; an empty one holds one gap."""
    waiting = list(reversed(entries)) or [None]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, list):
            waiting.extend(reversed(entry or [None]))
        else:
            yield entry


def _number_text(number: float) -> str:
    if isinstance(number, int) and abs(number) < LARGEST_INTEGER:
        return str(number)
    try:
        double = float(number)
    except OverflowError:
        return "Infinity" if number > 0 else "-Infinity"
    if double == 0:
        return "0"
    if 1e-6 <= abs(double) < 1e21:
        return np.format_float_positional(double, trim="-")
    return re.sub(r"e([+-])0*", r"e\1", repr(double))


def _entry(data: object, path: str) -> object:
    """Return the entry at a path; a key that is written like the path comes first."""
    member = _member(data, path)
    if member is not MISSING or not DEEP & set(path):
        return member
    steps = _steps(path)
    entry = data if steps else MISSING
    for step in steps:
        entry = _member(entry, step)
    return entry


def _steps(path: str) -> list[str]:
    """Return the keys that a path consists of: `a.b[0]` of `a`, `b` and `0`."""
    steps = [""] if path.startswith(".") else []
    for inside, closing, plain in STEP.findall(path):
        if plain or inside or closing:
            steps.append(plain or inside)
    return steps


def _member(holder: object, key: str) -> object:
    """Return what an object, a list or a text has under a key."""
    if isinstance(holder, Mapping):
        return holder.get(key, MISSING)
    if isinstance(holder, str):
        return _member_of_text(holder, key)
    if isinstance(holder, list):
        if key == "length":
            return len(holder)
        if PLACE.fullmatch(key) and len(key) < 10 and int(key) < len(holder):
            return holder[int(key)]
    return MISSING


def _member_of_text(text: str, key: str) -> object:
    """Return the length of a text or a character of it, in units of UTF-16."""
    units = text.encode("utf-16-le", "surrogatepass")
    if key == "length":
        return len(units) // 2
    if PLACE.fullmatch(key) and len(key) < 10 and int(key) < len(units) // 2:
        unit = units[2 * int(key) : 2 * int(key) + 2]
        return unit.decode("utf-16-le", "replace")
    return MISSING

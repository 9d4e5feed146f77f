"""Extractors that other packages bring: from texts or files to vectors."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np

from dubito.model.arrays import Features
from dubito.model.errors import BadItemError

GROUP = "dubito.extractors"
MOST_NUMBERS = 4_096


class Extractor(Protocol):
    """What the entry point of an extractor must be."""

    def __call__(self, items: Sequence[str]) -> Features:
        """Return an (n, d) array for n texts, or n paths of files."""
        ...


def extractor_names() -> tuple[str, ...]:
    """Return the names a project may choose from, sorted."""
    return tuple(sorted(entry_points(group=GROUP).names))


def extractor_version(name: str) -> str:
    """Return the version of the package that brings an extractor; empty if none."""
    entries = entry_points(group=GROUP, name=name)
    return next((entry.dist.version for entry in entries if entry.dist is not None), "")


def extract(name: str, items: Sequence[str]) -> Features:
    """Return the (n, d) numbers of n texts, or n paths of files.

    Raises
    ------
    BadItemError
        if there is no such extractor, it fails, or it returns anything else
    """
    try:
        result = _loaded(name)(list(items))
        with np.errstate(over="ignore"):  # what is too large is not finite then
            rows = np.asarray(result, dtype=np.float32)
    except Exception as error:
        message = f"the extractor {name!r} failed: {_description(error)}"
        raise BadItemError(message) from error
    is_table = rows.ndim == 2 and len(rows) == len(items)
    if not is_table or not 1 <= rows.shape[1] <= MOST_NUMBERS:
        message = (
            f"the extractor {name!r} returned an array of shape {rows.shape} for"
            f" {len(items)} items: each needs a row of up to {MOST_NUMBERS} numbers"
        )
        raise BadItemError(message)
    if not np.isfinite(rows).all():
        message = f"the extractor {name!r} returned a number that is not finite"
        raise BadItemError(message)
    return rows


@cache
def _loaded(name: str) -> Extractor:
    """Return an extractor; raise `LookupError` if there is none of this name."""
    for entry in entry_points(group=GROUP, name=name):
        extractor: Extractor = entry.load()
        return extractor
    message = "no installed package brings it"
    raise LookupError(message)


def _description(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

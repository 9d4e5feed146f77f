"""Text of files that other programs wrote: whatever the encoding, read as UTF-8."""

from __future__ import annotations

import json

import orjson

UTF_8 = frozenset({"utf-8", "utf-8-sig"})
MARK = b"\xef\xbb\xbf"


def as_utf8(content: bytes) -> bytes:
    """Return JSON or XML as UTF-8 without a byte order mark.

    UTF-16 and UTF-32 are known by their mark or, as RFC 4627 has it, by the zero bytes
    of their first characters.

    Raises
    ------
    UnicodeDecodeError
        if the content is neither UTF-8 nor what its first bytes promise
    """
    encoding = json.detect_encoding(content[:4])
    text = content.removeprefix(MARK) if encoding in UTF_8 else content
    if encoding in UTF_8:
        text.decode()
        return text
    return content.decode(encoding).encode()


def json_of(content: bytes) -> object:
    r"""Return what JSON in any encoding of Unicode holds.

    A text may hold half a character, as Label Studio exports it (`"\ud83d"`).

    Raises
    ------
    UnicodeDecodeError
        if the content is no text
    JSONDecodeError
        if the text is no JSON
    """
    text = as_utf8(content)
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise error from None
    return value


def in_whole_characters(content: str | bytes) -> bytes:
    """Return JSON with `?` for each half character (a lone surrogate).

    Raises
    ------
    ValueError, RecursionError
        if the content is no JSON, or is nested too deeply
    """
    return json.dumps(json.loads(content), ensure_ascii=False).encode(errors="replace")

"""The text of one PDF: run as a process of its own, which has little time and room.

A PDF is a program that other people write. The process reads the file from its standard
input and writes JSON: the text, or why there is none. It imports nothing of Dubito, so
that it starts quickly. If it fails, only this file is set aside.
"""

import contextlib
import json
import resource
import sys

import pypdfium2

MOST_SECONDS = 20
MOST_BYTES = 500_000_000
MOST_PAGES = 1_000
LONGEST_TEXT = 100_000
NO_TEXT = "the PDF has no text (its pages may be scanned images)"


def main() -> None:
    """Answer for the file on the standard input."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    with contextlib.suppress(OSError, ValueError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump(answer(sys.stdin.buffer.read()), sys.stdout)


def answer(content: bytes) -> dict[str, str]:
    """Return the `text` of a PDF, or why it is `refused`."""
    try:
        text = text_of(content)
    except pypdfium2.PdfiumError as error:
        return {"refused": reason(str(error))}
    except MemoryError:
        return {"refused": "the PDF needs too much memory"}
    return {"text": text} if text else {"refused": NO_TEXT}


def text_of(content: bytes) -> str:
    """Return as much of the text as is learnt from, page after page."""
    parts: list[str] = []
    length = 0
    with contextlib.closing(pypdfium2.PdfDocument(content)) as document:
        for number in range(min(len(document), MOST_PAGES)):
            page = document[number].get_textpage()
            count = min(page.count_chars(), LONGEST_TEXT)
            parts.append(page.get_text_range(0, count).strip() if count else "")
            length += len(parts[-1])
            if length > LONGEST_TEXT:
                break
    return "\n".join(filter(None, parts))[:LONGEST_TEXT]


def reason(error: str) -> str:
    """Say why a PDF cannot be opened."""
    if "password" in error.lower():
        return "the PDF is protected by a password"
    return f"the PDF is broken: {error[:200]}"


if __name__ == "__main__":
    main()

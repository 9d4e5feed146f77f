"""The pages of one PDF: run as a process of its own, which has little time and room.

A PDF is a program that other people write. The process reads the file from its standard
input. It writes a line of JSON: the text, or why the PDF is refused. Then it draws
those of the first pages that are pictures, such as scans: of each it writes a line with
its sizes, then its pixels. It imports nothing of Dubito, so that it starts quickly. The
text goes out before a page is drawn: where drawing fails, it is there.
"""

import contextlib
import json
import resource
import sys
from collections.abc import Iterator
from itertools import islice

import pypdfium2
from pypdfium2.raw import (
    FPDF_PAGEOBJ_IMAGE,
    FPDFPage_CountObjects,
    FPDFPage_GetAnnotCount,
)

MOST_SECONDS = 20
MOST_BYTES = 500_000_000
MOST_PAGES = 1_000
LONGEST_TEXT = 100_000
FIRST_PAGES = 4
"""So many pages that show something count as the first ones."""

LONGEST_STAMP = 100
"""Characters on a scan, such as the line that a fax machine writes above it."""

COVERED = 0.5
"""Share of a page: pictures that cover so much of it are the page itself."""

MOST_OBJECTS = 1_000
"""So many of a page are looked at: a scan has a few, a drawing may have a million."""

LONGEST_SIDE = 512
"""Pixels of a page as it is drawn."""

NOTHING = "the PDF shows nothing: its pages are blank"


def main() -> None:
    """Answer for the file on the standard input."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    with contextlib.suppress(OSError, ValueError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for part in answer(sys.stdin.buffer.read()):
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()


def answer(content: bytes) -> Iterator[bytes]:
    """Yield the `text` of a PDF, then those of its first pages that are pictures.

    A page that cannot be opened or drawn is left out. Where nothing can be read, why
    the PDF is `refused` is all.
    """
    try:
        with contextlib.closing(pypdfium2.PdfDocument(content)) as document:
            text, pictures = text_of(document)
            is_blank = not text and not pictures
            yield line({"refused": NOTHING} if is_blank else {"text": text})
            for number in pictures:
                with contextlib.suppress(pypdfium2.PdfiumError, MemoryError):
                    yield drawing(document[number])
    except pypdfium2.PdfiumError as error:
        yield line({"refused": reason(str(error))})
    except MemoryError:
        yield line({"refused": "the PDF needs too much memory"})


def text_of(document: pypdfium2.PdfDocument) -> tuple[str, list[int]]:
    """Return as much of the text as is learnt from, page after page.

    Returns
    -------
    the text, and the places of those of the first pages that are pictures; pages on
    which there is nothing are passed over

    Raises
    ------
    PdfiumError
        if no page can be opened
    """
    parts: list[str] = []
    pictures: list[int] = []
    length = n_filled = 0
    failure: pypdfium2.PdfiumError | None = None
    for number in range(min(len(document), MOST_PAGES)):
        try:
            page = document[number]
            text = written_on(page)
        except pypdfium2.PdfiumError as error:
            failure = error
            continue
        is_picture = n_filled < FIRST_PAGES and is_drawn(page, text)
        if text:
            parts.append(text)
        if is_picture:
            pictures.append(number)
        n_filled += bool(text) or is_picture
        length += len(text)
        if length > LONGEST_TEXT:
            break
    if failure is not None and not n_filled:
        raise failure
    return "\n".join(parts)[:LONGEST_TEXT], pictures


def is_drawn(page: pypdfium2.PdfPage, text: str) -> bool:
    """Tell whether a page is learnt by its looks.

    One without text is, unless there is nothing on it, though it may be as white as the
    page; one of few words is where they stand on or beside a picture of the page.
    """
    if not text:
        return bool(FPDFPage_CountObjects(page) or FPDFPage_GetAnnotCount(page))
    return len(text) <= LONGEST_STAMP and is_covered(page)


def is_covered(page: pypdfium2.PdfPage) -> bool:
    """Tell whether the first pictures together cover most of a page.

    Some programs cut a scan into strips. Pictures inside of forms are not looked for.
    """
    width, height = page.get_size()
    objects = islice(page.get_objects(max_depth=1), MOST_OBJECTS)
    pictures = (one for one in objects if one.type == FPDF_PAGEOBJ_IMAGE)
    with contextlib.suppress(pypdfium2.PdfiumError):
        edges = (picture.get_bounds() for picture in pictures)
        sizes = ((right - left) * (top - bottom) for left, bottom, right, top in edges)
        return bool(sum(sizes) >= COVERED * width * height)
    return False


def written_on(page: pypdfium2.PdfPage) -> str:
    """Return the text of a page."""
    content = page.get_textpage()
    count = min(content.count_chars(), LONGEST_TEXT)
    return str(content.get_text_range(0, count).strip()) if count else ""


def drawing(page: pypdfium2.PdfPage) -> bytes:
    """Return a line with the sizes of a page, in points and pixels, and the pixels.

    Of a page that is all white nothing is returned.
    """
    width, height = (max(1.0, side) for side in page.get_size())
    scale = LONGEST_SIDE / max(width, height)
    # Else images that no longer fit into the memory would be left out of a page.
    bitmap = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
    size = round(width), round(height)
    pixels = memoryview(bitmap.buffer).cast("B")  # rows are filled up in memory
    starts = range(0, bitmap.height * bitmap.stride, bitmap.stride)
    rows = (pixels[start : start + 3 * bitmap.width] for start in starts)
    pixel_size = bitmap.width, bitmap.height
    picture = b"".join(rows)
    is_blank = picture.count(b"\xff") == len(picture)
    return b"" if is_blank else line({"size": size, "drawn": pixel_size}) + picture


def line(content: dict[str, object]) -> bytes:
    """Return a line of JSON."""
    return json.dumps(content).encode() + b"\n"


def reason(error: str) -> str:
    """Say why a PDF cannot be opened."""
    if "password" in error.lower():
        return "the PDF is protected by a password"
    return f"the PDF is broken: {error[:200]}"


if __name__ == "__main__":
    main()

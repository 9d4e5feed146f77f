"""PDFs for tests: pages of one line or one picture, and what makes a PDF unreadable."""

import zlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width, 3) colours, the top row first."""

SIDE = 300
"""Points of a page."""


Stamped: TypeAlias = tuple[str, Pixels]
"""A line of text on a picture, as a fax machine writes it."""


def pdf(
    *pages: str | Pixels | Stamped,
    drawings: int = 1,
    side: float = SIDE,
    trailer: str = "",
) -> bytes:
    """Return a PDF with a page for each line of text and for each picture.

    A page that is only a picture is what a scanner writes. The page of an empty line is
    blank.

    Parameters
    ----------
    drawings : how often each picture is drawn
    side : of each picture, in points
    trailer : further entries of the trailer
    """
    kids = " ".join(f"{4 + 3 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for place, page in enumerate(pages):
        own = 4 + 3 * place
        text, pixels = _parts(page)
        content = b"" if pixels is None else drawn("I1", side) * drawings
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {SIDE} {SIDE}] /Resources"
            f" << /Font << /F1 3 0 R >> /XObject << /I1 {own + 2} 0 R >> >>"
            f" /Contents {own + 1} 0 R >>".encode(),
            stream(content + _written(text)),
            b"null" if pixels is None else picture(pixels),
        ]
    return assembled(objects, trailer)


def _parts(page: str | Pixels | Stamped) -> tuple[str, Pixels | None]:
    match page:
        case str():
            return page, None
        case tuple():
            return page
        case _:
            return "", page


def _written(line: str) -> bytes:
    return f"BT /F1 12 Tf 10 100 Td ({line}) Tj ET".encode() if line else b""


def drawn(name: str, side: float = SIDE) -> bytes:
    """Return the order to draw a picture from the lower left corner of a page."""
    return f"q {side} 0 0 {side} 0 0 cm /{name} Do Q\n".encode()


def album(
    contents: Sequence[bytes], pictures: Sequence[bytes] = (), side: float = SIDE
) -> bytes:
    """Return a PDF whose pages draw pictures, `I0`, `I1` and so on, as they like.

    Parameters
    ----------
    contents : the orders of each page
    pictures : the object of each, as `picture` returns it
    side : of each page, in points
    """
    first = 3 + len(pictures)
    names = " ".join(f"/I{place} {3 + place} 0 R" for place in range(len(pictures)))
    kids = " ".join(f"{first + 2 * place} 0 R" for place in range(len(contents)))
    pages = (
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {side} {side}] /Resources"
            f" << /XObject << {names} >> >> /Contents {first + 2 * place + 1} 0 R"
            " >>".encode(),
            stream(content),
        )
        for place, content in enumerate(contents)
    )
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
            *pictures,
            *(one for page in pages for one in page),
        ]
    )


def picture(pixels: Pixels) -> bytes:
    """Return the object of a picture."""
    height, width, _ = pixels.shape
    entries = f"/Type /XObject /Subtype /Image /Width {width} /Height {height}"
    return stream(
        pixels.tobytes(), f"{entries} /ColorSpace /DeviceRGB /BitsPerComponent 8"
    )


def stream(content: bytes, entries: str = "") -> bytes:
    """Return a packed stream, with further entries in its dictionary."""
    packed = zlib.compress(content)
    head = f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def assembled(objects: list[bytes], trailer: str = "") -> bytes:
    """Return a PDF of these objects, with the table of where they are."""
    whole, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(f"{len(whole):010d} 00000 n \n".encode())
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    count = len(objects) + 1
    end = f"trailer\n<< /Size {count} /Root 1 0 R {trailer} >>\n".encode()
    table = b"xref\n0 %d\n0000000000 65535 f \n" % count + b"".join(places)
    return whole + table + end + b"startxref\n%d\n%%%%EOF" % len(whole)


def locked_pdf() -> bytes:
    """Return a PDF that nobody can open without its password."""
    word = "00" * 32
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{word}> /U <{word}> /P -4 >>"
    return pdf("secret", trailer=f"{lock} /ID [<{word}> <{word}>]")

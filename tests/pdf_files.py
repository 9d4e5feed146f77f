"""PDFs for tests: pages of one line each, and what makes a PDF unreadable."""


def pdf(*lines: str, trailer: str = "") -> bytes:
    """Return a PDF with a page for each line.

    Parameters
    ----------
    trailer : further entries of the trailer
    """
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(lines)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(lines)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for place, line in enumerate(lines):
        content = f"BT /F1 12 Tf 10 100 Td ({line}) Tj ET" if line else ""
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Resources"
            f" << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * place} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    return assembled([one.encode() for one in objects], trailer)


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

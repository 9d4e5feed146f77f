"""Dialogues, HTML pages and PDFs become texts, or are set aside with a sentence."""

import io
import json
import time
from base64 import b64encode

import numpy as np
import orjson
import pytest
from PIL import Image

from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from tests.label_studio import JsonObject, choices_config
from tests.pdf_files import Pixels, locked_pdf, pdf

TURNS = [{"who": "Ann", "what": "Hello"}, {"who": "Bob", "what": "Good bye"}]


def striped(width: int) -> Pixels:
    """Return a page of black stripes of so many pixels."""
    light = 255 * (np.arange(60) // width % 2)
    return np.tile(light[:, None, None], (1, 60, 3)).astype(np.uint8)


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9), colour).save(file, "PNG")
    return file.getvalue()


LIST = 'valueList="$shown"'
STAMP = "FAX 2026-11-30 09:12 from 030 1234 to 030 9876 page 1 of 2"
FILES = {
    "/a.png": picture("red"),
    "/b.png": picture("navy"),
    "/talk.json": orjson.dumps(TURNS),
    "/broken.json": b"[{",
    "/page.html": b"<h1>Title</h1><p>some <b>wo</b>rds</p>",
    "/data/upload/1/page.html": b"<p>uploaded</p>",
    "/one.pdf": pdf("good words", "of a second page"),
    "/long.pdf": pdf(*(f"page {number}" for number in range(1_000))),
    "/white.pdf": pdf(" "),
    "/spaced.pdf": pdf("good words", " "),
    "/blank.pdf": pdf("", ""),
    "/scan.pdf": pdf(striped(3)),
    "/other.pdf": pdf(striped(10)),
    "/both.pdf": pdf(striped(3), striped(10)),
    "/late.pdf": pdf("", "", striped(3), ""),
    "/many.pdf": pdf(*[striped(3)] * 4, striped(10)),
    "/cover.pdf": pdf("good words", striped(3)),
    "/figure.pdf": pdf("one", "two", "three", "four", striped(3)),
    "/endless.pdf": pdf("good words", striped(3), drawings=10**6),
    "/stamped.pdf": pdf((STAMP, striped(3))),
    "/searchable.pdf": pdf((4 * STAMP, striped(3))),
    "/stamp.pdf": pdf((STAMP, striped(3)), side=200),
    "/strips.pdf": pdf((STAMP, striped(3)), side=140, drawings=3),
    "/torn.pdf": pdf("lost", "good words").replace(b"/Kids [4 0 R", b"/Kids [9 9 R"),
    "/lost.pdf": pdf("lost").replace(b"/Kids [4 0 R", b"/Kids [9 9 R"),
    "/locked.pdf": locked_pdf(),
    "/broken.pdf": pdf("good words")[:150],
    "/text.pdf": b"no PDF at all",
    "/empty": b"",
}


class Shelf:
    """The files that there are."""

    def fetch(self, address: str) -> bytes:
        if address not in FILES:
            message = f"{address} is not there"
            raise BadItemError(message)
        return FILES[address]


def read(tag: str, value: object, attributes: str = "") -> TaskInput:
    """Return what is learnt from a task that shows a value."""
    given = f'value="$shown" {attributes}'
    shown = read_schema(choices_config("a", "b", tag=tag, attributes=given))
    data: JsonObject = {"shown": value}
    reads = choose_input(shown, Preferences(), [data])
    return TaskReader(schema=shown, reads=reads, files=Shelf()).read(data)


KEYS = 'nameKey="who" textKey="what"'


def test_a_dialogue_is_one_text_with_its_speakers() -> None:
    reading = read("Paragraphs", TURNS, KEYS)

    assert reading.text == "Ann: Hello\nBob: Good bye"


def test_a_dialogue_has_the_keys_of_the_editor_where_none_are_named() -> None:
    turns = [{"author": "Ann", "text": "Hello"}, {"text": "Hm"}, {"author": "Bob"}]

    assert read("Paragraphs", turns).text == "Ann: Hello\nHm"


def test_a_dialogue_is_read_from_a_file() -> None:
    reading = read("Paragraphs", "/talk.json", f'valueType="url" {KEYS}')

    assert reading.text == "Ann: Hello\nBob: Good bye"


@pytest.mark.parametrize(
    ("value", "attributes", "why"),
    [
        ("words", "", 'such as [{"author": "Ann", "text": "Hello"}]'),
        ("words", KEYS, 'such as [{"who": "Ann", "what": "Hello"}]'),
        ({"text": "words"}, "", "holds no dialogue"),
        ([], "", "no turn of the dialogue has a text under 'text'"),
        (TURNS, "", "no turn of the dialogue has a text under 'text'"),
        (TURNS, 'textKey="said"', "no turn of the dialogue has a text under 'said'"),
        ("/broken.json", 'valueType="url"', "/broken.json is not a JSON file"),
        ("/gone.json", 'valueType="url"', "/gone.json is not there"),
        ("a text", 'valueType="url"', "holds no address there"),
    ],
)
def test_what_is_no_dialogue_is_set_aside(
    value: object, attributes: str, why: str
) -> None:
    assert why in read("Paragraphs", value, attributes).refused


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("plain &amp; simple", "plain & simple"),
        ("<h1>Title</h1><p>some <b>wo</b>rds</p>", "Title\nsome words"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("<script>var x = '<p>';</script>words<style>p {}</style>", "words"),
        ("<title>none</title><!-- none --><body>words", "words"),
        ("<p title='a > b'>words</p>", "words"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("words <p", "words"),
        ("words <!-- without end", "words"),
        ("words <script> without end", "words"),
        ("<p>&lt;b&gt;</p>", "<b>"),
    ],
)
def test_of_a_page_the_text_is_read_that_people_see(page: str, text: str) -> None:
    assert read("HyperText", page).text == text


@pytest.mark.parametrize("page", ["", "<p> </p>", "<script>x()</script>", "<!-- x -->"])
def test_a_page_without_text_is_set_aside(page: str) -> None:
    assert "no text under 'shown'" in read("HyperText", page).refused


def test_a_page_is_read_from_a_file() -> None:
    reading = read("HyperText", "/page.html", 'valueType="url"')

    assert reading.text == "Title\nsome words"


def test_the_address_of_an_uploaded_page_is_never_its_text() -> None:
    assert read("HyperText", "/data/upload/1/page.html").text == "uploaded"


@pytest.mark.parametrize(
    "page",
    ["<" * 10**6, "<!--" * 10**6, "<a '" * 10**6, "<a \"'" * 10**6, "<script>" * 10**6],
    ids=lambda page: page[:8],
)
def test_no_page_takes_long(page: str) -> None:
    began = time.process_time()

    read("HyperText", page)

    assert time.process_time() - began < 5


@pytest.mark.parametrize("tag", ["Text", "HyperText"])
@pytest.mark.parametrize("encoding", ["base64", "base64unicode"])
def test_a_text_in_base64_is_decoded(tag: str, encoding: str) -> None:
    value = b64encode("Grüße".encode()).decode()

    assert read(tag, value, f'encoding="{encoding}"').text == "Grüße"


def test_what_is_not_base64_is_set_aside() -> None:
    assert "not valid base64" in read("Text", "Grüße!", 'encoding="base64"').refused


def test_the_text_of_a_pdf_is_read() -> None:
    assert read("Pdf", "/one.pdf").text == "good words\nof a second page"


def test_a_thousand_pages_are_read() -> None:
    text = read("Pdf", "/long.pdf").text

    assert text is not None
    assert text.endswith("page 999")


def looks(name: str) -> dict[str, float]:
    reading = read("Pdf", name)
    assert reading.text is None
    assert not reading.vector
    return {**reading.numbers}


def test_a_scan_is_read_by_the_looks_of_its_page() -> None:
    scan, other = looks("/scan.pdf"), looks("/other.pdf")

    assert scan.keys() == read("Image", "/a.png").numbers.keys()
    assert scan != other
    light = np.mean([value for name, value in scan.items() if name[:6] == "light "])
    assert light == pytest.approx(0.5, abs=0.05)


def test_the_shape_of_a_scan_is_that_of_its_page() -> None:
    scan = looks("/scan.pdf")

    assert scan["shape 0"] == 0
    assert scan["shape 1"] == pytest.approx(np.log(300 * 300))


def test_of_the_pages_of_a_scan_the_mean_is_read() -> None:
    one, other = looks("/scan.pdf"), looks("/other.pdf")

    both = {name: pytest.approx((one[name] + other[name]) / 2) for name in one}
    assert looks("/both.pdf") == both


@pytest.mark.parametrize("name", ["/late.pdf", "/many.pdf"])
def test_of_a_scan_the_first_four_pages_that_are_not_blank_are_read(name: str) -> None:
    assert looks(name) == pytest.approx(looks("/scan.pdf"))


def test_a_scan_behind_a_cover_is_read_beside_its_words() -> None:
    reading = read("Pdf", "/cover.pdf")

    assert reading.text == "good words"
    assert reading.vector == read("Text", "good words").vector
    assert reading.numbers == pytest.approx(looks("/scan.pdf"))


@pytest.mark.parametrize("name", ["/stamped.pdf", "/strips.pdf"])
def test_a_scan_with_a_line_of_a_fax_machine_is_read_by_both(name: str) -> None:
    reading = read("Pdf", name)

    assert reading.text == STAMP
    assert reading.numbers.keys() == looks("/scan.pdf").keys()
    assert reading.numbers["shape 1"] == pytest.approx(np.log(300 * 300))


@pytest.mark.parametrize(
    "name",
    [
        *("/one.pdf", "/figure.pdf", "/spaced.pdf"),
        *("/searchable.pdf", "/stamp.pdf", "/torn.pdf"),
    ],
)
def test_of_a_pdf_that_begins_with_text_the_text_is_all(name: str) -> None:
    reading = read("Pdf", name)

    assert reading.text
    assert not reading.numbers


@pytest.mark.long
def test_a_page_that_takes_too_long_to_draw_is_left_out() -> None:
    """The process is ended after 20 s of computing."""
    reading = read("Pdf", "/endless.pdf")

    assert (reading.text, reading.numbers, reading.refused) == ("good words", {}, "")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/blank.pdf", "its pages are blank"),
        ("/white.pdf", "its first pages are blank or cannot be drawn"),
        ("/locked.pdf", "protected by a password"),
        ("/broken.pdf", "the PDF is broken"),
        ("/lost.pdf", "the PDF is broken: Failed to load page"),
        ("/text.pdf", "not a PDF"),
        ("/gone.pdf", "is not there"),
        ("", "no address of a PDF"),
        (5, "no address of a PDF"),
    ],
)
def test_what_is_no_pdf_with_anything_on_its_pages_is_set_aside(
    address: object, why: str
) -> None:
    assert why in read("Pdf", address).refused


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("Image", ""),
        ("Audio", ""),
        ("Video", ""),
        ("Pdf", ""),
        ("TimeSeries", ""),
        ("Text", 'valueType="url"'),
        ("HyperText", 'valueType="url"'),
        ("Paragraphs", 'valueType="url"'),
    ],
)
def test_an_empty_file_is_called_empty(tag: str, attributes: str) -> None:
    assert read(tag, "/empty", attributes).refused == "the file is empty"


def test_of_a_list_of_images_the_mean_is_read() -> None:
    one, other = read("Image", "/a.png").numbers, read("Image", "/b.png").numbers

    both = read("Image", ["/a.png", "/b.png"], LIST).numbers

    assert both == {name: pytest.approx((one[name] + other[name]) / 2) for name in one}


def test_of_a_list_what_cannot_be_read_is_left_out() -> None:
    reading = read("Image", ["/gone.png", "/a.png", 5], LIST)

    assert reading.numbers == pytest.approx(read("Image", "/a.png").numbers)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (["/gone.png"], "no image of the list can be read; of the first: /gone.png is"),
        ([], "holds no list of images"),
        ("/a.png", "holds no list of images"),
    ],
)
def test_a_list_without_an_image_is_set_aside(value: object, why: str) -> None:
    assert why in read("Image", value, LIST).refused


def test_of_a_long_list_the_first_images_are_read() -> None:
    reading = read("Image", ["/a.png"] * 16 + ["/b.png"] * 10_000, LIST)

    assert reading.numbers == pytest.approx(read("Image", "/a.png").numbers)


@pytest.mark.parametrize(
    "table",
    [
        [{"name": "Ann", "age": 41}, {"name": "Bob", "age": 7}],
        {"name": "Ann", "home": {"town": "Rome"}},
        '[{"name": "Ann"}]',
    ],
)
def test_a_table_without_columns_of_numbers_is_read_as_json(table: object) -> None:
    text = table if isinstance(table, str) else json.dumps(table)

    assert read("Table", table).text == text


def test_the_numbers_of_a_table_come_first() -> None:
    reading = read("Table", {"age": 41.5, "home": {"town": "Rome"}})

    assert (reading.text, reading.numbers) == (None, {"age": 41.5})

"""The page as one file: whole, under its own policy, with nobody's text as code."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from dubito.backend.export.html_report import KEPT, report
from dubito.backend.services import Services
from dubito.backend.state.project import ProjectState
from dubito.backend.status.learning_report import learning_report
from dubito.backend.status.status import describe
from dubito.backend.web.pages import ASSETS
from tests.builders import project

EVIL = '</script><script>alert(1)</script><!--<script> & "\u2028\u2029 🙂'


class Elements(HTMLParser):
    """The elements of a page, and the texts of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inlined: dict[str, list[str]] = {"script": [], "style": []}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag in self.inlined and not attrs:
            self._open = tag
            self.inlined[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inlined[self._open][-1] += data


@pytest.fixture
def page(services: Services, state: ProjectState) -> str:
    state.note(project=project(title=EVIL))
    return report(services, state).decode()


def kept(page: str) -> dict[str, object]:
    match = re.search(r'<script type="application/json" id="kept">(.*?)</script>', page)
    assert match is not None
    read: dict[str, object] = json.loads(match[1])
    return read


def test_it_holds_what_the_page_would_be_told(
    services: Services, state: ProjectState, page: str
) -> None:
    content = kept(page)

    assert content.keys() == KEPT.keys()
    assert content["status"] == describe(state, services).model_dump(mode="json")
    assert content["learning"] == learning_report(state).model_dump(mode="json")


def test_it_holds_whatever_a_panel_asks_for() -> None:
    """But for the panel that is not shown in a report."""
    shown = [one for one in ASSETS.glob("*.js") if one.name != "takeaway.js"]
    asked = r"project\.(?:get|shared)\(\"([^\"]+)\"\)"
    named = {name for one in shown for name in re.findall(asked, one.read_text())}

    assert "learning" in named
    assert named <= KEPT.keys()


def test_no_text_of_a_stranger_is_markup(page: str) -> None:
    status = kept(page)["status"]

    assert isinstance(status, dict)
    assert status["title"] == EVIL
    assert "alert(1)" not in re.sub(r'(?s)id="kept">.*?</script>', "", page)
    assert len(re.findall("<script", page)) == len(re.findall("</script>", page))


def test_it_asks_a_network_for_nothing(page: str) -> None:
    """Whatever would be fetched by itself stands in the file."""
    for tag, attributes in Elements(page).found:
        address = attributes.get("src") or attributes.get("href") or ""
        assert address.startswith(("#", "data:")) or not address, (tag, address)
    assert "/assets/" not in page


def test_its_policy_lets_exactly_its_own_scripts_and_styles_act(page: str) -> None:
    elements = Elements(page)
    (rules,) = [a["content"] for t, a in elements.found if "http-equiv" in a]
    assert rules is not None

    for tag in ("script", "style"):
        marks = [sha256(text.encode()).digest() for text in elements.inlined[tag]]
        named = re.search(rf"{tag}-src ([^;]+);", rules)
        assert named is not None
        assert named[1].split() == [f"'sha256-{b64encode(m).decode()}'" for m in marks]
    assert len(elements.inlined["script"]) > 5
    assert "default-src 'none'" in rules
    assert "unsafe" not in rules


def test_it_says_when_it_was_made(page: str) -> None:
    assert re.search(r"Report of <time datetime=\"20[^\"]+Z\">20[0-9 :-]+ UTC", page)


def test_it_is_downloaded_not_shown(http: FlaskClient, state: ProjectState) -> None:
    """Under our address its scripts would be refused, and should be."""
    response = http.get(f"/projects/{state.id}/report.html")

    assert response.status_code == 200
    disposition = response.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="project-1-report.html"'
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert http.get("/projects/9/report.html").status_code == 404

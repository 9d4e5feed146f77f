"""The pages for people: what is served, to whom, and under which rules."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from dubito.backend.state.project import ProjectState
from dubito.backend.web.app import create_app
from dubito.backend.web.pages import ASSETS, policy
from tests.builders import KEY
from tests.store import Opener

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ("list.html", "page.html")


def test_a_browser_is_shown_the_list_and_a_script_is_told_it(http: FlaskClient) -> None:
    shown, plain = http.get("/", headers=BROWSER), http.get("/")

    assert shown.content_type.startswith("text/html")
    assert b"<title>Projects" in shown.data
    assert plain.json == {"status": "UP", "name": "Dubito", "projects": []}


@pytest.mark.parametrize("name", ["1", KEY])
def test_a_project_has_a_page(
    http: FlaskClient, state: ProjectState, name: str
) -> None:
    shown = http.get(f"/projects/{name}")

    assert state.id == 1
    assert shown.status_code == 200
    assert b'id="glance"' in shown.data


def test_instead_of_a_project_that_is_not_connected_the_list_is_shown(
    http: FlaskClient,
) -> None:
    shown = http.get("/projects/9")

    assert shown.status_code == 404
    assert b"<title>Projects" in shown.data


def test_pages_are_guarded_like_all_else(opened: Opener) -> None:
    guarded = create_app(
        opened(
            basic_auth_user="me",
            basic_auth_pass="x",  # noqa: S106
        )
    ).test_client()

    for path in ("/", "/projects/1", "/assets/style.css"):
        assert guarded.get(path, headers=BROWSER).status_code == 401


def test_a_page_may_use_nothing_but_ours_and_label_studios_files(
    opened: Opener,
) -> None:
    services = opened(label_studio_public_url="https://label.example:8443/sub")
    response = create_app(services).test_client().get("/projects/1").headers

    rules = response["Content-Security-Policy"]
    assert rules == policy("https://label.example:8443/sub")
    assert "script-src 'self';" in rules
    assert "img-src 'self' data: https://label.example:8443;" in rules
    assert "media-src https://label.example:8443;" in rules
    assert "unsafe" not in rules


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_files_that_are_served(http: FlaskClient, page: str) -> None:
    named = re.findall(r'(?:src|href)="(/assets/[^"]+)"', (ASSETS / page).read_text())

    assert len(named) > 3
    assert all(http.get(path).status_code == 200 for path in named)


@pytest.mark.parametrize(
    "path", sorted(ASSETS.glob("*")), ids=lambda path: str(path.name)
)
def test_an_asset_runs_under_the_policy_and_trusts_no_text(path: Path) -> None:
    """Labels and texts are of strangers: they never become markup or code."""
    text = path.read_text()

    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b"
    assert not re.search(forbidden, text)
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    if path.suffix == ".html":
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", text)


def test_what_has_not_changed_is_not_sent_again(
    http: FlaskClient, state: ProjectState
) -> None:
    first = http.get("/api/projects/1")
    known = {"If-None-Match": first.headers["ETag"]}
    same = http.get("/api/projects/1", headers=known)
    state.note(last_error="something else")
    other = http.get("/api/projects/1", headers=known)

    assert (same.status_code, same.data) == (304, b"")
    assert other.status_code == 200
    assert other.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "path", ["/assets/../pages.py", "/assets/..%2fpages.py", "/assets/x"]
)
def test_only_assets_are_served(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code == 404

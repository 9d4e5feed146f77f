"""The pages for people: a list of the projects, one page of each, and what they need.

A page is the same for every project: scripts fill it with what the API says.
"""

from __future__ import annotations

from http import HTTPStatus
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort

from dubito.backend.errors import UnknownProjectError
from dubito.backend.web.auth import current_services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("pages", __name__)
ASSETS = Path(__file__).parent / "assets"
NAMES = frozenset(path.name for path in ASSETS.iterdir())


@pages.get("/projects/<name>")
def page(name: str) -> ResponseReturnValue:
    """Show how a project stands; of one that is not connected, the list instead."""
    try:
        current_services().projects.find(name)
    except UnknownProjectError:
        return listed(), HTTPStatus.NOT_FOUND
    return _page("page.html")


@pages.get("/assets/<file>")
def asset(file: str) -> ResponseReturnValue:
    """Return a style or a script of the pages."""
    return _file(file)


def listed() -> Response:
    """Show all projects."""
    return _page("list.html")


def _page(file: str) -> Response:
    response = _file(file)
    response.headers["Content-Security-Policy"] = policy(
        current_services().settings.label_studio_for_people
    )
    return response


def _file(name: str) -> Response:
    """Return an asset; browsers keep it, and ask whether it is still the same."""
    if name not in NAMES:
        abort(HTTPStatus.NOT_FOUND)
    kind, _ = guess_type(name)
    response = Response(
        (ASSETS / name).read_bytes(), content_type=f"{kind}; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


def policy(label_studio: str) -> str:
    """Return what a page may do: use what is ours, and show Label Studio's files."""
    parts = urlsplit(label_studio)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: {parts.scheme}://{parts.netloc}",
            f"media-src {parts.scheme}://{parts.netloc}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )

"""The page of a project as one file that opens without Dubito, and without a network.

It is the very page: its scripts find what they would ask for in the file itself.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import orjson

from dubito.backend.autolabel.plan import describe_autolabel
from dubito.backend.errors import BackendError, UnknownQuestionError
from dubito.backend.export.model_zip import versions_here
from dubito.backend.status.learning_report import learning_report
from dubito.backend.status.status import describe
from dubito.backend.taskmap.view import map_view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dubito.backend.records import JsonObject
    from dubito.backend.response_model import ResponseModel
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

View: TypeAlias = "Callable[[ProjectState, Services, str], ResponseModel]"
KEPT: Mapping[str, View] = MappingProxyType(
    {
        "status": describe,
        "learning": lambda state, _, question: learning_report(state, question),
        "map": lambda state, _, question: map_view(state, question),
        "rest": lambda state, *_: describe_autolabel(state),
    }
)
"""What the panels of the page ask for, by the names they use (`project.get`)."""

ASSETS = files("dubito.backend.web") / "assets"
STYLE = re.compile(r'<link rel="stylesheet" href="/assets/([\w.-]+)">')
SCRIPT = re.compile(r'\s*<script src="/assets/([\w.-]+)" defer></script>')
PICTURE = re.compile(r'"/assets/([\w-]+\.svg)"')
HOME = ' href="/"'


def report(services: Services, state: ProjectState, question: str = "") -> bytes:
    """Return the page with its scripts, its styles, and all that it shows.

    Parameters
    ----------
    question : control of the question that it is about; the first one if empty

    Raises
    ------
    UnknownQuestionError
        if the project does not learn that question
    """
    page = _read("page.html")
    scripts = [_as_script(_read(name)) for name in SCRIPT.findall(page)]
    styles = [_read(name) for name in STYLE.findall(page)]
    page = SCRIPT.sub("", page).replace(HOME, "")
    page = STYLE.sub(lambda match: f"<style>{_read(match[1])}</style>", page)
    page = PICTURE.sub(lambda match: f'"{_as_address(match[1])}"', page)
    page = page.replace("<title>", f"{_policy(scripts, styles)}\n  <title>", 1)
    page = page.replace("</h1>", f"</h1>\n    {_stamp(state)}", 1)
    data = _data_element(services, state, question)
    elements = "\n".join(f"<script>{script}</script>" for script in scripts)
    head, _, tail = page.rpartition("</body>")
    return f"{head}{data}\n{elements}\n</body>{tail}".encode()


def _data_element(services: Services, state: ProjectState, question: str) -> str:
    """Return all that the page shows; no text in it can end the element it is in."""
    responses: JsonObject = {}
    for name, view in KEPT.items():
        try:
            responses[name] = view(state, services, question).model_dump()
        except UnknownQuestionError:
            raise
        except BackendError:  # what is not there yet is not shown either
            continue
    text = orjson.dumps(responses, option=orjson.OPT_NON_STR_KEYS).decode()
    safe = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="kept">{safe}</script>'


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Let exactly these scripts and styles act, and nothing be asked of a network."""
    rules = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_marks(scripts)}",
            f"style-src {_marks(styles)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def _marks(texts: list[str]) -> str:
    marks = (b64encode(sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{mark}'" for mark in marks)


def _stamp(state: ProjectState) -> str:
    """Say when the report was made: it is not followed by what comes later."""
    made_at = datetime.fromtimestamp(state.clock(), UTC)
    caption = f"{made_at:%Y-%m-%d %H:%M} UTC, Dubito {versions_here()['dubito']}"
    return (
        f'<p class="muted">Report of <time datetime="{made_at:%Y-%m-%dT%H:%M:%SZ}">'
        f"{escape(caption)}</time></p>"
    )


def _as_script(text: str) -> str:
    """Return a script of which nothing ends the element it stands in."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _as_address(name: str) -> str:
    content = b64encode(_read(name).encode()).decode()
    return f"data:image/svg+xml;base64,{content}"


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")

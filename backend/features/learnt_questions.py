"""Which questions of a project are learnt, and which not, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ProjectSettingsError
from dubito.backend.labelstudio.questions import read_questions
from dubito.backend.project_settings import read_preferences

if TYPE_CHECKING:
    from dubito.model.schema import Schema

MOST_NAMES = 5


def learnt_questions(
    label_config: str, extra_params: object
) -> tuple[Schema, list[str]]:
    """Return the first question, and lines on what is learnt, what not, and why.

    Parameters
    ----------
    extra_params : the project's settings; invalid ones choose nothing

    Raises
    ------
    SchemaError
        if nothing can be learnt, or not what the settings choose
    """
    questions = read_questions(label_config)
    try:
        controls = read_preferences(extra_params).controls
    except ProjectSettingsError:
        controls = ()
    learnt = questions.learnt(controls)
    lines = [f"learns {in_words(schema)}" for schema in learnt]
    lines += filter(None, (codec_of(schema).hint(schema) for schema in learnt))
    lines += [f"not learnt: {reason}" for reason in questions.not_learnt(learnt)]
    return learnt[0], lines


def in_words(schema: Schema) -> str:
    """Return the name of a question and its classes, or some of them."""
    classes = ", ".join(map(_apart, schema.classes[:MOST_NAMES]))
    rest = len(schema.classes) - MOST_NAMES
    more = f" and {rest} more" if rest > 0 else ""
    return f"{schema.control!r}: {classes or 'numbers'}{more}"


def _apart(name: str) -> str:
    """Return a class as it stands between commas: in quotes if it has one itself."""
    return repr(name) if "," in name else name

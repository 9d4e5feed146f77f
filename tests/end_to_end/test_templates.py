"""The page on Label Studio's templates says what Dubito makes of each."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import SchemaError
from dubito.backend.labelstudio.questions import read_questions
from dubito.model.schema import Schema

pytestmark = pytest.mark.end_to_end
PAGE = Path(__file__).parents[2] / "docs" / "templates.md"
ROW = re.compile(
    r"^\| ([\w-]+/[\w-]+) \| `(.+)` \| `<(\w+)>` \| (.+) \|$", re.MULTILINE
)
CONFIG = re.compile(r"^config: \|\n((?: .*\n?|\n)*)", re.MULTILINE)


def label_configs() -> dict[str, str]:
    """Return the label config of each template that Label Studio brings, by name."""
    [root] = Path(os.environ["DUBITO_LABEL_STUDIO_VENV"]).glob(
        "lib/python*/site-packages/label_studio/annotation_templates"
    )
    pages = {path: path.read_text() for path in root.glob("*/*/config.yml")}
    configs = {path: CONFIG.search(text) for path, text in pages.items()}
    return {
        str(path.parent.relative_to(root)): config[1]
        for path, config in configs.items()
        if config
    }


def told(schemas: Sequence[Schema]) -> tuple[str, str, str]:
    """Return what the page says of a label config."""
    schema, *others = schemas
    more = {0: "", 1: f"`, `{schemas[-1].control}"}.get(
        len(others), f"` and `{len(others)} more"
    )
    codec = codec_of(schema)
    objects = [schema] if codec.marks_stretches else schema.objects
    tags = Counter(one.tag for one in objects)
    reads = [f"{n} `<{tag}>`" if n > 1 else f"`<{tag}>`" for tag, n in tags.items()]
    beside = "numbers beside " if schema.unread else ""
    return schema.control + more, codec.tag, beside + ", ".join(reads)


def test_the_page_lists_what_is_learnt_of_each_template() -> None:
    configs = label_configs()
    learnt = {}
    for name, config in configs.items():
        try:
            learnt[name] = told(read_questions(config.strip()).learnt())
        except SchemaError:
            continue

    listed = {name: (*rest,) for name, *rest in ROW.findall(PAGE.read_text())}

    assert len(configs) == 69
    assert listed == learnt

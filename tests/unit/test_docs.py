"""What the docs tell people to type, to set and to read exists."""

import re
from pathlib import Path

import pytest

from dubito.backend.cli import main
from dubito.backend.project_settings import Preferences
from dubito.backend.status.models import ProjectStatus
from dubito.backend.variables import ALIASES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
DOCS = "\n".join(page.read_text() for page in PAGES)
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
COMMAND = r"(?<!SETUSER )\bdubito ([a-z]+)"
"""A user of Redis may have the name, too."""

LINKS = [
    (page, link)
    for page in PAGES
    for link in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text())
]
MAKEFILE = (ROOT / "Makefile").read_text()


def shown_as_code() -> str:
    """Return what is set as code: prose may well say what Dubito does."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
    prose = re.sub(r"```.*?```", "", DOCS, flags=re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`]+)`", prose)])


def section(title: str) -> str:
    """Return one section of the reference, without its heading."""
    return REFERENCE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_column(title: str) -> list[str]:
    """Return the names in the first column of a section's table."""
    rows = re.findall(r"^\| (`.+?) \|", section(title), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize(
    ("name", "options"),
    sorted(set(re.findall(rf"{COMMAND}((?: --[a-z-]+)?)", shown_as_code()))),
)
def test_every_dubito_command_exists(name: str, options: str) -> None:
    command = main.commands[name]

    known = {option for parameter in command.params for option in parameter.opts}
    assert {*options.split()} <= {*known, "--help"}


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"\bmake ([a-z]+)", shown_as_code())))
)
def test_every_make_target_exists(name: str) -> None:
    assert name in targets()


def test_every_command_and_target_is_in_the_docs() -> None:
    commands = set(re.findall(COMMAND, shown_as_code()))
    made = set(re.findall(r"\bmake ([a-z]+)", shown_as_code()))

    assert commands == set(main.commands)
    assert made == targets() - {"help"}


def test_the_tables_name_every_setting() -> None:
    assert set(first_column("Settings of a project")) == set(Preferences.model_fields)
    assert set(first_column("Environment")) == {names[0] for names in ALIASES.values()}


def test_the_table_of_the_status_says_what_the_model_says() -> None:
    fields = ProjectStatus.model_fields.items()
    rows = "".join(f"| `{name}` | {field.description} |\n" for name, field in fields)

    assert section("Status").endswith(f"| --- | --- |\n{rows}")


@pytest.mark.parametrize(
    ("page", "link"), LINKS, ids=[f"{page.name}: {link}" for page, link in LINKS]
)
def test_every_file_that_a_page_links_to_is_there_and_small(
    page: Path, link: str
) -> None:
    assert (page.parent / link).stat().st_size < 150_000


def test_the_readme_is_short() -> None:
    """It is the way in: details are in the reference."""
    assert len(README.read_text().splitlines()) < 200


def test_the_way_in_names_files_that_are_there() -> None:
    """CONTRIBUTING says where to change what."""
    named = re.findall(
        r"`((?:backend|model|tests|docs)/[\w/.*]+)`",
        (ROOT / "CONTRIBUTING.md").read_text(),
    )

    assert named
    assert not [path for path in named if not list(ROOT.glob(path))]

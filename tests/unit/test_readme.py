"""What the README tells people to type, to set and to read exists."""

import re
from pathlib import Path

import pytest

from backend.cli import main
from backend.learning.preferences import Preferences
from backend.settings import ALIASES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def shown_as_code() -> str:
    """Return what is set as code: prose may well say what Dubito does."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`]+)`", prose)])


def section(title: str) -> str:
    """Return one section of the README, without its heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_column(title: str) -> list[str]:
    """Return the names in the first column of a section's table."""
    rows = re.findall(r"^\| (`.+?) \|", section(title), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize(
    ("name", "options"),
    sorted(set(re.findall(r"\bdubito ([a-z]+)((?: --[a-z-]+)?)", shown_as_code()))),
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


def test_every_command_and_target_is_in_the_readme() -> None:
    commands = set(re.findall(r"\bdubito ([a-z]+)", shown_as_code()))
    made = set(re.findall(r"\bmake ([a-z]+)", shown_as_code()))

    assert commands == set(main.commands)
    assert made == targets() - {"help"}


def test_the_tables_name_every_setting() -> None:
    assert set(first_column("Settings of a project")) == set(Preferences.model_fields)
    assert set(first_column("Environment")) == {names[0] for names in ALIASES.values()}


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_every_file_it_shows_is_there_and_small(path: str) -> None:
    assert (ROOT / path).stat().st_size < 150_000

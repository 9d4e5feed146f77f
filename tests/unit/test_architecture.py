"""The rules of the code that a reader may rely on."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from backend.cli import main

ROOT = Path(__file__).parents[2]
MODEL = sorted(ROOT.glob("model/**/*.py"))
BACKEND = sorted(ROOT.glob("backend/**/*.py"))
# The only packages of a module in `model/`: arithmetic, and names of things. Of
# `importlib` it is the list of installed learners.
INSIDE = {
    *("__future__", "collections", "contextlib", "dataclasses", "functools", "hashlib"),
    *("importlib", "itertools", "math", "re", "types", "typing", "warnings"),
    *("contextvars", "numpy", "scipy", "sklearn", "threadpoolctl", "model"),
}
IN_AND_OUT = {"open", "print", "input", "exec", "eval", "breakpoint", "__import__"}
# `settings` reads the environment for all; `supervisor` passes its own on to the
# processes it starts, and reads from it who started it.
SEES_THE_ENVIRONMENT = {"backend/settings.py", "backend/supervisor.py"}
# What a package may know of the others: the world's parts do not know each other's.
MAY_IMPORT = {
    "backend/state": {"errors", "records", "settings", "state"},
    "backend/web": {
        *("errors", "labelstudio", "learning", "records", "release"),
        *("services", "settings", "state", "takeaway", "web"),
    },
}
# Names that are no secrets (104 to 106), chance that is none (311), our own commands.
EXEMPT = {"S104", "S105", "S106", "S311", "S603"}
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}

every_module = pytest.mark.parametrize(
    "path", MODEL + BACKEND, ids=lambda path: str(path.relative_to(ROOT))
)
every_model_module = pytest.mark.parametrize(
    "path", MODEL, ids=lambda path: str(path.relative_to(ROOT))
)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything a module imports, anywhere in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def own_imports(path: Path, modules: set[str]) -> set[str]:
    """Return which of our modules a module imports."""
    found = set(imported(path))
    return {name for full in found for name in _prefixes(full) if name in modules}


def _prefixes(name: str) -> tuple[str, str]:
    return name, name.rpartition(".")[0]


@every_model_module
def test_the_model_knows_nothing_of_the_outside(path: Path) -> None:
    """It must run in a notebook: no server, no Redis, no clock, no environment."""
    assert {name.partition(".")[0] for name in imported(path)} <= INSIDE


@every_model_module
def test_the_model_reads_and_writes_nothing(path: Path) -> None:
    named = {n.id for n in ast.walk(tree(path)) if isinstance(n, ast.Name)}

    assert named.isdisjoint(IN_AND_OUT)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not even for types: a circle is one module in several files."""
    names = {module_name(path): path for path in MODEL + BACKEND}
    left = {name: own_imports(path, set(names)) for name, path in names.items()}

    while ready := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in ready}

    assert not left


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_package_knows_only_what_it_needs(folder: str) -> None:
    found = {
        full.split(".")[1]
        for path in (ROOT / folder).glob("*.py")
        for full in imported(path)
        if full.startswith("backend.")
    }

    assert found <= MAY_IMPORT[folder]


@every_module
def test_a_module_fits_on_a_few_screens(path: Path) -> None:
    """Past 300 lines a module holds two ideas: split it."""
    assert len(path.read_text().splitlines()) <= 300


@every_module
def test_a_function_can_be_read_without_scrolling(path: Path) -> None:
    long = {f.name: lines_of(f) for f in functions(path) if lines_of(f) > 30}

    assert not long


@every_module
def test_a_function_takes_at_most_five_parameters(path: Path) -> None:
    many = {f.name: parameters(f) for f in functions(path) if len(parameters(f)) > 5}

    assert not many


def functions(path: Path) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef)]


def lines_of(function: ast.FunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    length = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None or first.end_lineno is None:
        return length
    return length - (first.end_lineno - first.lineno + 1)


def parameters(function: ast.FunctionDef) -> list[str]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [one.arg for one in named if one.arg not in {"self", "cls"}]


@every_module
def test_only_the_settings_read_the_environment(path: Path) -> None:
    read = {
        ast.unparse(node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "environb", "getenv", "putenv"}
    }
    read |= {name for name in imported(path) if name.startswith("os.env")}

    assert not read or str(path.relative_to(ROOT)) in SEES_THE_ENVIRONMENT


@every_module
def test_no_pickle_is_ever_read(path: Path) -> None:
    """Loading one runs whatever was stored."""
    assert PICKLES.isdisjoint(name.partition(".")[0] for name in imported(path))


@every_module
def test_the_linters_word_on_security_is_law(path: Path) -> None:
    """No module lets itself off for a pickle, `eval`, a shell, XML or TLS unchecked."""
    exempt = set(re.findall(r"# noqa: .*?\b(S[0-9]{3})\b", path.read_text()))

    assert exempt <= EXEMPT


@every_module
def test_nothing_is_printed(path: Path) -> None:
    """Commands say things by click, everything else by its log."""
    called = {n.func for n in ast.walk(tree(path)) if isinstance(n, ast.Call)}

    assert "print" not in {f.id for f in called if isinstance(f, ast.Name)}


def decorated_commands() -> set[str]:
    """Return the commands of the code, as a reader finds them."""
    return {
        function.name.replace("_", "-")
        for function in functions(ROOT / "backend" / "cli.py")
        for decorator in function.decorator_list
        if ast.unparse(decorator).startswith("main.command(")
    }


def listed_commands(help_text: str) -> set[str]:
    lines = help_text.partition("Commands:")[2].partition("Example:")[0].splitlines()
    entries = (line for line in lines if line[:2] == "  " and line[2:3].strip())
    return {entry.split()[0] for entry in entries}


def test_help_lists_exactly_the_commands_of_the_code() -> None:
    said = CliRunner().invoke(main, ["--help"], terminal_width=200)

    assert said.exit_code == 0
    assert listed_commands(said.output) == decorated_commands() == set(main.commands)


@pytest.mark.parametrize("command", [main, *main.commands.values()], ids=str)
def test_every_command_shows_an_example_of_itself(command: click.Command) -> None:
    arguments = [] if command is main else [str(command.name)]

    said = CliRunner().invoke(main, [*arguments, "--help"], terminal_width=200)

    example = said.output.partition("Example:")[2]
    assert said.exit_code == 0
    assert " ".join(arguments or ["dubito"]) in example


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    """`dubito --help` answers at once: commands import what they need."""
    code = "import sys, backend.cli; print({'sklearn', 'flask', 'rq'} & {*sys.modules})"

    said = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == "set()"


def test_no_two_files_of_tests_have_one_name() -> None:
    """Processes that run tests import the first of them for the other one, too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = project["tool"]["pytest"]["ini_options"]["testpaths"]
    names = [path.name for one in folders for path in ROOT.glob(f"{one}/test_*.py")]

    assert len(names) > len(folders)
    assert sorted(names) == sorted(set(names))

"""The rules of the code that a reader may rely on."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from dubito.backend.cli import main

ROOT = Path(__file__).parents[2]
MODEL = sorted(ROOT.glob("model/**/*.py"))
BACKEND = sorted(ROOT.glob("backend/**/*.py"))
# The only packages of a module in `model/`: arithmetic, and names of things. Of
# `importlib` and `sys` it is the list of installed learners.
INSIDE = {
    *("__future__", "collections", "contextlib", "dataclasses", "functools", "hashlib"),
    *("importlib", "itertools", "math", "re", "sys", "types", "typing", "warnings"),
    *("contextvars", "numpy", "scipy", "sklearn", "threadpoolctl"),
}
IN_AND_OUT = {"open", "print", "input", "exec", "eval", "breakpoint", "__import__"}
# `settings` reads the environment for all; `supervisor` passes its own on to the
# processes it starts, and reads from it who started it. `client` reads what every
# program on a machine is told of proxies and certificates.
SEES_THE_ENVIRONMENT = {
    *("backend/settings.py", "backend/supervisor.py"),
    "backend/http_client/client.py",
}
# Which parts of the code a package may import, itself and BASICS aside. A part is a
# package or a module at the top of `backend/`; `model` is any of `model/`.
BASICS = {"response_model", "errors", "records", "settings", "validation"}
DATA = {"controls", "labelstudio", "model", "state"}
LOOP = {*DATA, "data_kinds", "features", "learning", "publishing", "services"}
MAY_IMPORT = {
    "backend/http_client": set(),
    "backend/controls": {"model"},
    "backend/state": {"controls", "model"},
    "backend/data_kinds": {"controls", "model", "state"},
    "backend/labelstudio": {"controls", "data_kinds", "http_client", "model"},
    "backend/features": {*DATA, "data_kinds", "project_settings"},
    "backend/publishing": {*DATA, "progress"},
    "backend/learning": {*LOOP, "project_settings"},
    "backend/autolabel": {*LOOP, "progress", "turn"},
    "backend/relabel": {*LOOP, "turn"},
    "backend/taskmap": {*LOOP, "turn"},
    "backend/connection": {*LOOP, "progress", "relabel"} - {"learning"},
    "backend/status": {*LOOP, "project_settings", "relabel"},
    "backend/worker": {
        *{*LOOP, "autolabel", "relabel", "taskmap", "connection", "status"},
        *("jobs", "logs", "turn", "version"),
    },
    "backend/export": {
        *LOOP - {"labelstudio"},
        *("autolabel", "logs", "status", "taskmap", "text_encoding"),
    },
    "backend/simulate": {
        *LOOP - {"services", "publishing"},
        *("cpu_count", "project_settings", "text_encoding"),
    },
    "backend/cutting": {
        *("controls", "data_kinds", "export", "labelstudio", "model", "progress"),
    },
    "backend/doctor": {
        *LOOP - {"model"},
        *("connect_command", "connection", "healthcheck", "http_client", "listening"),
        *("logs", "project_settings", "status", "version"),
    },
    "backend/demo": {
        *("connect_command", "http_client", "labelstudio", "listening", "services"),
        *("state", "supervisor"),
    },
    "backend/web": {
        *LOOP - {"data_kinds", "features", "model"},
        *("autolabel", "connection", "export", "listening", "relabel", "status"),
        *("taskmap", "text_encoding", "version"),
    },
    "model/features": set(),
    "model/learners": set(),
    "model/query": set(),
    "model/projection": {"query"},
    "model/stretches": {"features"},
    "model/evaluation": {"learners", "query"},
}
# Names that are no secrets (104 to 106), chance that is none (311), our own commands.
EXEMPT = {"S104", "S105", "S106", "S311", "S603"}
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def broken_by(paths: Iterable[Path], rule: Callable[[Path], object]) -> dict[str, Any]:
    """Return what breaks a rule in each module: nothing, where all keep to it."""
    return {name_of(path): fault for path in paths if (fault := rule(path))}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything a module imports, anywhere in it."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_name(path: Path) -> str:
    parts = ("dubito", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@cache
def module_names() -> dict[str, Path]:
    return {module_name(path): path for path in MODEL + BACKEND}


def own_imports(path: Path) -> set[str]:
    """Return which modules of Dubito a module imports."""
    imports = set(imported(path))
    return {
        name for full in imports for name in _prefixes(full) if name in module_names()
    }


def _prefixes(name: str) -> tuple[str, str]:
    return name, name.rpartition(".")[0]


def outside(path: Path) -> set[str]:
    imports = {name for name in imported(path) if not name.startswith("dubito.model.")}
    return {name.partition(".")[0] for name in imports} - INSIDE


def test_the_model_knows_nothing_of_the_outside() -> None:
    """It must run in a notebook: no server, no Redis, no clock, no environment."""
    assert not broken_by(MODEL, outside)


def names(path: Path) -> set[str]:
    return {n.id for n in nodes(path) if isinstance(n, ast.Name)}


def test_the_model_reads_and_writes_nothing() -> None:
    assert not broken_by(MODEL, lambda path: names(path) & IN_AND_OUT)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not even for types: a circle is one module in several files."""
    left = {name: own_imports(path) - {name} for name, path in module_names().items()}
    left = {
        name: needs - {p for p in needs if is_package(p)}
        for name, needs in left.items()
    }
    assert sum(map(len, left.values())) > len(left)

    while ready := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in ready}

    assert not left


def is_package(name: str) -> bool:
    return module_names()[name].name == "__init__.py"


def test_every_package_says_what_it_may_import() -> None:
    packages = {name_of(path.parent) for path in MODEL + BACKEND} - {"backend", "model"}

    assert packages == set(MAY_IMPORT)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(folder: str) -> None:
    top, _, own = folder.partition("/")
    used = {
        part_of(full, top)
        for path in (ROOT / folder).rglob("*.py")
        for full in own_imports(path)
    }

    assert used - {"", own} - BASICS <= MAY_IMPORT[folder]


def part_of(module: str, top: str) -> str:
    """Return the part of `top` that a module is of, or the other top folder."""
    _, home, *rest = module.split(".")
    if home != top:
        return home
    is_at_the_top_of_the_model = top == "model" and len(rest) < 2
    return "" if not rest or is_at_the_top_of_the_model else rest[0]


def test_no_package_holds_too_much() -> None:
    """Past 15 % of the code a package has become a place where things are put."""
    sizes = Counter[str]()
    for path in MODEL + BACKEND:
        sizes[name_of(path.parent)] += len(path.read_text().splitlines())

    assert max(sizes.values()) < 0.15 * sizes.total()


def too_long(path: Path) -> int | None:
    length = len(path.read_text().splitlines())
    return length if length > 300 else None


def test_a_module_fits_on_a_few_screens() -> None:
    """Past 300 lines a module holds two ideas: split it."""
    assert not broken_by(MODEL + BACKEND, too_long)


def long_functions(path: Path) -> dict[str, int]:
    return {f.name: lines_of(f) for f in functions(path) if lines_of(f) > 30}


def test_a_function_can_be_read_without_scrolling() -> None:
    assert not broken_by(MODEL + BACKEND, long_functions)


def wide_functions(path: Path) -> dict[str, list[str]]:
    return {f.name: parameters(f) for f in functions(path) if len(parameters(f)) > 5}


def test_a_function_takes_at_most_five_parameters() -> None:
    assert not broken_by(MODEL + BACKEND, wide_functions)


def functions(path: Path) -> list[ast.FunctionDef]:
    return [n for n in nodes(path) if isinstance(n, ast.FunctionDef)]


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


def environment_reads(path: Path) -> set[str]:
    read = {
        ast.unparse(node)
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "environb", "getenv", "putenv"}
    }
    return read | {name for name in imported(path) if name.startswith("os.env")}


def test_only_the_settings_read_the_environment() -> None:
    readers = broken_by(MODEL + BACKEND, environment_reads)

    assert not readers.keys() - SEES_THE_ENVIRONMENT


def pickles(path: Path) -> set[str]:
    return PICKLES & {name.partition(".")[0] for name in imported(path)}


def test_no_pickle_is_ever_read() -> None:
    """Loading one runs whatever was stored."""
    assert not broken_by(MODEL + BACKEND, pickles)


def exemptions(path: Path) -> set[str]:
    codes = re.findall(r"# noqa: .*?\b(S[0-9]{3})\b", path.read_text())
    return set(codes) - EXEMPT


def test_the_linters_word_on_security_is_law() -> None:
    """No module lets itself off for a pickle, `eval`, a shell, XML or TLS unchecked."""
    assert not broken_by(MODEL + BACKEND, exemptions)


@cache
def bringers() -> dict[str, list[str]]:
    """Return which installed packages bring a module, by its name."""
    packages = packages_distributions()
    return {
        module: [name.lower().replace("_", "-") for name in names]
        for module, names in packages.items()
    }


@cache
def declared() -> set[str]:
    """Return the packages that an installation brings, and those of its extras.

    The plugin runs where Label Studio's ML server is, plots where they are wanted,
    videos are decoded where they are labelled.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    more = (extras[name] for name in ("plot", "video", "label-studio-ml"))
    lines = [*project["dependencies"], *chain.from_iterable(more)]
    return {re.split(r"[^\w.-]", line)[0].lower() for line in lines}


def undeclared(path: Path) -> set[str]:
    tops = {name.partition(".")[0] for name in imported(path)}
    tops -= {*sys.stdlib_module_names, "dubito", "label_studio_ml"}
    known = declared() | {"scipy", "werkzeug"}  # scikit-learn and flask bring them
    return {top for top in tops if known.isdisjoint(bringers().get(top, ()))}


def test_what_is_imported_is_installed() -> None:
    """A package that only the tests need is not there in a container."""
    assert not broken_by(MODEL + BACKEND, undeclared)


def prints(path: Path) -> bool:
    called = {n.func for n in nodes(path) if isinstance(n, ast.Call)}
    return "print" in {f.id for f in called if isinstance(f, ast.Name)}


def test_nothing_is_printed() -> None:
    """Commands say things by click, everything else by its log."""
    assert not broken_by(MODEL + BACKEND, prints)


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
    run = CliRunner().invoke(main, ["--help"], terminal_width=200)

    assert run.exit_code == 0
    assert listed_commands(run.output) == decorated_commands() == set(main.commands)


@pytest.mark.parametrize("command", [main, *main.commands.values()], ids=str)
def test_every_command_shows_an_example_of_itself(command: click.Command) -> None:
    arguments = [] if command is main else [str(command.name)]

    run = CliRunner().invoke(main, [*arguments, "--help"], terminal_width=200)

    example = run.output.partition("Example:")[2]
    assert run.exit_code == 0
    assert " ".join(arguments or ["dubito"]) in example


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    """`dubito --help` answers at once: commands import what they need."""
    slow = "{'sklearn', 'flask', 'rq'}"
    code = f"import sys, dubito.backend.cli; print({slow} & {{*sys.modules}})"

    process = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert process.stdout.strip() == "set()"


def test_no_two_files_of_tests_have_one_name() -> None:
    """Processes that run tests import the first of them for the other one, too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = project["tool"]["pytest"]["ini_options"]["testpaths"]
    names = [path.name for one in folders for path in ROOT.glob(f"{one}/test_*.py")]

    assert len(names) > len(folders)
    assert sorted(names) == sorted(set(names))

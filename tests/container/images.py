"""Make the images: ours by its own Dockerfile, the others' stand-ins."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from configparser import RawConfigParser
from pathlib import Path

from tests.container.engine import NOTHING, Engine
from tests.real_label_studio import ROOT, require_label_studio

STAND_INS = Path(__file__).parent / "stand_ins"
PYTHON = "docker.io/library/python:3.11-slim-bookworm"
REDIS = "docker.io/library/redis:8-bookworm"
POSTGRES = "docker.io/library/postgres:15-bookworm"
LABEL_STUDIO = "docker.io/heartexlabs/label-studio:1.23.2"
PACKAGES = "localhost/label-studio-packages"
DUBITO = "localhost/dubito"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
RELEASE = "bookworm"
DEBIAN_PACKAGES = "python3,python3-venv,ca-certificates"


def make_images(engine: Engine) -> None:
    """Make what is not there yet, and ours always: unchanged steps are not repeated."""
    _make_debian(engine)
    engine.podman("run", "--rm", PYTHON, "true")  # says why if this machine cannot
    for image, name in ((REDIS, "redis"), (POSTGRES, "postgres")):
        if not engine.exists(image):
            ways = _apt_proxies(engine)
            _build(engine, STAND_INS / f"{name}.Dockerfile", image, environment=ways)
    if not engine.exists(LABEL_STUDIO):
        _make_label_studio(engine)
    # Where layers are copies, keeping each costs more than repeating its step.
    layers = ("--layers",) if engine.driver == "overlay" else ()
    _build(engine, ROOT / "docker" / "Dockerfile", DUBITO, *layers, context=ROOT)


def _make_debian(engine: Engine) -> None:
    """Import a smallest Debian under the name of our base image."""
    if engine.exists(PYTHON):
        return
    debian = engine.root / "debian"
    shutil.rmtree(debian, ignore_errors=True)
    engine.checked(
        *("debootstrap", "--variant=minbase", f"--include={DEBIAN_PACKAGES}"),
        *(RELEASE, str(debian), *_apt_mirror(engine)),
        environment=_apt_proxies(engine),
    )
    _import(engine, PYTHON, "-C", debian, ".")


def _apt_mirror(engine: Engine) -> list[str]:
    """Return the mirror that apt uses here, if it knows one of this release."""
    wanted = ("Created-By: Packages", f"Codename: {RELEASE}", "Component: main")
    asked = engine.call("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted)
    return [uri for uri in asked.stdout.split() if uri.startswith("http")][:1]


def _apt_proxies(engine: Engine) -> dict[str, str]:
    """Return the proxies that apt uses here, as variables that others understand."""
    names = (
        "http_proxy",
        "Acquire::http::Proxy",
        "https_proxy",
        "Acquire::https::Proxy",
    )
    lines = shlex.split(engine.call("apt-config", "shell", *names).stdout)
    return dict(line.split("=", 1) for line in lines)


def _make_label_studio(engine: Engine) -> None:
    """Lay the packages that `make test` installed into a Debian."""
    venv = require_label_studio(os.environ).parent.parent
    site_packages = venv / "lib" / "python3.11" / "site-packages"
    assert site_packages.is_dir(), f"{venv} must be of Python 3.11, as Debian 12 is"
    what = ("-C", site_packages.parent, "--exclude=*.map", "site-packages")
    _import(engine, PACKAGES, "-C", engine.root / "debian", ".", *what)
    _build(engine, STAND_INS / "label-studio.Dockerfile", LABEL_STUDIO)


def _import(engine: Engine, image: str, *what: str | Path) -> None:
    """Make an image of files: quicker than copying them in a build."""
    tar = ["tar", "--create", "--numeric-owner", *map(str, what)]
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as reading:  # noqa: S603
        done = subprocess.run(  # noqa: S603 - our own command
            ["podman", "import", "--quiet", "-", image],  # noqa: S607
            env=engine.environment(),
            stdin=reading.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (reading.returncode, done.returncode) == (0, 0), done.stderr


def _build(
    engine: Engine,
    dockerfile: Path,
    image: str,
    *options: str,
    context: Path = STAND_INS,
    environment: Mapping[str, str] = NOTHING,
) -> None:
    """Build as Docker would, with this machine's way to PyPI."""
    mounts = [part for mount in _mounts(engine) for part in ("--volume", mount)]
    engine.checked(
        *("buildah", "bud", "--isolation", "chroot", "--pull-never"),
        *("--network", "host", "--format", "docker", *options, *mounts),
        *("--file", dockerfile, "--tag", image, context),
        environment=environment,
    )


def _mounts(engine: Engine) -> list[str]:
    """Lend a build what pip needs here: settings, certificates, wheels, downloads."""
    settings = _pip_settings()
    written = engine.root / "pip.conf"
    with written.open("w") as file:
        settings.write(file)
    named = " ".join(settings["global"].values()).split()
    places = sorted(str(path) for path in map(_place, named) if path.exists())
    lent = {str(CERTIFICATES), *places} if CERTIFICATES.exists() else {*places}
    return [f"{written}:/etc/pip.conf:ro", *(f"{path}:{path}:ro" for path in lent)]


def _place(word: str) -> Path:
    """Return the place on this machine that a setting names, if it names one.

    An index of files points at files beside itself.
    """
    path = Path(word.removeprefix("file://"))
    return path.parent if word.startswith("file://") else path.absolute()


def _pip_settings() -> RawConfigParser:
    """Return pip's settings of this machine: its files', then its environment's."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=True,
    )
    settings = RawConfigParser()
    settings.add_section("global")
    for line in sorted(listed.stdout.splitlines(), reverse=True):
        name, _, value = line.partition("=")
        settings.set("global", name.rpartition(".")[2], value.strip("'"))
    return settings

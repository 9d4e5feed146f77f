"""Build and run containers on a Debian 12 without a Docker engine, as root.

Docker's hub is not needed either. The Dockerfile and the compose file are used as they
are; the images that they name are *stand-ins*, made here under the very same names:

* `python:3.11-slim-bookworm` is a Debian 12 by debootstrap, with its Python 3.11;
* `heartexlabs/label-studio` is that Debian with the Label Studio from PyPI that
  `make test` installed; it takes the same environment, user and volume;
* `redis` and `postgres` are that Debian with its own Redis and PostgreSQL.

So what is tested is our image on a Debian of the same release, and the compose file
with the real Label Studio, Redis and PostgreSQL; not how those are packed by others.

Everything is kept in one place, the images as a cache for the next run. A firewall's
chains named NETAVARK stay, without rules for anybody, until the machine is restarted.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})
PATIENCE_SECONDS = 900.0
REMOVALS = 10
RUN = Path("/run")
PROXIES = frozenset({"http_proxy", "https_proxy", "no_proxy"})
COMMANDS = {
    "buildah": "buildah",
    "podman": "podman",
    "runc": "runc",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
    "openssl": "openssl",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
}
# crun refuses machines with both versions of control groups. Without limits of its
# own, podman asks for more than a machine within a machine may give.
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
http_proxy = false
[network]
network_backend = "netavark"
network_config_dir = "{root}/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
pull_policy = "never"
runtime = "runc"
volume_path = "{run}/volumes"
tmp_dir = "{run}/podman"
"""
STORAGE_CONF = """
[storage]
driver = "{driver}"
graphroot = "{root}/storage"
runroot = "{run}/storage"
"""


def complaint() -> str:
    """Return what this machine lacks, in one sentence; nothing if all is there."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "the container's tests make namespaces and mounts: run them as root"
    missing = [
        package
        for command, package in COMMANDS.items()
        if not shutil.which(command, path=_search_path())
    ]
    if missing:
        return f"the container's tests need: apt-get install {' '.join(missing)}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Buildah and podman, with a storage and networks of their own.

    Parameters
    ----------
    root : what may be kept: images, and pip's downloads for them
    run : what is gone after a restart of the machine; a short path, it holds sockets
    driver : how images lie over one another: "overlay", or "vfs" with whole copies
    """

    root: Path
    run: Path
    driver: str

    @classmethod
    def at(cls, root: Path) -> "Engine":
        """Set one up; equal places share what they keep.

        Volumes are in memory: Label Studio's first start would wait for a disk for
        minutes.
        """
        run = RUN / f"dubito-{sha256(str(root).encode()).hexdigest()[:8]}"
        for folder in (root / "temporary", run / "volumes"):
            folder.mkdir(parents=True, exist_ok=True)
        driver = "overlay" if _takes_overlays(root) else "vfs"
        for name, text in (("containers", CONTAINERS_CONF), ("storage", STORAGE_CONF)):
            written = text.format(root=root, run=run, driver=driver)
            (root / f"{name}.conf").write_text(written)
        engine = cls(root=root, run=run, driver=driver)
        if not (run / "volumes").is_mount():
            engine.checked("mount", "-t", "tmpfs", "dubito", run / "volumes")
        return engine

    def environment(self) -> dict[str, str]:
        """Return all that a command of ours sees: nothing of who runs the tests.

        But for the way to the network: it is the machine's.
        """
        return {
            **{
                name: os.environ[name] for name in os.environ if name.lower() in PROXIES
            },
            "PATH": _search_path(),
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.root / "temporary"),
            "CONTAINERS_CONF": str(self.root / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.root / "storage.conf"),
        }

    def call(
        self,
        *command: str | Path,
        environment: Mapping[str, str] = NOTHING,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        return subprocess.run(  # noqa: S603 - our own commands
            [str(part) for part in command],
            env={**self.environment(), **environment},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def podman(self, *arguments: str | Path) -> str:
        """Run podman, which must succeed; return what it printed."""
        return self.checked("podman", *arguments)

    def checked(
        self, *command: str | Path, environment: Mapping[str, str] = NOTHING
    ) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self.call(*command, environment=environment)
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def inspect(self, thing: str, template: str) -> str:
        """Return one fact about an image or a container."""
        return self.podman("inspect", "--format", template, thing)

    def exists(self, image: str) -> bool:
        """Return whether an image is there."""
        return self.call("podman", "image", "exists", image).returncode == 0

    def _remove_containers(self) -> None:
        """Remove them all; what is just being looked at is only removed a moment later.

        Of one that was not, podman would forget all but that its name is taken.
        """
        remove = ("podman", "rm", "--all", "--force", "--volumes", "--time", "0")
        for _ in range(REMOVALS):
            if self.call(*remove).returncode == 0:
                return
            time.sleep(1)
        self.checked(*remove)

    def clean(self) -> None:
        """Remove all containers, networks and volumes; images stay for some days.

        Also what a killed run has left: its builds, its containers, its mounts.
        """
        self._remove_containers()
        self.call("buildah", "rm", "--all")
        self.call("podman", "network", "prune", "--force")
        self.call("podman", "volume", "prune", "--force")
        self.call("podman", "image", "prune", "--force", "--filter", "until=240h")
        for place in reversed(_mounts_below(self.root, self.run)):
            self.call("umount", "--lazy", place)
        # Without containers it knows nothing but where all was, and may be no more.
        shutil.rmtree(self.root / "storage" / "libpod", ignore_errors=True)
        shutil.rmtree(self.run, ignore_errors=True)


def _search_path() -> str:
    """Return where commands are: some of them where only root looks."""
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _takes_overlays(root: Path) -> bool:
    """Return whether file systems can lie over one another here.

    A machine that is a container itself often says no.
    """
    parts = ("lower", "upper", "work", "all")
    with TemporaryDirectory(dir=root) as folder:
        lower, upper, work, place = (Path(folder) / part for part in parts)
        for part in (lower, upper, work, place):
            part.mkdir()
        how = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", how, str(place)]
        taken = subprocess.run(mount, capture_output=True, check=False)  # noqa: S603
        if taken.returncode == 0:
            subprocess.run(["umount", place], check=True)  # noqa: S603, S607
    return taken.returncode == 0


def _mounts_below(*folders: Path) -> list[str]:
    """Return what is mounted in these folders, in the order it was."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    places = [line.split()[1] for line in lines]
    return [place for place in places if {*Path(place).parents} & {*folders}]

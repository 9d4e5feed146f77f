"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def usable_cores() -> int:
    """Return how many processors we may use: at least one.

    The affinity of this process counts, and the share its control groups leave it.
    """
    affinity = len(os.sched_getaffinity(0))
    return math.ceil(min(affinity, share_of_groups(Path("/"))))


def share_of_groups(root: Path) -> float:
    """Return how many processors the control groups of Linux allow; inf for all.

    A container is limited in this way, and a service of systemd may be.

    Parameters
    ----------
    root : where the files of the system are
    """
    return min(map(_share, _limits(root)), default=math.inf)


def _limits(root: Path) -> Iterator[str]:
    """Yield "quota period" of each group that we are in, and of those around it."""
    mount_point = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        # A container may see its own group at the top, under the name it has outside.
        for place in (Path(group), *Path(group).parents):
            inside = place.relative_to("/")
            if not controllers:
                yield _read(mount_point / inside / "cpu.max")
            elif "cpu" in controllers.split(","):
                folder = mount_point / "cpu" / inside
                quota = _read(folder / "cpu.cfs_quota_us")
                yield f"{quota} {_read(folder / 'cpu.cfs_period_us')}"


def _share(limit: str) -> float:
    """Return how many processors a limit allows; inf for no limit."""
    match limit.split():
        case [quota, period] if quota.isdigit():
            return int(quota) / int(period)
    return math.inf


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

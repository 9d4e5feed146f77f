"""How many processors a process may use, by files like those of a system."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from dubito.backend.cpu_count import share_of_groups, usable_cores
from dubito.backend.settings import Settings


def system(root: Path, group: str, **limits: str) -> Path:
    """Lay out a system by the text of its files."""
    files = {"proc/self/cgroup": group, **limits}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def v1(quota: int, folder: str) -> dict[str, str]:
    place = f"sys/fs/cgroup/cpu/{folder}"
    return {
        f"{place}cpu.cfs_quota_us": str(quota),
        f"{place}cpu.cfs_period_us": "100000",
    }


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max 100000", math.inf), ("300000 100000", 3), ("15000 10000", 1.5)],
)
def test_a_containers_share_counts(tmp_path: Path, limit: str, expected: float) -> None:
    system(tmp_path, "0::/", **{"sys/fs/cgroup/cpu.max": limit})

    assert share_of_groups(tmp_path) == expected


def test_the_narrowest_of_the_groups_around_us_counts(tmp_path: Path) -> None:
    """A service of systemd is limited by its own group, or by the slice it is in."""
    slices = "sys/fs/cgroup/app.slice"
    limits = {
        f"{slices}/cpu.max": "200000 100000",
        f"{slices}/dubito.service/cpu.max": "700000 100000",
    }
    system(tmp_path, "0::/app.slice/dubito.service", **limits)

    assert share_of_groups(tmp_path) == 2


@pytest.mark.parametrize("folder", ["", "docker/abc/"])
def test_the_first_version_of_control_groups_is_understood(
    tmp_path: Path, folder: str
) -> None:
    """In a container the files are at the top, on the machine under the group."""
    group = "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc"
    system(tmp_path, group, **v1(500_000, folder))

    assert share_of_groups(tmp_path) == 5


def test_no_quota_is_no_limit(tmp_path: Path) -> None:
    system(tmp_path, "4:cpu,cpuacct:/", **v1(-1, ""))

    assert share_of_groups(tmp_path) == math.inf


def test_a_system_without_control_groups_limits_nothing(tmp_path: Path) -> None:
    assert share_of_groups(tmp_path) == math.inf


def test_a_process_that_is_kept_to_one_core_counts_one() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from dubito.backend.cpu_count import usable_cores; print(usable_cores())"
    )

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["1"]


def test_there_is_a_worker_for_each_core_and_never_one_alone() -> None:
    """One that writes thousands of first rows must not keep all rounds waiting."""
    assert Settings.from_environment({}).workers == max(2, usable_cores())

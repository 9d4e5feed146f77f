"""The store, and those who work from it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from dubito.backend.doctor.findings import AGAIN, fault, warning, well
from dubito.backend.state import keys
from dubito.backend.state.error_hints import require_answer, write_refusal
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.state.store_checks import (
    CLUSTER,
    POLICY_CURE,
    evicting_policy,
    is_cluster,
    missing_permission,
)
from dubito.backend.version import own_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.doctor.context import DiagnosticContext
    from dubito.backend.doctor.findings import Verdict

OLDEST = (5, 0)
"""What RQ asks for."""

PINGS = 5
SLOW_SECONDS = 0.05
SKEW_SECONDS = 2.0
NEARLY_FULL = 0.8
MANY_JOBS = 50
SERVE = "start `dubito serve`, or another `dubito worker`"


def check_store(patient: DiagnosticContext) -> Verdict:
    """Look whether the store answers, is quick and new enough."""
    if patient.services is None:
        return fault(
            patient.store_fault,
            "Dubito keeps labels, rounds and the job queue in the store",
            "start it: `dubito serve`",
            "set REDIS_URL to Dubito's store, or MODEL_DIR to the data directory of a"
            f" running `dubito serve`, {AGAIN}",
        )
    info = patient.info
    server = _name_and_version(info)
    if is_cluster(info):
        what, _, cure = CLUSTER.partition(": ")
        return fault(f"{server}: {what}", "Dubito's keys must be in one node", cure)
    if _numbers(str(info.get("redis_version", "0"))) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return fault(
            f"{server} is too old",
            f"the job queue needs Redis {oldest} or later, or Valkey",
            "update the store; Redis 8 and Valkey 9 are tested",
        )
    return _speed(patient, server)


def _speed(patient: DiagnosticContext, server: str) -> Verdict:
    seconds = min(_ping(patient) for _ in range(PINGS))
    what = f"{server}, answers in {seconds * 1000:.1f} ms"
    if seconds > SLOW_SECONDS:
        return warning(
            what,
            "Label Studio waits 1 s for the answer to an event, and each event needs"
            " several calls to the store",
            "run the store on Dubito's machine, or in the same network",
        )
    return well(what)


def _ping(patient: DiagnosticContext) -> float:
    began = time.perf_counter()
    require_answer(patient.store.redis)
    return time.perf_counter() - began


def _name_and_version(info: Mapping[str, object]) -> str:
    if info.get("server_name") == "valkey":
        return f"Valkey {info.get('valkey_version', '')}".strip()
    return f"Redis {info.get('redis_version', 'of unknown version')}"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def check_persistence(patient: DiagnosticContext) -> Verdict:
    """Look whether the store keeps what it has acknowledged."""
    info = patient.info
    failures = [
        name
        for name in ("aof_last_write_status", "rdb_last_bgsave_status")
        if info.get(name, "ok") != "ok"
    ]
    if failures:
        return fault(
            f"the store's last write to disk failed ({', '.join(failures)})",
            "the store may refuse every further write until this is fixed",
            f"free space on its disk (its log has details), {AGAIN}",
        )
    if int(str(info.get("aof_enabled", 0))):
        return well("append-only file: a restart loses nothing important")
    why = (
        "after a restart Dubito rereads lost labels from Label Studio, if there is an"
        " API key; the webhooks' secret and the history of rounds are lost"
    )
    cure = (
        "start the store with --appendonly yes, or: redis-cli CONFIG SET appendonly yes"
    )
    if _saves(patient):
        return warning("only snapshots: a crash loses the last minutes", why, cure)
    return warning("the store keeps nothing on disk", why, cure)


def _saves(patient: DiagnosticContext) -> bool:
    try:
        return bool(patient.store.redis.config_get("save").get("save"))
    except ResponseError:  # a hosted store may not tell
        return False


def check_memory(patient: DiagnosticContext) -> Verdict:
    """Look whether the store has room, and throws nothing away to make some."""
    info = patient.info
    used_bytes, most = int(str(info["used_memory"])), int(str(info.get("maxmemory", 0)))
    policy = str(info.get("maxmemory_policy", "unknown policy"))
    share = (
        f"{used_bytes / 2**20:.0f} MiB of {most / 2**20:.0f}" if most else "no limit"
    )
    what = f"{share}, {policy}"
    if evicting_policy(info):
        return fault(
            what,
            "when the store is full, it deletes labels without an error; Dubito does"
            " not start with this policy",
            POLICY_CURE,
        )
    if "maxmemory_policy" not in info:
        return warning(
            what,
            "the store does not report whether it deletes labels when it is full",
            "set the store's maxmemory-policy to noeviction",
        )
    cure = (
        "give the store more memory: redis-cli CONFIG SET maxmemory 2gb (and in its"
        " configuration file)"
    )
    if most and used_bytes >= most:
        return fault(what, "the store is full and accepts no more labels", cure)
    if most and used_bytes > NEARLY_FULL * most:
        return warning(what, "when the store is full, it accepts no more labels", cure)
    return well(f"{used_bytes / 2**20:.0f} MiB used, {what}" if not most else what)


def check_writes(patient: DiagnosticContext) -> Verdict:
    """Look whether the store takes anything: nothing at all is written to it."""
    refusal = write_refusal(patient.store.redis) or missing_permission(
        patient.store.redis
    )
    if not refusal:
        return well("taken")
    what, _, cure = refusal.partition(": ")
    why = "Dubito can save no labels and finish no rounds"
    return fault(what, why, cure or f"read the store's log, {AGAIN}")


def check_store_clock(patient: DiagnosticContext) -> Verdict:
    """Compare the store's clock with ours."""
    before = time.time()
    seconds, micros = patient.store.redis.time()
    after = time.time()
    return clock_verdict(seconds + micros / 1e6, before, after, "the store")


def clock_verdict(theirs: float, before: float, after: float, who: str) -> Verdict:
    """Say how far a clock is from ours, read between two moments of ours."""
    skew = max(theirs - after, before - theirs, 0.0)
    if skew <= SKEW_SECONDS:
        return well(f"within {SKEW_SECONDS:.0f} s of this machine's clock")
    ahead = "ahead of" if theirs > after else "behind"
    return warning(
        f"the clock of {who} is {skew:.0f} s {ahead} this machine's clock",
        "Dubito uses the store's clock; but times in logs and on the page are wrong"
        " or cannot be compared",
        "synchronise both machines' clocks: timedatectl set-ntp true",
    )


def check_workers(patient: DiagnosticContext) -> Verdict:
    """Look whether anybody works, and with the Dubito that examines."""
    versions = Heartbeats(patient.store.redis).versions()
    if not versions:
        return fault(
            "no worker runs",
            "Dubito saves events, but trains no model and does not update the order",
            SERVE,
        )
    others = {
        name: version for name, version in versions.items() if version != own_version()
    }
    if others:
        return _of_other_versions(others)
    hosts = Counter(name.rpartition(":")[0] for name in versions)
    return well(", ".join(f"{count} on {host}" for host, count in hosts.items()))


def _of_other_versions(others: Mapping[str, str]) -> Verdict:
    """Say which workers are of another version, and where to find them."""
    places = ((*name.rpartition(":")[::2], version) for name, version in others.items())
    workers = ", ".join(
        f"process {process} on {host} has version {version or 'unknown (older)'}"
        for host, process, version in places
    )
    return warning(
        f"workers with another version than this one, {own_version()}: {workers}",
        "two versions may compute different orders and overwrite each other's",
        "install the same version everywhere, and restart `dubito serve` or `dubito"
        " worker`",
    )


def check_queue(patient: DiagnosticContext) -> Verdict:
    """Look whether work piles up."""
    waiting = patient.store.queue.count
    if waiting > MANY_JOBS:
        return warning(
            f"{waiting} jobs wait",
            "the order is updated late: the workers are overloaded",
            SERVE,
            "increase WORKERS, if the machine has free cores",
        )
    return well(f"waiting jobs: {waiting}")


def check_label_studio_seen(patient: DiagnosticContext) -> Verdict:
    """Look how the running Dubito sees Label Studio: it may have other settings."""
    record: bytes = patient.store.redis.get(keys.LABEL_STUDIO) or b"not asked lately"
    status = record.decode()
    if status in {"up", "not asked lately"}:
        return well(f"the running Dubito sees Label Studio: {status}")
    return fault(
        f"the running Dubito sees Label Studio as: {status}",
        "the running Dubito may use another API key or address than this command, or"
        " Label Studio stopped a moment ago",
        "restart Dubito with the LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY that work"
        " here: `dubito serve`",
    )


def check_projects(patient: DiagnosticContext) -> Verdict:
    """Look which projects are looked after."""
    project_keys = patient.store.projects.known()
    if not project_keys:
        return warning(
            "no project is connected",
            "Dubito has nothing to do",
            "`dubito connect --project 1` (the number is in the project's address)",
        )
    return well(", ".join(key.partition(".")[0] for key in project_keys))

"""The store, and those who work from it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from backend.doctor.findings import AGAIN, fault, warning, well
from backend.release import own_version
from backend.state import keys
from backend.state.beats import Beats
from backend.state.cures import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.doctor.findings import Verdict
    from backend.doctor.patient import Patient

OLDEST = (5, 0)
"""What RQ asks for."""

PINGS = 5
SLOW_SECONDS = 0.05
SKEW_SECONDS = 2.0
NEARLY_FULL = 0.8
MANY_JOBS = 50
SERVE = "start `dubito serve`, or one more `dubito worker`"


def check_store(patient: Patient) -> Verdict:
    """Look whether the store answers, is quick and new enough."""
    if patient.services is None:
        return fault(
            patient.store_fault,
            "labels, rounds and the queue of work are kept there",
            "start it: `dubito serve`",
            "set REDIS_URL to the store that Dubito uses, or MODEL_DIR to the data"
            f" directory of a `dubito serve` that runs, {AGAIN}",
        )
    info = patient.info
    found = _name_and_version(info)
    if _numbers(str(info.get("redis_version", "0"))) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return fault(
            f"{found} is too old",
            f"the queue of work needs Redis {oldest} or later, or Valkey",
            "update it; Redis 8 and Valkey 9 are known to work",
        )
    return _speed(patient, found)


def _speed(patient: Patient, found: str) -> Verdict:
    seconds = min(_ping(patient) for _ in range(PINGS))
    said = f"{found}, answers in {seconds * 1000:.1f} ms"
    if seconds > SLOW_SECONDS:
        return warning(
            said,
            "Label Studio waits 1 s for the answer to an event, and each takes several"
            " such steps",
            "run the store on Dubito's machine, or in the same network",
        )
    return well(said)


def _ping(patient: Patient) -> float:
    began = time.perf_counter()
    patient.store.redis.ping()
    return time.perf_counter() - began


def _name_and_version(info: Mapping[str, object]) -> str:
    if info.get("server_name") == "valkey":
        return f"Valkey {info.get('valkey_version', '')}".strip()
    return f"Redis {info.get('redis_version', 'of unknown version')}"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def check_persistence(patient: Patient) -> Verdict:
    """Look whether the store keeps what it has acknowledged."""
    info = patient.info
    failed = [
        name
        for name in ("aof_last_write_status", "rdb_last_bgsave_status")
        if info.get(name, "ok") != "ok"
    ]
    if failed:
        return fault(
            f"its last write to disk failed ({', '.join(failed)})",
            "it may refuse every further write until that is cured",
            f"make room on its disk; its log says more, {AGAIN}",
        )
    if int(str(info.get("aof_enabled", 0))):
        return well("append-only file: a restart loses nothing of note")
    why = (
        "what a restart loses is read anew from Label Studio, if there is a key, but"
        " the secret of the webhooks and the history of rounds are gone"
    )
    cure = "start it with --appendonly yes, or: redis-cli CONFIG SET appendonly yes"
    if _saves(patient):
        return warning("only snapshots: a crash loses the last minutes", why, cure)
    return warning("keeps nothing on disk", why, cure)


def _saves(patient: Patient) -> bool:
    try:
        return bool(patient.store.redis.config_get("save").get("save"))
    except ResponseError:  # a hosted store may not tell
        return False


def check_memory(patient: Patient) -> Verdict:
    """Look whether the store has room, and throws nothing away to make some."""
    info = patient.info
    used, most = int(str(info["used_memory"])), int(str(info.get("maxmemory", 0)))
    policy = str(info.get("maxmemory_policy", "noeviction"))
    share = f"{used / 2**20:.0f} MiB of {most / 2**20:.0f}" if most else "no limit"
    said = f"{share}, {policy}"
    if most and policy != "noeviction":
        return fault(
            said,
            "when it is full, it throws away labels without a word",
            "start it with --maxmemory-policy noeviction, or: redis-cli CONFIG SET"
            " maxmemory-policy noeviction",
        )
    cure = "give it more: redis-cli CONFIG SET maxmemory 2gb (and in its settings)"
    if most and used >= most:
        return fault(said, "it is full, and takes no more labels", cure)
    if most and used > NEARLY_FULL * most:
        return warning(said, "when it is full, it takes no more labels", cure)
    return well(f"{used / 2**20:.0f} MiB used, {said}" if not most else said)


def check_writes(patient: Patient) -> Verdict:
    """Look whether the store takes anything: nothing at all is written to it."""
    said = refusal(patient.store.redis)
    if not said:
        return well("taken")
    what, _, cure = said.partition(": ")
    why = "no label can be noted, and no round can end"
    return fault(what, why, cure or f"see the store's own log, {AGAIN}")


def check_store_clock(patient: Patient) -> Verdict:
    """Compare the store's clock with ours."""
    before = time.time()
    seconds, micros = patient.store.redis.time()
    after = time.time()
    return clock_verdict(seconds + micros / 1e6, before, after, "the store")


def clock_verdict(theirs: float, before: float, after: float, who: str) -> Verdict:
    """Say how far a clock is from ours, read between two moments of ours."""
    skew = max(theirs - after, before - theirs, 0.0)
    if skew <= SKEW_SECONDS:
        return well(f"within {SKEW_SECONDS:.0f} s of ours")
    ahead = "ahead of" if theirs > after else "behind"
    return warning(
        f"the clock of {who} is {skew:.0f} s {ahead} ours",
        "Dubito goes by the store's clock; but logs cannot be compared, and times that"
        " people read are wrong",
        "let both machines set their clocks by the network: timedatectl set-ntp true",
    )


def check_workers(patient: Patient) -> Verdict:
    """Look whether anybody works, and with the Dubito that examines."""
    versions = Beats(patient.store.redis).versions()
    if not versions:
        return fault(
            "none is alive",
            "events are noted, but nothing is learnt, and the order stays as it is",
            SERVE,
        )
    others = {name: found for name, found in versions.items() if found != own_version()}
    if others:
        return _of_other_versions(others)
    hosts = Counter(name.rpartition(":")[0] for name in versions)
    return well(", ".join(f"{count} on {host}" for host, count in hosts.items()))


def _of_other_versions(others: Mapping[str, str]) -> Verdict:
    """Say which workers are of another version, and where to find them."""
    places = ((*name.rpartition(":")[::2], found) for name, found in others.items())
    said = ", ".join(
        f"process {process} on {host} is {found or 'older'}"
        for host, process, found in places
    )
    return warning(
        f"not of this version, {own_version()}: {said}",
        "two versions may find different orders, and write over each other's",
        "stop it, install the same Dubito everywhere, and start it again: `dubito"
        " serve`, or `dubito worker`",
    )


def check_queue(patient: Patient) -> Verdict:
    """Look whether work piles up."""
    waiting = patient.store.queue.count
    if waiting > MANY_JOBS:
        return warning(
            f"{waiting} jobs wait",
            "orders come late: there is more to do than the workers can",
            SERVE,
            "set WORKERS to more, where there are cores for them",
        )
    return well(f"jobs that wait: {waiting}")


def check_label_studio_seen(patient: Patient) -> Verdict:
    """Look how the running Dubito sees Label Studio: it may have other settings."""
    noted: bytes = patient.store.redis.get(keys.LABEL_STUDIO) or b"not asked lately"
    seen = noted.decode()
    if seen in {"up", "not asked lately"}:
        return well(f"the running Dubito sees Label Studio: {seen}")
    return fault(
        f"the running Dubito sees Label Studio as: {seen}",
        "it may run with another key or address than this command, or Label Studio"
        " has just gone",
        "start it again with the LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY that work"
        " here: `dubito serve`",
    )


def check_projects(patient: Patient) -> Verdict:
    """Look which projects are looked after."""
    known = patient.store.projects.known()
    if not known:
        return warning(
            "none is connected",
            "there is nothing to do yet",
            "`dubito connect --project 1`, with the number in the project's address",
        )
    return well(", ".join(key.partition(".")[0] for key in known))

"""The name of every key in Redis.

A project is Label Studio's ``"{id}.{unix time of its creation}"``: a project made
anew under an old number is another project. The braces keep all keys of a project
on one node of a cluster.
"""

from __future__ import annotations

PROJECTS = "dubito:projects"
EVENTS = "dubito:events"
STRANGERS = "dubito:events_of_unknown_projects"
WEBHOOK_SECRET = "dubito:webhook_secret"  # noqa: S105  # a key's name, not a secret
QUEUE = "dubito"
PROBE = "dubito:probe"
MARK = "dubito:mark"
ADOPTING = "dubito:adopting"
ADOPTIONS = "dubito:adoptions"
FILLING = "dubito:filling"
BEATS = "dubito:worker_beats"
WORKER_VERSIONS = "dubito:worker_versions"
TALLY = "dubito:tally"
LABEL_STUDIO = "dubito:label_studio"
FAILED_LOG_INS = "dubito:failed_log_ins"
TOKEN = "dubito:handed_over"  # noqa: S105  # a key's name, not a secret

RECORD = "record"
ANNOTATIONS = "annotations"
DELETED_ANNOTATIONS = "deleted_annotations"
TASKS = "tasks"
DELETED_TASKS = "deleted_tasks"
NUMBERS = "numbers"
TEXTS = "texts"
COLUMNS = "columns"
PENDING = "pending"
TRIES = "tries"
SET_ASIDE = "set_aside"
REFUSED = "refused"
DATA_VERSION = "data_version"
LABEL_VERSION = "label_version"
ROWS = "rows"
SCORES = "scores"
RANKING = "ranking"
ROUNDS = "rounds"
FINDING = "finding"
CURVE = "curve"
SNAPSHOT = "snapshot"
STEPS = "steps"
MAP = "map"
MAP_STEP = "map_step"
GROUPS = "groups"
WANT = "want"
DONE = "done"
ASKED = "asked"
LEASE = "lease"
LAST_HOLDER = "last_holder"
QUEUED = "queued"
DUE = "due"
RESTING = "resting"
CLAIMED = "claimed"
BULK = "bulk"
BULK_IN_VAIN = "bulk_in_vain"
SAMPLES = "samples"
GAUGES = "gauges"
MODEL = "model"
MODEL_MAKING = "model_making"


def of(project: str, name: str) -> str:
    """Return the key of one thing kept for a project."""
    return f"dubito:{{{project}}}:{name}"

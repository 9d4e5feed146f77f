"""How the fake Label Studio shows its rows: the same keys as the real one."""

import uuid

from tests.fake_label_studio import label_config
from tests.fake_label_studio.records import (
    Annotation,
    JsonObject,
    Prediction,
    Project,
    Row,
    Tables,
    Task,
    columns,
)

OWNER = 1
NO_COMMENTS: JsonObject = {
    "comment_count": 0,
    "unresolved_comment_count": 0,
    "last_comment_updated_at": None,
    "comment_authors": [],
}
# Written only into webhooks, and only because the real one does.
INTERNAL = dict.fromkeys(
    ("custom_task_lock_ttl", "deleted_at", "purge_at", "search_vector", "deleted_by")
)


def new_project(fields: JsonObject) -> JsonObject:
    """Return all settings of a project, defaults where nothing else is said."""
    return {
        "title": "New project",
        "description": "",
        "label_config": "<View></View>",
        "expert_instruction": "",
        "show_instruction": False,
        "show_skip_button": True,
        "enable_empty_annotation": True,
        "show_annotation_history": False,
        "organization": 1,
        "color": "#FFFFFF",
        "maximum_annotations": 1,
        "is_published": False,
        "model_version": "",
        "is_draft": False,
        "min_annotations_to_start_training": 0,
        "show_collab_predictions": True,
        "sampling": "Sequential sampling",
        "show_ground_truth_first": False,
        "annotator_evaluation_enabled": False,
        "show_overlap_first": False,
        "overlap_cohort_percentage": 100,
        "task_data_login": None,
        "task_data_password": None,
        "evaluate_predictions_automatically": False,
        "skip_queue": "REQUEUE_FOR_OTHERS",
        "reveal_preannotations_interactively": False,
        "pinned_at": None,
        **fields,
    }


def counters(tables: Tables, project: Project) -> JsonObject:
    """Count what a project holds."""
    tasks = tables.tasks_of(project.id)
    annotations = [a for a in tables.annotations.values() if a.project == project.id]
    useful = [a for a in annotations if not (a.was_cancelled or a.ground_truth)]
    predictions = [p for p in tables.predictions.values() if p.project == project.id]
    return {
        "task_number": len(tasks),
        "finished_task_number": sum(task.is_labeled for task in tasks),
        "total_predictions_number": len(predictions),
        "total_annotations_number": sum(not a.was_cancelled for a in annotations),
        "num_tasks_with_annotations": len({a.task for a in useful}),
        "useful_annotation_number": len(useful),
        "ground_truth_number": sum(a.ground_truth for a in annotations),
        "skipped_annotations_number": sum(a.was_cancelled for a in annotations),
    }


def project(tables: Tables, row: Project) -> JsonObject:
    """Return a project as its own page reads it."""
    count = counters(tables, row)
    return {
        **_project(tables, row),
        "created_by": {"id": OWNER, "first_name": "", "last_name": "", "avatar": None}
        | {"email": "owner@dubito.local"},
        "start_training_on_annotation_update": bool(
            row.fields["min_annotations_to_start_training"]
        ),
        "config_has_control_tags": True,
        "config_suitable_for_bulk_annotation": True,
        "queue_total": count["task_number"],
        "queue_done": count["finished_task_number"],
        "state": None,
    }


def webhook_project(tables: Tables, row: Project) -> JsonObject:
    """Return a project as webhooks carry it."""
    config = row.fields["label_config"]
    inputs = [
        item
        for control in label_config.parse(config).values()
        for item in control["inputs"]
    ]
    return {
        **_project(tables, row),
        **INTERNAL,
        "created_by": OWNER,
        "updated_at": row.updated_at,
        "token": row.token,
        "result_count": 0,
        "label_config_hash": hash(config),
        "data_types": {item["value"]: item["type"] for item in inputs},
    }


def _project(tables: Tables, row: Project) -> JsonObject:
    parsed = label_config.parse(row.fields["label_config"])
    return {
        "id": row.id,
        "created_at": row.created_at,
        **counters(tables, row),
        **row.fields,
        "parsed_label_config": parsed,
        "control_weights": {
            name: {
                "overall": 1.0,
                "type": control["type"],
                "labels": dict.fromkeys(control["labels"], 1.0),
            }
            for name, control in parsed.items()
        },
    }


def annotation(row: Annotation) -> JsonObject:
    """Return an annotation as webhooks and exports carry it."""
    return {
        **columns(row),
        "draft_created_at": None,
        "result_count": len(row.result or []),
        "import_id": None,
        "last_action": None,
        "bulk_created": False,
        "last_created_by": None,
    }


def api_annotation(row: Annotation) -> JsonObject:
    """Return an annotation as the API and lists of tasks show it."""
    hidden = ("prediction", "result_count", "unique_id")
    shown = {key: value for key, value in annotation(row).items() if key not in hidden}
    return {**shown, "created_username": f" {row.completed_by}", "created_ago": "now"}


def prediction(row: Prediction) -> JsonObject:
    """Return a prediction."""
    return {
        **columns(row),
        "created_ago": "0\u00a0minutes",
        "cluster": None,
        "neighbors": None,
        "mislabeling": 0.0,
        "model": None,
        "model_run": None,
    }


def _task(tables: Tables, row: Task) -> JsonObject:
    annotations = tables.annotations_of(row.id)
    cancelled = sum(a.was_cancelled for a in annotations)
    return {
        **columns(row),
        **NO_COMMENTS,
        "total_annotations": len(annotations) - cancelled,
        "cancelled_annotations": cancelled,
        "total_predictions": len(tables.predictions_of(row.id)),
    }


def webhook_task(tables: Tables, row: Task) -> JsonObject:
    """Return a task as webhooks carry it: without annotations and predictions."""
    return {
        **_task(tables, row),
        "allow_skip": True,
        "precomputed_agreement": None,
        "file_upload": None,
    }


def predict_task(tables: Tables, row: Task) -> JsonObject:
    """Return a task as `/predict` gets it."""
    return {
        **_task(tables, row),
        "annotations": [api_annotation(a) for a in tables.annotations_of(row.id)],
        "predictions": [prediction(p) for p in tables.predictions_of(row.id)],
    }


def next_task(tables: Tables, row: Task, queue: str) -> JsonObject:
    """Return a task as the label stream gets it."""
    version = tables.projects[row.project].fields["model_version"]
    shown = [p for p in tables.predictions_of(row.id) if p.model_version == version]
    collab = tables.projects[row.project].fields["show_collab_predictions"]
    return {
        **_task(tables, row),
        "predictions": [prediction(p) for p in shown] if collab else [],
        "annotations": [],
        "drafts": [],
        "updated_by": _updated_by(row),
        "unique_lock_id": str(uuid.uuid4()),
        "queue": queue,
    }


def listed_task(tables: Tables, row: Task) -> JsonObject:
    """Return a task as the Data Manager shows it, with everything."""
    annotations = tables.annotations_of(row.id)
    predictions = tables.predictions_of(row.id)
    finished = [a.created_at for a in annotations]
    return {
        **_task(tables, row),
        "predictions": [prediction(p) for p in predictions],
        "annotations": [api_annotation(a) for a in annotations],
        "drafts": [],
        "annotators": sorted({a.completed_by for a in annotations if a.completed_by}),
        "completed_at": max(finished, default=None),
        "annotations_results": "",
        "predictions_results": "",
        "predictions_score": mean_score(tables, row),
        "storage_filename": None,
        "annotations_ids": ",".join(str(a.id) for a in annotations),
        "predictions_model_versions": ",".join(
            sorted({str(p.model_version) for p in predictions})
        ),
        "avg_lead_time": None,
        "draft_exists": False,
        "updated_by": _updated_by(row),
    }


def mean_score(tables: Tables, row: Task) -> float | None:
    """Return the Data Manager's "prediction score" of a task."""
    version = tables.projects[row.project].fields["model_version"]
    scores = [
        p.score
        for p in tables.predictions_of(row.id)
        if p.model_version == version and p.score is not None
    ]
    return sum(scores) / len(scores) if scores else None


def exported_task(tables: Tables, row: Task) -> JsonObject:
    """Return a task as the JSON export holds it."""
    hidden = ("is_labeled", "overlap", "file_upload", "precomputed_agreement")
    shown = webhook_task(tables, row)
    return {
        **{key: value for key, value in shown.items() if key not in hidden},
        "annotations": [annotation(a) for a in tables.annotations_of(row.id)],
        "predictions": [p.id for p in tables.predictions_of(row.id)],
        "drafts": [],
    }


def plain(row: Row) -> JsonObject:
    """Return an ML backend or a webhook."""
    times = {"created_at": row.created_at, "updated_at": row.updated_at}
    return {"id": row.id, "project": row.project, **row.fields, **times}


def view(row: Row) -> JsonObject:
    """Return a tab of the Data Manager."""
    data = row.fields["data"]
    return {"id": row.id, "project": row.project, "data": data, "order": 0, "user": 1}


def _updated_by(row: Task) -> list[JsonObject]:
    return [] if row.updated_by is None else [{"user_id": row.updated_by}]

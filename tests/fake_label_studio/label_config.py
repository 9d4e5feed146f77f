"""As much of a label config as the fake Label Studio has to understand."""

from typing import Any

from defusedxml import ElementTree

JsonObject = dict[str, Any]
IN_A_TEXT = frozenset({"start", "end", "startOffset", "endOffset"})
OF_A_STRETCH = {
    "timeserieslabels": frozenset({"start", "end", "instant", "timeserieslabels"}),
    "labels": frozenset({"start", "end", "labels"}),
    "hypertextlabels": IN_A_TEXT | {"hypertextlabels"},
    "paragraphlabels": IN_A_TEXT | {"paragraphlabels"},
}
"""What the value of a region must have, by its type."""


def parse(config: str) -> JsonObject:
    """Return what Label Studio calls `parsed_label_config`."""
    tags = list(ElementTree.fromstring(config).iter())
    named = {tag.get("name"): tag for tag in tags if tag.get("name")}
    controls = [tag for tag in tags if tag.get("toName")]
    return {
        control.get("name", ""): {
            "type": control.tag,
            "to_name": control.get("toName", "").split(","),
            "inputs": [
                _input(named[name]) for name in control.get("toName", "").split(",")
            ],
            **_labels(control),
        }
        for control in controls
    }


def data_keys(config: str) -> set[str]:
    """Return the keys every task must have."""
    return {
        item["value"]
        for control in parse(config).values()
        for item in control["inputs"]
        if item["value"]
    }


def is_valid_result(config: JsonObject, result: object) -> bool:
    """Tell whether bulk import would take this prediction result."""
    if not isinstance(result, list):
        return False
    return all(isinstance(item, dict) and _is_valid(config, item) for item in result)


def _is_valid(config: JsonObject, item: JsonObject) -> bool:
    control = config.get(item.get("from_name", ""))
    if control is None or item.get("to_name") not in control["to_name"]:
        return False
    value = item.get("value", {})
    kind = str(item.get("type"))
    if not OF_A_STRETCH.get(kind, frozenset()) <= value.keys():
        return False
    chosen = value.get(kind if kind in OF_A_STRETCH else "choices", [])
    known = control["labels"]  # a path cannot be looked up: it is dropped, too
    return not known or all(isinstance(c, str) and c in known for c in chosen)


def _input(tag: Any) -> JsonObject:  # noqa: ANN401 - XML elements have no stubs
    return {
        "type": tag.tag,
        "valueType": tag.get("valueType"),
        "value": (tag.get("value") or "").removeprefix("$"),
    }


def _labels(control: Any) -> JsonObject:  # noqa: ANN401 - XML elements have no stubs
    children = [child for child in control if child.get("value")]
    names = [child.get("alias") or child.get("value") for child in children]
    attributes = [dict(child.attrib) for child in children]
    return {
        "labels": names,
        "labels_attrs": dict(zip(names, attributes, strict=True)),
    }

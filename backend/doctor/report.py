"""What was found, for people and for scripts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import orjson
from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from dubito.backend.doctor.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from dubito.backend.doctor.findings import Finding
    from dubito.backend.logs import Redactor

AREAS = {
    "machine": "This machine",
    "store": "The store and its workers",
    "label_studio": "Label Studio",
}
MARKS = {
    Severity.OK: "ok",
    Severity.WARNING: "[yellow]warn[/]",
    Severity.FAULT: "[bold red]FAULT[/]",
    Severity.SKIPPED: "[dim]-[/]",
}
NEEDS_CURE = (Severity.FAULT, Severity.WARNING)


def worst(findings: Sequence[Finding]) -> Severity:
    """Return how the whole stands."""
    marks = {finding.verdict.mark for finding in findings}
    return next((mark for mark in NEEDS_CURE if mark in marks), Severity.OK)


def as_json(findings: Sequence[Finding], version: str, hide: Redactor) -> str:
    """Return what was found for scripts; names stay, words may change."""
    entries = [
        {
            "check": finding.check,
            "area": finding.area,
            "project": finding.project,
            "mark": finding.verdict.mark,
            "what": hide(finding.verdict.what),
            "why": hide(finding.verdict.why),
            "cures": [hide(cure) for cure in finding.verdict.cures],
            "fixable": finding.verdict.mends,
        }
        for finding in findings
    ]
    whole = {"version": version, "status": worst(findings), "findings": entries}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()


def show(findings: Sequence[Finding], hide: Redactor) -> None:
    """Print one line for each check, and the cures below."""
    console = Console()
    for title, part in _parts(findings).items():
        console.print(f"[bold]{escape(title)}[/]")
        console.print(Padding(_table(part, hide), (0, 0, 0, 2), expand=False))
        console.print()
    to_cure = [one for one in findings if one.verdict.mark in NEEDS_CURE]
    for number, finding in enumerate(to_cure, 1):
        console.print(_advice(number, finding, hide))
        console.print()
    console.print(_sum(findings))


def _parts(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Return the findings under the headings they belong to."""
    parts: dict[str, list[Finding]] = {}
    for finding in findings:
        title = AREAS.get(finding.area, f"Project {finding.project}")
        parts.setdefault(title, []).append(finding)
    return parts


def _table(findings: Sequence[Finding], hide: Redactor) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=5)
    table.add_column(width=18)
    table.add_column(overflow="fold")
    for finding in findings:
        what = escape(hide(finding.verdict.what))
        table.add_row(MARKS[finding.verdict.mark], _name(finding), what)
    return table


def _name(finding: Finding) -> str:
    return finding.check.replace("_", " ")


def _advice(number: int, finding: Finding, hide: Redactor) -> RenderableType:
    """Return why something matters, and what cures it."""
    verdict = finding.verdict
    where = "" if finding.project is None else f", project {finding.project}"
    head = f"{number}. {MARKS[verdict.mark]} {_name(finding)}{where}:"
    table = Table.grid(padding=(0, 1))
    table.add_column(width=4)
    table.add_column(overflow="fold")
    table.add_row("what", escape(hide(verdict.what)))
    table.add_row("why", escape(hide(verdict.why)))
    for name, cure in zip(_leads(verdict.cures), verdict.cures, strict=True):
        table.add_row(name, escape(hide(cure)))
    return Group(head, Padding(table, (0, 0, 0, 3), expand=False))


def _leads(cures: Sequence[str]) -> list[str]:
    return ["do", *["or"] * (len(cures) - 1)]


def _sum(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.verdict.mark for finding in findings)
    faults, warnings = counts[Severity.FAULT], counts[Severity.WARNING]
    skips = counts[Severity.SKIPPED]
    if not faults and not warnings:
        return f"Everything works: {counts[Severity.OK]} checks passed."
    text = f"faults: {faults}, warnings: {warnings}, ok: {counts[Severity.OK]}"
    return f"{text}, skipped: {skips}" if skips else text

"""Projects where people mark stretches: made-up tasks, and what people mark in them."""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
from soundfile import write

from tests.label_studio import CONTROL, ITEM, JsonObject
from tests.videos import video_file

SAMPLES, RATE, LONG = 600, 10, 160
PACES = {"Run": 2.0, "Walk": 0.5}
TOWNS = ("Paris", "London", "Rome", "Berlin", "Madrid", "Vienna")
PEOPLE = ("Ann", "Bob", "Carl", "Dora", "Emil", "Fay")
BEFORE = ("  Yesterday", " Today 😀", " Last year")
START = datetime(2026, 1, 1)  # noqa: DTZ001 - the files name no time zone
SERIES, WORDS = "timeserieslabels", "labels"
IN_PAGE, IN_TURN = "hypertextlabels", "paragraphlabels"
ON_TIMELINE, FRAMES = "timelinelabels", 120
LONGEST_TURN = 1_000
GREETINGS = ("Hello 😀, this is {}", "Hi, {} here", "  My name is {}")
WISHES = ("I go to {}.", "a ticket to {} please", "When is the train to {}?")


def region(
    kind: str,
    ends: tuple[object, object],
    name: str,
    *,
    control: str = CONTROL,
    target: str = ITEM,
) -> JsonObject:
    """Return what the editor stores of a stretch."""
    start, end = ends
    value: JsonObject = {"start": start, "end": end, kind: [name]}
    if kind == SERIES:
        value["instant"] = start == end
    return {"from_name": control, "to_name": target, "type": kind, "value": value}


def page_region(
    ends: tuple[int, int],
    name: str,
    path: str,
    *,
    control: str = CONTROL,
    target: str = ITEM,
) -> JsonObject:
    """Return what the editor stores of a stretch in one text node of a page.

    Parameters
    ----------
    path : of the node, of which the stretch is the whole or the first part
    """
    start, end = ends
    value: JsonObject = {
        "start": path,
        "startOffset": 0,
        "end": path,
        "endOffset": end - start,
        "globalOffsets": {"start": start, "end": end},
        IN_PAGE: [name],
    }
    return {
        "from_name": control,
        "to_name": target,
        "type": IN_PAGE,
        "value": value,
    }


def turn_region(
    ends: tuple[int, int, int],
    name: str,
    *,
    control: str = CONTROL,
    target: str = ITEM,
) -> JsonObject:
    """Return what the editor stores of a stretch in a turn of a dialogue.

    Parameters
    ----------
    ends : number of the turn, of its first character, and of the one after the last
    """
    turn, start, end = ends
    value: JsonObject = {
        "start": str(turn),
        "end": str(turn),
        "startOffset": start,
        "endOffset": end,
        IN_TURN: [name],
    }
    return {
        "from_name": control,
        "to_name": target,
        "type": IN_TURN,
        "value": value,
    }


def signal_with_stretches(
    random: np.random.Generator,
) -> tuple[list[float], list[tuple[int, int, str]]]:
    """Make two loud stretches in a calm signal: a quick one and a slow one.

    Returns
    -------
    the signal, and the first row, the last row and the name of each stretch
    """
    time = np.arange(SAMPLES) / RATE
    signal = random.normal(scale=0.1, size=SAMPLES)
    stretches = []
    for name, begin in (("Run", 60), ("Walk", 340)):
        start = begin + int(random.integers(0, 60))
        rows = slice(start, start + LONG)
        signal[rows] += np.sin(2 * np.pi * PACES[name] * time[rows])
        stretches.append((start, start + LONG - 1, name))
    return signal.round(3).tolist(), stretches


def moment(row: int) -> str:
    """Return the time of a row as a file writes it."""
    return (START + timedelta(seconds=row / RATE)).strftime("%Y-%m-%d %H:%M:%S.%f")


def sentence(
    random: np.random.Generator,
) -> tuple[str, list[tuple[int, int, str]]]:
    """Make a sentence about a person in a town, after spaces, which count."""
    person, town = str(random.choice(PEOPLE)), str(random.choice(TOWNS))
    text = f"{random.choice(BEFORE)} {person} went to {town} by train."
    names = ((person, "PER"), (town, "LOC"))
    return text, [(at := text.index(w), at + len(w), name) for w, name in names]


def page_with_names(
    random: np.random.Generator,
) -> tuple[str, list[tuple[int, int, str, str]]]:
    """Make a page about a person in a town, with all that moves the places of words.

    Returns
    -------
    the page; place and end of each name in the text without tags, its label, and the
    path of the node that begins with it
    """
    person, town = str(random.choice(PEOPLE)), str(random.choice(TOWNS))
    before = str(random.choice(BEFORE))
    page = (
        "<!DOCTYPE html>\n<html><head><title>Travels</title></head>\n<body>\n"
        f"<style>p {{ margin: 0 }}</style><h1>News &amp; more</h1><!-- old -->"
        f"<p>{before} <b>{person}</b> went to <i>{town}</i><br>by train.</p>\n</body>"
        "</html>"
    )
    first = len(f"\np {{ margin: 0 }}News & more{before} ")
    second = first + len(f"{person} went to ")
    return page, [
        (first, first + len(person), "PER", "/p[1]/b[1]/text()[1]"),
        (second, second + len(town), "LOC", "/p[1]/i[1]/text()[1]"),
    ]


def dialogue_with_names(
    random: np.random.Generator,
) -> tuple[list[JsonObject], list[tuple[int, int, int, str]]]:
    """Make a dialogue in which a person says a name, and where to go.

    Returns
    -------
    the turns; turn, place and end of each name in it, as browsers count, and its label
    """
    person, town = str(random.choice(PEOPLE)), str(random.choice(TOWNS))
    lines = [
        ("Agent", "Good morning!", "", ""),
        ("Caller", str(random.choice(GREETINGS)), person, "PER"),
        ("Agent", "How can I help you?", "", ""),
        ("Caller", str(random.choice(WISHES)), town, "LOC"),
    ]
    turns = [{"author": who, "text": text.format(w)} for who, text, w, _ in lines]
    names = []
    for number, (_, text, word, name) in enumerate(lines):
        if word:
            start = len(text.partition("{")[0].encode("utf-16-le")) // 2
            names.append((number, start, start + len(word), name))
    return turns, names


def video_region(
    ends: tuple[int, int],
    name: str,
    *,
    control: str = CONTROL,
    target: str = ITEM,
) -> JsonObject:
    """Return what the editor stores of a stretch on the timeline of a video."""
    start, end = ends
    value: JsonObject = {"ranges": [{"start": start, "end": end}], ON_TIMELINE: [name]}
    return {
        "from_name": control,
        "to_name": target,
        "type": ON_TIMELINE,
        "value": value,
    }


def video_with_motion(
    random: np.random.Generator,
) -> tuple[bytes, list[tuple[int, int, str]]]:
    """Make a dark video in which a square moves for a while, and later only is there.

    Returns
    -------
    the file, and the first frame, the last one and the name of each stretch
    """
    frames = [np.full((64, 64, 3), 40, dtype=np.uint8) for _ in range(FRAMES)]
    stretches = []
    for name, begin in (("Movement", 10), ("Still", 65)):
        start = begin + int(random.integers(0, 15))
        for number in range(start, start + 30):
            at = 2 * (number % 20) if name == "Movement" else 24
            frames[number - 1][at : at + 20, at : at + 20] = 220
        stretches.append((start, start + 29, name))
    content = video_file(frames, kind="webm", codec="libvpx", rate=Fraction(24))
    return content, stretches


def sound_with_events(
    random: np.random.Generator,
) -> tuple[bytes, list[tuple[float, float, str]]]:
    """Make a quiet sound with a low tone and a high one.

    Returns
    -------
    the file, and the first second, the last and the name of each event
    """
    rate = 8_000
    samples = random.normal(scale=0.01, size=6 * rate)
    events = []
    for name, begin, hertz in (("Event A", 0.5, 300), ("Event B", 3.0, 1_500)):
        start = begin + float(random.uniform(0, 1))
        rows = np.arange(round(start * rate), round((start + 1.2) * rate))
        samples[rows] += 0.3 * np.sin(2 * np.pi * hertz * rows / rate)
        events.append((round(start, 3), round(start + 1.2, 3), name))
    file = io.BytesIO()
    write(file, samples.astype(np.float32), rate, format="WAV")
    return file.getvalue(), events


def ends_of(one: JsonObject) -> tuple[float, float, str]:
    """Return where a region starts and ends, and its label."""
    value, kind = one["value"], one["type"]
    [name] = value[kind]
    if kind == IN_TURN:
        start, end = (
            int(value[key]) * LONGEST_TURN + value[f"{key}Offset"]
            for key in ("start", "end")
        )
        return start, end, name
    places = value["globalOffsets"] if kind == IN_PAGE else value
    if kind == ON_TIMELINE:
        [places] = value["ranges"]
    start, end = (_number(places[key]) for key in ("start", "end"))
    return start, end, name


def _number(place: float | str) -> float:
    if isinstance(place, str):
        return (datetime.fromisoformat(place) - START).total_seconds()
    return place


def share_met(truth: Sequence[JsonObject], predicted: Sequence[JsonObject]) -> float:
    """Return of how many stretches a prediction of the same label overlaps a half.

    The overlap is a share of both together.
    """
    ends = [ends_of(one) for one in predicted]
    met = [
        any(
            name == other
            and min(end, last) - max(start, first)
            >= 0.5 * (max(end, last) - min(start, first))
            for first, last, other in ends
        )
        for start, end, name in map(ends_of, truth)
    ]
    return sum(met) / len(met)

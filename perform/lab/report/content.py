"""The report from top to bottom, as blocks: words, what was reached, and for each world charts, tables and pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from perform.lab import timing
from perform.lab.evaluate import record as evaluation
from perform.lab.evaluate.latency import fastest
from perform.lab.report import figures, goals
from perform.lab.report.blocks import Block, Heading, Picture, Table, Text, Typed
from perform.lab.report.svg import short
from perform.lab.report.words import Note, Words

Record = Mapping[str, Any]
FIDELITY = {
    "truth_psnr": "PSNR dB",
    "truth_ssim": "SSIM",
    "truth_lpips": "LPIPS-HED",
    "teacher_l1": "L1 to teacher",
    "teacher_psnr": "PSNR to teacher",
    "teacher_lpips": "LPIPS-HED to teacher",
    "teacher_live_lpips": "… on live input",
}
REALISM = {
    "kid": "KID",
    "kid_held": "KID, held-out",
    "kid_live": "KID, live",
    "spectrum": "spectrum dB",
    "spectrum_live": "… live",
    "swd": "sliced Wasserstein",
    "swd_live": "… live",
    "follow": "follows light",
    "live_follow": "… live",
}
STEADY = {"tremble": "tremble", "warp_pan": "warp, pan", "warp_zoom": "warp, zoom", "shimmer": "above 8 Hz"}
KINDS = ("baseline", "size", "int8", "teacher", "run")


def blocks(records: Mapping[str, Record], words: Words, pictures: Path) -> Iterator[Block]:
    """The whole report. `pictures` is the folder with the contact sheets."""
    yield Heading(1, words.title)
    if words.lead:
        yield Text(words.lead)
    for paragraph in words.short:
        yield Text(paragraph)
    yield overview(records)
    for name, record in records.items():
        yield from world(name, record, words.worlds.get(name, ""), pictures)
    for title, notes in (
        ("What won", words.kept),
        ("What did not", words.dropped),
        ("What to doubt", words.weak),
    ):
        yield from _notes(title, notes)
    yield Heading(2, "How it was measured")
    for paragraph in words.method:
        yield Text(paragraph)
    for name, record in records.items():
        yield Text(f"**{name}.** {_how(record)}")


def overview(records: Mapping[str, Record]) -> Table:
    """All worlds and their sizes at a glance: what each costs, and what is left of the teacher."""
    heads = ("", "G MACs", "ms a dream", "KID", "its teacher's", "LPIPS-HED to teacher", "… on live input")
    rows: list[Sequence[str]] = []
    for name, record in records.items():
        teacher = record["entrants"].get("teacher", {}).get("quality", {})
        for size, entry in ordered(record):
            if entry["kind"] == "size":
                quality, macs = entry["quality"], entry["cost"]["macs"]
                quick = _quickest(records.values(), size, macs)
                cost = short(macs / 1e9), short(quick) if quick is not None else "–"
                likeness = (_cell(quality, key) for key in ("teacher_lpips", "teacher_live_lpips"))
                rows.append((f"{name} {size}", *cost, _cell(quality, "kid"), _cell(teacher, "kid"), *likeness))
    caption = (
        "A dream of 256×256: useful MACs, and the median of milliseconds on at most two threads, fastest engine. "
        "A size is the same network in every world, and was timed in one."
    )
    strong = [index for index, row in enumerate(rows) if row[0].endswith(" m")]
    return Table(heads, rows, caption, "Measured by the commands at the head of each world.", strong)


def _quickest(records: Iterable[Record], size: str, macs: float) -> float | None:
    """Milliseconds of a size at 256², float or int8, in the first record that has timed it, with these `macs`."""
    for record in records:
        there = [record["entrants"].get(name, {}) for name in (size, f"{size} int8")]
        timed = [row for entry in there if entry and entry["cost"]["macs"] == macs for row in entry["latency"]]
        if (quick := fastest(timed, 256, 2)) is not None:
            return float(quick["p50"])
    return None


def world(name: str, record: Record, words: str, pictures: Path) -> Iterator[Block]:
    """One world's part: what measured it stands at its head, once."""
    yield Heading(2, name.capitalize())
    if words:
        yield Text(words)
    yield Text("Measured and drawn by:")
    yield Typed(figures.commands(record))
    for sheet in ("held-out", "live"):
        path = pictures / f"{name}-{sheet}.jpg"
        if path.exists():
            what = {"held-out": "Pictures it has never seen", "live": "Live inputs, any mood"}[sheet]
            yield Picture(path, f"{name}: {what.lower()}.", [made_by(path)])
    found = [goal for goal in goals.of(record) if goal.reached is not None]
    if found:
        mark = {True: "yes", False: "no"}
        rows = [(goal.wanted, goal.found, mark[bool(goal.reached)]) for goal in found]
        caption = f"{name}: what was to be reached."
        yield Table(("Wanted", "Found", "Reached"), rows, caption, figures.made(record, latency=True))
    yield from figures.charts(record)
    yield from tables(name, record)


def tables(name: str, record: Record) -> Iterator[Table]:
    """Everybody in numbers: fidelity, realism, steadiness, cost, time."""
    entrants = ordered(record)
    strong = [index for index, (_, entry) in enumerate(entrants) if entry["kind"] in ("size", "int8")]
    made = figures.made(record)
    for columns, caption in _questions(name, record):
        rows = [(who, *(_cell(entry["quality"], key) for key in columns)) for who, entry in entrants]
        yield Table(("", *columns.values()), rows, caption, made, strong)
    yield _costs(name, entrants, made, strong)
    if any(entry.get("latency") for _, entry in entrants):
        yield _latency(name, record, entrants)


def _questions(name: str, record: Record) -> Iterator[tuple[Mapping[str, str], str]]:
    """The measures of quality, question by question, with what their numbers rest on."""
    n: Mapping[str, int | str] = defaultdict(lambda: "?", record.get("n", {}))
    floor = defaultdict(float, record.get("floor", {}))
    yield (
        FIDELITY,
        f"{name}: how alike. On {n['held-out photographs']} held-out pictures in their own moods; on live input, on "
        f"{n['live inputs compared with the teacher']}.",
    )
    yield (
        REALISM,
        f"{name}: how real. {n['crops of them']} dreams on held-out pictures and {n['dreams on them']} on live inputs "
        f"against {n['crops of photographs, real side']} crops of {n['photographs, real side']} pictures; ± is the "
        f"standard error. The pictures against each other: KID {short(floor['kid'])} ± {short(floor['kid_spread'])} "
        f"over ten halvings, spectrum {short(floor['spectrum'])} dB, sliced Wasserstein {short(floor['swd'])}.",
    )
    yield (
        STEADY,
        f"{name}: how steady, in bytes of the screen, from the camera on: tremble ({n['still pictures']} pictures) and "
        f"what is above 8 Hz ({n['frames of the drifting hand']} frames of one hand) with 4 bytes of sensor noise, the "
        f"warps without.",
    )


def ordered(record: Record) -> list[tuple[str, Mapping[str, Any]]]:
    """The record's entrants as a table has them: baselines, sizes from small to large, the teacher, the ablations."""

    def place(item: tuple[str, Mapping[str, Any]]) -> tuple[int, float]:
        kind = item[1]["kind"]
        return KINDS.index(kind), item[1]["cost"].get("macs", 0.0) if kind in ("size", "int8") else 0.0

    return sorted(record["entrants"].items(), key=place)


DECIMALS = {"kid": 3, "lpips": 3, "ssim": 3, "follow": 3, "swd": 0}  # by a part of the measure's name; else 2


def _cell(numbers: Mapping[str, float], key: str) -> str:
    if key not in numbers:
        return "–"
    decimals = next((count for part, count in DECIMALS.items() if part in key), 2)
    error = numbers.get(f"{key}_error")
    value = f"{numbers[key]:.{decimals}f}"
    return f"{value} ± {error:.{decimals}f}" if error else value


def _costs(name: str, entrants: Sequence[tuple[str, Mapping[str, Any]]], made: str, strong: Sequence[int]) -> Table:
    heads = ("", "useful MACs, G", "as published, G", "parameters, M", "file, MB", "peak activations, MB", "what it is")
    rows = []
    for who, entry in entrants:
        units = (("macs", 1e9), ("published_macs", 1e9), ("parameters", 1e6), ("bytes", 1e6), ("activation_bytes", 1e6))
        cost = entry["cost"]
        rows.append(
            (who, *(short(cost[key] / unit) if key in cost else "–" for key, unit in units), entry["why"] or "–")
        )
    caption = (
        f"{name}: what a dream of 256×256 costs. Published MACs charge transposed convolutions at the size of their "
        f"output. Peak activations: all that is alive at once in fp32, operator by operator, without weights."
    )
    return Table(heads, rows, caption, made, strong)


def _latency(name: str, record: Record, entrants: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    cases = sorted({(row["side"], row["threads"]) for _, entry in entrants for row in entry.get("latency", [])})
    heads = ("", "engine", *(f"{side}², {threads} thread{'s' if threads > 1 else ''}" for side, threads in cases))
    rows, seen = [], []
    for who, entry in entrants:
        by_engine: dict[str, dict[tuple[int, int], Mapping[str, Any]]] = {}
        for row in entry.get("latency", []):
            by_engine.setdefault(row["engine"], {})[row["side"], row["threads"]] = row
        if entry["latency"] in seen:
            continue  # the same network with other weights
        seen.append(entry["latency"])
        for engine, found in by_engine.items():
            rows.append((who, engine, *(_times(found.get(case)) for case in cases)))
    processor = record["about"].get("latency", record["about"]).get("processor", "")
    calls = sorted({row["rounds"] for _, entry in entrants for row in entry.get("latency", []) if "rounds" in row})
    caption = f"{name}: milliseconds a dream on {processor}: fastest call / median / 95th percentile of "
    caption += f"{calls[0]} to {calls[-1]} calls." if calls else "some calls."
    return Table(heads, rows, caption, figures.made(record, latency=True))


def _times(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    tail = short(row["p95"]) if row.get("rounds", 0) >= timing.LEAST else "–"
    return f"{short(row['best'])} / {short(row['p50'])} / {tail}"


def _notes(title: str, notes: Sequence[Note]) -> Iterator[Block]:
    if notes:
        yield Heading(2, title)
        for note in notes:
            yield Text(f"**{note.title}** {note.text}")


def _how(record: Record) -> str:
    about = record["about"]
    versions = ", ".join(f"{name} {number}" for name, number in about.get("versions", {}).items())
    carried = sorted(name for name, entry in record["entrants"].items() if entry.get("carried"))
    words = f"Seed {about.get('seed')}, {about.get('reduce')} pixels a cell, {about.get('side')}². {versions}."
    if carried:
        words += f" Carried over from an earlier record, for want of the teacher's checkpoint: {', '.join(carried)}."
    ways: dict[str, list[str]] = {}
    for name, entry in record["entrants"].items():
        ways.setdefault(entry.get("protocol", "").rpartition("/")[0], []).append(name)
    if len(ways) > 1:
        apart = "; ".join(", ".join(sorted(names)) for names in ways.values())
        words += f" Measured in different ways, not to be compared with each other: {apart}."
    teachers: dict[str, list[str]] = {}
    for name, entry in record["entrants"].items():
        if "teacher_l1" in entry["quality"] and (teacher := evaluation.teacher_of(entry)) != "-":
            teachers.setdefault(teacher, []).append(name)
    if len(teachers) > 1:
        apart = "; ".join(", ".join(sorted(names)) for names in teachers.values())
        words += f" Their distances are to different teachers: {apart}."
    return words


def made_by(path: Path) -> str:
    """The command that made a contact sheet: its own comment; how sheets are made, where it has none."""
    with Image.open(path) as picture:
        comment = picture.info.get("comment", b"")
    return comment.decode("utf-8", "replace") if comment else "perform evaluate --sheets docs/compression"

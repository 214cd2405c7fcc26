"""Which charts a record gives, and which commands give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perform.lab.evaluate import record as evaluation
from perform.lab.evaluate.latency import fastest
from perform.lab.report import bars, scatter
from perform.lab.report.blocks import Chart
from perform.lab.report.scatter import Level, Point

Record = Mapping[str, Any]
QUALITIES = {
    "kid": "KID against the world's pictures",
    "teacher_lpips": "LPIPS-HED distance to the teacher",
}
STEPS = {"kid": "KID", "teacher_lpips": "from the teacher", "shimmer": "shimmer"}


def charts(record: Record) -> list[Chart]:
    """All charts that the record has numbers for."""
    drawn = [pareto(record, quality, cost) for quality in QUALITIES for cost in ("latency", "macs")]
    drawn += [steps(record), speeds(record)]
    return [chart for chart in drawn if chart is not None]


def commands(record: Record) -> list[str]:
    """What is typed to measure a world, to time it if it was timed, and to draw it from what was measured then."""
    about = record["about"]
    measured = [about.get("command", "perform evaluate")]
    words = measured[0].replace("--out=", "--out ").split(" ")
    out = words[words.index("--out") + 1] if "--out" in words else f"runs/evaluation/{record['world']}.json"
    if "latency" in about:
        measured.append(about["latency"]["command"])
    return [*map(braced, measured), f"perform report {out}"]


def made(record: Record, latency: bool = False) -> str:
    """Which of the `commands` made a figure; with `latency` it holds times, too."""
    which = "first two commands" if latency and "latency" in record["about"] else "first command"
    return f"Measured by the {which} at the head of this world."


def braced(command: str) -> str:
    """The same command to a shell, with neighbours in one folder written once: `a/x a/y` is `a/{x,y}`."""
    out: list[list[str]] = []
    for word in command.split(" "):
        folder, slash, name = word.rpartition("/")
        if slash and "=" not in word and out and out[-1][0] == folder:
            out[-1].append(name)
        else:
            out.append([folder, name] if slash and "=" not in word else ["", word])
    return " ".join(_together(group) for group in out)


def _together(group: Sequence[str]) -> str:
    folder, *names = group
    if not folder:
        return names[0]
    return f"{folder}/{names[0]}" if len(names) == 1 else f"{folder}/{{{','.join(names)}}}"


def _cost(entry: Mapping[str, Any], cost: str) -> float:
    if cost == "macs":
        return float(entry["cost"].get("macs", 0.0)) / 1e9
    row = fastest(entry.get("latency", []), 256, 2)
    return 0.0 if row is None else float(row["p50"])


def pareto(record: Record, quality: str, cost: str) -> Chart | None:
    """Quality against milliseconds or MACs; None where fewer than two entrants have both."""
    points = []
    for name, entry in record["entrants"].items():
        value, price = entry["quality"].get(quality), _cost(entry, cost)
        if value is not None and price > 0:
            points.append(Point(name, entry["kind"], price, value, entry["quality"].get(f"{quality}_error", 0.0)))
    if len(points) < 2:
        return None
    levels = []
    if quality == "kid":
        levels.append(Level("the world's pictures against each other", record["floor"].get("kid", 0.0)))
    plain = record["entrants"].get("input, tinted", {}).get("quality", {}).get(quality)
    if plain is not None and plain < 2.5 * max(point.y for point in points):
        levels.append(Level("no network: the tinted input", plain))
    world = record["world"]
    if cost == "macs":
        title, label = f"{world}: quality and arithmetic", "useful MACs at 256×256, G"
    else:
        title, label = f"{world}: quality and time", "ms (median), 256×256, one or two threads, fastest engine"
    svg = scatter.draw(points, title, label, QUALITIES[quality], levels)
    caption = f"{title}. Lower and further left is better; the line is the front that nobody else reaches."
    return Chart(f"{world}-{quality.replace('_', '-')}-{cost}", svg, caption, made(record, cost == "latency"))


def steps(record: Record) -> Chart | None:
    """What each part of the recipe is worth: every ablation's distance from the whole recipe."""
    entrants = record["entrants"]
    whole = entrants.get("whole", {}).get("quality")
    others = {name: entry for name, entry in entrants.items() if entry["kind"] == "run" and name != "whole"}
    if whole is None or not others:
        return None
    rows = [bars.Row(name, "size", [_change(record, name, key) for key in STEPS]) for name in others]
    rows.sort(key=lambda row: -(row.values[0] or (0.0, 0.0))[0])
    title = f"{record['world']}: what each part is worth"
    note = "Differences from the whole recipe. To the right: worse."
    svg = bars.changes(rows, list(STEPS.values()), title, note)
    caption = (
        f"{title}. The same student trained again with one thing left out, taught, cut or chosen in another way, or "
        f"another network in its place; differences from the whole recipe (`whole`), lower is better. The whiskers on "
        f"KID are the standard error of the difference, over pictures: both were given the same. Another training's "
        f"seed would move each row by what nobody has measured."
    )
    return Chart(f"{record['world']}-steps", svg, caption, made(record))


def _change(record: Record, name: str, key: str) -> tuple[float, float] | None:
    numbers, whole = (record["entrants"][who]["quality"] for who in (name, "whole"))
    if key not in numbers or key not in whole or not evaluation.comparable(record, name, "whole"):
        return None
    known = evaluation.difference(record, name, "whole") if key == "kid" else None
    return known or (numbers[key] - whole[key], 0.0)


def speeds(record: Record) -> Chart | None:
    """Slow ones first: each network in torch fp32, in its fastest float engine, and in int8."""
    called = {"resnet9": "ResNet-9", "teacher": "teacher", "m": "m", "m int8": "m", "s int8": "s"}
    rows = []
    for name, words in called.items():
        entry = record["entrants"].get(name, {})
        found = [fastest(entry.get("latency", []), 256, 2, among) for among in ("torch f32", "")]
        for row in {row["engine"]: row for row in found if row is not None}.values():
            engine = row["engine"].replace(" f32", " fp32")
            rows.append(bars.Time(f"{words}, {engine}", entry["kind"], row["best"], row["p50"]))
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: -row.p50)
    title = f"{record['world']}: from a teacher to a stage"
    svg = bars.times(rows, title, "Milliseconds, a logarithmic scale. Bar: median, mark: fastest call")
    processor = record["about"].get("latency", record["about"]).get("processor", "")
    caption = (
        f"{title}: a dream of 256×256 with one or two threads on {processor}, each network in PyTorch and in its "
        f"fastest engine. × is how many times as fast as the first row, by medians."
    )
    return Chart(f"{record['world']}-speeds", svg, caption, made(record, latency=True))

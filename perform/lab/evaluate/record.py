"""The file in which an evaluation is kept: one world, all entrants, and how every number came to be.

    {"format": 1, "world": …, "about": {seed, command, processor, versions …}, "n": {…}, "floor": {…},
     "entrants": {"m": {"kind", "why", "fingerprint", "quality": {…}, "left": "…", "cost": {…}, "latency": [{…}],
                        "carried": […]}}}

`left` is KID without each picture and input, in millionths away from their mean: what the error of a difference takes.
An entrant's `protocol` says how it was measured: version/seed/side/pictures/pixels a cell/teacher. The pictures are the
first digits of their file's sha256. Whose distances to a teacher were carried over keeps that teacher's name in
`teacher`.

An entrant whose weights have not changed is not measured again. Numbers that cannot be measured here, because the
teacher's checkpoint is not shipped, are carried over from the stored file if the weights are the same and they were
measured in the same way, and are named in `carried`.
"""

from __future__ import annotations

import json
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from perform.lab import run
from perform.lab.evaluate.entrants import Entrant
from perform.lab.metrics import realism

FORMAT = 1
PACKAGES = ("torch", "openvino", "onnxruntime", "nncf", "numpy", "pillow")


def empty(world: str) -> dict[str, Any]:
    """A record with nothing in it."""
    return {"format": FORMAT, "world": world, "about": {}, "n": {}, "floor": {}, "entrants": {}}


def load(path: Path) -> dict[str, Any]:
    """Read a record. Raises ValueError, one sentence, for a file that is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise ValueError(f"{path} cannot be read as an evaluation ({e}); `perform evaluate` makes one") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT or not isinstance(record.get("entrants"), dict):
        raise ValueError(f"{path} is not an evaluation of format {FORMAT}; `perform evaluate` makes one")
    if not isinstance(record.get("world"), str) or not re.fullmatch(r"\w[\w .-]*", record["world"]):
        raise ValueError(f"{path}: {record.get('world')!r} is no name of a world")
    for part in ("about", "n", "floor"):
        if not isinstance(record.get(part), dict):
            raise ValueError(f"{path} says nothing of {part}; `perform evaluate` does")
    for name, entry in record["entrants"].items():
        if not isinstance(entry, dict) or not {"kind", "why", "fingerprint", "quality", "cost"} <= set(entry):
            raise ValueError(f"{path}: {name} is no entrant of an evaluation; `perform evaluate` makes one")
    return record


def of(world: str, path: Path) -> dict[str, Any]:
    """The record of this world. Raises ValueError, one sentence, for a file that is none, or another world's."""
    found = load(path)
    if found["world"] != world:
        raise ValueError(f"{path} is of the world {found['world']!r}, not of {world!r}: name another file")
    return found


def save(path: Path, record: Mapping[str, Any]) -> None:
    """Write it, atomically, numbers rounded to six significant digits so that a difference is a difference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(record), indent=1, ensure_ascii=False) + "\n"
    run.write(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def rounded(value: Any) -> Any:
    """Floats to six significant digits, everywhere inside."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def about(command: Sequence[str], seed: int, side: int, reduce: float) -> dict[str, Any]:
    """How the numbers came to be: the command, the seed, the kind of machine (never its name) and the versions."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "command": shlex.join(command),
        "seed": seed,
        "side": side,
        "reduce": reduce,
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
    }


def processor() -> str:
    """The processor's model, as its maker calls it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def known(record: Mapping[str, Any], entrant: Entrant, protocol: str) -> bool:
    """Whether an entrant stands in the record with these weights, measured in this way."""
    entry = record["entrants"].get(entrant.name)
    return entry is not None and entry["fingerprint"] == entrant.fingerprint and entry.get("protocol") == protocol


def enter(
    record: dict[str, Any],
    entrant: Entrant,
    quality: Mapping[str, float],
    protocol: str,
    stored: Mapping[str, Any],
    left: Sequence[float] = (),
) -> None:
    """Put an entrant's numbers into the record, with what only the stored one, or this one so far, knows of the same
    weights.
    """
    carried: dict[str, float] = {}
    teacher = protocol.rpartition("/")[2]
    latency: list[Any] = []
    for known_by in (stored, record):
        old = known_by.get("entrants", {}).get(entrant.name, {})
        if old.get("fingerprint") != entrant.fingerprint:
            continue
        if clocked_alike(record, known_by):
            latency = old.get("latency", []) or latency
        if alike(old.get("protocol", ""), protocol):
            more = {key: value for key, value in old.get("quality", {}).items() if key not in quality}
            carried |= more
            teacher = teacher_of(old) if "teacher_l1" in more else teacher
    record["entrants"][entrant.name] = {
        "kind": entrant.kind,
        "why": entrant.why,
        "network": entrant.network,
        "fingerprint": entrant.fingerprint,
        "protocol": protocol,
        "teacher": teacher,
        "quality": {**quality, **carried},
        "left": packed(left),
        "carried": sorted(carried),
        "cost": dict(entrant.cost),
        "latency": latency,
    }


def packed(left: Sequence[float]) -> str:
    """A jackknife in little room: whole millionths away from the mean, one word each."""
    mean = sum(left) / max(len(left), 1)
    return " ".join(str(round((value - mean) * 1e6)) for value in left)


def difference(record: Mapping[str, Any], one: str, other: str) -> tuple[float, float] | None:
    """How much larger one entrant's KID is than another's, and the standard error of that: over pictures, both having
    been given the same. None where it was not measured. Raises ValueError if they were given others.
    """
    entries = [record["entrants"].get(name, {}) for name in (one, other)]
    if not comparable(record, one, other):
        raise ValueError(f"{one} and {other} were not measured on the same pictures in the same way: evaluate both")
    lefts = [[float(word) / 1e6 for word in entry.get("left", "").split()] for entry in entries]
    if not all(lefts) or not all("kid" in entry["quality"] for entry in entries):
        return None
    return entries[0]["quality"]["kid"] - entries[1]["quality"]["kid"], realism.apart(*lefts)


def alike(protocol: str, other: str) -> bool:
    """Whether two were measured in the same way, on the same pictures, whoever they were compared with."""
    return protocol.rpartition("/")[0] == other.rpartition("/")[0]


def comparable(record: Mapping[str, Any], *names: str) -> bool:
    """Whether those of them who stand in the record were measured alike."""
    ways = [record["entrants"][name].get("protocol", "") for name in names if name in record["entrants"]]
    return all(alike(way, ways[0]) for way in ways)


def teacher_of(entry: Mapping[str, Any]) -> str:
    """To which teacher an entrant's distances are: the first digits of its weights; "-" where nobody knows."""
    return str(entry.get("teacher", entry.get("protocol", "").rpartition("/")[2]))


def clocked_alike(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the times of another record may stand in this one: it has none yet, or they are of one processor."""
    mine, theirs = (one.get("about", {}).get("latency") for one in (record, other))
    return mine is None or mine.get("processor") == (theirs or {}).get("processor")


def carry(record: dict[str, Any], stored: Mapping[str, Any], protocol: str) -> list[str]:
    """Take the whole rows of those who are not here, the teacher and the ablations, from the stored record, if they
    were measured by `protocol`; and when and where its times were taken, if none were here. Returns who is left behind.
    """
    behind = []
    for name, row in stored.get("entrants", {}).items():
        if row["kind"] not in ("teacher", "run") or name in record["entrants"]:
            continue
        if not alike(row.get("protocol", ""), protocol):
            behind.append(name)
        else:
            origin = row.get("about", stored["about"])
            theirs = row.get("latency", []) if clocked_alike(record, stored) else []
            record["entrants"][name] = {
                **row,
                "carried": sorted(row["quality"]),
                "about": origin,
                "latency": theirs,
            }
    times = stored.get("about", {}).get("latency")
    if times is not None:
        record["about"].setdefault("latency", times)
    return behind

"""What was to be reached, and what was: each goal worked out from the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perform.lab.evaluate import record as evaluation
from perform.lab.evaluate.latency import fastest
from perform.lab.report.svg import short

Record = Mapping[str, Any]
FAIR = ("whole", "as-long")  # distilled `m`s that learned for as many steps as their undistilled twin


@dataclass(frozen=True)
class Goal:
    """What was wanted, what was found (as text), and whether that is enough; None: not measured."""

    wanted: str
    found: str
    reached: bool | None


def of(record: Record) -> list[Goal]:
    """All goals of a world. Those whose numbers are missing say so."""
    return [
        _macs(record),
        _realism(record),
        _distance(record),
        _speed(record, "teacher"),
        _speed(record, "resnet9"),
        _int8_psnr(record),
        _int8_kid(record),
        _dreams(record),
        _bytes(record),
    ]


def _get(record: Record, name: str, part: str, key: str) -> float | None:
    """A number; None where there is none, or a quality that was not measured as that of `m` was."""
    if part == "quality" and not evaluation.comparable(record, name, "m"):
        return None
    value = record["entrants"].get(name, {}).get(part, {}).get(key)
    return None if value is None else float(value)


def _missing(wanted: str) -> Goal:
    return Goal(wanted, "not measured", None)


def _macs(record: Record) -> Goal:
    wanted = "`m`: 45 times fewer useful MACs than ResNet-9, at most 1.1 G"
    mine, theirs = _get(record, "m", "cost", "macs"), _get(record, "resnet9", "cost", "macs")
    if mine is None or theirs is None:
        return _missing(wanted)
    return Goal(wanted, f"{theirs / mine:.0f} times, {mine / 1e9:.2f} G", theirs / mine >= 45 and mine <= 1.1e9)


def _realism(record: Record) -> Goal:
    wanted = "`m`: KID within 15 % of its teacher's"
    mine, theirs = _get(record, "m", "quality", "kid"), _get(record, "teacher", "quality", "kid")
    if mine is None or theirs is None:
        return _missing(wanted)
    error = _get(record, "m", "quality", "kid_error") or 0.0
    found = f"{mine:.3f} ± {error:.3f} against {theirs:.3f}"
    more = evaluation.difference(record, "m", "teacher")
    found += f", {more[0]:+.3f} ± {more[1]:.3f}" if more is not None else ""
    if theirs <= 0:  # an unbiased estimate: a teacher that nothing tells from photographs may have less than none
        return Goal(wanted, f"{found}: a share of nothing cannot be said", mine <= error)
    found += f": {100 * (mine / theirs - 1):+.0f} %"
    held = [_get(record, name, "quality", "kid_held") for name in ("m", "teacher")]
    if held[0] is not None and held[1] is not None and held[1] > 0:
        found += f"; on held-out pictures alone {100 * (held[0] / held[1] - 1):+.0f} %"
    return Goal(wanted, found, mine <= 1.15 * theirs)


def _distance(record: Record) -> Goal:
    """The shipped `m` has learned for longer than its undistilled twin; where one was measured that was distilled for
    as many steps (`FAIR`), that one decides.
    """
    wanted = "`m`: at most half of the undistilled twin's distance to the teacher"
    mine = _shares(record, "m")
    fair = next((shares for name in FAIR if (shares := _shares(record, name)) is not None), None)
    if mine is None:
        return _missing(wanted)
    if fair is None:
        return Goal(wanted, _said(mine), mine[0] <= 0.5)
    return Goal(wanted, f"{_said(mine)}; taught for as many steps as the twin: {_said(fair)}", fair[0] <= 0.5)


def _shares(record: Record, name: str) -> tuple[float, float] | None:
    shares = []
    for key in ("teacher_lpips", "teacher_l1"):
        mine, twin = _get(record, name, "quality", key), _get(record, "undistilled", "quality", key)
        if mine is None or twin is None:
            return None
        shares.append(mine / twin)
    return shares[0], shares[1]


def _said(shares: tuple[float, float]) -> str:
    return f"{100 * shares[0]:.0f} % in LPIPS-HED, {100 * shares[1]:.0f} % in L1"


def _speed(record: Record, name: str) -> Goal:
    wanted = f"int8 of `m`: 100 times as fast as {_called(name)} in torch fp32 (256², two cores)"
    slow = fastest(record["entrants"].get(name, {}).get("latency", []), 256, 2, "torch f32")
    quick = fastest(record["entrants"].get("m int8", {}).get("latency", []), 256, 2)
    if slow is None or quick is None:
        return _missing(wanted)
    times = slow["p50"] / quick["p50"]
    return Goal(wanted, f"{times:.0f} times: {short(slow['p50'])} ms to {short(quick['p50'])} ms", times >= 100)


def _called(name: str) -> str:
    return {"teacher": "our teacher", "resnet9": "ResNet-9"}.get(name, name)


def _int8_psnr(record: Record) -> Goal:
    wanted = "int8 of `m` loses at most 0.5 dB"
    whole, small = _get(record, "m", "quality", "truth_psnr"), _get(record, "m int8", "quality", "truth_psnr")
    if whole is None or small is None:
        return _missing(wanted)
    return Goal(wanted, f"{round(whole - small, 2) + 0.0:.2f} dB against held-out pictures", whole - small <= 0.5)


def _int8_kid(record: Record) -> Goal:
    wanted = "… and at most 5 % KID"
    whole, small = _get(record, "m", "quality", "kid"), _get(record, "m int8", "quality", "kid")
    if whole is None or small is None:
        return _missing(wanted)
    if whole <= 0:
        error = _get(record, "m", "quality", "kid_error") or 0.0
        return Goal(wanted, f"{small - whole:+.4f}: a share of nothing cannot be said", small <= error)
    return Goal(wanted, f"{100 * (small / whole - 1):+.1f} %", small <= 1.05 * whole)


def _dreams(record: Record) -> Goal:
    wanted = "`s` at 512²: 60 dreams a second on two cores"
    rows = [row for name in ("s", "s int8") for row in record["entrants"].get(name, {}).get("latency", [])]
    quick = fastest(rows, 512, 2)
    if quick is None:
        return _missing(wanted)
    found = f"{1e3 / quick['p50']:.0f} by the median, {1e3 / quick['best']:.0f} by the fastest call ({quick['engine']})"
    return Goal(wanted, found, 1e3 / quick["p50"] >= 60)


def _bytes(record: Record) -> Goal:
    wanted = "all sizes of the world: at most 12 MB"
    total = record.get("bytes")
    return _missing(wanted) if total is None else Goal(wanted, f"{total / 1e6:.1f} MB", total <= 12e6)

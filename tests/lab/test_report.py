"""The report, on a world that does not exist with numbers that are plainly made up."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from perform.lab import look, report
from perform.lab.report import bars, blocks, content, figures, goals, markdown, page, scatter, svg, words
from perform.lab.report.scatter import Level, Point

GIGA = {
    "s": 0.4,
    "m": 1.0,
    "l": 2.0,
    "teacher": 6.0,
    "resnet9": 50.0,
    "undistilled": 1.0,
    "whole": 1.0,
    "no-pixel": 1.0,
}


def rows(best: float, *engines: str) -> list[dict[str, Any]]:
    return [
        {"engine": engine, "side": side, "threads": 2, "best": t, "p50": t * 1.2, "p95": t * 1.5, "rounds": 9}
        for engine in engines
        for side, t in ((256, best), (512, best * 4))
    ]


def made_up() -> dict[str, Any]:
    """Every number here is invented."""
    entrants = {}
    for index, (name, giga) in enumerate(GIGA.items()):
        kind = name if name == "teacher" else "size" if name in "sml" else "run"
        quality = {"truth_psnr": 20.0 + index, "truth_lpips": 0.3, "kid": 0.1 + index / 100, "kid_error": 0.01}
        quality |= {"teacher_lpips": 0.1 + index / 50, "teacher_l1": 9.0, "shimmer": 0.3, "warp_pan": 5.0 + index}
        cost = {"macs": giga * 1e9, "published_macs": giga * 1.1e9, "parameters": 1e6, "bytes": 2e6}
        latency = rows(giga * 10, "OpenVINO f32", "torch f32")
        entry = {"kind": kind, "why": "made up", "network": name, "fingerprint": name, "quality": quality}
        entrants[name] = entry | {"carried": [], "cost": cost, "latency": latency}
    entrants["m int8"] = entrants["m"] | {"kind": "int8", "latency": rows(0.4, "OpenVINO int8")}
    entrants["m int8"]["quality"] = {"truth_psnr": 20.8, "kid": 0.111}
    about = {"command": "perform evaluate --made-up", "seed": 0, "side": 256, "reduce": 24.0, "processor": "An Abacus"}
    return {
        "format": 1,
        "world": "nowhere",
        "about": about | {"versions": {"torch": "0"}},
        "n": {"held-out photographs": 3},
        "floor": {"kid": 0.001, "kid_spread": 0.002, "spectrum": 0.5, "swd": 20.0},
        "bytes": 9e6,
        "entrants": entrants,
    }


class Sound(HTMLParser):
    """Fails on a tag that is not closed, and collects what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)
        self.outside += [
            v for k, v in attrs if k in ("src", "href", "srcset") and v and v[:5] not in ("data:",) and v[0] != "#"
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "compression"
    there.mkdir()
    (there / "nowhere.json").write_text(json.dumps(made_up()))
    sheet = look.labelled({"input": [torch.zeros(64, 64, 3, dtype=torch.uint8)] * 2}, "nowhere")
    sheet.save(there / "nowhere-live.jpg", comment=b"perform evaluate --sheets here")
    (there / "words.toml").write_text(
        'title = "Made up"\nlead = "All of it, `m` as well: {nowhere:m:kid}."\nmethod = ["By **thought** <alone>."]\n'
        '[[dropped]]\ntitle = "Wishing."\ntext = "It did not help."\n'
    )
    return there


def test_one_page_that_needs_nothing_else(folder: Path) -> None:
    report.main(["--folder", str(folder)])
    text = folder.with_suffix(".html").read_text()
    reader = Sound()
    reader.feed(text)
    assert reader.open == []
    assert reader.outside == []
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert "data:image/jpeg;base64," in text
    assert "By <strong>thought</strong> &lt;alone&gt;." in text
    assert "<code>m</code> as well: 0.110." in text
    assert "prefers-color-scheme:dark" in text
    assert 'name="viewport"' in text


def test_every_figure_says_what_made_it(folder: Path) -> None:
    report.main(["--folder", str(folder)])
    page_text, text = folder.with_suffix(".html").read_text(), folder.with_suffix(".md").read_text()
    said = "Measured by the first command at the head of this world."
    assert page_text.count("<figure>") - 2 == page_text.count(said) == text.count(said) >= 9  # and sheet and overview
    assert page_text.count('title="made by"') == text.count("```bash") == 2  # at the world's head, and the sheet's
    assert "```bash\nperform evaluate --sheets here\n```" in text
    typed = "perform evaluate --made-up\nperform report runs/evaluation/nowhere.json\n"  # not an older record
    assert f"## Nowhere\n\nMeasured and drawn by:\n\n```bash\n{typed}```\n\n" in text
    charts = re.findall(r"!\[[^\]]*\]\(compression/([\w-]+\.svg)\)", text)
    assert len(charts) == len(set(charts)) >= 5
    for name in charts:
        ElementTree.fromstring((folder / name).read_text())


def test_twice_the_same_and_nothing_old_is_left(folder: Path) -> None:
    (folder / "old-chart.svg").write_text('<svg class="chart"/>')
    report.main(["--folder", str(folder)])
    first = {path: path.read_bytes() for path in folder.rglob("*")}
    assert folder / "old-chart.svg" not in first
    report.main(["--folder", str(folder)])
    assert {path: path.read_bytes() for path in folder.rglob("*")} == first


def test_new_records_are_kept(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text(json.dumps(made_up() | {"world": "elsewhere"}))
    report.main([str(tmp_path / "new.json"), "--folder", str(folder)])
    assert json.loads((folder / "elsewhere.json").read_text())["world"] == "elsewhere"
    assert "## Elsewhere" in folder.with_suffix(".md").read_text()


def test_a_record_that_gives_no_report_replaces_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lesser = made_up()
    del lesser["entrants"]["m"]  # of which the words speak
    (tmp_path / "new.json").write_text(json.dumps(lesser))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit, match="2"):
        report.main([str(tmp_path / "new.json"), "--folder", str(folder)])
    assert "no record has {nowhere:m:kid}" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_goals_are_worked_out_from_the_record() -> None:
    found = {goal.wanted.partition(":")[0]: goal for goal in goals.of(made_up())}
    all_of_them = goals.of(made_up())
    assert all_of_them[0].found == "50 times, 1.00 G"
    assert all_of_them[0].reached
    assert all_of_them[1].found == "0.110 ± 0.010 against 0.130: -15 %"
    assert all_of_them[2].found.startswith("60 % in LPIPS-HED, 100 % in L1; taught for as many steps")
    assert all_of_them[2].reached is False
    assert all_of_them[3].found == "150 times: 72 ms to 0.48 ms"
    assert all_of_them[5].found == "0.20 dB against held-out pictures"
    assert all_of_them[7].reached is False  # s: 16 ms at 512
    assert found["all sizes of the world"].reached
    otherwise = made_up()
    otherwise["entrants"]["as-long"] = otherwise["entrants"].pop("whole")
    assert goals.of(otherwise)[2] == all_of_them[2]
    bare = made_up() | {"entrants": {}, "bytes": None}
    assert all(goal.reached is None for goal in goals.of(bare))


@pytest.mark.parametrize(("mine", "reached"), [(0.005, True), (0.02, False)])
def test_a_share_of_a_teacher_that_cannot_be_told_from_photographs_is_not_made_up(mine: float, reached: bool) -> None:
    record = made_up()
    record["entrants"]["teacher"]["quality"]["kid"] = -0.001
    record["entrants"]["m"]["quality"]["kid"] = mine
    goal = goals.of(record)[1]
    assert goal.found == f"{mine:.3f} ± 0.010 against -0.001: a share of nothing cannot be said"
    assert goal.reached is reached


def test_the_front_is_nobody_elses() -> None:
    a, b, c, d = (Point(n, "size", x, y) for n, x, y in (("a", 1, 9), ("b", 2, 4), ("c", 3, 5), ("d", 4, 1)))
    assert scatter.front([d, c, b, a]) == [a, b, d]


def test_names_do_not_lie_on_each_other() -> None:
    crowd = [Point(f"variant-{index}", "run", 1 + index / 300, 0.5 + index / 900) for index in range(12)]
    text = scatter.draw([*crowd, Point("m", "size", 1, 0.5)], "t", "x", "y", [Level("floor", 0.0)])
    boxes = []
    for label in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text"):
        if label.text and label.text.startswith("variant"):
            x, y, wide = float(label.get("x", 0)), float(label.get("y", 0)), 6.7 * len(label.text)
            left = {"start": x, "middle": x - wide / 2, "end": x - wide}[label.get("text-anchor", "start")]
            boxes.append((left, y - 12, left + wide, y + 3))
    assert 0 < len(boxes) < 12  # some find no place, and keep only their mark
    assert not any(scatter._meet(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert "<title>variant-3: " in text


def test_charts_put_better_where_it_belongs() -> None:
    text = bars.changes([bars.Row("less", "size", [(1.0, 0.1)]), bars.Row("none", "size", [None])], ["KID"], "t", "n")
    assert "not measured" in text
    times = bars.times([bars.Time("slow", "run", 100, 110), bars.Time("quick", "int8", 1, 1.2)], "t", "n")
    assert "×91.7" in times
    assert re.findall(r'middle" font-size="12" class="quiet">([^<]*)<', times) == ["1", "10", "100"]
    for draw in (lambda: bars.changes([], [], "t", ""), lambda: bars.times([], "t", "")):
        with pytest.raises(ValueError, match="nothing to draw"):
            draw()


def test_ticks_are_round() -> None:
    assert svg.ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert svg.ticks(-0.1, 0.32) == pytest.approx([-0.1, 0, 0.1, 0.2, 0.3])
    assert svg.ticks(0.4, 60, log=True) == pytest.approx([0.5, 1, 2, 5, 10, 20, 50])
    assert svg.ticks(0.4, 6000, log=True) == pytest.approx([1, 10, 100, 1000])
    assert [svg.short(v) for v in (0.0, 0.01234, 3.14159, 1234.5)] == ["0", "0.012", "3.14", "1,234"]


def test_words_name_numbers_that_exist(folder: Path) -> None:
    records = {"nowhere": made_up()}
    (folder / "words.toml").write_text('lead = "{nowhere:m:beauty}"')
    with pytest.raises(ValueError, match=r"words.toml: lead: no record has \{nowhere:m:beauty\}"):
        words.read(folder / "words.toml", records)
    for text, what in (
        ("lead = 3", "expected a text, found 3"),
        ("leed = 'a'", "leed: this key is not known"),
        ("=", "not TOML"),
    ):
        (folder / "words.toml").write_text(text)
        with pytest.raises(ValueError, match=what):
            words.read(folder / "words.toml", records)
    assert words.read(folder / "nothing.toml", records) == words.Words()


def test_somebody_elses_drawing_stays_and_an_old_chart_goes(folder: Path, tmp_path: Path) -> None:
    record = {"nowhere": made_up()}
    (folder / "mine.svg").write_text("<svg></svg>")
    (folder / "gone.svg").write_text('<svg class="chart"></svg>')
    report.write(record, folder, tmp_path / "r.md", tmp_path / "r.html")
    assert (folder / "mine.svg").exists()
    assert not (folder / "gone.svg").exists()


def test_bad_input_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        report.main(["--folder", str(tmp_path / "empty")])
    assert "there is no record in" in capsys.readouterr().err
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(SystemExit, match="2"):
        report.main([str(tmp_path / "broken.json"), "--folder", str(tmp_path / "empty")])
    assert "cannot be read as an evaluation" in capsys.readouterr().err


def test_the_report_is_told_where_the_measuring_wrote() -> None:
    record = made_up()
    record["about"] |= {"command": "perform evaluate --out a/b.json --seed 0", "latency": {"command": "perform c"}}
    said = ["perform evaluate --out a/b.json --seed 0", "perform c", "perform report a/b.json"]
    assert figures.commands(record) == said
    assert figures.made(record) == "Measured by the first command at the head of this world."
    assert figures.made(record, latency=True) == "Measured by the first two commands at the head of this world."


def test_a_table_of_numbers_measured_in_different_ways_says_so() -> None:
    record = made_up()
    assert "different ways" not in content._how(record)
    for name, entry in record["entrants"].items():
        entry["protocol"] = "2/0/256/16/-" if name == "whole" else f"3/0/256/16/{name}"
    del record["entrants"]["resnet9"]
    others = "l, m, m int8, no-pixel, s, teacher, undistilled"
    assert f" Measured in different ways, not to be compared with each other: {others}; whole." in content._how(record)


def test_distances_to_different_teachers_say_so_though_they_were_carried() -> None:
    record = made_up()
    for name, entry in record["entrants"].items():
        entry |= {"protocol": "4/0/256/aa/16/old", "carried": ["kid", "teacher_l1"]}
        if name == "teacher":
            del entry["quality"]["teacher_l1"]
    record["entrants"]["s"] |= {"protocol": "4/0/256/aa/16/-", "teacher": "old", "carried": ["teacher_l1"]}
    assert "different teachers" not in content._how(record)
    record["entrants"]["m"] |= {"protocol": "4/0/256/aa/16/new", "carried": []}
    others = "l, no-pixel, resnet9, s, undistilled, whole"
    assert f" Their distances are to different teachers: {others}; m." in content._how(record)


def test_what_was_measured_on_other_pictures_is_in_no_difference_and_reaches_no_goal() -> None:
    record = made_up()
    for name, entry in record["entrants"].items():
        entry["protocol"] = "4/0/256/219/16/t" if name in ("teacher", "no-pixel") else "4/0/256/0a1b2c3d/16/t"
    assert goals.of(record)[1].reached is None
    assert goals.of(record)[2].reached is not None
    assert figures._change(record, "no-pixel", "kid") is None
    assert figures._change(record, "undistilled", "kid") is not None


def test_neighbours_in_one_folder_are_written_once() -> None:
    command = "perform evaluate --runs a/b/x a/b/y z=a/b/z c/w --out a/b/o.json"
    assert figures.braced(command) == "perform evaluate --runs a/b/{x,y} z=a/b/z c/w --out a/b/o.json"


def test_markdown_tables_escape_and_align() -> None:
    text = markdown.table(blocks.Table(("", "KID", "why"), [("a|b", "0.1 ± 0.02", "so")], "c", "d", [0]))
    assert text.splitlines() == ["|  | KID | why |", "| :-- | --: | :-- |", "| **a\\|b** | 0.1 ± 0.02 | so |"]


def test_all_worlds_at_a_glance() -> None:
    other = made_up()
    other["entrants"] = {name: other["entrants"][name] | {"latency": []} for name in "ml"}
    other["entrants"]["l"] = other["entrants"]["l"] | {"cost": {"macs": 3e9}}  # another network
    table = content.overview({"nowhere": made_up(), "elsewhere": other})
    assert [row[0] for row in table.rows] == ["nowhere s", "nowhere m", "nowhere l", "elsewhere m", "elsewhere l"]
    assert table.rows[1][:5] == ("nowhere m", "1", "0.48", "0.110 ± 0.010", "0.130 ± 0.010")  # 0.4 ms * 1.2: int8
    assert table.rows[3][1:5] == ("1", "0.48", "0.110 ± 0.010", "–")
    assert table.rows[4][2] == "–"
    assert table.strong == [1, 3]


def test_page_and_tables_hold_every_entrant() -> None:
    record = made_up()
    found = list(content.tables("nowhere", record))
    assert next(row[0] for row in found[0].rows) == "s"
    assert {row[0] for row in found[0].rows} == set(record["entrants"])
    assert all(len(row) == len(table.head) for table in found for row in table.rows)
    assert "<td" in page.table(found[0])


def test_a_labelled_sheet_wants_equal_columns() -> None:
    tile = torch.zeros(64, 64, 3, dtype=torch.uint8)
    sheet = look.labelled({"input": [tile, tile + 255], "m": [tile, tile]}, "title")
    assert sheet.size[0] == 2 * 70 + 6
    assert sheet.getpixel((40, sheet.size[1] - 40)) == (255, 255, 255)
    with pytest.raises(ValueError, match="as many in each column"):
        look.labelled({"input": [tile], "m": []})

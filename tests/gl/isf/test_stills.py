"""Stills of patches: each gets what it needs, each failure is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform.gl.context import Context
from perform.gl.isf import stills
from tests.gl.isf.conftest import Write


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGBA"))


def test_each_kind_gets_what_it_needs(gl: Context, write: Write, tmp_path: Path) -> None:
    def images(*names: str) -> list[dict[str, str]]:
        return [{"NAME": n, "TYPE": "image"} for n in names]

    progress = {"NAME": "progress", "TYPE": "float"}
    files = [
        write("void main() { gl_FragColor = vec4(isf_FragNormCoord, 0.0, 1.0); }", "source.fs"),
        write("void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }", "filter.fs", INPUTS=images("inputImage")),
        write(
            "void main() { gl_FragColor = isf_FragNormCoord.x < progress ? "
            "IMG_THIS_PIXEL(startImage) : IMG_THIS_PIXEL(endImage); }",
            "wipe.fs",
            INPUTS=[*images("startImage", "endImage"), progress],
        ),
        write("void main() { gl_FragColor = IMG_THIS_PIXEL(top); }", "over.fs", INPUTS=images("bottom", "top")),
        write(
            "void main() { gl_FragColor = IMG_THIS_PIXEL(n) + 1.0 / 255.0; }",
            "counts.fs",
            PASSES=[{"TARGET": "n", "PERSISTENT": True, "FLOAT": True}],
        ),
    ]
    toy = tmp_path / "toy.frag"
    toy.write_text("void mainImage(out vec4 c, in vec2 p) { c = vec4(iTime / 4.0); }", "utf-8")
    out = tmp_path / "out"
    assert stills.render([*files, toy], out, (64, 36), 1.0) == {}
    source = pixels(out / "source.png")
    assert source.shape == (36, 64, 4)
    assert source[0, 0, 1] > 250  # a PNG's first row is the top
    evening, wiped = pixels(out / "filter.png"), pixels(out / "wipe.png")
    assert evening[..., :3].std() > 30
    assert (wiped[:, :31] == evening[:, :31]).all()
    assert (wiped[:, 33:] != evening[:, 33:]).any()
    assert pixels(out / "over.png")[0, 0, 3] == 0
    assert pixels(out / "over.png")[18, 32, 3] == 255
    assert pixels(out / "counts.png")[0, 0, 0] == 60  # a second, frame by frame
    assert pixels(out / "toy.png")[0, 0, 0] == 64


def test_failures_are_named_and_the_others_go_on(gl: Context, write: Write, tmp_path: Path) -> None:
    good = write("void main() { gl_FragColor = vec4(1.0); }", "good.fs")
    bad = write("void main() {\n gl_FragColor = oops; }", "bad.fs")
    gone = tmp_path / "gone.fs"
    failures = stills.render([bad, gone, good], tmp_path / "out", (16, 9))
    assert set(failures) == {bad, gone}
    assert failures[bad].startswith("line 3: ")
    assert "No such file" in failures[gone]
    assert (tmp_path / "out" / "good.png").is_file()


def test_a_shader_that_would_take_minutes_is_given_up(
    gl: Context, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "LONGEST", 1e-9)
    path = write("void main() { gl_FragColor = vec4(1.0); }")
    assert "would take" in stills.render([path], tmp_path / "out", (16, 9))[path]


def test_a_folder_that_cannot_be_written_to(gl: Context, write: Write, tmp_path: Path) -> None:
    (tmp_path / "out" / "patch.png").mkdir(parents=True)
    path = write("void main() { gl_FragColor = vec4(1.0); }")
    assert "cannot be saved" in stills.render([path], tmp_path / "out", (16, 9))[path]


def test_names_that_are_alike_are_told_apart() -> None:
    a, b, c = Path("x/a.fs"), Path("y/a.fs"), Path("y/c.fs")
    assert stills.named([a, b, c]) == {a: "x-a", b: "y-a", c: "c"}
    assert len(set(stills.named([Path("x/a.fs"), Path("x/a.frag")]).values())) == 2

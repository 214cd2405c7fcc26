"""Which photographs may be used: the allow-list, and copyright files as they are found in the wild."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from perform.lab import licences
from perform.lab.gather import landscape
from perform.lab.gather.gathering import Gathering, Piece

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: Somebody
License: GPL-3+

Files: images/land/*
Copyright: Various
License: public-domain
 Donated and placed
 in the public domain.

Files:
 images/land/sea?.jpg
 images/land/hills*
Copyright: A. Author
 (example.org)
License: CC-BY-SA-4.0
Comment: Cropped.

Files: images/land/sea9*
Copyright: B. Author
License: CC-BY-NC-4.0

License: CC-BY-SA-4.0
 Text of the licence.
"""


@pytest.mark.parametrize(
    "name", ["public-domain", "CC0", "CC0-1.0", "CC-BY-4.0", "cc-by-sa-3.0", "CC-BY-SA-2.0-de", " CC-BY-3.0 "]
)
def test_clear_and_free_is_allowed(name: str) -> None:
    assert licences.allowed(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "GPL-3+",
        "CC-BY-NC-4.0",
        "CC-BY-ND-4.0",
        "CC-BY-NC-SA-3.0",
        "CC-BY",
        "CC",
        "public-domain or GPL-2",
        "CC-BY-SA-4.0+",
        "unknown",
        "free",
        "CC-BY-4.0\nx",
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    assert not licences.allowed(name)


def test_the_last_matching_paragraph_governs() -> None:
    grants = licences.parse(COPYRIGHT)
    found = {
        name: licences.grant_for(f"images/land/{name}", grants)
        for name in ("fog1.jpg", "sea1.jpg", "sea9.jpg", "hills12-x.jpg")
    }
    assert {name: grant and grant.licence for name, grant in found.items()} == {
        "fog1.jpg": "public-domain",
        "sea1.jpg": "CC-BY-SA-4.0",
        "sea9.jpg": "CC-BY-NC-4.0",
        "hills12-x.jpg": "CC-BY-SA-4.0",
    }
    hills = found["hills12-x.jpg"]
    assert hills is not None
    assert hills.author == "A. Author (example.org)"
    assert hills.remark == "Cropped."
    fog = found["fog1.jpg"]
    assert fog is not None
    assert fog.remark == "Donated and placed in the public domain."


def test_no_paragraph_no_grant() -> None:
    assert licences.grant_for("elsewhere/x.jpg", licences.parse(COPYRIGHT.replace("Files: *", "Files: src/*"))) is None


@pytest.mark.parametrize("text", ["", "hello", "\x00\x01", "Files: *\nLicense: CC0"])
def test_what_is_not_a_copyright_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="copyright file"):
        licences.parse(text)


def test_patterns_are_no_regular_expressions() -> None:
    grants = licences.parse(COPYRIGHT + "\nFiles: a(+[x].jpg b\\*c\nCopyright: C\nLicense: CC0\n")
    last = licences.grant_for("a(+[x].jpg", grants)
    assert last is not None
    assert last.licence == "CC0"
    star = licences.grant_for("b*c", grants)
    assert star is not None
    assert star.licence == "CC0"
    other = licences.grant_for("bXc", grants)
    assert other is not None
    assert other.licence == "GPL-3+"


def test_choosing_photographs(tmp_path: Path) -> None:
    folder = tmp_path / landscape.FOLDER
    folder.mkdir(parents=True)
    for name in ("fog1", "sea1", "sea9", "city3", "station1", "mfield2", "mfield5"):
        (folder / f"{name}.jpg").write_bytes(b"")
    chosen, refused = landscape.choose(tmp_path, COPYRIGHT, landscape.not_landscape)
    assert [path.name for path, _ in chosen] == ["fog1.jpg", "mfield5.jpg", "sea1.jpg"]
    assert any("sea9.jpg" in line and "CC-BY-NC-4.0" in line for line in refused)
    assert len(refused) == 4
    picture = torch.zeros(3, 8, 8, dtype=torch.uint8)
    pieces = [Piece(path.name, picture, grant, "a package") for path, grant in chosen]
    table = Gathering(pieces, {}, refused).attribution().splitlines()
    assert table[0].startswith("file,author,licence")
    assert table[3].startswith("sea1.jpg,A. Author (example.org),CC-BY-SA-4.0")

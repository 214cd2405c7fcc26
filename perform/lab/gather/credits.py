"""Which deep-sky picture of Stellarium may be used: a reader of its CREDITS and of its file names.

CREDITS says "4.43 Images of M33, M42, NGC253 … from HG731GZ, License: Creative Commons Attribution 3.0 Unported"; the
files are called m33.png, n253.png, barnard_loop-3.png. What cannot be matched, or is credited twice on different terms
of which one is not allowed, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from perform.lab.licences import Grant, allowed

SECTION = re.compile(r"^[ \t]+4\.(\d+)[a-z]?[ \t]+", re.MULTILINE)
CREATIVE = re.compile(
    r"Creative Commons (CC0 1\.0|Attribution(-Share ?Alike)? (\d\.\d)) ?(Unported|International|Generic|Germany|"
    r"Universal Public Domain Dedication)?\.?( .*)?"
)
# The first letters of catalogue names in file names, and the suffixes that say who made the picture.
CATALOGUES = {"n": "ngc", "p": "pgc", "u": "ugc"}
SUFFIX = re.compile(r"(-vasey|-trev|-darkskies|dumont|oleg|spano|-\d+|_\d+|(?<=\d)h)$")
NAMED = {
    "cas": "cassiopeiaa",
    "calabash": "calabashnebula",
    "lmc": "lmc(magellanicclouds)",
    "smc-ha": "smc(hydrogenalpha)",
    "wilds": "wildstriplet",
    "velasnr": "velasupernovaremnant",
    "pleiades": "thepleiades",
    "n4038-9": "ngc4038-4039",
}


@dataclass(frozen=True)
class Credit:
    """One section: who made the pictures of these objects, and on what terms (SPDX, or as written if unclear)."""

    author: str
    licence: str
    remark: str


def read(text: str) -> dict[str, list[Credit]]:
    """The credits of each object, by its `key`, of the text of CREDITS.md. Raises ValueError if it has no such list."""
    found: dict[str, list[Credit]] = {}
    pieces = SECTION.split(text.partition("## Appendix")[0])[1:]
    for number, body in zip(pieces[::2], pieces[1::2], strict=True):
        words = " ".join(body.split())
        listed = re.match(r"Images? of (.+?) from (.+)", words)
        if listed is None:
            continue
        author, _, terms = listed.group(2).partition("License:")
        licence, remark = spdx(terms.strip())
        credit = Credit(author.strip(), licence, f"CREDITS 4.{number}" + (f"; {remark}" if remark else ""))
        for one in re.split(r",| and ", listed.group(1)):
            if one.strip():
                found.setdefault(key(one), []).append(credit)
    if not found:
        raise ValueError("no list of images in these credits ('4.9 Images of NGC4526, … from …')")
    return found


def spdx(terms: str) -> tuple[str, str]:
    """(SPDX name of the licence as CREDITS words it, or the words themselves; what is said beyond it)."""
    if re.match(r"public domain\b", terms, re.IGNORECASE):
        return "public-domain", terms[len("public domain") :].strip(" ;.")
    creative = CREATIVE.fullmatch(terms)
    if creative is None:
        return (terms[:80] or "none given"), ""
    words, alike, version, where, rest = creative.groups()
    if words.startswith("CC0"):
        return "CC0-1.0", ""
    country = "-de" if where == "Germany" else ""
    return f"CC-BY{'-SA' if alike else ''}-{version}{country}", (rest or "").strip()


def key(name: str) -> str:
    """An object's name without case, spaces and apostrophes: "Barnard 22" and "barnard22" are one."""
    return re.sub(r"[\s_']", "", name).lower()


def object_of(stem: str) -> str:
    """The key of the object that a file shows, from its name without .png; "" if the name says nothing."""
    plain = stem.lower()
    if plain in NAMED:
        return NAMED[plain]
    while (shorter := SUFFIX.sub("", plain)) not in (plain, ""):
        if re.fullmatch(r"(sh2|n4038)-?", shorter):
            break
        plain = shorter
        if plain in NAMED:
            return NAMED[plain]
    if plain.startswith("rho-a"):
        return "rhooph"
    catalogue = re.fullmatch(r"([npu])(\d+)", plain)
    return CATALOGUES[catalogue.group(1)] + catalogue.group(2) if catalogue else key(plain)


def strictness(licence: str) -> tuple[bool, bool, str]:
    """Orders licences: public domain and CC0, attribution, attribution and share alike; then by version."""
    return "CC-BY" in licence, "-SA" in licence, licence


def grant(stem: str, credits: Mapping[str, list[Credit]]) -> Grant | str:
    """The terms of a file, or why it is refused."""
    found = credits.get(object_of(stem), [])
    if not found:
        return "not in the credits, or in a name that was not understood"
    unclear = [credit.licence for credit in found if not allowed(credit.licence)]
    if unclear:
        return f"licence {unclear[0]!r} is not on the allow-list"
    authors = " or ".join(dict.fromkeys(credit.author for credit in found))
    strictest = max((credit.licence for credit in found), key=strictness)
    return Grant((), authors, strictest, " / ".join(credit.remark for credit in found))

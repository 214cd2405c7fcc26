"""Which photograph may be used: a reader of Debian's machine-readable copyright files (DEP-5) and an allow-list.

Rights are a closed door by default: a file whose licence is not clearly on the list is refused, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ALLOWED = re.compile(r"(public-domain|cc0(-1\.0)?|cc-by(-sa)?-([1-4]\.0|2\.[15])(-[a-z]{2})?)", re.IGNORECASE)


@dataclass(frozen=True)
class Grant:
    """One paragraph of a copyright file: for files matching `patterns`, who made them, under what licence, with what
    remark.
    """

    patterns: tuple[str, ...]
    author: str
    licence: str
    remark: str


def allowed(licence: str) -> bool:
    """True for public domain, CC0, CC-BY and CC-BY-SA of a known version; False for NC, ND, "or", exceptions and
    anything unclear.
    """
    return ALLOWED.fullmatch(licence.strip()) is not None


def parse(text: str) -> list[Grant]:
    """The Files paragraphs of a DEP-5 copyright file, in order. Raises ValueError if it is not one."""
    if not text.lstrip().startswith("Format:"):
        raise ValueError("not a machine-readable copyright file (no Format: line)")
    grants = []
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields = _fields(paragraph)
        if "files" not in fields:
            continue
        name, _, prose = fields.get("license", "").partition("\n")
        remark = " ".join((prose + " " + fields.get("comment", "")).split())
        author = " ".join(fields.get("copyright", "").split())
        grants.append(Grant(tuple(fields["files"].split()), author, name.strip(), remark))
    return grants


def grant_for(path: str, grants: Sequence[Grant]) -> Grant | None:
    """The paragraph that governs `path` (relative to the source's root): the last that matches, as DEP-5 says; None
    if none does.
    """
    for grant in reversed(grants):
        if any(_glob(pattern).fullmatch(path) for pattern in grant.patterns):
            return grant
    return None


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line[:1] in (" ", "\t"):
            fields[name] = fields.get(name, "") + "\n" + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _glob(pattern: str) -> re.Pattern[str]:
    """DEP-5 wildcards: * is any run of characters (slashes too), ? is one; a backslash escapes."""
    out, index = "", 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            index += 1
            out += re.escape(pattern[index])
        else:
            out += {"*": ".*", "?": "."}.get(char, re.escape(char))
        index += 1
    return re.compile(out, re.DOTALL)

"""The report as one page of HTML that needs nothing else: no network, no script, pictures inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape

from perform.lab.report.blocks import Block, Chart, Heading, Picture, Table, Text, Typed, numeric

STYLE = """
:root{color-scheme:light dark;--paper:#faf9f6;--ink:#26231f;--quiet:#716a60;--rule:#dcd6cb;--link:#1f5f8b}
@media(prefers-color-scheme:dark){:root{--paper:#171512;--ink:#e9e5dd;--quiet:#a39b8e;--rule:#3b3730;--link:#7fb6dc}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 Charter,"Bitstream Charter","Iowan Old Style",
Georgia,serif}
main{max-width:1120px;margin:0 auto;padding:7vh 24px 14vh}
main>p,main>h1,main>h2,main>nav,main>pre{max-width:680px}
h1{font-weight:400;font-size:clamp(34px,6vw,56px);line-height:1.08;letter-spacing:-.015em;margin:0 0 .5em}
h1+p{font-size:1.2em;line-height:1.5;margin-bottom:2em}
h2{font-weight:400;font-size:clamp(26px,4vw,36px);line-height:1.15;margin:3.2em 0 .6em;padding-top:.7em;
border-top:1px solid var(--rule)}
p{margin:0 0 1em}
strong{font-weight:600}
code{font:.86em/1.5 ui-monospace,"JetBrains Mono",Menlo,Consolas,monospace}
nav{font-size:15px;color:var(--quiet);margin-bottom:3em}
nav a{color:var(--link);text-decoration:none;margin-right:1.1em;white-space:nowrap}
nav a:hover{text-decoration:underline}
figure{margin:2.4em 0;min-width:0}
figure img,figure svg{display:block;width:100%;height:auto}
figcaption{font-size:14px;line-height:1.5;color:var(--quiet);margin-top:.7em;max-width:680px}
pre{margin:.6em 0 0;padding-left:.8em;border-left:2px solid var(--rule);white-space:pre-wrap;overflow-wrap:anywhere;
max-height:8.2em;overflow-y:auto}
pre code{font-size:11.5px}
code span{white-space:nowrap}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 40px}
.scroll{overflow-x:auto;margin:0 -24px;padding:0 24px}
table{border-collapse:collapse;font:14px/1.4 ui-sans-serif,system-ui,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
th,td{padding:.42em 1.1em .42em 0;text-align:right;vertical-align:top;border-bottom:1px solid var(--rule)}
td{white-space:nowrap}
th{font-weight:400;color:var(--quiet);vertical-align:bottom;min-width:5.2em}
th.word,td.word{text-align:left;min-width:0}
td.long{white-space:normal;min-width:min(22em,36vw)}
th:first-child:not(.long),td:first-child:not(.long){position:sticky;left:0;background:var(--paper);
box-shadow:0 1px var(--rule)}
tr.strong td{font-weight:600}
@media(max-width:760px){body{font-size:16px}main{padding:5vh 18px 10vh}.charts{display:block}
.scroll{margin:0 -18px;padding:0 18px}.scroll img{width:860px;max-width:none}
td.long{white-space:nowrap}figure svg{width:calc(100% + 36px);margin:0 -18px}pre{max-height:12em}}
"""


def write(blocks: Iterable[Block]) -> str:
    """The page. Pictures are read now; raises OSError where one is missing."""
    body, together = [], []
    found = list(blocks)
    for block in found:
        if isinstance(block, Chart):
            together.append(_figure(block.svg, f"{block.caption} {block.made}"))
            continue
        if together:
            body.append(f'<div class="charts">{"".join(together)}</div>')
            together = []
        body.append(_block(block))
        if isinstance(block, Heading) and block.level == 1:
            body.append("<!--nav-->")
    if together:
        body.append(f'<div class="charts">{"".join(together)}</div>')
    title = next((block.text for block in found if isinstance(block, Heading)), "Report")
    links = [block.text for block in found if isinstance(block, Heading) and block.level == 2]
    nav = "<nav>" + " ".join(f'<a href="#{_slug(text)}">{escape(text)}</a>' for text in links) + "</nav>"
    whole = "".join(body)
    lead = re.search(r"<!--nav--><p>.*?</p>", whole, re.DOTALL)
    whole = whole.replace(lead.group(0), lead.group(0) + nav, 1) if lead else whole.replace("<!--nav-->", nav, 1)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>{whole}</main></body></html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f'<h{block.level} id="{_slug(block.text)}">{_inline(block.text)}</h{block.level}>\n'
    if isinstance(block, Text):
        return f"<p>{_inline(block.text)}</p>\n"
    if isinstance(block, Table):
        return _figure(f'<div class="scroll">{table(block)}</div>', f"{block.caption} {block.made}")
    if isinstance(block, Typed):
        return f"{_typed(block.commands)}\n"
    assert isinstance(block, Picture)
    data = base64.b64encode(block.path.read_bytes()).decode("ascii")
    kind = {".png": "png", ".webp": "webp"}.get(block.path.suffix.lower(), "jpeg")
    image = f'<img alt="{escape(block.caption, quote=True)}" src="data:image/{kind};base64,{data}">'
    return _figure(f'<div class="scroll">{image}</div>', block.caption, block.commands)


def _figure(inside: str, caption: str, commands: Sequence[str] = ()) -> str:
    made = _typed(commands) if commands else ""
    return f"<figure>{inside}<figcaption>{_inline(caption)}{made}</figcaption></figure>\n"


def _typed(commands: Sequence[str]) -> str:
    lines = _options(escape("\n".join(commands)))
    return f'<pre title="made by"><code>{lines}</code></pre>'


def table(block: Table) -> str:
    """Numbers to the right, words to the left."""
    kinds = [_kind([row[column] for row in block.rows]) for column in range(len(block.head))]
    head = "".join(f'<th class="{kind}">{_inline(cell)}</th>' for cell, kind in zip(block.head, kinds, strict=True))
    rows = []
    for index, row in enumerate(block.rows):
        cells = "".join(f'<td class="{kind}">{_inline(cell)}</td>' for cell, kind in zip(row, kinds, strict=True))
        rows.append(f"<tr{' class=strong' if index in block.strong else ''}>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _kind(cells: Sequence[str]) -> str:
    if numeric(cells):
        return "number"
    return "word long" if max(map(len, cells), default=0) > 28 else "word"


def _inline(text: str) -> str:
    safe = escape(text, quote=False)
    safe = re.sub(r"`([^`]+)`", lambda found: f"<code>{_options(found.group(1))}</code>", safe)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)


def _options(text: str) -> str:
    """Words with hyphens in them stay on one line: a browser breaks after each."""
    return re.sub(r"--?\w[\w-]*", r"<span>\g<0></span>", text)


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")

"""The report as Markdown: `docs/compression.md`, with its charts and pictures beside it in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perform.lab.report.blocks import Block, Chart, Heading, Table, Text, Typed, numeric


def write(blocks: Iterable[Block], folder: str) -> str:
    """The whole file. `folder` is where charts and pictures lie, as seen from it."""
    return "\n\n".join(_block(block, folder) for block in blocks) + "\n"


def _block(block: Block, folder: str) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Table):
        return f"{table(block)}\n\n{block.caption} {block.made}"
    if isinstance(block, Typed):
        return _commands(block.commands)
    if isinstance(block, Chart):
        return f"![{_plain(block.caption)}]({folder}/{block.name}.svg)\n\n{block.caption} {block.made}"
    picture = f"![{_plain(block.caption)}]({folder}/{block.path.name})"
    return f"{picture}\n\n{block.caption}\n\n{_commands(block.commands)}"


def table(block: Table) -> str:
    """A pipe table; numbers to the right, rows that matter in bold."""
    align = [":--", *("--:" if numeric([row[n] for row in block.rows]) else ":--" for n in range(1, len(block.head)))]
    lines = [block.head, align]
    for index, row in enumerate(block.rows):
        strong = index in block.strong
        lines.append([f"**{cell}**" if strong and column == 0 else cell for column, cell in enumerate(row)])
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _commands(commands: Sequence[str]) -> str:
    return "```bash\n" + "\n".join(commands) + "\n```"


def _plain(caption: str) -> str:
    return caption.replace("[", "(").replace("]", ")")

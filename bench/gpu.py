"""How fast is it on a graphics card, and how fast could it be?

    python bench/gpu.py --out out/gpu.json              # everything, four minutes; prints tables, writes JSON
    python bench/gpu.py --dry                           # what it would do; works anywhere
    python bench/gpu.py --only path,naive               # some: engines path naive diffusion switch memory
    python bench/gpu.py --report bench/results/x.json   # the tables of an earlier run

The card's ceilings; each engine alone against them; the whole path from a camera's texture to the screen, on the card
and through the host; the loop that people write first; the work of one-step diffusion; worlds switched; memory. The
most telling cases come first, in a process that may fail without the others; what there was no time for is named.
bench/results/README.md says how to read it.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that `perform` is found, installed or not

if __name__ == "__main__":
    if sys.argv[1:] == ["--child"]:
        from bench.gpu.child import main as measure

        measure()
    else:
        from bench.gpu.command import main

        sys.exit(main(doc=__doc__))

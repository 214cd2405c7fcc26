"""The mean of several states of one network: often more real than any of them, and it costs nothing.

    perform average runs/students/m runs/landscape-m/m --out runs/means/landscape

States along one training lie in one valley of the loss, and the middle of a valley is flatter than its slopes
(stochastic weight averaging, Izmailov et al. 2018; model soups, Wortsman et al. 2022). States that did not grow out of
one another have no meaningful mean. A size of a shipped world (`models/landscape/m`) stands for a run folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from perform.lab import run
from perform.parsing import Parser


def average(folders: Sequence[Path], out: Path) -> Path:
    """Write the mean of run folders with one network each as another one, float32. Raises ValueError, one sentence, for
    fewer than two, and for networks of different shapes.
    """
    if len(folders) < 2:
        raise ValueError("name two run folders or more: of one the mean is itself")
    states = [run.network(folder).state_dict() for folder in folders]
    shapes = {name: tensor.shape for name, tensor in states[0].items()}
    for folder, state in zip(folders, states, strict=True):
        if {name: tensor.shape for name, tensor in state.items()} != shapes:
            raise ValueError(f"{folder} holds another network than {folders[0]}: they have no mean")
    run.remember(out, {"size": run.size_of(folders[0]), "averaged": [str(folder) for folder in folders]})
    run.tensors(out / "ema.safetensors", {name: sum(state[name] for state in states) / len(states) for name in shapes})
    return out


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folders with one network each")
    parser.add_argument("--out", type=Path, required=True, help="the run folder of the mean")
    args = parser.parse_args(argv)
    print(average(args.runs, args.out))


if __name__ == "__main__":
    main()

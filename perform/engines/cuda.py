"""NVIDIA cards: worlds are dreamt between textures, on the card, and never touch the host's memory.

    texture -> bridge -> [ flip, pixel maths, network in fp16, clamp, flip ] -> bridge -> texture
                           one CUDA graph for a world, a size and a shape

What computes it: TensorRT where it is installed, else PyTorch compiled, else PyTorch as it is. A world plays with the
first of them that is quick to have; a faster one is made in the background and takes over between two dreams.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from perform.card import Card, Size
from perform.engines.cuda_board import Board, open_board
from perform.engines.cuda_compute import Maker
from perform.engines.cuda_generator import CudaGenerator
from perform.engines.cuda_torch import Compiled, Eager
from perform.engines.cuda_works import Piece, Works, first_road
from perform.engines.generator import Full, Shape
from perform.gl.interop import KINDS, Bridges, CudaError
from perform.gl.interop.calls import NO_MEMORY
from perform.plugins import EngineError


@dataclass(slots=True)
class Cuda:
    """`device`: the CUDA card's number. `bridge`: auto, or the one way to use between GL and CUDA: array, buffer, host.
    `tensorrt`, `compile`: whether those may be tried in the background."""

    device: int = 0
    bridge: str = "auto"
    tensorrt: bool = True
    compile: bool = True
    _board: Board | None = field(default=None, init=False, repr=False)
    _label: str = field(default="", init=False, repr=False)
    _makers: Sequence[Maker] = field(default=(), init=False, repr=False)
    _bridges: Bridges | None = field(default=None, init=False, repr=False)  # shared by all its worlds

    def __post_init__(self) -> None:
        if not 0 <= self.device <= 63:
            raise ValueError(f"device is the number of a CUDA card, 0 to 63, not {self.device}")
        if self.bridge not in ("auto", *KINDS):
            raise ValueError(f"bridge is auto, {', '.join(KINDS)}, not {self.bridge!r}")

    @classmethod
    def on(cls, board: Board, label: str = "", makers: Sequence[Maker] = (), **keys: Any) -> Cuda:
        """On a board that is there already, with these makers, best first (none: all that this machine has)."""
        made = cls(device=board.device, **keys)
        made._board, made._label, made._makers = board, label, makers
        return made

    def load(self, card: Card, size: str, shape: Shape) -> CudaGenerator:
        """See `generator.Hardware`. Imports torch: the first time some seconds."""
        board = self.board()
        piece = Piece(card, size, shape)
        makers = self.makers(board)
        quick = [maker for maker in makers if maker.quick(card, size, shape)]
        try:
            road, _, place = first_road(board, piece, quick, lambda text: None)
            with ExitStack() as undo:
                undo.callback(road.close)
                if self._bridges is None:
                    self._bridges = Bridges(board.cuda, self.device, KINDS if self.bridge == "auto" else (self.bridge,))
                better = makers[: makers.index(quick[place])]
                works = Works(board, piece, road, better, self._label, self._bridges.sweep)
                generator = CudaGenerator(board, works, self._bridges.open)
                undo.pop_all()
        except CudaError as e:
            if e.code == NO_MEMORY:
                board.release()
                raise Full(f"{card.world} {size} does not fit on the card beside what is there") from e
            raise
        return generator

    def lacks(self, size: Size) -> str:
        """See `generator.Choosy`."""
        return "" if "weights" in size.files else "no safetensors, which is what PyTorch plays"

    def makers(self, board: Board) -> list[Maker]:
        """All that might compute a world here, best first."""
        from perform.engines.tensorrt import offers

        found: list[Maker] = list(self._makers)
        if found:
            return found
        if self.tensorrt:
            found += [offer.maker for offer in offers(device=self.device) if offer.maker is not None]
        if self.compile:
            found.append(Compiled(board))
        return [*found, Eager(board)]

    def board(self) -> Board:
        """The card, looked at the first time. Worker thread. Raises EngineError: there is none."""
        if self._board is None:
            from perform.engines.gpu import bindings, look
            from perform.engines.torch import _library

            torch, cuda = _library(), bindings()
            card = look(cuda, self.device)
            if not torch.cuda.is_available():
                why = "was built without CUDA" if torch.version.cuda is None else "finds no usable card"
                raise EngineError(f"this torch {why}")
            self._board, self._label = open_board(torch, cuda, self.device), card.name
        return self._board

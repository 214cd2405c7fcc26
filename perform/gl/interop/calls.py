"""Calls of the CUDA runtime: results unwrapped, errors in its words, and those told apart that no process survives."""

from __future__ import annotations

from typing import Any

from perform.plugins import EngineError

# After these "the process must be terminated and relaunched to use CUDA" (CUDA Runtime API 13, error codes): contained
# 226, illegal address 700, launch time-out 702, assert 710, hardware stack 714, illegal instruction 715, misaligned
# address 716, address space 717, program counter 718, launch failure 719, tensor memory leak 721, MPS client ended 810,
# external device 911. Of ECC 214 it does not say so; what lay on the card is no longer what it was.
DEADLY = frozenset({214, 226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721, 810, 911})
NOT_READY = 600
NO_MEMORY = 2


class CudaError(EngineError):
    """The CUDA runtime refused a call; `code` is its cudaError_t."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


class Poisoned(CudaError):
    """The card has failed under a kernel: nothing in this process can use CUDA any more, only a new process can."""

    deadly = True


def call(cuda: Any, name: str, *arguments: Any) -> Any:
    """Call a function of the CUDA runtime (cuda.bindings.runtime or a stand-in).

    Returns its result, a tuple of several, or None. Raises CudaError, or Poisoned if the process is done for.
    """
    error, *results = getattr(cuda, name)(*arguments)
    if int(error) != 0:
        raise failure(cuda, name, int(error))
    if len(results) > 1:
        return tuple(results)
    return results[0] if results else None


def failure(cuda: Any, name: str, code: int) -> CudaError:
    """The error for a code that a CUDA function gave back."""
    what = words(cuda, code)
    if code in DEADLY:
        return Poisoned(f"the graphics card has failed ({what}, {name}); a new process is needed to use it again", code)
    return CudaError(f"CUDA: {what} ({name})", code)


def words(cuda: Any, code: int) -> str:
    """What CUDA says about a code; the bare number for one it does not know."""
    try:
        _, text = cuda.cudaGetErrorString(cuda.cudaError_t(code))
    except ValueError:
        return f"error {code}"
    return text.decode() if isinstance(text, bytes) else str(text)

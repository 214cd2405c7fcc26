"""Recording calls as CUDA graphs, as plainly as can be: what an engine costs when no launch is paid for one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

WARM = 3


def record(runs: Sequence[Callable[[], Any]]) -> list[Callable[[], None]]:
    """One graph for each call, all in one pool of memory: replay them one after another, never two at once.

    What a call returns stays in the graph's own memory and is held by the replay's `made`.
    """
    import torch

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for run in runs:
            for _ in range(WARM):
                run()
    torch.cuda.current_stream().wait_stream(aside)
    torch.cuda.synchronize()
    pool, replays = torch.cuda.graph_pool_handle(), []
    for run in runs:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            made = run()
        replays.append(_replay(graph, made))
    torch.cuda.synchronize()
    return replays


def _replay(graph: Any, made: Any) -> Callable[[], None]:
    def replay() -> None:
        graph.replay()

    replay.made = made  # type: ignore[attr-defined]
    return replay

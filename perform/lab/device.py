"""Where the lab computes: one CPU, one GPU, or one of many ranks; and steps recorded as CUDA graphs.

A training step of a small network is hundreds of short kernels: launched one by one, a large GPU waits for Python most
of the time. `Recorded` runs the first steps as they are, records the next as one CUDA graph and replays it from then
on. What a step needs from chance is therefore drawn before it, and handed in as tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from perform.lab import ranks

Inputs = Mapping[str, Tensor]
Step = Callable[[Inputs], dict[str, Tensor]]
WARM = 3  # steps before the recording: libraries choose their kernels, optimisers make their state


def pick(name: str = "auto") -> torch.device:
    """The device to train on: `auto` is this rank's GPU if there is one, else the CPU.

    Raises ValueError, one sentence, for a device that is not there.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device is auto, cpu or cuda, not {name!r}")
    if name != "cpu" and torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True  # shapes never change here: let it try which convolution is fastest
        return torch.device("cuda", ranks.local())
    if name == "cuda":
        raise ValueError("PyTorch finds no CUDA device here; --device cpu trains on the processor")
    return torch.device("cpu")


@cache
def halves(kind: str) -> bool:
    """Whether bfloat16 is the faster way to train on a kind of device: on GPUs, and on CPUs whose matrix unit (AMX)
    multiplies it. Elsewhere casting costs more than it saves: a teacher's step took 3.0 s instead of 2.0 on two cores
    with AVX512-BF16 and no AMX."""
    able: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in every PyTorch we take
    return kind != "cpu" or bool(able.get("amx_bf16"))


def mixed(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 where it is safe and faster. Casts are not cached on GPUs: a recorded step must not remember weights of
    another step."""
    on_cpu = device.type == "cpu"
    return torch.autocast(device.type, torch.bfloat16, enabled=halves(device.type), cache_enabled=on_cpu)


def last(x: Tensor) -> Tensor:
    """The same values, channels last in memory: what fast convolutions read, on CPUs and GPUs alike."""
    return x.contiguous(memory_format=torch.channels_last)


def adam(parameters: list[nn.Parameter], rate: float, device: torch.device) -> torch.optim.Adam:
    """Adam with betas .5 and .99, fused; on a GPU its rate is a tensor, so that a recorded step can be slowed down."""
    if device.type == "cpu":
        return torch.optim.Adam(parameters, rate, (0.5, 0.99), fused=True)
    lr = torch.tensor(rate, device=device)
    return torch.optim.Adam(parameters, lr, (0.5, 0.99), fused=True, capturable=True)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, in place where it is a tensor."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def keep_rate_in_place(optimiser: torch.optim.Optimizer, device: torch.device) -> None:
    """After a restored state: a rate that is to be a tensor on this device is one again."""
    for group in optimiser.param_groups:
        if device.type == "cuda":
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=device).clone()
            group["capturable"] = True
        else:
            group["lr"] = float(group["lr"])
            group["capturable"] = False


class Ahead:
    """A stream beside the one that trains: what it draws for the next step is drawn while this step still runs.

    `with ahead: given = …` and then `ahead.hand_over(given)` before the tensors are used.
    """

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        self._within: AbstractContextManager[object] = nullcontext()

    def __enter__(self) -> None:
        self._within = torch.cuda.stream(self.stream) if self.stream is not None else nullcontext()
        self._within.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._within.__exit__(*error)

    def hand_over(self, given: Inputs) -> None:
        """Order the training stream after what was drawn; the memory stays theirs until it has been read."""
        if self.stream is None:
            return
        training = torch.cuda.current_stream()
        training.wait_stream(self.stream)
        for tensor in given.values():
            tensor.record_stream(training)


class Recorded:
    """A training step that replays itself. On a CPU, and on many ranks, it is called as it is.

    The inputs' names, shapes and kinds must not change between calls. The results are the same tensors every time:
    read them before the next call. The step is handed in with each call: kept here, a training and what it holds on
    the GPU would hold each other.
    """

    def __init__(self, device: torch.device) -> None:
        self.plain = device.type != "cuda" or ranks.count() > 1
        self.calls = 0
        self.stream = None if self.plain else torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.graph: torch.cuda.CUDAGraph | None = None
        self.given: dict[str, Tensor] = {}
        self.results: dict[str, Tensor] = {}

    def __call__(self, step: Step, inputs: Inputs) -> dict[str, Tensor]:
        if self.plain:
            return step(inputs)
        if self.graph is None:
            self.calls += 1
            if self.calls <= WARM:
                return self._aside(step, inputs)
            self._record(step, inputs)
        assert self.graph is not None
        for name, tensor in inputs.items():
            self.given[name].copy_(tensor, non_blocking=True)
        self.graph.replay()
        return self.results

    def _aside(self, step: Step, inputs: Inputs) -> dict[str, Tensor]:
        """As it is, but on a stream of its own, as recording will be."""
        assert self.stream is not None
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            results = step(inputs)
        torch.cuda.current_stream().wait_stream(self.stream)
        return results

    def _record(self, step: Step, inputs: Inputs) -> None:
        self.given = {name: tensor.clone() for name, tensor in inputs.items()}
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=self.stream):
            self.results = step(self.given)

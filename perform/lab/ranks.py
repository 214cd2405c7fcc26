"""Training on many processes: `torchrun` starts them, torch.distributed carries the numbers (gloo, or NCCL on GPUs).

Every rank draws the same global batch and works on its own part of it. Gradients are averaged after the backward pass:
a step has two optimisers and judges that are now trained and now only looked through, which torch's module wrapper
does not allow for. Batch norms use the statistics of the whole batch. So N ranks do what one would do with the same
batch, to float rounding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


def count() -> int:
    """How many ranks train together; 1 without torchrun."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which one this is, from 0. Rank 0 writes the files."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def local() -> int:
    """Which GPU of its machine a rank uses."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def join(device: str = "auto") -> None:
    """Meet the others, if torchrun started this process, on GPUs if there are any and `device` is not cpu.

    Whoever waits for another then, waits as long as a day: rank 0 may have a long film to read; and where one has died,
    torchrun ends them all. Raises ValueError, one sentence, where the ranks of this machine are more than its GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        gpus = torch.cuda.device_count() if device != "cpu" and torch.cuda.is_available() else 0
        here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if gpus:
            if here > gpus:
                raise ValueError(f"{here} processes, {gpus} GPU{'s' * (gpus != 1)}: torchrun --nproc-per-node {gpus}")
            torch.cuda.set_device(local())  # NCCL speaks through the present device: each rank its own
        dist.init_process_group("nccl" if gpus else "gloo", timeout=timedelta(days=1))


def single() -> None:
    """Raises ValueError, one sentence, where torchrun started several of what is one process."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError("`perform slim` and `perform search` are one process: start them without torchrun")


def leave() -> None:
    """Part from the others."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def mine(batch: Tensor) -> Tensor:
    """This rank's part of a batch. Raises ValueError if it cannot be shared out evenly."""
    if len(batch) % count():
        raise ValueError(f"a batch of {len(batch)} cannot be shared by {count()} ranks")
    return batch.chunk(count())[rank()] if count() > 1 else batch


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over all ranks; one message for all of them."""
    if count() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= count()
    for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def agree(go_on: bool) -> bool:
    """What rank 0 says, on every rank: no rank stops while another waits for its gradients."""
    if count() == 1:
        return go_on
    word = torch.tensor([float(go_on)], device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.broadcast(word, 0)
    return bool(word.item())


@contextmanager
def in_turn() -> Iterator[None]:
    """Rank 0 does what is within; then the others do it, and find it done."""
    if rank() > 0:
        agree(True)
    yield
    if rank() == 0:
        agree(True)


class SharedNorm(nn.BatchNorm2d):
    """Batch norm over the batches of all ranks (torch's own works on GPUs only). Equal parts are assumed."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or count() == 1:
            return super().forward(x)
        values = x.float()
        mean = all_reduce(values.mean((0, 2, 3))) / count()  # type: ignore[no-untyped-call]
        centred = values - mean[:, None, None]  # first: of large numbers close together the squares say nothing
        spread = all_reduce(centred.square().mean((0, 2, 3))) / count()  # type: ignore[no-untyped-call]
        size = x.numel() // x.shape[1] * count()
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(spread * size / (size - 1), self.momentum)
        gain = self.weight * torch.rsqrt(spread + self.eps)
        y: Tensor = centred * gain[:, None, None] + self.bias[:, None, None]
        return y.to(x.dtype)


def share(module: nn.Module) -> nn.Module:
    """Let the batch norms of a module see all ranks' batches; nothing changes on one rank. Returns the module."""
    if count() > 1:
        for part in module.modules():
            if type(part) is nn.BatchNorm2d:
                part.__class__ = SharedNorm
    return module

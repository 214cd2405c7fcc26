"""Networks of others, against references written out here by their checkpoints' keys, and their published costs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab import networks, published
from perform.networks import Planes, Resnet, Unet

Weights = dict[str, Tensor]


def _norm(x: Tensor, w: Weights, at: str, kind: str) -> Tensor:
    if kind == "instance":
        return (x - x.mean((2, 3), keepdim=True)) / torch.sqrt(x.var((2, 3), keepdim=True, unbiased=False) + 1e-5)
    gain, shift = w[f"{at}.weight"][:, None, None], w[f"{at}.bias"][:, None, None]
    if kind == "picture":
        return _norm(x, w, at, "instance") * gain + shift
    mean, var = w[f"{at}.running_mean"][:, None, None], w[f"{at}.running_var"][:, None, None]
    return (x - mean) / torch.sqrt(var + 1e-5) * gain + shift


def _reflect(x: Tensor, by: int) -> Tensor:
    return F.pad(x, (by, by, by, by), "reflect")


def _resnet(w: Weights, x: Tensor, blocks: int, kind: str, mobile: bool, dropout: bool) -> Tensor:
    """ResNet generator by the numbers of its keys: model.1, .4, .7, blocks from .10 on, two ups, the last."""

    def conv(x: Tensor, at: str, **how: int) -> Tensor:
        return F.conv2d(x, w[f"{at}.weight"], w.get(f"{at}.bias"), **how)

    def inside(x: Tensor, at: str) -> Tensor:
        x = _reflect(x, 1)
        if not mobile:
            return conv(x, at)
        x = _norm(conv(x, f"{at}.conv.0", groups=x.shape[1]), w, f"{at}.conv.1", kind)
        return conv(x, f"{at}.conv.2")

    x = F.relu(_norm(conv(_reflect(x, 3), "model.1"), w, "model.2", kind))
    for at in (4, 7):
        x = F.relu(_norm(conv(x, f"model.{at}", stride=2, padding=1), w, f"model.{at + 1}", kind))
    second = 6 if dropout else 5
    for at in range(10, 10 + blocks):
        y = F.relu(_norm(inside(x, f"model.{at}.conv_block.1"), w, f"model.{at}.conv_block.2", kind))
        y = _norm(inside(y, f"model.{at}.conv_block.{second}"), w, f"model.{at}.conv_block.{second + 1}", kind)
        x = x + y
    for at in (10 + blocks, 13 + blocks):
        up = F.conv_transpose2d(x, w[f"model.{at}.weight"], w.get(f"model.{at}.bias"), 2, 1, 1)
        x = F.relu(_norm(up, w, f"model.{at + 1}", kind))
    return torch.tanh(conv(_reflect(x, 3), f"model.{17 + blocks}"))


def _unet(w: Weights, x: Tensor, depth: int, kind: str) -> Tensor:
    """U-Net by its nested keys."""

    def down(x: Tensor, at: str) -> Tensor:
        return F.conv2d(x, w[f"{at}.weight"], w.get(f"{at}.bias"), 2, 1)

    def up(x: Tensor, at: str) -> Tensor:
        return F.conv_transpose2d(x, w[f"{at}.weight"], w.get(f"{at}.bias"), 2, 1)

    def level(x: Tensor, at: str, left: int) -> Tensor:
        y = down(F.leaky_relu(x, 0.2), f"{at}.1")
        if left == 1:
            y = _norm(up(F.relu(y), f"{at}.3"), w, f"{at}.4", kind)
        else:
            y = level(_norm(y, w, f"{at}.2", kind), f"{at}.3.model", left - 1)
            y = _norm(up(F.relu(y), f"{at}.5"), w, f"{at}.6", kind)
        return torch.cat([x, y], 1)

    y = level(down(x, "model.model.0"), "model.model.1.model", depth - 1)
    return torch.tanh(up(F.relu(y), "model.model.3"))


def _moved(network: nn.Module) -> nn.Module:
    """Norms off their start, weights large enough that everything is seen in the result."""
    torch.manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, mean in ((module.weight, 1.0), (module.bias, 0.0), (module.running_mean, 0.0)):
                assert tensor is not None
                nn.init.normal_(tensor, mean, 0.2)
            assert module.running_var is not None
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, nn.InstanceNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.2)
    return network.eval()


@pytest.mark.parametrize("norm", ["instance", "picture", "batch"])
@pytest.mark.parametrize("mobile", [False, True])
@pytest.mark.parametrize("dropout", [None, 0.5])
def test_resnet_against_a_plain_reference(norm: str, mobile: bool, dropout: float | None) -> None:
    network = _moved(Resnet(3, (4, 3, 2, 3, 4, 5, 3, 4), 7, norm, mobile, dropout))
    x = torch.rand(2, 3, 24, 32) * 2 - 1
    with torch.no_grad():
        wanted = _resnet(network.state_dict(), x, 7, norm, mobile, dropout is not None)
        torch.testing.assert_close(network(x), wanted, rtol=0, atol=1e-4)
        torch.testing.assert_close(networks.fold(network)(x), wanted, rtol=0, atol=1e-4)
    assert wanted.std() > 0.05


@pytest.mark.parametrize("norm", ["instance", "picture", "batch"])
def test_unet_against_a_plain_reference(norm: str) -> None:
    network = _moved(Unet(3, 4, 6, norm))
    x = torch.rand(2, 3, 128, 64) * 2 - 1
    with torch.no_grad():
        wanted = _unet(network.state_dict(), x, 6, norm)
        torch.testing.assert_close(network(x), wanted, rtol=0, atol=1e-4)
        torch.testing.assert_close(networks.fold(network)(x), wanted, rtol=0, atol=1e-4)
    assert wanted.std() > 0.05


@pytest.mark.parametrize("kind", ["resnet", "mobile", "unet"])
def test_gradients_are_those_of_the_reference(kind: str) -> None:
    mobile = kind == "mobile"
    network = _moved(Unet(3, 4, 5, "batch") if kind == "unet" else Resnet(3, (4,) * 8, 2, "batch", mobile))
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    parameters = dict(network.named_parameters())
    w = parameters | dict(network.named_buffers())
    written = _unet(w, x, 5, "batch") if kind == "unet" else _resnet(w, x, 2, "batch", mobile, False)
    wanted = torch.autograd.grad((written**3).mean(), list(parameters.values()))
    given = torch.autograd.grad((network(x) ** 3).mean(), list(parameters.values()))
    for key, mine, theirs in zip(parameters, given, wanted, strict=True):
        assert bool(theirs.any()), key
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5, msg=lambda why, key=key: f"{key}: {why}")


def test_batch_norm_is_gone_after_folding() -> None:
    for name in ("gan-compression-16-bn", "murr"):
        twin = networks.fold(networks.make(name, 7))
        assert not any(isinstance(module, nn.BatchNorm2d) for module in twin.modules())


@pytest.mark.parametrize(
    ("name", "gmacs", "useful", "millions"),
    [
        ("resnet9", 56.8, 49.6, 11.4),
        ("unet256", 18.1, 6.05, 54.4),
        ("gan-compression", 2.6, 1.85, 0.36),  # 2.55 to 2.67 published; its widths are found anew for each model
        ("gan-compression-16", 1.41, 0.95, 0.137),
    ],
)
def test_cost_as_published(name: str, gmacs: float, useful: float, millions: float) -> None:
    network = published.make(name)
    assert networks.published_macs(network) / 1e9 == pytest.approx(gmacs, rel=0.03)
    assert networks.macs(network) / 1e9 == pytest.approx(useful, rel=0.03)
    assert networks.parameters(network) / 1e6 == pytest.approx(millions, rel=0.03)


def test_what_is_counted_is_what_folding_leaves() -> None:
    for name in ("s+", "decoder+", "gan-compression-16-bn", "gan-compression-16", "murr"):
        network = networks.make(name, 7)
        left = sum(parameter.numel() for parameter in networks.fold(network).parameters())
        assert networks.parameters(network) == left, name


def test_the_large_ones_paint_and_learn_everywhere() -> None:
    for name, side in (("resnet9", 16), ("unet256", 256)):
        torch.manual_seed(1)
        network = networks.make(name, 7)
        network(torch.rand(2, 1, side, side), torch.randn(2, 7)).square().mean().backward()
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None, key
            assert bool(parameter.grad.any()) or key.endswith("bias"), key


def test_mood_planes_are_input_channels() -> None:
    network = _moved(networks.make("gan-compression-16-bn", 2))
    assert isinstance(network, Planes)
    luma, mood = torch.rand(2, 1, 16, 16), torch.tensor([[0.5, -1.0], [2.0, 0.0]])
    planes = mood[:, :, None, None] * torch.ones(1, 1, 16, 16)
    wanted = _resnet(network.core.state_dict(), torch.cat([luma * 2 - 1, planes], 1), 9, "batch", True, True)
    torch.testing.assert_close(network(luma, mood), wanted, rtol=0, atol=1e-4)


def test_unknown_norm_and_shapes_are_named() -> None:
    with pytest.raises(ValueError, match="'group'"):
        Resnet(3, (4,) * 8, norm="group")
    with pytest.raises(ValueError, match="eight numbers"):
        Resnet(3, (4, 4))
    with pytest.raises(ValueError, match="at least 5 levels"):
        Unet(3, depth=4)

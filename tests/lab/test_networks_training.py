"""Networks in training clothes: shapes, gradients, a plain reference written out here, folding, cost."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab import networks
from perform.networks import HIDDEN, Decoder, Dream, Plain

Weights = dict[str, Tensor]
SMALL = (6, 10, 14)
KINDS = [(Plain, networks.NormedConv), (Plain, networks.Branched), (Decoder, networks.NormedConv)]
KINDS += [(Decoder, networks.Branched)]


def _make(kind: type[nn.Module], conv: type[nn.Module], inner: tuple[int, ...] = (14, 5)) -> nn.Module:
    """A small network of ours whose batch norms and moods have left their start."""
    torch.manual_seed(4)
    network = kind(SMALL, len(inner), 3, conv, inner)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in norms:
        module.momentum = 0.5
    for _ in range(8):
        network(torch.rand(4, 1, 32, 24), torch.randn(4, 3))
    for module in norms:
        module.weight.data *= 1 + 0.3 * torch.randn_like(module.weight)
        nn.init.normal_(module.bias, 0.0, 0.3)
    return network.eval()


def _norm(x: Tensor, w: Weights, at: str, part: slice = slice(None)) -> Tensor:
    mean, var, gain, shift = (
        w[f"{at}.norm.{n}"][part, None, None] for n in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * gain + shift


def _conv(x: Tensor, w: Weights, at: str, stride: int = 1) -> Tensor:
    """One training convolution, by its keys: each branch on its own."""
    if f"{at}.conv.weight" in w:
        return _norm(F.conv2d(x, w[f"{at}.conv.weight"], None, stride, 1), w, at)
    full, points = w[f"{at}.full"], w[f"{at}.points"]
    count = len(full)
    maps = [F.conv2d(x, full, None, stride, 1), F.conv2d(x, points[:count], None, stride)]
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    laplace = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    for index, edge in enumerate((sobel, sobel.T, laplace), 1):
        thin = F.conv2d(x, points[index * count : (index + 1) * count])
        maps.append(F.conv2d(thin, edge.expand(count, 1, 3, 3), None, stride, 1, groups=count))
    if x.shape[1] == count and stride == 1:
        maps.append(x)
    parts = [_norm(y, w, at, slice(i * count, (i + 1) * count)) for i, y in enumerate(maps)]
    return torch.stack(parts).sum(0)


def _reference(w: Weights, luma: Tensor, mood: Tensor, blocks: int, encoder: bool) -> Tensor:
    """`Plain` and `Decoder` from their description, by hand."""
    film = F.linear(F.relu(F.linear(mood, w["film.0.weight"], w["film.0.bias"])), w["film.2.weight"], w["film.2.bias"])
    a, b, _ = SMALL

    def tint(x: Tensor, start: int) -> Tensor:
        width = x.shape[1]
        scale, shift = film[:, start : start + width], film[:, start + width : start + 2 * width]
        return x * (1 + scale[..., None, None]) + shift[..., None, None]

    def with_rows(x: Tensor) -> Tensor:
        n = x.shape[2]
        rows = torch.tensor([(2 * i + 1) / n - 1 for i in range(n)])
        return torch.cat([x, rows[None, None, :, None].repeat(len(x), 1, 1, x.shape[3])], 1)

    def grow(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    half = quarter = torch.zeros(())
    x = luma * 2 - 1
    if encoder:
        corners = torch.cat([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)
        half = F.relu(_conv(with_rows(corners), w, "down.0"))
        quarter = F.relu(_conv(half, w, "down.1", 2))
        y = F.relu(_conv(quarter, w, "down.2", 2))
    else:
        y = F.relu(_conv(with_rows(x.unflatten(3, (-1, 8)).unflatten(2, (-1, 8)).mean((3, 5))), w, "enter"))
    y = tint(y, 2 * (a + b))
    for i in range(blocks):
        y = F.relu(y + _conv(F.relu(_conv(y, w, f"body.{i}.0")), w, f"body.{i}.1"))
    y = tint(F.relu(_conv(grow(y), w, "up.0")) + quarter, 2 * a)
    y = tint(F.relu(_conv(grow(y), w, "up.1")) + half, 0)
    y = F.conv2d(y, w["head.weight"], w["head.bias"], padding=1)
    y = y.unflatten(1, (3, 2, 2)).permute(0, 1, 4, 2, 5, 3)  # [B,3,h,2,w,2]
    return torch.tanh(y.flatten(4, 5).flatten(2, 3))


@pytest.mark.parametrize(("kind", "conv"), KINDS)
def test_against_a_plain_reference(kind: type[nn.Module], conv: type[nn.Module]) -> None:
    network = _make(kind, conv)
    luma, mood = torch.rand(2, 1, 40, 24), torch.randn(2, 3)
    with torch.no_grad():
        wanted = _reference(network.state_dict(), luma, mood, 2, kind is Plain)
        assert wanted.std() > 0.05  # something is painted
        torch.testing.assert_close(network(luma, mood), wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("kind", "conv"), KINDS)
def test_gradients_are_those_of_the_reference(kind: type[nn.Module], conv: type[nn.Module]) -> None:
    network = _make(kind, conv)
    luma, mood, weight = torch.rand(2, 1, 24, 16), torch.randn(2, 3), torch.randn(2, 3, 24, 16)
    parameters = dict(network.named_parameters())
    written = _reference(parameters | dict(network.named_buffers()), luma, mood, 2, kind is Plain)
    wanted = torch.autograd.grad((written * weight).mean(), list(parameters.values()))
    given = torch.autograd.grad((network(luma, mood) * weight).mean(), list(parameters.values()))
    for key, mine, theirs in zip(parameters, given, wanted, strict=True):
        assert bool(theirs.any()), key
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5, msg=lambda why, key=key: f"{key}: {why}")


@pytest.mark.parametrize(("kind", "conv"), KINDS)
def test_folding_changes_nothing_but_the_clothes(kind: type[nn.Module], conv: type[nn.Module]) -> None:
    network = _make(kind, conv)
    twin = networks.fold(network)
    assert type(twin) is kind
    assert twin.state_dict().keys() == kind(SMALL, 2, 3).state_dict().keys()
    luma, mood = torch.rand(2, 1, 40, 24), torch.randn(2, 3)
    with torch.no_grad():
        torch.testing.assert_close(network(luma, mood), twin(luma, mood), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(5, 7, 1), (6, 6, 1), (6, 6, 2), (4, 6, 2)])
def test_branches_run_as_one_convolution_on_a_gpu_and_the_result_is_the_same(
    inputs: int, outputs: int, stride: int
) -> None:
    conv = networks.Branched(inputs, outputs, stride)
    x = torch.randn(2, inputs, 12, 10)
    torch.testing.assert_close(conv._together(x), conv._apart(x), rtol=0, atol=1e-4)


def test_folding_twice_is_folding_once() -> None:
    once = networks.fold(_make(Plain, networks.Branched))
    luma, mood = torch.rand(1, 1, 16, 16), torch.randn(1, 3)
    assert torch.equal(networks.fold(once)(luma, mood), once(luma, mood))


def test_there_is_no_way_to_fold_a_stranger() -> None:
    with pytest.raises(TypeError, match="Linear"):
        networks.fold(nn.Linear(1, 1))


def test_folding_throws_no_dice() -> None:
    """A network with dropout goes on as it would have without the checkpoint on the way."""
    for network in (networks.make("s", 7), networks.make("murr", 7), networks.make("gan-compression-bn", 7)):
        before = torch.get_rng_state()
        networks.fold(network)
        assert torch.equal(torch.get_rng_state(), before)


LIGHT = [name for name in networks.names() if not name.startswith(("teacher", "xl", "resnet", "unet"))]


@pytest.mark.parametrize("name", LIGHT)
def test_every_network_paints_and_learns_everywhere(name: str) -> None:
    torch.manual_seed(2)
    network = networks.make(name, 7)
    height, width = (256, 256) if name == "murr" else (32, 40)
    luma, mood = torch.rand(2, 1, height, width), torch.randn(2, 7)
    dream = network(luma, mood)
    assert dream.shape == (2, 3, height, width)
    assert bool((dream.abs() <= 1).all())
    (dream - torch.randn(2, 3, height, width)).square().mean().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert bool(torch.isfinite(parameter.grad).all()), key
    still = {key for key, parameter in network.named_parameters() if not bool(parameter.grad.any())}  # type: ignore[union-attr]
    cancelled = {key for key, _ in network.named_parameters() if key.endswith("bias") and "model" in key}
    assert still <= cancelled  # a bias before a norm that subtracts the mean has nothing to say


@pytest.mark.parametrize("name", ["s+", "decoder", "gan-compression-16-bn", "gan-compression-16"])
def test_half_precision_and_channels_last(name: str) -> None:
    torch.manual_seed(2)
    network = networks.make(name, 7).eval()
    luma, mood = torch.rand(2, 1, 32, 32), torch.randn(2, 7)
    with torch.no_grad():
        exact = network(luma, mood)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(luma.contiguous(memory_format=torch.channels_last), mood)
    assert float((exact - rough.float()).abs().mean()) < 0.02


def test_a_mood_changes_the_picture() -> None:
    luma = torch.rand(1, 1, 16, 16)
    for name in ("s", "decoder", "gan-compression-16-bn"):
        network = networks.live(name, 7)
        assert not torch.allclose(network(luma, torch.zeros(1, 7)), network(luma, torch.full((1, 7), 3.0))), name


def test_unknown_names_are_answered_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"'mm'; there are s, m, .*decoder\+.*resnet9"):
        networks.make("mm", 7)


def test_macs_against_a_count_by_hand() -> None:
    a, b, c, inner, side = 2, 3, 5, 4, 16
    half, quarter, eighth = (side // 2) ** 2, (side // 4) ** 2, (side // 8) ** 2
    convolutions = 9 * (5 * a * half + a * b * quarter + b * c * eighth + 2 * c * inner * eighth)
    convolutions += 9 * (c * b * quarter + b * a * half + a * 12 * half)
    film = 7 * HIDDEN + HIDDEN * 2 * (a + b + c)
    for conv in (networks.NormedConv, networks.Branched):
        network = Plain((a, b, c), 1, 7, conv, (inner,))
        assert networks.macs(network, side, side) == convolutions + film
        assert networks.published_macs(network, side, side) == convolutions + film
    assert networks.macs(Dream(networks.fold(network)), side, side) == convolutions + film
    assert networks.macs(nn.Conv2d(3, 2, 3, padding=1), 8, 8) == 27 * 2 * 64


def test_sizes_cost_what_the_guide_says() -> None:
    cost = {name: networks.macs(networks.make(name, 7)) / 1e9 for name in ("s", "m", "l", "decoder", "m+")}
    assert cost == pytest.approx({"s": 0.46, "m": 1.0, "l": 2.05, "decoder": 0.48, "m+": 1.0}, rel=0.03)

"""What a network costs, counted on shapes: against numbers worked out by hand, and against the cards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bench.gpu import count, nets
from perform.lab import networks, published


def observed(run: object) -> tuple[count.Layer, ...]:
    return count.observe(run)  # type: ignore[arg-type]


def test_a_convolution_reads_its_input_and_writes_its_output() -> None:
    with torch.device("meta"):
        conv, x = nn.Conv2d(8, 16, 3, 1, 1), torch.empty(1, 8, 10, 20)
    (layer,) = observed(lambda: conv(x))
    assert layer.macs == 10 * 20 * 16 * 8 * 9
    assert (layer.reads, layer.writes, layer.weights) == (8 * 200, 16 * 200, 16 * 8 * 9 + 16)


def test_a_transposed_convolution_multiplies_at_the_size_of_its_input() -> None:
    with torch.device("meta"):
        conv, x = nn.ConvTranspose2d(8, 4, 3, 2, 1, 1, bias=False), torch.empty(1, 8, 10, 20)
    (layer,) = observed(lambda: conv(x))
    assert layer.macs == 10 * 20 * 8 * 4 * 9
    assert layer.writes == 4 * 20 * 40


def test_what_was_only_spread_out_is_read_at_its_own_size() -> None:
    with torch.device("meta"):
        conv, x = nn.Conv2d(4, 4, 3, 1, 1), torch.empty(1, 4, 10, 10)
    (layer,) = observed(lambda: conv(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")))
    assert layer.reads == 4 * 100
    (padded,) = observed(lambda: conv(nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")))
    assert padded.reads == 4 * 100


def test_a_relu_between_is_read_as_large_as_it_is() -> None:
    with torch.device("meta"):
        conv, x = nn.Conv2d(4, 4, 3, 1, 1), torch.empty(1, 4, 10, 10)
    grown = observed(lambda: conv(torch.relu(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))))
    assert grown[0].reads == 4 * 400  # somebody wrote it


def test_a_norm_that_looks_at_the_picture_costs_and_one_at_rest_does_not() -> None:
    with torch.device("meta"):
        x, instance, batch = torch.empty(1, 4, 10, 10), nn.InstanceNorm2d(4), nn.BatchNorm2d(4).eval()
    (layer,) = observed(lambda: instance(x))
    assert (layer.kind, layer.reads, layer.writes, layer.macs) == ("norm", 400, 400, 0)
    assert observed(lambda: batch(x)) == ()


def test_attention_and_matrix_products_are_multiplied_out() -> None:
    with torch.device("meta"):
        a, linear = torch.empty(1, 6, 5), nn.Linear(5, 7)
        q = torch.empty(1, 2, 6, 8)
    assert sum(layer.macs for layer in observed(lambda: linear(a))) == 6 * 5 * 7
    attended = observed(lambda: nn.functional.scaled_dot_product_attention(q, q, q))
    assert sum(layer.macs for layer in attended) == 2 * (2 * 6 * 6 * 8)


@pytest.mark.parametrize("name", ["s", "m", "l", "gan-compression"])
def test_the_count_is_the_lab_s(name: str) -> None:
    assert count.of_dream(nets.outline(name), 64, 64).macs == networks.macs(nets.make(name), 64, 64)


def test_u_net_256_is_what_is_known_of_it() -> None:
    cost = count.of_dream(nets.outline("unet256"), 256, 256)
    assert cost.macs == pytest.approx(6.05e9, rel=0.01)  # useful, against 18.1 published
    assert published.make("unet256").inputs == 3


def test_the_picture_s_bytes_stand_for_the_first_input_and_the_last_output() -> None:
    cost = count.of_dream(nets.make("m"), 64, 64)
    picture = 4 * 64 * 64
    middle = [layer for layer in cost.layers if layer.kind == "convolution"]
    inside = 2 * (sum(x.reads + x.writes for x in cost.layers) - middle[0].reads - middle[-1].writes)
    assert cost.layered == 2 * picture + inside + cost.weights
    assert cost.ideal == 2 * picture + cost.weights < cost.layered
    assert cost.flops == 2 * cost.macs


def test_a_size_that_a_network_cannot_take_is_rounded_up() -> None:
    assert nets.fitted("unet256", (1920, 1080)) == (2048, 1280)
    assert nets.fitted("m", (1920, 1080)) == (1920, 1080)
    assert nets.fitted("resnet9", (1280, 720)) == (1280, 720)

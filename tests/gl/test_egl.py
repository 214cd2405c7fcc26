"""Which of EGL's devices is a CUDA device, asked of a stand-in for libEGL."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_int32, c_ssize_t, c_uint, c_void_p, cast
from typing import Any

import pytest

from perform.gl import egl


class Egl:
    """An EGL whose devices are these CUDA devices (None: of another maker)."""

    def __init__(self, *devices: int | None, lacks: str = "") -> None:
        self.devices, self.lacks = devices, lacks
        self._keep: dict[str, Any] = {
            "eglQueryDevicesEXT": CFUNCTYPE(c_uint, c_int32, POINTER(c_void_p), POINTER(c_int32))(self._list),
            "eglQueryDeviceAttribEXT": CFUNCTYPE(c_uint, c_void_p, c_int32, POINTER(c_ssize_t))(self._ask),
        }
        self.eglGetProcAddress = lambda name: self._address(name)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def _address(self, name: bytes) -> int | None:
        function = self._keep.get(name.decode()) if name.decode() != self.lacks else None
        return cast(function, c_void_p).value if function is not None else None

    def _list(self, most: int, handles: Any, count: Any) -> int:
        for n in range(min(most, len(self.devices))):
            handles[n] = 1000 + n
        count[0] = len(self.devices)
        return 1

    def _ask(self, handle: int, what: int, value: Any) -> int:
        number = self.devices[handle - 1000]
        if what != 0x323A or number is None:
            return 0
        value[0] = number
        return 1


def test_egl_counts_in_an_order_of_its_own() -> None:
    library = Egl(1, None, 0)
    assert egl.devices(library) == [1, None, 0]
    assert egl.device_of(0, library) == 2
    assert egl.device_of(1, library) == 0
    assert egl.device_of(5, library) is None


@pytest.mark.parametrize("lacks", ["eglQueryDevicesEXT", "eglQueryDeviceAttribEXT"])
def test_without_the_extension_nobody_knows(lacks: str) -> None:
    assert egl.devices(Egl(0, lacks=lacks)) == []
    assert egl.device_of(0, Egl(0, lacks=lacks)) is None


def test_without_egl_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert egl.device_of(0) is None


def test_this_machine_can_be_asked() -> None:
    assert all(number is None or number >= 0 for number in egl.devices())

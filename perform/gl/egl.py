"""Which of EGL's devices is a CUDA device: where a show without a screen should draw, if its worlds are on that card.

EGL counts in an order of its own, which CUDA_VISIBLE_DEVICES does not change, and software rasterisers count too.
Asked with libEGL alone, before pyglet is loaded: pyglet decides for a device while it is imported.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
from ctypes import POINTER, byref, c_char_p, c_int32, c_ssize_t, c_uint, c_void_p
from typing import Any

log = logging.getLogger(__name__)

CUDA_DEVICE = 0x323A  # EGL_CUDA_DEVICE_NV, of the extension EGL_NV_device_cuda
MOST = 64


def device_of(cuda: int, library: Any = None) -> int | None:
    """The EGL device that is this CUDA device, or None: no EGL, no such extension, no such card. A few milliseconds.

    `library` stands in for libEGL in tests. The number is of EGL's own list, as pyglet.options.headless_device is.
    """
    numbers = devices(library)
    return numbers.index(cuda) if cuda in numbers else None


def devices(library: Any = None) -> list[int | None]:
    """For each of EGL's devices the CUDA device that it is, or None."""
    try:
        egl = library or ctypes.CDLL(ctypes.util.find_library("EGL") or "libEGL.so.1")
        found = _function(egl, "eglQueryDevicesEXT", c_uint, c_int32, POINTER(c_void_p), POINTER(c_int32))
        asks = _function(egl, "eglQueryDeviceAttribEXT", c_uint, c_void_p, c_int32, POINTER(c_ssize_t))
    except (OSError, AttributeError) as e:
        log.debug("EGL does not say which devices there are: %s", e)
        return []
    handles, count = (c_void_p * MOST)(), c_int32()
    if not found(MOST, handles, byref(count)):
        return []
    numbers: list[int | None] = []
    for handle in handles[: count.value]:
        number = c_ssize_t(-1)
        known = asks(handle, CUDA_DEVICE, byref(number))
        numbers.append(number.value if known and number.value >= 0 else None)
    return numbers


def _function(egl: Any, name: str, result: Any, *arguments: Any) -> Any:
    """An extension's function. Raises AttributeError if this EGL has none of that name."""
    egl.eglGetProcAddress.restype = c_void_p
    egl.eglGetProcAddress.argtypes = [c_char_p]
    address = egl.eglGetProcAddress(name.encode())
    if not address:
        raise AttributeError(name)
    return ctypes.CFUNCTYPE(result, *arguments)(address)

"""Pictures between GL textures and CUDA memory, on the card, without the host.

    bridge = open_bridge(cuda, (1920, 1080))        # render thread, GL context current; cuda.bindings.runtime
    bridge.take(texture, address, stream)           # texture -> memory on the card
    texture = bridge.give(address, stream)          # memory on the card -> a texture of the bridge's

What it promises stands in `bridge`; how one is chosen, in `choice`.
"""

from perform.gl.interop.bridge import KINDS, Bridge
from perform.gl.interop.calls import CudaError, Poisoned, call
from perform.gl.interop.choice import open_bridge
from perform.gl.interop.pool import Bridges
from perform.gl.interop.proof import gl_devices

__all__ = ["KINDS", "Bridge", "Bridges", "CudaError", "Poisoned", "call", "gl_devices", "open_bridge"]

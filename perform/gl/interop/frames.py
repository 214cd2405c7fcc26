"""What a frame costs over each kind of bridge: some are played as a show plays them, and timed.

    GL draws a picture -> exchange -> a copy on the card, in the place of a network -> GL draws what came back

While one is copied the next is drawn, as in a show. A round trip by itself does not tell: on an H200 one by the array
took 0.4 of the time of one through the host, and a frame of the whole path 1.4 of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from perform.frame import Texture
from perform.gl import target
from perform.gl.interop.bridge import Bridge, Shape
from perform.gl.interop.calls import call
from perform.gl.interop.parts import Tap, pixel
from perform.gl.lib import gl
from perform.gl.target import Target

Clock = Callable[[], float]
TOGETHER = 0.05  # seconds that all kinds may take, about
WARM = 2  # frames of each that do not count: buffers are allocated, memory is pinned
LEAST, MOST = 3, 16  # frames of each that do
CLEARLY = 0.9  # of the time of a better kind: less would not be worth the change


@dataclass(slots=True)
class Frames:
    """A camera's picture, a screen, a network's memory and two streams: what is around a bridge in a show."""

    cuda: Any
    nbytes: int
    camera: Target
    screen: Target
    tap: Tap
    picture: int
    dreams: list[int]  # the one that is being dreamt, the one that is shown
    carry: int
    compute: int
    filled: Any
    done: Any

    def play(self, bridge: Bridge, clock: Clock) -> float:
        """One frame. Waits for the dream before, which bounds what is under way; the time at which that was there."""
        cuda = self.cuda
        self._draw(self.screen.texture, self.camera)
        seen = self.wait(clock)
        dream = bridge.exchange(self.camera.texture, self.picture, self.dreams[1], self.carry, self.filled)
        call(cuda, "cudaStreamWaitEvent", self.compute, self.filled, 0)
        kind = cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        call(cuda, "cudaMemcpyAsync", self.dreams[0], self.picture, self.nbytes, kind, self.compute)
        bridge.ripen(self.dreams[0], self.compute)
        call(cuda, "cudaEventRecord", self.done, self.compute)
        self._draw(dream, self.screen)
        gl.glFlush()  # as a swap of buffers does
        self.dreams.reverse()
        return seen

    def wait(self, clock: Clock) -> float:
        """Until the last dream is there; the time then."""
        call(self.cuda, "cudaEventSynchronize", self.done)
        return clock()

    def finish(self) -> None:
        """Wait until GL and CUDA have done everything."""
        gl.glFinish()
        call(self.cuda, "cudaStreamSynchronize", self.compute)
        call(self.cuda, "cudaStreamSynchronize", self.carry)

    def seconds(self, bridge: Bridge, clock: Clock, share: float) -> float:
        """From one frame to the next, the median of some: others have the processor in between. All of them together
        take `share` seconds, or what the fewest take."""
        opened = clock()
        bridge.ripen(self.dreams[1], self.compute)
        seen: list[float] = []
        while len(seen) < WARM + LEAST or (len(seen) < WARM + MOST and clock() - opened < share):
            seen.append(self.play(bridge, clock))
        seen.append(self.wait(clock))
        self.finish()
        return median(after - before for before, after in pairwise(seen[WARM:]))

    def _draw(self, texture: Texture, to: Target) -> None:
        self.tap.bind(texture)
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, to.framebuffer)
        box = (0, 0, to.width, to.height)
        gl.glBlitFramebuffer(*box, *box, gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST)


@contextmanager
def frames(cuda: Any, shape: Shape, format: target.Format) -> Iterator[Frames]:
    """Everything made, and given back. Raises CudaError if the card will not (no memory)."""
    with ExitStack() as after:

        def made(back: str, name: str, *facts: Any) -> Any:
            thing = call(cuda, name, *facts)
            after.callback(getattr(cuda, back), thing)
            return thing

        tap = Tap()
        after.callback(tap.close)
        camera, screen = Target(*shape, format), Target(*shape, format)
        after.callback(camera.close)
        after.callback(screen.close)
        nbytes, kind = shape[0] * shape[1] * pixel(format), cuda.cudaStreamNonBlocking
        least, most = call(cuda, "cudaDeviceGetStreamPriorityRange")
        memory = [int(made("cudaFree", "cudaMalloc", nbytes)) for _ in range(3)]
        carry, compute = (
            int(made("cudaStreamDestroy", "cudaStreamCreateWithPriority", kind, int(n))) for n in (most, least)
        )
        quiet = cuda.cudaEventDisableTiming
        filled, done = (made("cudaEventDestroy", "cudaEventCreateWithFlags", quiet) for _ in range(2))
        yield Frames(cuda, nbytes, camera, screen, tap, memory[0], memory[1:], carry, compute, filled, done)

"""What does OSC cost, and does it lose anything?

    python bench/osc.py                  # 10 s of 5,000 messages a second in bursts of 50, from another process
    python bench/osc.py --seconds 60 --rate 5000 --burst 50

Prints what one message costs on the thread that receives it (decode, find, post) and on the render thread (settle),
what arrived of what was sent, and how much later than their slot the frames began while it came in.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from pythonosc.osc_message_builder import build_msg

from perform.clock import LiveClock
from perform.control.osc import Osc
from perform.control.osc.ahead import Ahead
from perform.control.osc.door import Door
from perform.control.osc.packet import decode
from perform.control.osc.pattern import Patterns, matches
from perform.params import Params, Spec
from perform.plugins import Stage

FPS = 60.0
SENDER = """
import socket, struct, sys, time
port, rate, burst, seconds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
head = b"/layer/1/opacity\\0\\0\\0\\0,f\\0\\0"
sent, began = 0, time.perf_counter()
while sent < rate * seconds:
    for _ in range(burst):
        sock.sendto(head + struct.pack(">f", sent % 1000 / 1000), ("127.0.0.1", port))
        sent += 1
    wait = began + sent / rate - time.perf_counter()
    if wait > 0:
        time.sleep(wait)
print(sent)
"""


def tree(size: int = 300) -> Params:
    params = Params()
    params.declare("/layer/dream/opacity", Spec("float", 1.0, 0.0, 1.0), "/layer/1/opacity")
    for n in range(size):
        params.declare(f"/layer/dream/filter/some{n}/amount", Spec("float"))
    return params


def microseconds(deed: Callable[[], object], times: int = 20_000) -> float:
    """The best of five: other programs only ever add."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times // 5):
            deed()
        best = min(best, (time.perf_counter() - began) / (times // 5))
    return best * 1e6


def costs() -> None:
    params = tree()
    door = Door(params, Patterns(params), Ahead(LiveClock(), time.time), lambda sender, address, param: None)
    plain, sender = build_msg("/layer/1/opacity", 0.5).dgram, ("127.0.0.1", 57120)

    def enter() -> None:
        door.enter(plain, sender)
        params._inbox.clear()
        params._waiting = 0

    settle = []
    for _ in range(5):
        for n in range(4000):
            params.post("/layer/1/opacity", n % 2 / 2)
        began = time.perf_counter()
        params.settle(time.perf_counter())
        settle.append((time.perf_counter() - began) / 4000 * 1e6)
    hostile, address = "/" + "*a" * 14 + "b", "/" + "a" * 60
    print(f"decode a plain message        {microseconds(lambda: decode(plain)):8.2f} µs")
    print(f"decode, find, post            {microseconds(enter):8.2f} µs")
    print(f"settle one changed value      {min(settle):8.2f} µs")
    print(f"a pattern known already       {microseconds(lambda: door.patterns.reach('/layer/*/opacity')):8.2f} µs")
    print(f"a hostile pattern, one address{microseconds(lambda: matches(hostile, address), 500):8.2f} µs")


def paced(clock: LiveClock) -> float:
    """Wait for the next frame; the seconds by which it begins after its slot on the clock's grid."""
    slot = clock.due + 1.0 / FPS  # asked before: after a stall the clock begins another grid
    clock.pace(FPS)
    return max(0.0, clock.now() - slot)


def flood(rate: float, burst: int, seconds: float) -> bool:
    """Take what another process sends while frames are paced; True if nothing was lost."""
    params, clock = tree(), LiveClock()
    late: list[float] = []
    with Osc("127.0.0.1:0", tcp=False).open(Stage(params, clock, "/osc", (64, 64))) as osc:
        command = [sys.executable, "-c", SENDER, str(osc.port), str(rate), str(burst), str(seconds)]
        sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert osc._desk is not None
        clock.pace(FPS)
        clock.late = 0  # the grid begins here: what was opened before is nobody's delay
        frame, ended = 0, None
        while ended is None or clock.now() - ended < 1.0:
            params.settle(clock.now())
            late.append(paced(clock))
            frame += 1
            if ended is None and sender.poll() is not None:
                ended = clock.now()
        sent = int(sender.communicate()[0])
        arrived = osc._desk.udp.messages
    late.sort()
    print(f"\n{rate:,.0f} messages a second in bursts of {burst}, for {seconds:g} s, frames paced at {FPS:g}")
    print(f"sent {sent:,}   arrived {arrived:,}   lost {sent - arrived:,}   refused {params.refused}")
    print(
        f"a frame begins late by: median {statistics.median(late) * 1e3:.2f} ms, "
        f"p99 {late[int(len(late) * 0.99)] * 1e3:.2f} ms; {clock.late} of {frame} slots missed"
    )
    return sent == arrived


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=5000.0)
    parser.add_argument("--burst", type=int, default=50)
    wishes = parser.parse_args()
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    costs()
    return 0 if flood(wishes.rate, wishes.burst, wishes.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A show running in a process of its own, watched through its stills and answers."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pythonosc.osc_message_builder import OscMessageBuilder

from perform.control.osc.packet import Message, decode

ROOT = Path(__file__).parents[2]
DEADLINE = 240.0  # seconds; only a failing test waits so long
AGAIN = 5.0  # seconds after which a question is asked again: a datagram may be lost


def free_ports() -> tuple[int, int]:
    """A free UDP and TCP port whose successor is free too: one to listen at, one for the answers."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket() as tcp:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
                tcp.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
                return port, port + 1
    raise OSError("no two ports in a row are free")


@dataclass(slots=True)
class Running:
    """The process, its OSC port, and a socket where its answers to us come in."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    ears: socket.socket

    def send(self, address: str, *args: Any) -> None:
        builder = OscMessageBuilder(address)
        for arg in args:
            builder.add_arg(arg)
        self.ears.sendto(builder.build().dgram, ("127.0.0.1", self.port))

    def heard(self) -> list[Message]:
        """What has been answered so far."""
        messages: list[Message] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                messages += decode(self.ears.recv(65536)).messages
        return messages

    def ask(self, address: str, *args: Any) -> tuple[Any, ...]:
        """Ask until an answer comes; its values."""
        answer: list[tuple[Any, ...]] = []
        again = 0.0
        self.heard()  # late answers to what was asked before

        def look() -> bool:
            nonlocal again
            if time.monotonic() >= again:  # no oftener: answers that nobody waits for would be taken for newer ones
                again = time.monotonic() + AGAIN
                self.send(address, *args)
            time.sleep(0.02)
            answer.extend(m.args for m in self.heard() if m.address == address)
            return bool(answer)

        self.until(look)
        return answer[-1]

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until it holds; its value."""
        end = time.monotonic() + DEADLINE
        while not (value := condition()):
            assert self.process.poll() is None, f"the show has ended: {self.log}"
            assert time.monotonic() < end, f"waited in vain: {self.log[-2000:]}"
            time.sleep(0.02)
        return value

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def picture(self) -> np.ndarray:
        """A still of now: uint8 (H, W, 3), row 0 at the top."""
        stills = self.folder / "stills"
        before = set(stills.glob("*.toml"))
        again = 0.0

        def look() -> set[Path]:
            nonlocal again
            if time.monotonic() >= again:  # one that comes while the last is still being written is left out
                again = time.monotonic() + AGAIN
                self.send("/snapshot")
            return set(stills.glob("*.toml")) - before

        new = max(self.until(look), key=lambda path: path.stat().st_mtime_ns)
        with Image.open(new.with_suffix(".png")) as image:
            return np.asarray(image.convert("RGB"))


@contextlib.contextmanager
def running(folder: Path, show: str) -> Iterator[Running]:
    """Play a show.toml (with PORT in it) headless, in real time, until the block is left."""
    ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ears.setblocking(False)
    ears.bind(("127.0.0.1", 0))  # first: it might be given the port that was free for the show
    port, _ = free_ports()
    (folder / "show.toml").write_text(show.replace("PORT", str(port)), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "perform", "run", "show.toml", "--headless", "--no-supervise"]
    with ears, (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, text=True)
        show_running = Running(process, folder, port, ears)
        try:
            show_running.send("/subscribe", ears.getsockname()[1])

            def there() -> bool:
                show_running.send("/subscribe", ears.getsockname()[1], "/status/none")
                time.sleep(0.05)
                return bool(show_running.heard())

            show_running.until(there)
            yield show_running
        finally:
            process.terminate()
            process.wait(DEADLINE)

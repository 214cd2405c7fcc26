"""liblo, Pd, SuperCollider and Node move opacity, fire a cue and switch the world in a running show: seen in pixels."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from .running import ROOT, Running, running

EXAMPLE = ROOT / "examples" / "03-osc"
CLIENTS = Path(__file__).parent / "clients"
PACKAGES = ("node-osc@11.7.1", "oscquery@1.1.1")

FLAT = """/*{"INPUTS": [{"NAME": "tint", "TYPE": "color", "DEFAULT": [1.0, 0.0, 0.0, 1.0]}]}*/
void main() { gl_FragColor = tint; }
"""
SHOW = """
[show]
size = [160, 90]
fps = 30

[source.red]
type = "shader"
patch = "flat.fs"

[source.blue]
type = "shader"
patch = "flat.fs"
set = { tint = [0.0, 0.0, 1.0, 1.0] }

[[layer]]                      # red everywhere, as long as no world dreams
name = "dream"
source = "red"
crossfade = 0.0

[[layer]]                      # blue on the left, once the cue is fired
name = "flag"
source = "blue"
opacity = 0.0
transform = { x = -0.5 }

[osc]
listen = "127.0.0.1:PORT"

[sink.stills]
type = "snapshot"
folder = "stills"

[[cue]]
name = "flag"
set = { "/layer/flag/opacity" = 1.0 }

[[cue]]
name = "none"
set = { "/layer/flag/opacity" = 0.0 }
"""
Gesture = Callable[[Running, str], None]


def tool(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not here: apt-get install --no-install-recommends {package}")
    return path


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("show")
    (folder / "flat.fs").write_text(FLAT)
    with running(folder, SHOW) as show:
        yield show


@pytest.fixture(scope="session")
def node_modules() -> str:
    """Where node-osc and oscquery are: installed once, and kept for the next run."""
    given = os.environ.get("PERFORM_NODE_MODULES")
    if given:
        return given
    from platformdirs import user_cache_path

    folder = user_cache_path("perform-tests") / "-".join(PACKAGES).replace("@", "-")
    if not (folder / "node_modules" / "oscquery").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        npm = tool("npm", "npm")
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    return str(folder / "node_modules")


def run(*command: str | Path, **env: str) -> None:
    """Run a client to its end. Its standard input stays open: sclang stops where that ends."""
    client = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, **env},
    )  # fmt: skip
    try:
        client.wait(240.0)
    except subprocess.TimeoutExpired:
        client.kill()
        pytest.fail(f"{command[0]} did not come to its end: {client.stdout.read() if client.stdout else ''}")
    finally:
        for pipe in (client.stdin, client.stdout):
            if pipe is not None:
                pipe.close()


def liblo(show: Running, what: str) -> None:
    words = {
        "opacity": ["/layer/dream/opacity", "f", "0.5"],
        "world": ["/layer/1/world", "s", "landscape"],
        "cue": ["/cue/go"],
    }[what]
    run(tool("oscsend", "liblo-tools"), "localhost", str(show.port), *words)


def pd(patch: Path, messages: dict[str, str], show: Running, what: str) -> None:
    send = f"perform-connect 127.0.0.1 {show.port}; {messages[what]}; pd quit"
    run(tool("pd", "puredata-core pd-osc"), "-nogui", "-batch", "-noaudio", "-send", send, patch)


def sclang(show: Running, what: str) -> None:
    env = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1"}
    command = [tool("sclang", "supercollider-language"), "-i", "none", EXAMPLE / "perform.scd", str(show.port), what]
    run(*command, **env)


VANILLA = {"opacity": "perform-opacity 0.5", "world": "perform-world symbol landscape", "cue": "perform-cue bang"}
PACKED = {
    "opacity": "perform-bundle /layer/dream/opacity 0.5",
    "world": "perform-bundle /layer/dream/world landscape",
    "cue": "perform-bundle /cue/go 1",
}
GESTURES: dict[str, Gesture] = {
    "oscsend": liblo,
    "pd": partial(pd, EXAMPLE / "perform.pd", VANILLA),
    "pd-packOSC": partial(pd, CLIENTS / "bundle.pd", PACKED),
    "sclang": sclang,
}


def right(picture: np.ndarray) -> np.ndarray:
    """The colour on the right, where only the dream is."""
    return picture[45, 140].astype(int)


def left(picture: np.ndarray) -> np.ndarray:
    """The colour on the left, where the flag hangs."""
    return picture[45, 20].astype(int)


def near(colour: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.abs(colour - wanted).max() <= 6)


BLUE = np.array([0, 0, 255])


def plain(show: Running) -> np.ndarray:
    """Back to the opening, no flag and no world; the colour that is everywhere then."""
    show.send("/panic")
    before = np.zeros(3, int)

    def still() -> bool:
        nonlocal before
        picture, last = show.picture(), before
        before = right(picture)
        return near(before, last) and near(left(picture), before) and int(before.max()) > 60

    show.until(lambda: show.ask("/layer/dream/world") == ("none",) and still())
    return before


def play(show: Running, gesture: Gesture) -> None:
    """All three gestures, each seen in the pixels before the next."""
    bright = plain(show)
    gesture(show, "opacity")
    show.until(lambda: near(right(show.picture()), bright // 2))
    assert show.ask("/layer/dream/opacity") == (0.5,)
    gesture(show, "cue")
    show.until(lambda: near(left(show.picture()), BLUE))
    assert show.ask("/status/cue") == ("flag",)
    gesture(show, "world")
    show.until(lambda: show.ask("/status/engine/dream")[0].startswith("landscape m ("))
    show.until(lambda: np.ptp(show.picture()[:, 100:].astype(int), axis=(0, 1)).max() > 8)  # no plain colour any more
    assert show.ask("/layer/1/world") == ("landscape",)


@pytest.mark.parametrize("name", GESTURES)
def test_a_client_plays_the_show(show: Running, name: str) -> None:
    play(show, GESTURES[name])


def test_node_plays_the_show(show: Running, node_modules: str) -> None:
    def gesture(show: Running, what: str) -> None:
        run(tool("node", "nodejs"), EXAMPLE / "perform.js", str(show.port), what, NODE_PATH=node_modules)

    play(show, gesture)


def test_a_program_that_speaks_oscquery_finds_every_address(show: Running, node_modules: str) -> None:
    """Vidvox's proposal as somebody else's client reads it (npm's `oscquery`)."""
    script = CLIENTS / "query.js"
    command = [tool("node", "nodejs"), script, str(show.port + 1)]
    env = {**os.environ, "NODE_PATH": node_modules}
    told = json.loads(subprocess.check_output(command, timeout=240, env=env))
    assert told["host"]["oscPort"] == show.port
    assert told["addresses"]["/layer/dream/opacity"] == {"type": "f", "min": 0, "max": 1, "access": 3}
    assert told["addresses"]["/layer/dream/blend"]["type"] == "s"
    assert told["addresses"]["/cue/flag/go"] == {"type": "I", "access": 2}
    assert told["addresses"]["/status/fps"]["access"] == 1
    assert len(told["addresses"]) > 60


def test_oscdump_hears_the_answers(show: Running, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with heard.open("w") as out:
        dump = subprocess.Popen([tool("oscdump", "liblo-tools"), "-L", str(show.port + 1)], stdout=out)
        try:

            def look() -> bool:
                for words in (["/layer/1/opacity"], ["/version"], ["/layer/1/opcity", "f", "1"]):
                    run(tool("oscsend", "liblo-tools"), "localhost", str(show.port), *words)
                text = heard.read_text()
                return all(part in text for part in ("/layer/1/opacity f ", '/version ss "perform"', "/error ss"))

            show.until(look)
        finally:
            dump.terminate()
            dump.wait(60.0)
    assert '"there is no such address; did you mean /layer/1/opacity?"' in heard.read_text()


def test_a_flood_costs_no_frames(show: Running) -> None:
    """5,000 messages as fast as they go: the show still draws, and the last value is the one that shows."""
    bright = plain(show)
    for n in range(5000):
        show.send("/layer/dream/opacity", 1.0 - n / 10_000)
    assert show.ask("/ping", 0) == (0,)  # it has taken in what the kernel could hold of them
    show.send("/layer/dream/opacity", 0.25)
    show.until(lambda: near(right(show.picture()), bright // 4))
    assert show.ask("/ping", 1) == (1,)

"""What somebody meets first: the package, the wheel, `make setup` on machines of every kind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from perform import __version__, paths, plugins

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


# ---------------------------------------------------------------- the package
def test_versions_agree() -> None:
    assert PROJECT["project"]["version"] == __version__


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("sources", {"camera", "video", "image", "shader", "testcard"}),
        ("engines", {"openvino", "torch", "passthrough"}),
        ("sinks", {"window", "recorder", "snapshot", "null"}),
        ("controls", {"audio", "osc"}),
    ],
)
def test_the_built_ins_are_announced_like_anybodys(group: plugins.Group, names: set[str]) -> None:
    assert names <= set(plugins.names(group))
    for name in names:
        assert plugins.find(group, name)


def test_the_two_tensorrts_exclude_each_other() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert {"tensorrt", "tensorrt-rtx", "rtx", "lab", "dev"} == set(extras)
    assert PROJECT["tool"]["uv"]["conflicts"] == [[{"extra": "tensorrt"}, {"extra": "tensorrt-rtx"}]]


def test_the_lab_brings_the_pip_that_it_downloads_with() -> None:
    """An environment that uv has made has none of its own."""
    assert any(one.startswith("pip>") for one in PROJECT["project"]["optional-dependencies"]["lab"])


def test_a_wheel_brings_patches_worlds_and_the_first_show(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("perform-*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    script = "from perform import paths, plugins; print(paths.share()); print(paths.patches()); print(paths.models())"
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    share, patches, models = map(Path, done.stdout.split())
    assert share == tmp_path / "site" / "perform" / "share"
    assert (share / "show.toml").is_file()
    ours = {p.relative_to(paths.patches()) for p in paths.patches().rglob("*.fs")}
    assert {p.relative_to(patches) for p in patches.rglob("*.fs")} == ours
    assert (models / "landscape" / "card.toml").is_file()
    assert not list((tmp_path / "site").glob("*.toml"))


@pytest.mark.parametrize("script", ["run", "setup", "test"])
def test_scripts_are_bash_and_may_be_run(script: str) -> None:
    path = ROOT / ".ci" / script
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", str(path)], check=True)


# ---------------------------------------------------------------- make setup, on paper machines
PYTHON = r"""#!/bin/bash
case "$*" in
  *--dry-run*)
    [ -n "$RESOLVES" ] || exit 1
    while [ "$1" != --report ]; do shift; done
    printf '{"install": [' > "$2"; sep=
    for name in $RESOLVES; do printf '%s{"metadata": {"name": "%s"}}' "$sep" "$name" >> "$2"; sep=,; done
    printf ']}' >> "$2" ;;
  "-m pip"*) echo "pip ${*:4}" >> "$LOG"; printf '#!/bin/sh\n' > .venv/bin/perform; chmod +x .venv/bin/perform ;;
  *sys.version_info*) [ -n "${VENV_PYTHON-3.11}" ] && echo "${VENV_PYTHON-3.11}" ;;
  "-c"*) exit 1 ;;
  *) exec REAL "$@" ;;
esac
"""


@dataclass
class Machine:
    """A folder that stands for a machine: its commands come first on the path and write down what they do."""

    root: Path

    def command(self, name: str, script: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def setup(self, *words: str, **env: str) -> tuple[int, str, list[str]]:
        """(exit code, what it said, what was installed)."""
        log = self.root / "log"
        log.write_text("")
        full = {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "LOG": str(log), "RESOLVES": "", "HOME": "/"} | env
        done = subprocess.run(
            ["bash", ".ci/setup", *words], cwd=self.root, env=full, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian with all libraries, without a card, with an empty virtual environment."""
    for folder in ("bin", ".venv/bin", ".ci"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "setup", tmp_path / ".ci" / "setup")
    (tmp_path / "pyproject.toml").write_text("")
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(PYTHON.replace("REAL", sys.executable))
    python.chmod(0o755)
    machine = Machine(tmp_path)
    machine.command("uname", "echo Linux")
    machine.command("apt-get", 'echo "apt-get $*" >> "$LOG"')
    machine.command("dpkg-query", 'echo "install ok installed"')
    machine.command("nvidia-smi", "exit 9")
    machine.command("python3", f'exec {sys.executable} "$@"')
    return machine


TORCH, CPU_TORCH = (
    "pip install -q torch==2.13.0",
    "pip install -q --index-url https://download.pytorch.org/whl/cpu torch==2.13.0",
)
PERFORM = "pip install -q -e .[lab,dev]"


def test_without_a_card_cuda_is_left_where_it_is(machine: Machine) -> None:
    code, _, did = machine.setup(RESOLVES="torch nvidia-cublas triton")
    assert (code, did) == (0, [CPU_TORCH, PERFORM])


def test_an_index_whose_torch_is_small_is_used(machine: Machine) -> None:
    code, _, did = machine.setup(RESOLVES="torch numpy sympy")
    assert (code, did) == (0, [TORCH, PERFORM])


def test_an_index_that_cannot_tell_is_not_trusted(machine: Machine) -> None:
    code, _, did = machine.setup()
    assert (code, did) == (0, [CPU_TORCH, PERFORM])


def test_with_a_driver_cuda_is_wanted(machine: Machine) -> None:
    machine.command("nvidia-smi", 'echo "GPU 0: a card"')
    code, _, did = machine.setup(RESOLVES="torch nvidia-cublas")
    assert (code, did) == (0, [TORCH, PERFORM])


def test_many_cards_are_cards(machine: Machine) -> None:
    machine.command("nvidia-smi", 'for n in {1..9999}; do echo "GPU $n: a card with a name"; done')
    assert machine.setup(RESOLVES="torch nvidia-cublas")[2] == [TORCH, PERFORM]


def test_an_environment_that_cannot_be_made_leaves_nothing_to_be_taken_for_one(machine: Machine) -> None:
    python = machine.root / ".venv" / "bin" / "python"
    python.unlink()
    half = f"cp /bin/true {python}; echo no ensurepip; exit 1"
    machine.command("python3", f'case "$*" in "-m venv"*) {half};; *) exec {sys.executable} "$@";; esac')
    said = "setup: making .venv\nno ensurepip\nsetup: python3 could not make .venv (see above)\n"
    assert machine.setup() == (1, said, [])
    assert not python.exists()


def test_an_environment_of_another_python_says_that_it_stays(machine: Machine) -> None:
    python = machine.root / ".venv" / "bin" / "python"
    python.write_text(
        python.read_text().replace("case", 'case "$*" in *sys.version_info*) echo 3.99; exit;; esac\ncase', 1)
    )
    machine.command("mine", f'exec {sys.executable} "$@"')
    assert "keeps its Python" not in machine.setup()[1]
    line = "setup: .venv keeps its Python 3.99; mine is taken after  make clean\n"
    assert machine.setup(PYTHON="mine") == (0, line, [])


@pytest.mark.parametrize(("now", "told"), [("3.12", "is another one now, 3.12"), ("", "is gone")])
def test_an_environment_whose_python_was_upgraded_is_made_anew(machine: Machine, now: str, told: str) -> None:
    machine.setup()
    machine.command("python3", f'case "$*" in "-m venv"*) echo "$*";; *) exec {sys.executable} "$@";; esac')
    code, said, did = machine.setup(VENV_PYTHON=now)
    assert said.startswith(f"setup: the Python of .venv {told}\nsetup: making .venv\n-m venv --clear .venv\n")
    assert (code, did) == (0, [CPU_TORCH, PERFORM])
    assert ("making" in machine.setup(VENV_PYTHON=now)[1]) is (not now)  # until it runs


def test_an_environment_that_was_not_made_here_is_not_cleared(machine: Machine) -> None:
    (machine.root / ".venv" / "bin" / "python").unlink()
    machine.command("python3", f'case "$*" in "-m venv"*) echo "$*"; exit 1;; *) exec {sys.executable} "$@";; esac')
    assert machine.setup()[1].startswith("setup: making .venv\n-m venv .venv\n")


def test_a_stamp_that_does_not_name_its_python_is_no_reason_to_begin_anew(machine: Machine) -> None:
    (machine.root / ".venv" / ".setup").write_text("[build-system]\n")
    assert "making" not in machine.setup()[1]


def test_a_second_time_nothing_is_done(machine: Machine) -> None:
    machine.setup()
    assert machine.setup() == (0, "", [])
    (machine.root / "pyproject.toml").write_text("# changed")
    assert PERFORM in machine.setup()[2]


def test_missing_libraries_are_installed_by_root(machine: Machine) -> None:
    machine.command("dpkg-query", 'case "$*" in *libegl1) exit 1;; *) echo "install ok installed";; esac')
    machine.command("id", "echo 0")
    code, said, did = machine.setup()
    assert code == 0
    assert "setup: installing libegl1\n" in said
    assert did[:2] == ["apt-get update -q", "apt-get install -y -q --no-install-recommends libegl1"]


def test_without_root_the_line_to_type_is_said(machine: Machine) -> None:
    machine.command("dpkg-query", "exit 1")
    machine.command("id", "echo 1000")
    machine.command("sudo", "exit 1")
    code, said, did = machine.setup()
    assert code == 1
    assert did == []
    assert said == (
        "setup: the program needs libraries of the system: please run  "
        "sudo apt-get install --no-install-recommends libgl1 libegl1 libportaudio2\n"
    )


def test_sudo_without_a_password_is_used(machine: Machine) -> None:
    machine.command("dpkg-query", "exit 1")
    machine.command("id", "echo 1000")
    machine.command("sudo", 'echo "sudo $*" >> "$LOG"')
    assert any(
        line.startswith("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install") for line in machine.setup()[2]
    )


def test_an_old_python_is_refused(machine: Machine) -> None:
    machine.command("python3", 'case "$*" in *version_info*) exit 1;; -V) echo Python 3.9.2;; esac')
    code, said, did = machine.setup()
    assert (code, did) == (1, [])
    assert said == "setup: Python 3.9.2 is too old; 3.11 or newer is needed (make setup PYTHON=python3.12)\n"


def test_what_tests_need_is_asked_for_but_not_insisted_on(machine: Machine) -> None:
    machine.command("dpkg-query", 'case "$*" in *xvfb) exit 1;; *) echo "install ok installed";; esac')
    machine.command("id", "echo 1000")
    machine.command("sudo", "exit 1")
    code, said, _ = machine.setup("tests")
    assert code == 0
    assert "some tests need: please run  sudo apt-get install --no-install-recommends xvfb" in said

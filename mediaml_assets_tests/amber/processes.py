"""Real processes for tests of races and kills."""

import subprocess
import sys
from pathlib import Path

GO = "import sys; print('ready', flush=True); sys.stdin.readline()\n"
"""Printed and waited for by each script, so that all of them begin at once."""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process running a script; `sys.argv[1:]` are the arguments."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _started.append(process)
    return process


def together(count: int, before: str, script: str, *arguments: object) -> list[str]:
    """What `count` processes print: each runs `before`, waits for the others, then runs `script` (`number` is its own).

    Arguments follow in `sys.argv[2:]`.
    """
    whole = f"{before}\n{GO}number = int(sys.argv[1])\n{script}"
    running = [start(whole, number, *arguments) for number in range(count)]
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=180)[0] for process in running]
    assert [process.returncode for process in running] == [0] * count
    return printed


def kill_all() -> None:
    """End whatever is left of a test that failed half-way; a stopped process too."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            kill(process)


_started: list[subprocess.Popen[str]] = []


def until_it_says(process: subprocess.Popen[str], line: str) -> None:
    """Wait for the next line that a process prints, which must be this one."""
    assert process.stdout is not None and process.stdout.readline() == f"{line}\n"


def go_on(process: subprocess.Popen[str]) -> str:
    """Let a process that reads a line go on to its end; returns what else it printed."""
    printed = process.communicate("\n", timeout=60)[0]
    assert process.returncode == 0
    return printed


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and wait until the process is gone."""
    process.kill()
    process.communicate()


def files_below(folder: Path) -> list[str]:
    """Every file below a folder, relative to it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

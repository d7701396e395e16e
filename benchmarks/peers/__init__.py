"""The peers that benchmarks compare with: each in a virtual environment of its own, made when it is first asked for.

    benchmarks/peers/<peer>.txt        the pinned packages
    .venv-peers/<peer>/                the environment
    benchmarks/peers/<what>_<peer>.py  a workload, run there as a process that prints JSON

A peer that cannot be installed or started raises Unavailable with the reason; a benchmark publishes that reason and
null figures, and goes on. pip is configured by its own variables (PIP_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX).
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mediaml_assets.amber.claims import FileClaim

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / ".venv-peers"
INSTALL_SECONDS = 1800


class Unavailable(Exception):
    """A peer cannot be installed or run here; the message says why."""


def python(peer: str) -> Path:
    """The interpreter of a peer's environment, which is made (again) when its requirements are not what stands there.

    Raises:
        Unavailable: it cannot be installed.
    """
    wanted = HERE / f"{peer}.txt"
    folder = ENVIRONMENTS / peer
    stamp = folder / "installed"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    interpreter = folder / "bin" / "python"
    # a peer that is used in two ways is asked for twice at once
    with FileClaim(ENVIRONMENTS / f"{peer}.lock"):
        if not stamp.exists() or stamp.read_text() != digest:
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(folder)],
                [str(interpreter), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(wanted)],
            ):
                _finish(f"{peer} cannot be installed", command, INSTALL_SECONDS)
            stamp.write_text(digest)
    return interpreter


def answer(
    command: Sequence[str | Path],
    seconds: float,
    environment: Mapping[str, str] | None = None,
    where: Path | None = None,
) -> Any:
    """The JSON document on the last line that a command prints.

    Raises:
        Unavailable: it fails, prints something else, or takes longer than `seconds`.
    """
    printed = _finish(f"{Path(command[1]).name} failed", command, seconds, environment, where)
    try:
        return json.loads(printed.strip().rpartition("\n")[2])
    except ValueError as error:
        raise Unavailable(f"{Path(command[1]).name} printed no answer: {printed[-300:]!r}") from error


def _finish(
    failure: str,
    command: Sequence[str | Path],
    seconds: float,
    environment: Mapping[str, str] | None = None,
    where: Path | None = None,
) -> str:
    """What a command prints when it succeeds."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            cwd=where,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{failure}: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["no message"]
        raise Unavailable(f"{failure}: {said[-1][:300]}")
    return done.stdout

"""The main path as a person meets it, in a fresh home: render, `mediaml demo` twice, then a film dropped under the UI.

render_s              rendering the sample titles of the seed.
first_s               the first `mediaml demo` over them: from landing to contact sheet, the start of Python included.
second_s              the same command again.
second_feature_calls  values that were computed by the second one.
drop_to_cuts_s        `mediaml ui` runs over that home and is at rest; a 40 s title is copied into the landing folder:
                      from the start of the copy until the current match cuts take it into account.
*_cpu_s               CPU seconds of all processes in the same time.
ui_ready_s            from the start of `mediaml ui` until it is at rest: its sensors have ticked and nothing runs.
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import dagster as dg

from benchmarks.harness import Target
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store
from mediaml_assets.landing.arrivals import LANDED, QUARANTINE
from mediaml_assets.samples.render import render

TARGETS: dict[str, Target] = {
    "render_s": ("<=", 90),
    "first_s": ("<=", 90),
    "second_feature_calls": ("==", 0),
    "second_s": ("<=", 15),
    "drop_to_cuts_s": ("<=", 60),
}
DROPPED, DROPPED_SECONDS = "dropped", 40
SENSORS = ("landing", "automation", "reconcile")
ACTIVE = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
PATIENCE = 300
MEDIAML = Path(sys.executable).with_name("mediaml")


def run(seed: int) -> dict[str, float]:
    """Every figure; about five minutes on two cores."""
    with tempfile.TemporaryDirectory(prefix="mediaml-demo-") as folder:
        home = Path(folder)
        render_s, render_cpu = _measured(lambda: render(seed, home / "landing"))
        first_s, first_cpu = _measured(lambda: _demo(home, seed))
        before = _computed(home)
        second_s, second_cpu = _measured(lambda: _demo(home, seed))
        calls = _computed(home) - before
        return {
            "render_s": render_s,
            "first_s": first_s,
            "second_feature_calls": calls,
            "second_s": second_s,
            **_drop(home),
            "render_cpu_s": render_cpu,
            "first_cpu_s": first_cpu,
            "second_cpu_s": second_cpu,
        }


def _demo(home: Path, seed: int) -> None:
    subprocess.run([MEDIAML, "demo", "--seed", str(seed)], env=_environment(home), check=True, stdout=sys.stderr)


def _environment(home: Path) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if name != "MEDIAML_LANDING"}
    return {**mine, "MEDIAML_HOME": str(home)}


def _computed(home: Path) -> int:
    """Values computed by features since the home was made, as its ledger has them."""
    store = Store(home / "store")
    features = [name for name in store.objects.folders("ledger") if name not in (*LANDED, QUARANTINE)]
    return sum(row.event == "computed" for name in features for row in store.commits(name))


def _measured(work: Callable[[], object]) -> tuple[float, float]:
    """Wall seconds, and CPU seconds of this process and of those that it started and that ended."""
    wall, cpu = time.perf_counter(), _own_cpu()
    work()
    return time.perf_counter() - wall, _own_cpu() - cpu


def _own_cpu() -> float:
    kinds = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in kinds)


def _drop(home: Path) -> dict[str, float]:
    """A film dropped while the UI runs."""
    film = _cut(home / "landing" / "night_train.mp4", home / f"{DROPPED}.mp4")
    began, started = time.time(), time.perf_counter()
    with _ui(home) as session:
        _wait(lambda: _at_rest(home, began), "the UI to come to rest")
        ready = time.perf_counter() - started
        wall, cpu = time.perf_counter(), _session_cpu(session)
        shutil.copyfile(film, home / "landing" / film.name)
        _wait(lambda: _in_match_cuts(home), "new match cuts")
        return {
            "drop_to_cuts_s": time.perf_counter() - wall,
            "drop_cpu_s": _session_cpu(session) - cpu,
            "ui_ready_s": ready,
        }


def _cut(film: Path, target: Path) -> Path:
    """The first seconds of a film, its packets copied."""
    with av.open(str(film)) as given, av.open(str(target), "w") as out:
        streams = {one.index: out.add_stream_from_template(one) for one in given.streams if one.type != "data"}
        for packet in given.demux():
            if packet.dts is not None and packet.dts * packet.time_base < DROPPED_SECONDS:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return target


@contextmanager
def _ui(home: Path) -> Iterator[int]:
    """`mediaml ui` on a free port; the id of its session, all of which ends with the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [MEDIAML, "ui", "--port", str(port)],
        env=_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _at_rest(home: Path, began: float) -> bool:
    """Whether every sensor has ticked since a time, and no run is waiting or going on."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        data = {one.name: one.instigator_data for one in instance.all_instigator_state()}
        ticked = [(getattr(data.get(name), "last_tick_timestamp", None) or 0.0) > began for name in SENSORS]
        return all(ticked) and not instance.get_runs(dg.RunsFilter(statuses=ACTIVE), limit=1)


def _in_match_cuts(home: Path) -> bool:
    """Whether the current match cuts were made from the dropped film, among others."""
    head = Store(home / "store").ledger.head("match_cuts", CATALOGUE)
    return head is not None and DROPPED in head.inputs.get("unique_shots", {})


def _session_cpu(session: int) -> float:
    """CPU seconds of the living processes of a session, and of their children that ended; proc(5)."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _wait(condition: Callable[[], bool], wanted: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {PATIENCE} s for {wanted}")
        time.sleep(0.2)

"""Whatever reading a file does to its process, the caller gets an answer or a refusal, and nothing is left running."""

import importlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pickle import PicklingError
from typing import Any

import pytest

from mediaml_assets import features
from mediaml_assets.elsewhere import counting
from mediaml_assets.errors import InputMoved, MediaRefused, ReaderFailed
from mediaml_assets.jasper.delivered.essence import essence
from mediaml_assets.jasper.delivered.fork_server import PRELOADED
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.limits import Limits
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
from mediaml_assets_tests.end_to_end.films import film as noisy_film

from ..clips import Clip, render, steady
from ..reading.test_remote import Moving, Remote
from . import misdeeds

SHORT = Limits(stall_seconds=1.0, base_seconds=3.0, memory=256 << 20, written=1 << 20)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("isolated") / "film.mp4", Clip(steady(25, 50), bursts=[0.5]))


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def ends(pid: int, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


def test_the_result_is_that_of_the_function(film: Path, tmp_path: Path) -> None:
    assert isolated(probe, film) == probe(film)
    assert isolated(essence, film) == essence(film)
    for folder in ("there", "here"):
        (tmp_path / folder).mkdir()
    shares: list[float] = []
    there = isolated(standardize, film, ML_360P, tmp_path / "there", progress=shares.append)
    here = standardize(film, ML_360P, tmp_path / "here")
    assert there.measured == here.measured and there.rate == here.rate and there.active == here.active
    assert there.video == tmp_path / "there" / here.video.name and there.video.read_bytes() == here.video.read_bytes()
    assert shares and all(0 <= share <= 1 for share in shares)


def test_what_features_call_is_imported_beforehand() -> None:
    called = set()
    for module in Path(features.__path__[0]).glob("*.py"):
        names = set(re.findall(r"\bisolated\(([a-z_]+),", module.read_text()))
        names |= {"standardize", "standardize_sound"} if "make" in names else set()
        for name in names - {"make"}:
            function = getattr(importlib.import_module(f"mediaml_assets.features.{module.stem}"), name)
            called.add(f"{function.__module__}:{function.__name__}")
    assert called == set(PRELOADED)


def test_each_call_has_a_process_of_its_own_from_one_server(film: Path) -> None:
    (one, server), (other, same) = isolated(misdeeds.process, film), isolated(misdeeds.process, film)
    assert len({one, other, server, os.getpid()}) == 4 and same == server
    assert ends(one) and ends(other) and is_running(server)


def test_a_server_that_was_killed_between_two_calls_is_replaced(film: Path) -> None:
    _, server = isolated(misdeeds.process, film)
    os.kill(server, signal.SIGKILL)
    _, other = isolated(misdeeds.process, film)
    assert other != server and is_running(other)


def test_a_call_costs_little(film: Path) -> None:
    isolated(misdeeds.first_byte, film)
    start = time.monotonic()
    for _ in range(10):
        isolated(misdeeds.first_byte, film)
    # 15 ms each on a quiet machine; an import of jasper would be 300
    assert (time.monotonic() - start) / 10 < 0.25


def test_progress_comes_through(film: Path) -> None:
    shares: list[float] = []
    assert isolated(misdeeds.count, film, progress=shares.append) is True
    assert shares == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_refusal_is_the_same_refusal(film: Path) -> None:
    with pytest.raises(MediaRefused, match=r"^film.mp4 is odd; deliver it even$"):
        isolated(misdeeds.refuse, film)
    missing = film.with_name("none.mp4")
    with pytest.raises(MediaRefused, match="not a file"):
        isolated(probe, missing)


def test_a_fault_of_ours_is_not_the_films(film: Path) -> None:
    with pytest.raises(ReaderFailed, match="not the film's") as failed:
        isolated(misdeeds.fault_of_ours, film)
    assert "a key that we forgot" in str(failed.value) and "misdeeds.py" in str(failed.value)


@pytest.mark.parametrize(
    ("misdeed", "args", "said"),
    [
        (misdeeds.crash, (), "crashes its decoder .SIGSEGV."),
        (misdeeds.abort, (), "crashes its decoder .SIGABRT."),
        (misdeeds.leave, (), "ended its process .exit code 3."),
        (misdeeds.raise_signal, (signal.SIGKILL,), "the system killed the process"),
        (misdeeds.raise_signal, (signal.SIGXCPU,), "s of CPU"),
        (misdeeds.stand_still, (), "standstill for 1 s"),
        (misdeeds.spin, (), "standstill for 1 s"),
        (misdeeds.read_for_ever, (), "longer than 3 s"),
        (misdeeds.eat, (1 << 30,), "more than 256 MiB"),
    ],
)
def test_what_media_do_to_a_process_is_a_refusal(
    film: Path, misdeed: Callable[..., Any], args: tuple[Any, ...], said: str
) -> None:
    start = time.monotonic()
    with pytest.raises(MediaRefused, match=said) as refused:
        isolated(misdeed, film, *args, limits=SHORT)
    assert "film.mp4" in str(refused.value) and "deliver it" in str(refused.value)
    assert time.monotonic() - start < 8
    assert isolated(misdeeds.first_byte, film, limits=SHORT) == 0, "the next one is read"


def test_memory_within_the_bound_may_be_had(film: Path) -> None:
    assert isolated(misdeeds.eat, film, 100 << 20, limits=SHORT) == 1


def test_what_a_call_costs_is_counted_where_it_is_made(film: Path) -> None:
    with counting() as spent:
        isolated(misdeeds.toil, film, 0.3, 100 << 20)
        isolated(misdeeds.toil, film, 0.2, 20 << 20)
    assert 0.49 <= spent.cpu_seconds < 0.8
    assert 100 << 20 <= spent.memory_bytes < 140 << 20
    with counting() as other:
        isolated(misdeeds.first_byte, film)
    assert other.cpu_seconds < 0.1 and spent.cpu_seconds < 0.8


def test_a_file_that_unpacks_without_end_is_stopped(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(MediaRefused, match="unpacks into a file of more than 1 MiB"):
        isolated(misdeeds.write, film, out, 1 << 30, limits=SHORT)
    assert out.stat().st_size <= 1 << 20


def test_cpu_is_bounded_by_the_kernel_when_nobody_watches(film: Path, tmp_path: Path) -> None:
    note = tmp_path / "note"
    code = WAIT.replace("stand_still", "spin").replace("))\n", "), limits=Limits(base_seconds=1.5))\n")
    caller = subprocess.Popen([sys.executable, "-c", code, str(film), str(note)], stderr=subprocess.DEVNULL)
    child, _ = (int(pid) for pid in when_written(note).split())
    caller.send_signal(signal.SIGSTOP)
    assert ends(child, 30)
    caller.send_signal(signal.SIGKILL)
    caller.wait(20)


def test_an_end_from_outside_is_not_the_films_fault(film: Path) -> None:
    with pytest.raises(ReaderFailed, match=r"from outside \(SIGTERM\)"):
        isolated(misdeeds.raise_signal, film, signal.SIGTERM, limits=SHORT)


def test_a_killed_server_is_replaced(film: Path, tmp_path: Path) -> None:
    _, server = isolated(misdeeds.process, film)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(isolated, misdeeds.stand_still, film, tmp_path / "note")
        child = int(when_written(tmp_path / "note").split()[0])
        os.kill(server, signal.SIGKILL)
        with pytest.raises(ReaderFailed, match="ended with its server"):
            waiting.result(30)
    assert ends(child)
    _, other = isolated(misdeeds.process, film)
    assert other != server


def when_written(note: Path) -> str:
    until = time.monotonic() + 30
    while not note.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return note.read_text()


WAIT = """
import signal
import sys
from pathlib import Path
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.limits import Limits
from mediaml_assets_tests.jasper.delivered import misdeeds
signal.signal(signal.SIGINT, signal.default_int_handler)  # of what runs in the background it is ignored
isolated(misdeeds.stand_still, Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_the_server_ends_though_a_fork_of_the_caller_holds_its_socket(film: Path, tmp_path: Path) -> None:
    code = """
import os, sys, time
from pathlib import Path
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets_tests.jasper.delivered import misdeeds
film = Path(sys.argv[1])
print(isolated(misdeeds.process, film)[1], flush=True)
if os.fork() == 0:
    print(isolated(misdeeds.process, film)[1], flush=True)
    time.sleep(60)
if len(sys.argv) > 2:
    os.kill(os.getpid(), 9)
"""
    for more in ([], ["killed"]):
        caller = subprocess.Popen([sys.executable, "-c", code, str(film), *more], stdout=subprocess.PIPE, text=True)
        assert caller.stdout is not None
        server, other = int(caller.stdout.readline()), int(caller.stdout.readline())
        assert server != other
        caller.wait(20)
        assert ends(server) and is_running(other)
        fork = int(Path(f"/proc/{other}/status").read_text().split("PPid:")[1].split()[0])
        os.kill(fork, signal.SIGKILL)
        assert ends(other)
        caller.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_caller(film: Path, tmp_path: Path, number: signal.Signals) -> None:
    note = tmp_path / "note"
    caller = subprocess.Popen([sys.executable, "-c", WAIT, str(film), str(note)], stderr=subprocess.DEVNULL)
    child, server = (int(pid) for pid in when_written(note).split())
    assert is_running(child) and is_running(server)
    caller.send_signal(number)
    caller.wait(20)
    assert ends(child) and ends(server)


def test_several_at_once(film: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(isolated, one, film, limits=SHORT) for one in [probe, misdeeds.crash, essence] * 8]
        kinds = [type(job.exception() or job.result()).__name__ for job in jobs]
    assert kinds == ["Probe", "MediaRefused", "Essence"] * 8


def test_a_remote_file_is_fetched_by_the_caller(film: Path, tmp_path: Path) -> None:
    remote = Remote(film)
    assert isolated(essence, remote) == essence(film)
    assert sum(remote.fetched) >= film.stat().st_size * 0.9
    (tmp_path / "out").mkdir()
    assert isolated(standardize, remote, ML_360P, tmp_path / "out").frame_count == 50


@pytest.mark.parametrize("after", [0, 1])
def test_what_goes_wrong_on_the_way_comes_back_as_it_was(tmp_path: Path, after: int) -> None:
    moving = Moving(noisy_film(tmp_path / "film.mkv", 1, shots=8))
    moving.after = after
    with pytest.raises(InputMoved, match=r"^film.mkv changed while it was read$"):
        isolated(essence, moving)


def test_a_process_that_ends_while_its_bytes_are_fetched_is_noticed(film: Path) -> None:
    class Deadly(Remote):
        def _fetch(self, start: int, length: int) -> bytes:
            for pid in children_of_the_server():
                os.kill(pid, signal.SIGKILL)
                assert ends(pid)
            return super()._fetch(start, length)

    def children_of_the_server() -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]

    _, server = isolated(misdeeds.process, film)
    with pytest.raises(MediaRefused, match="the system killed the process"):
        isolated(essence, Deadly(film))


def test_what_cannot_be_sent_leaves_nothing_behind(film: Path) -> None:
    isolated(misdeeds.first_byte, film)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises((AttributeError, TypeError, PicklingError)):
        isolated(misdeeds.eat, film, lambda: 1)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_process_that_ends_before_its_call_leaves_nothing_behind(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolated(misdeeds.first_byte, film)
    before = len(os.listdir("/proc/self/fd"))
    with (
        monkeypatch.context() as patched,
        pytest.raises(ReaderFailed, match="no process could be started"),
    ):
        patched.setattr(os, "pidfd_open", _gone)
        isolated(misdeeds.first_byte, film)
    assert len(os.listdir("/proc/self/fd")) == before
    isolated(misdeeds.first_byte, film)


def _gone(_: int) -> int:
    raise ProcessLookupError


def test_a_slow_bucket_is_not_the_films_fault(film: Path) -> None:
    class Slow(Remote):
        def _fetch(self, start: int, length: int) -> bytes:
            time.sleep(1.5)
            return super()._fetch(start, length)

    assert isolated(essence, Slow(film), limits=SHORT) == essence(film)

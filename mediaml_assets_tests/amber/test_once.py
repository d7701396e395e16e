"""Promise 4: however many processes ask, a value is computed once; a claimant that dies or stalls costs no more."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from mediaml_assets.amber.demand import Demand
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import kill, start, together
from mediaml_assets_tests.amber.toy import calls, wide_mesh

ASK = """
import json, os, pathlib, random, sys, time
from mediaml_assets.amber.demand import Demand
from mediaml_assets.errors import BadInput
from mediaml_assets_tests.amber import toy
from mediaml_assets_tests.amber.installation import Installation

def installation(home):
    os.environ.update(MEDIAML_HOME=home, TOY_CALLS=home + "/calls")
    return Installation(pathlib.Path(home))
"""

EACH_IN_AN_ORDER_OF_ITS_OWN = """
called = toy.called
# long enough that the others come while one computes
toy.called = lambda *what: (called(*what), time.sleep(0.03))
here = installation(sys.argv[2])
demand = Demand(here.store, toy.wide_mesh())
titles = random.Random(number).sample(["one", "two", "three", "four"], 4)
found = {title: view.value.digest for title, view in demand.values("joined", titles).items()}
try:
    demand.value("joined", "bad")
except BadInput as refusal:
    found["bad"] = "bad.mp4 holds a '!'" in str(refusal)
found["worst"] = demand.value("worst").value.digest
print(json.dumps(found, sort_keys=True))
"""


def test_a_wide_mesh_asked_for_by_four_processes_is_computed_once(here: Installation) -> None:
    here.deliver(one="abba", two="xyz", three="zz", four="abcde", bad="a!")
    printed = together(4, ASK, EACH_IN_AN_ORDER_OF_ITS_OWN, here.home)
    assert len(set(printed)) == 1 and json.loads(printed[0])["bad"] is True
    # a refusal is an answer too: who waited for it looks at the file no second time
    assert max(Counter(calls()).values()) == 1
    assert len(calls()) == 1 + 4 * (1 + 5 + 1) + 1
    events = Counter(row.event for name in wide_mesh().features for row in here.store.commits(name))
    # who finds the memo before its writer's row stands is the first to make it current
    events.pop("reused", 0)
    assert events == {"refused": 1, "computed": len(calls()) - 1}


HOLDER = (
    ASK
    + """
called = toy.called

def computing(*what):
    called(*what)
    print("computing", flush=True)
    sys.stdin.readline()

toy.called = computing
here = installation(sys.argv[1])
print(Demand(here.store, here.mesh).value("letters", "one").value.digest)
"""
)

ASKER = (
    ASK
    + """
here = installation(sys.argv[1])
print(Demand(here.store, here.mesh).value("letters", sys.argv[2]).value.digest)
"""
)


def computing(home: Path) -> subprocess.Popen[str]:
    """A process in the middle of computing the letters of `one`, holding the claim."""
    holder = start(HOLDER, home)
    assert holder.stdout is not None and holder.stdout.readline() == "computing\n"
    return holder


def waiting(home: Path) -> subprocess.Popen[str]:
    """A process that asks for the same and has come to where it waits for the claim."""
    asker = start(ASKER, home, "one")
    while not _waits_for_a_lock(asker.pid):
        assert asker.poll() is None
        time.sleep(0.01)
    return asker


def _waits_for_a_lock(pid: int) -> bool:
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(line[1] == "->" and line[5] == str(pid) for line in lines)


def answered(*processes: subprocess.Popen[str]) -> set[str]:
    """What processes print at their end."""
    printed = {process.communicate("\n", timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * len(processes)
    return printed


def stands(here: Installation) -> str:
    """The one row of the chain, and that nothing is left to do."""
    (row,) = here.store.ledger.chain("letters", "one")
    assert row.event == "computed" and row.current is not None
    assert ("letters", "one") not in here.stale()
    assert not here.store.is_claimed("letters", row.key)
    return f"{row.current.digest}\n"


def test_of_those_who_wait_for_a_claimant_that_dies_one_computes(here: Installation) -> None:
    here.deliver(one="abba")
    holder = computing(here.home)
    askers = [waiting(here.home), waiting(here.home)]
    kill(holder)
    assert answered(*askers) == {stands(here)}
    assert calls() == ["letters/one"] * 2


def test_a_claimant_that_stalls_holds_up_its_own_value_only(here: Installation) -> None:
    # on one machine a stopped process lives: it may be woken, so nobody takes its work over
    here.deliver(one="abba", two="xyz")
    holder = computing(here.home)
    os.kill(holder.pid, signal.SIGSTOP)
    asker = waiting(here.home)
    demand = Demand(here.store, here.mesh)
    assert demand.value("letters", "two").value.rows == 3
    assert _waits_for_a_lock(asker.pid) and asker.poll() is None
    os.kill(holder.pid, signal.SIGCONT)
    assert answered(holder, asker) == {stands(here)}
    assert Counter(calls()) == {"letters/one": 1, "letters/two": 1}


def test_a_claimant_that_stalled_for_good_is_killed_and_followed(here: Installation) -> None:
    here.deliver(one="abba")
    holder = computing(here.home)
    os.kill(holder.pid, signal.SIGSTOP)
    asker = waiting(here.home)
    kill(holder)
    assert answered(asker) == {stands(here)}
    assert calls() == ["letters/one"] * 2

"""A bucket behind a bad network: nothing is lost, nothing is done twice, and what never answers is said in time."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.objects import blob_object, bucket_client
from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets.errors import Unreachable
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import together
from mediaml_assets_tests.amber.toy import calls, film_mesh
from mediaml_assets_tests.faulty_proxy import Fault, FaultyProxy, Plan, faulty_proxy

FAULTS: tuple[Fault, ...] = (
    "slow down",
    "failed before",
    "failed after",
    "reset before",
    "reset after",
    "cut short",
)
Through = Callable[[Plan], FaultyProxy]


def direct(bucket: str) -> BucketObjects:
    """The store of a bucket, whose client was made before any proxy stands in the way."""
    objects = BucketObjects(f"s3://{bucket}/store")
    assert objects.create("a/first", b"") and objects.names("b") == []
    return objects


@pytest.fixture
def through(s3_bucket: str, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Through]:
    """Puts a proxy with a plan between the server and every client that is made from then on."""
    with ExitStack() as stack:

        def put(plan: Plan) -> FaultyProxy:
            proxy = stack.enter_context(faulty_proxy(s3_server, plan))
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
            return proxy

        yield put


def sometimes(seed: int, share: float) -> Plan:
    """A fault for a share of all requests, of any kind."""
    chance = random.Random(seed)
    return lambda method, path: chance.choice(FAULTS) if chance.random() < share else None


def always(fault: Fault, method: str, name: str) -> Plan:
    return lambda asked, path: fault if asked == method and name in path else None


def once(fault: Fault, method: str, name: str) -> Plan:
    """A fault at the first request of a method for a name, and none later."""
    left = [fault]
    return lambda asked, path: left.pop() if asked == method and name in path and left else None


@pytest.mark.parametrize("fault", FAULTS)
def test_an_object_is_created_once_whatever_happened_to_the_answer(
    s3_bucket: str, through: Through, fault: Fault
) -> None:
    proxy = through(once(fault, "PUT", "/a/one"))
    objects = BucketObjects(f"s3://{s3_bucket}/store", retry_seconds=20)
    assert objects.create("a/one", b"mine")
    assert not objects.create("a/one", b"theirs") and not objects.create("a/one", b"mine")
    assert objects.read("a/one") == b"mine"
    assert proxy.faults[fault] == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_what_another_one_created_meanwhile_is_not_taken_for_ours(
    s3_bucket: str, through: Through, fault: Fault
) -> None:
    theirs = direct(s3_bucket)

    def plan(method: str, path: str) -> Fault | None:
        if method != "PUT" or "/a/one" not in path or done:
            return None
        done.append(theirs.create("a/one", b"theirs"))
        return fault

    done: list[bool] = []
    through(plan)
    assert not BucketObjects(f"s3://{s3_bucket}/store", retry_seconds=20).create("a/one", b"mine")
    assert done == [True] and theirs.read("a/one") == b"theirs"


@pytest.mark.parametrize("fault", FAULTS)
def test_reading_listing_and_removing_are_tried_again(s3_bucket: str, through: Through, fault: Fault) -> None:
    objects = direct(s3_bucket)
    data = random.Random(1).randbytes(600_000)
    assert objects.create("a/one", data)
    chance = random.Random(2)
    proxy = through(lambda method, path: fault if chance.random() < 0.4 else None)
    bad = BucketObjects(f"s3://{s3_bucket}/store", retry_seconds=60)
    for _ in range(3):
        assert bad.read("a/one") == bad.open("a/one").read() == data
        assert bad.read_range("a/one", 1000, 5000) == data[1000:6000]
        assert bad.names("a") == ["first", "one"] and [one.size for one in bad.walk("a")] == [0, 600_000]
    bad.move("a/one", "b/one")
    assert objects.names("a") == ["first"] and objects.read("b/one") == data
    bad.remove("b/one")
    assert proxy.faults[fault] > 2 and objects.names("b") == []


def test_a_listing_that_breaks_off_goes_on_where_it_was(s3_bucket: str, through: Through) -> None:
    objects = direct(s3_bucket)
    names = [f"many/{number:05}" for number in range(1_003)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda name: objects.create(name, b""), names))
    # as pages follow each other: after a name where objects are walked, by a token where names are asked for
    for word in ("start-after", "continuation-token"):
        proxy = through(once("cut short", "GET", word))
        bad = BucketObjects(objects.where, retry_seconds=60)
        assert [one.name for one in bad.walk("many")] == names
        assert [f"many/{name}" for name in bad.names("many")] == names
        assert proxy.faults == {"cut short": 1}


def test_a_large_file_whose_parts_fail_is_stored_whole(s3_bucket: str, through: Through, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(17 * 1024**2)
    (tmp_path / "film.mp4").write_bytes(data)
    seen: Counter[str] = Counter()

    def plan(method: str, path: str) -> Fault | None:
        if "partNumber" not in path:
            return None
        seen[path] += 1
        return FAULTS[len(seen) % len(FAULTS)] if seen[path] == 1 else None

    proxy = through(plan)
    objects = BucketObjects(f"s3://{s3_bucket}/store", retry_seconds=60)
    name = objects.add_file(tmp_path / "film.mp4")
    assert sum(proxy.faults.values()) == 3
    assert sha256(objects.read(blob_object(name))).hexdigest() == name.removesuffix(".mp4")


@pytest.mark.slow
def test_a_mesh_behind_a_bad_network_is_the_same_and_nothing_is_done_twice(
    s3_bucket: str, through: Through, home: Path
) -> None:
    plain = Store(direct(s3_bucket), home / "local")
    plain.objects.remove("a/first")
    proxy = through(sometimes(seed=5, share=0.12))
    here = Installation(home, Store(BucketObjects(plain.objects.where), home / "local"))
    here.mesh = film_mesh()
    here.deliver(one="abba", two="xyz")
    here.settle()
    assert all(proxy.faults[fault] > 0 for fault in FAULTS)
    assert sorted(calls()) == sorted(set(calls())) and len(calls()) == 7
    assert here.totals() == {"one": 4, "two": 3}
    rows = [row for feature in plain.objects.folders("ledger") for row in plain.commits(feature)]
    assert [row.seq for row in rows] == [0] * len(rows)
    report = verify(plain)
    assert report.findings == report.notes == []
    assert plain.objects.folders("claims") == []


@pytest.mark.slow
def test_writers_behind_a_bad_network_lose_and_double_nothing(s3_bucket: str, through: Through, tmp_path: Path) -> None:
    store = Store(direct(s3_bucket), tmp_path)
    through(sometimes(seed=6, share=0.15))
    before = """
import pathlib, sys
from mediaml_assets.amber.store import open_store
from mediaml_assets_tests.amber.ledger.test_chains import commit
"""
    script = """
ledger = open_store(sys.argv[2], pathlib.Path(sys.argv[3])).ledger
for n in range(6):
    while ledger.append(commit(who=f"{number}/{n}"), ledger.head("motion", "one")) is None:
        pass
"""
    together(3, before, script, store.objects.where, tmp_path)
    chain = store.ledger.chain("motion", "one")
    assert sorted(one.who for one in chain) == sorted(f"{number}/{n}" for number in range(3) for n in range(6))
    assert all(later.before == earlier.digest for earlier, later in pairwise(chain))


def doings(objects: BucketObjects) -> list[Callable[[], object]]:
    return [
        lambda: objects.create("a/two", b"two"),
        lambda: objects.read("a/one"),
        lambda: objects.names("a"),
        lambda: objects.remove("a/one"),
        lambda: Store(objects, Path("local")).ledger.append(Commit("a", "one", "computed", None, None, "", 1), None),
    ]


@pytest.mark.parametrize("fault", ["silence", "slow down", "reset before"])
def test_what_never_answers_is_said_in_time(
    s3_bucket: str, through: Through, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = direct(s3_bucket)
    assert objects.create("a/one", b"one")
    monkeypatch.setattr(bucket_client, "ANSWER_SECONDS", 0.5)
    through(lambda method, path: fault)
    for number in range(5):
        bad = BucketObjects(objects.where, retry_seconds=0.5)
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"could not \w+ s3://.*try again: what was stored is kept"):
            doings(bad)[number]()
        assert time.monotonic() - began < 8
    assert objects.read("a/one") == b"one" and objects.names("a") == ["first", "one"]

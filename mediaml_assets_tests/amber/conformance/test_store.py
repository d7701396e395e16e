"""The store as a whole on a bucket: what its suites say of a folder, and damage, races and copies there.

The tests that are imported are those of the folder's suites that look at nothing but the store.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Ledger
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.objects import Objects
from mediaml_assets.amber.replicas import Replica
from mediaml_assets.amber.replicas.parity import parity
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.scan import scan
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets.errors import StoreError
from mediaml_assets_tests.amber.conformance.test_objects import (
    test_an_object_moves_under_another_name,
    test_removed_is_gone_and_may_be_created_again,
)
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.ledger.test_chains import (  # noqa: F401
    broken_at,
    test_a_commit_is_read_as_it_was_written,
    test_as_of_a_commit_is_that_commit_and_the_others_at_its_time,
    test_as_of_a_time_gives_the_newest_no_later,
    test_each_commit_carries_the_digest_of_the_one_before,
    test_scopes_are_chains_of_their_own,
    test_who_appends_to_an_old_head_is_told_so,
    writers_lose_nothing,
)
from mediaml_assets_tests.amber.ledger.test_compact import (  # noqa: F401
    test_as_of_reaches_into_the_fold,
)
from mediaml_assets_tests.amber.processes import start, until_it_says
from mediaml_assets_tests.amber.replicas.sinks import FEATURE, SCHEMA, put, rows, state, withdraw
from mediaml_assets_tests.amber.test_evaluation import (  # noqa: F401
    test_a_consumer_depends_on_the_columns_it_reads_only,
    test_a_hit_that_changes_the_current_value_is_one_row,
    test_a_refused_file_is_written_down_with_its_reason,
    test_a_value_that_fails_a_blocking_check_is_kept_but_not_current,
    test_a_withdrawn_title_has_no_value_and_is_written_once,
    test_an_ad_hoc_configuration_is_an_answer_of_its_own,
    test_any_other_error_leaves_no_trace,
    test_code_that_changed_under_a_version_is_a_failed_check,
    test_processes_that_ask_for_the_same_compute_it_once,
)
from mediaml_assets_tests.amber.test_store import (  # noqa: F401
    test_a_memo_is_recalled_and_the_first_one_stays,
    test_a_view_reads_the_current_value,
    test_a_withdrawn_title_has_a_view_without_a_value,
    test_an_empty_value_is_a_value,
    test_nothing_is_current_before_the_first_commit,
    test_rows_are_read_as_they_were_written,
    test_time_travel,
)
from mediaml_assets_tests.amber.toy import calls, film_mesh
from mediaml_assets_tests.amber.upkeep.test_repair import answers, mend


@pytest.fixture(params=["bucket", pytest.param("radosgw", marks=pytest.mark.radosgw)])
def where(request: pytest.FixtureRequest) -> str:
    """A prefix of a bucket; a folder has these tests in its own suites."""
    return f"s3://{request.getfixturevalue('s3_bucket' if request.param == 'bucket' else 'radosgw_bucket')}/a store"


@pytest.fixture
def described(here: Installation) -> Installation:
    """Two titles, with files."""
    here.mesh = film_mesh()
    here.deliver(one="abba", two="xyz")
    here.settle()
    return here


KINDS = ("blobs", "code", "environments", "ledger/counts", "memo/letters", "values/total")
"""Of different features: what is wrong with one is not told by another."""


def one_of_each(objects: Objects) -> list[str]:
    """An object of each kind, sorted."""
    return [min(one.name for one in objects.walk(kind) if one.size) for kind in KINDS]


def replace(objects: Objects, name: str, data: bytes) -> None:
    objects.remove(name)
    assert objects.create(name, data)


def flip(objects: Objects, name: str) -> None:
    """Flip one bit in the middle."""
    data = bytearray(objects.read(name))
    data[len(data) // 2] ^= 4
    replace(objects, name, bytes(data))


def test_a_versioned_bucket_is_like_any_other_or_refused(
    where: str, store: Store, request: pytest.FixtureRequest
) -> None:
    import boto3

    versions = {"Bucket": where.split("/")[2], "VersioningConfiguration": {"Status": "Enabled"}}
    boto3.client("s3").put_bucket_versioning(**versions)
    if "radosgw" in request.node.name:
        # Ceph 16 makes a new version of what exists, whatever the condition
        with pytest.raises(StoreError, match="overwrites an object that exists although it is asked not to"):
            store.objects.create("a/1", b"one")
        return
    test_removed_is_gone_and_may_be_created_again(store.objects)
    test_an_object_moves_under_another_name(store.objects)
    for _ in range(2):
        with store.claim("motion", "key"):
            assert store.is_claimed("motion", "key")
        assert not store.is_claimed("motion", "key")


def test_writers_at_once_lose_nothing(where: str, tmp_path: Path) -> None:
    writers_lose_nothing(where, tmp_path, rows=6)


def test_compaction_beside_a_writer_loses_nothing(where: str, store: Store) -> None:
    script = """
import pathlib, sys
from mediaml_assets.amber.store import open_store
from mediaml_assets_tests.amber.ledger.test_chains import commit
ledger = open_store(sys.argv[1], pathlib.Path(sys.argv[2])).ledger
print("writing", flush=True)
for n in range(25):
    while ledger.append(commit(who=str(n)), ledger.head("motion", "one")) is None:
        pass
"""
    writer = start(script, where, store.local)
    until_it_says(writer, "writing")
    folded = 0
    while writer.poll() is None:
        folded = max(folded, compact(store.objects, "motion").folded)
        chain = store.ledger.chain("motion", "one")
        assert [one.who for one in chain] == [str(n) for n in range(len(chain))]
    writer.communicate()
    assert writer.returncode == 0 and folded > 0
    compact(store.objects, "motion")
    chain = Ledger(store.objects).chain("motion", "one")
    assert [one.who for one in chain] == [str(n) for n in range(25)] and broken_at(chain) == []
    assert Ledger(store.objects).head("motion", "one") == chain[-1]


def test_every_kind_of_object_that_was_changed_is_found_and_put_right(described: Installation) -> None:
    objects, wanted, before = described.store.objects, answers(described.store), calls()
    names = one_of_each(objects)
    for name in names:
        flip(objects, name)
    assert sorted(one.name for one in verify(described.store).findings) == names
    done = mend(described)
    assert sorted(one.name for one in done.found) == names
    assert (done.remaining, done.failed) == ([], {})
    # of code that is not called again nobody has another copy
    assert set(done.lost) <= {name for name in names if name.startswith("code/")}
    assert verify(described.store).findings == [] and answers(described.store) == wanted
    assert len(calls()) > len(before) and described.stale() == []


def test_every_kind_of_object_that_was_removed_is_found(described: Installation) -> None:
    names = one_of_each(described.store.objects)
    kept = {name: described.store.objects.read(name) for name in names}
    for name in names:
        described.store.objects.remove(name)
    assert sorted(one.name for one in verify(described.store).findings) == names
    for name, data in kept.items():
        assert described.store.objects.create(name, data)
    report = verify(described.store)
    assert report.findings == report.notes == []


def test_many_values_at_once_and_as_of_a_moment(here: Installation) -> None:
    texts = {"a": "xy", "b": "xxyy", "c": "z"}
    here.deliver(**texts)
    for title in texts:
        here.compute("letters", title)
    then = datetime.now(UTC)
    here.deliver(a="w")
    here.compute("letters", "a")

    def found(moment: datetime | None) -> Mapping[str, str]:
        values = scan(here.store, "letters", ["c", "a", "b"], columns=["letter"], as_of=moment)
        return {title: "".join(table.column("letter").to_pylist()) for title, table in values}

    assert list(found(None)) == ["c", "a", "b"]
    assert found(then) == texts and found(None) == {**texts, "a": "w"}


def test_a_replica_is_filled_from_a_bucket(store: Store, tmp_path: Path) -> None:
    sink = Replica(FEATURE, "shards", SCHEMA, tmp_path / "replicas").open()
    for title in "ab":
        put(store, title, rows(title, 4))
    assert sorted(replicate(store, FEATURE, sink).put) == ["a", "b"]
    withdraw(store, "a")
    put(store, "c", rows("c", 2))
    # two at once: the claim lets one do the work
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: replicate(store, FEATURE, sink), range(2)))
    assert sorted((one.put, one.drop) for one in done) == [([], []), (["c"], ["a"])]
    found = parity(store, FEATURE, sink, sample=None)
    assert (found.behind, found.miscounted, found.damaged) == ((), {}, {})
    for title, table in state(store).items():
        assert column_digests(sink.rows(title)) == column_digests(table)


def test_what_bookkeeping_costs(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.compute("letters", "one")
    operations = here.store.objects.operations

    def cost(title: str) -> dict[str, int]:
        operations.clear()
        here.compute("letters", title)
        return dict(operations)

    # heads of input and chain (two lists and a read each), the memo twice, and twice whether its value is there
    assert cost("one") == {"list": 4, "read": 6}
    # a chain that is empty yet has one list; value, memo, row and witness are created, a claim has one of each
    assert cost("two") == {"create": 5, "list": 5, "read": 6, "remove": 1}

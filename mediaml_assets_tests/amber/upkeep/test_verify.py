"""Any flipped bit, removed object or forged row in a store is found and named, and nothing else is."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mediaml_assets.amber.keys import digest_of, to_json
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.repair import repair
from mediaml_assets.amber.upkeep.verify import Report, verify
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import files_below
from mediaml_assets_tests.amber.toy import film_mesh


def make_a_life(here: Installation) -> None:
    """Deliveries, a new version, a refusal, a value held back, a withdrawal, files: some of everything."""
    here.mesh = film_mesh()
    here.deliver(one="abba", two="xyz", held="aq")
    here.settle()
    here.mesh = film_mesh(version="2", factor=10)
    here.deliver(one="abbac")
    here.settle()
    (here.landing / "two.mp4").unlink()
    here.land()
    here.settle()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with a history; copied before it is touched."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIAML_HOME", str(home))
        patch.setenv("TOY_CALLS", str(home / "calls"))
        make_a_life(Installation(home))
    yield home / "store"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    shutil.copytree(made, tmp_path / "store")
    return Store(tmp_path / "store")


def root(store: Store) -> Path:
    return Path(store.objects.where)


def damaged(store: Store) -> list[str]:
    return [finding.name for finding in verify(store).findings]


def named(report: Report) -> list[str]:
    return [one.name for one in (*report.findings, *report.notes)]


def objects(store: Store, folder: str = "") -> list[str]:
    """Objects of a store, those of one folder without witnesses."""
    names = [name for name in files_below(root(store)) if not name.startswith("claims/")]
    return [name for name in names if name.startswith(folder) and not is_witness(name)] if folder else names


def is_witness(name: str) -> bool:
    return name.startswith("ledger/") and not name.endswith(".json")


def test_a_whole_store_has_no_findings(store: Store) -> None:
    report = verify(store)
    assert report.findings == [] and report.notes == []
    everything = objects(store)
    assert report.objects == len([name for name in everything if not is_witness(name)])
    assert {name.split("/")[0] for name in everything} == {
        "ledger",
        "memo",
        "values",
        "blobs",
        "environments",
        "code",
    }


def test_every_flipped_bit_is_found_in_exactly_the_object_that_has_it(store: Store) -> None:
    draw = random.Random(5)
    for name in objects(store):
        file = root(store) / name
        whole = file.read_bytes()
        if not whole:
            assert is_witness(name)
            continue
        # a bit at both ends and some in between
        for place in {0, len(whole) * 8 - 1, *(draw.randrange(len(whole) * 8) for _ in range(2))}:
            flipped = bytearray(whole)
            flipped[place // 8] ^= 1 << place % 8
            file.write_bytes(flipped)
            assert damaged(store) == [name], f"bit {place} of {name}"
        file.write_bytes(whole)
    assert damaged(store) == []


def test_every_removed_object_is_found_and_no_other(store: Store) -> None:
    for name in objects(store):
        file = root(store) / name
        whole = file.read_bytes()
        file.unlink()
        report = verify(store)
        if is_witness(name):
            # a writer that is killed leaves the same behind
            assert [note.name for note in report.notes] == [name] and report.findings == []
        else:
            assert [finding.name for finding in report.findings] == [name]
        file.write_bytes(whole)
    assert damaged(store) == []


@pytest.mark.slow
def test_every_object_of_no_bytes_or_cut_short_is_found(store: Store) -> None:
    for name in objects(store):
        file = root(store) / name
        whole = file.read_bytes()
        for part in (b"", whole[:-1], whole + b" "):
            if part != whole:
                file.write_bytes(part)
                assert (name in named(verify(store))) == (not is_witness(name))
        file.write_bytes(whole)


def rewritten(store: Store, name: str, change: Callable[[dict[str, object]], None]) -> None:
    """Another document of the same form, as somebody would write it who knows the format."""
    file = root(store) / name
    document = json.loads(file.read_bytes())
    change(document)
    if "digest" in document:
        document["digest"] = digest_of({**document, "digest": None})
    file.write_bytes(to_json(document))


def test_every_forged_row_is_found(store: Store) -> None:
    for name in objects(store, "ledger/"):
        whole = (root(store) / name).read_bytes()
        rewritten(store, name, lambda row: row.update(made_at="2001-01-01T00:00:00.000000+00:00"))
        assert damaged(store) == [name]
        (root(store) / name).write_bytes(whole)


def test_a_forged_row_with_a_forged_witness_is_found_by_the_row_after_it(store: Store) -> None:
    first, second = store.ledger.chain("letters", "one")[:2]
    row = "ledger/letters/one/000000/00000000.json"
    rewritten(store, row, lambda row: row.update(who="nobody"))
    forged = store.ledger.chain("letters", "one")[0]
    witness = root(store) / row.replace(".json", f".{first.digest[:16]}")
    witness.rename(witness.with_suffix(f".{forged.digest[:16]}"))
    assert damaged(store) == [row]
    assert verify(store).findings[0].digest == second.before


def test_a_row_replaced_by_another_writer_leaves_its_witness(store: Store) -> None:
    chain = store.ledger.chain("letters", "one")
    newest = root(store) / f"ledger/letters/one/000000/{chain[-1].seq:08d}.json"
    newest.unlink()
    store.ledger.append(chain[-2], store.ledger.head("letters", "one"))
    (finding,) = verify(store).findings
    assert finding.name == f"{newest.relative_to(root(store)).with_suffix('')}.{chain[-1].digest[:16]}"
    assert "removed or replaced" in finding.what


def test_every_forged_memo_is_found(store: Store) -> None:
    for name in objects(store, "memo/"):
        whole = (root(store) / name).read_bytes()
        for other in ({"rows": 7}, {"digest": "0" * 64}):
            rewritten(store, name, lambda memo, other=other: memo["value"].update(other))  # type: ignore[misc]
            assert name in damaged(store)
            (root(store) / name).write_bytes(whole)
        rewritten(store, name, lambda memo: memo["material"].update(version="9"))  # type: ignore[attr-defined]
        assert name in damaged(store)
        (root(store) / name).write_bytes(whole)


def test_every_forged_value_is_found(store: Store) -> None:
    for name in objects(store, "values/"):
        file = root(store) / name
        whole = file.read_bytes()
        rows = pq.read_table(file)
        # the same rows in another file, and other rows in the form of a whole one
        for forged in (rows, pa.concat_tables([rows, rows.slice(0, 1)])):
            pq.write_table(forged, file, compression="gzip")
            assert damaged(store) == [name]
        file.write_bytes(whole)


def test_a_finding_names_feature_and_titles_and_what_happened(store: Store) -> None:
    value = store.view("letters", "one").value
    store.objects.remove(f"values/letters/{value.digest[:2]}/{value.digest}.parquet")
    (finding,) = verify(store).findings
    assert (finding.feature, finding.titles) == ("letters", ("one",))
    assert str(finding).endswith("(letters of one): this value was removed")


def test_a_blob_is_named_with_the_title_whose_value_names_it(store: Store) -> None:
    store.view("clip", "one").blob("video").unlink()
    (finding,) = verify(store).findings
    assert (finding.feature, finding.titles, finding.what) == ("clip", ("one",), "this file was removed")


def test_what_two_titles_share_names_both(here: Installation) -> None:
    here.mesh = film_mesh()
    here.deliver(one="abba", uno="abba")
    here.settle()
    here.store.view("clip", "one").blob("video").unlink()
    assert verify(here.store).findings[0].titles == ("one", "uno")


def test_what_a_killed_writer_leaves_is_told_as_a_note(here: Installation) -> None:
    here.mesh = film_mesh()
    here.deliver(one="abba")
    here.settle()
    for folder in ("ledger/clip", "memo/clip", "ledger/counts"):
        shutil.rmtree(root(here.store) / folder)
    report = verify(here.store)
    assert report.findings == []
    # a memo that no row was written for holds its value; a value without a memo holds nothing
    assert sorted(note.name.split("/")[0] for note in report.notes) == ["blobs", "values"]


def test_one_feature_only(store: Store) -> None:
    value = store.view("letters", "one").value
    store.objects.remove(f"values/letters/{value.digest[:2]}/{value.digest}.parquet")
    store.view("clip", "one").blob("video").unlink()
    assert [one.feature for one in verify(store, ["letters"]).findings] == ["letters"]
    assert [one.name.split("/")[0] for one in verify(store, ["clip"]).findings] == ["blobs"]
    assert verify(store, ["counts"]).findings == []


def test_a_sample_reads_so_many_values_and_every_chain(store: Store) -> None:
    values = objects(store, "values/")
    broken = root(store) / values[0]
    broken.write_bytes(b"")
    found = {seed: [one.name for one in verify(store, sample=2, seed=seed).findings] for seed in range(40)}
    assert {tuple(names) for names in found.values()} == {(), (values[0],)}
    assert [one.name for one in verify(store, sample=len(values)).findings] == [values[0]]
    row = "ledger/letters/one/000000/00000000.json"
    (root(store) / row).unlink()
    assert row in [one.name for one in verify(store, sample=1).findings]


def test_a_sample_can_be_drawn_again(store: Store) -> None:
    seen: list[list[str]] = []
    for _ in range(2):
        read: list[str] = []
        seen.append(read)
        verify(store, sample=2, seed=11, watch=lambda part, done, total, read=read: read.append(part))  # type: ignore[misc]
    assert seen[0] == seen[1] and seen[0]


def test_what_is_not_the_stores_is_a_note(store: Store) -> None:
    (root(store) / "notes.txt").write_text("mine")
    report = verify(store)
    assert [note.name for note in report.notes] == ["notes.txt"] and report.findings == []


def test_an_empty_store_is_whole(tmp_path: Path) -> None:
    report = verify(Store(tmp_path / "store"))
    assert (report.findings, report.notes, report.objects) == ([], [], 0)


def test_the_catalogue_counts(store: Store) -> None:
    value = store.view("total", CATALOGUE).value
    store.objects.remove(f"values/total/{value.digest[:2]}/{value.digest}.parquet")
    assert verify(store).findings[0].titles == (CATALOGUE,)


def test_a_fold_that_was_changed_is_found_and_repair_leaves_it_to_a_person(store: Store) -> None:
    compact(store.objects, "letters")
    assert verify(store).findings == verify(store).notes == []
    name = "folds/letters/00000000.parquet"
    whole = store.objects.read(name)
    draw = random.Random(5)
    for place in {0, len(whole) * 8 - 1, *(draw.randrange(len(whole) * 8) for _ in range(10))}:
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        (root(store) / name).write_bytes(flipped)
        assert damaged(store) == [name]
        assert [one.name for one in verify(store, sample=1).findings] == [name]
    done = repair(store, film_mesh(), dict)
    assert done.moved == [] and [one.name for one in done.remaining] == [name]
    (root(store) / name).write_bytes(whole)
    assert damaged(store) == []

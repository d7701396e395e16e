"""The life of a title through real ticks: delivered, renamed, moved to another show, copied, withdrawn, restored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import dagster as dg
import pyarrow as pa
import pytest

from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets_tests.amber.orchestration.test_automation import deliver, since, totals
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import called, calls, counts_version, letters, total

BILLING = pa.schema([("show", pa.string())])


@dataclass(frozen=True)
class Facts:
    """The catalogue facts of a title, whatever its file."""

    show: str | None
    title: str
    columns: ClassVar[tuple[str, ...]] = ("show",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(view.row(cls.columns)["show"], view.title)


@amber_feature(version="1", schema=BILLING)
def billing(source: Facts) -> pa.Table:
    """Which show a title belongs to."""
    called("billing", source.title)
    return pa.table({"show": [source.show]}, schema=BILLING)


@amber_feature(version="1", schema=BILLING, scope=Scope.CATALOGUE)
def shows(billing: Mapping[str, Facts]) -> pa.Table:
    """Every show."""
    called("shows", ",".join(billing))
    return pa.table({"show": sorted({str(one.show) for one in billing.values()})}, schema=BILLING)


@pytest.fixture
def life(platform: Platform) -> Platform:
    """Two titles, described."""
    platform.load(Mesh([letters, counts_version("1", ""), total, billing, shows], sources=[SOURCE]))
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    return platform


def sidecar(platform: Platform, path: str, **facts: object) -> None:
    (platform.landing / f"{path}.title.json").write_text(json.dumps(facts))


def data_versions(platform: Platform, title: str) -> dict[str, str]:
    """Asset -> data version of the title's last materialisation, as Dagster has it."""
    found = {}
    for name in ("source", "letters", "counts", "billing"):
        records = platform.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(name), asset_partitions=[title]), limit=1
        ).records
        materialization = records[0].asset_materialization
        assert materialization is not None and materialization.tags is not None
        found[name] = materialization.tags["dagster/data_version"]
    return found


def test_renamed_but_the_same_title_by_its_sidecar_runs_only_its_essence(life: Platform) -> None:
    before = calls()
    (life.landing / "one.mp4").rename(life.landing / "uno (final).mp4")
    sidecar(life, "uno (final).mp4", title="one")
    life.settle()
    assert since(before) == ["letters/one"]
    assert life.store.view("source", "one").row()["path"] == "uno (final).mp4"
    assert totals(life) == {"one": 4, "two": 3}


def test_renamed_to_another_title_is_a_withdrawal_and_a_copy(life: Platform) -> None:
    before = calls()
    (life.landing / "one.mp4").rename(life.landing / "uno.mp4")
    life.settle()
    assert [call for call in since(before) if "," not in call] == ["letters/uno"]
    assert life.store.view("counts", "one").withdrawn
    assert life.store.view("counts", "uno").value.digest == life.store.ledger.chain("counts", "one")[0].value.digest  # type: ignore[union-attr]
    assert totals(life) == {"two": 3, "uno": 4}


def test_moved_to_another_show_runs_only_what_reads_the_show(life: Platform) -> None:
    before = calls()
    sidecar(life, "one.mp4", title="one", show="harbour", season=1, episode=2)
    life.settle()
    assert since(before) == ["billing/one", "shows/one,two"]
    assert life.store.view("shows", "_catalogue").table().column("show").to_pylist() == ["None", "harbour"]
    before = calls()
    sidecar(life, "one.mp4", title="one", show="harbour", season=2, episode=1)
    life.settle()
    # `billing` reads the show alone
    assert since(before) == []


def test_a_copy_under_another_title_computes_nothing_below_its_essence(life: Platform) -> None:
    before = calls()
    deliver(life, "again.mp4", "abba")
    life.settle()
    assert [call for call in since(before) if "," not in call] == ["letters/again"]
    assert totals(life) == {"again": 4, "one": 4, "two": 3}


def test_withdrawn_says_so_everywhere_and_keeps_its_values_and_its_partition(life: Platform) -> None:
    standing = life.store.ledger.head("counts", "one")
    rows = life.store.view("counts", "one").table()
    (life.landing / "one.mp4").unlink()
    life.settle()
    assert data_versions(life, "one") == dict.fromkeys(("source", "letters", "counts", "billing"), "withdrawn")
    assert "withdrawn" not in data_versions(life, "two").values()
    assert all(life.store.view(name, "one").withdrawn for name in ("source", "letters", "counts", "billing"))
    assert totals(life) == {"two": 3}
    assert life.titles() == ["one", "two"]
    assert standing is not None
    assert life.store.view("counts", "one", as_of=standing).table().equals(rows)


def test_restored_computes_nothing(life: Platform) -> None:
    digests = {name: life.store.view(name, "one").value.digest for name in ("source", "letters", "counts")}
    before = calls()
    (life.landing / "one.mp4").rename(life.home / "one.mp4")
    life.settle()
    assert since(before) == ["shows/two", "total/two"]
    before = calls()
    (life.home / "one.mp4").rename(life.landing / "one.mp4")
    life.settle()
    assert since(before) == []
    assert {name: life.store.view(name, "one").value.digest for name in digests} == digests
    assert totals(life) == {"one": 4, "two": 3}
    assert "withdrawn" not in data_versions(life, "one").values()


def test_restored_with_new_content_runs_its_chain(life: Platform) -> None:
    (life.landing / "one.mp4").unlink()
    life.settle()
    before = calls()
    deliver(life, "one.mp4", "abbac")
    life.settle()
    assert sorted(call for call in since(before) if "," not in call) == ["counts/one", "letters/one"]
    assert totals(life) == {"one": 5, "two": 3}


@pytest.mark.parametrize("computed", [[], ["letters"]])
def test_withdrawn_in_the_middle_of_its_first_computation(platform: Platform, computed: list[str]) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.land()
    platform.requested()
    if computed:
        platform.materialize(computed, "one")
    (platform.landing / "one.mp4").unlink()
    platform.settle()
    assert totals(platform) == {}
    assert platform.store.view("letters", "one").withdrawn
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert totals(platform) == {"one": 4}

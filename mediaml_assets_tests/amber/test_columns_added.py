"""A feature's next version adds a column that others read, while a check holds that version back for one title."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pytest

from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.explain import explain
from mediaml_assets.amber.feature import Check, Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.errors import FeatureError
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import SHARES, TOTAL, Counts, Letters, letters

EXTRA = pa.schema([("letter", pa.string()), ("n", pa.int64()), ("extra", pa.int64())])


@dataclass(frozen=True)
class Extra(Counts):
    columns: ClassVar[tuple[str, ...]] = ("n", "extra")


def no_z(rows: pa.Table) -> str | None:
    return "z is not allowed" if "z" in rows.column("letter").to_pylist() else None


def extra_mesh() -> Mesh:
    """letters -> counts (with `extra`) -> below, of each title, and total, of all."""

    def counts(letters: Letters) -> pa.Table:
        return pa.table(
            {"letter": list(letters.text), "n": [1 for _ in letters.text], "extra": [2] * len(letters.text)}
        )

    def below(counts: Extra) -> pa.Table:
        return pa.table({"n": [counts.n]}, schema=SHARES)

    def total(counts: Mapping[str, Extra]) -> pa.Table:
        return pa.table({"title": list(counts), "n": [one.n for one in counts.values()]}, schema=TOTAL)

    return Mesh(
        [
            letters,
            amber_feature(version="2", schema=EXTRA, checks=[Check("no_z", no_z, "No z.")])(counts),
            amber_feature(version="1", schema=SHARES)(below),
            amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)(total),
        ],
        sources=[SOURCE],
    )


def test_a_title_without_the_column_is_named_and_the_others_go_on(
    here: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    here.deliver(one="z", two="abba", three="x")
    here.settle()
    here.mesh = extra_mesh()
    with caplog.at_level(logging.WARNING, "mediaml"):
        here.settle()
    assert here.totals() == {"three": 1, "two": 4}
    assert here.store.view("below", "two").row() == {"n": 4}
    assert any("below of one is left alone: Extra reads extra" in one.getMessage() for one in caplog.records)
    demand = Demand(here.store, here.mesh)
    assert demand.missing(["letters", "counts", "below"], "one") == []
    assert demand.value("total").table().num_rows == 2
    left_out = explain(here.store, here.mesh, "total", None).now.left_out
    assert list(left_out) == ["one"] and "lack a column that is read" in left_out["one"]
    below = explain(here.store, here.mesh, "below", "one").now
    assert below.outcome == "waits" and below.why.startswith("Extra reads extra, which counts of one does not have")
    with pytest.raises(FeatureError, match="Extra reads extra, which counts of one does not have"):
        here.compute("below", "one")


def test_a_column_that_no_title_has_is_an_error_of_the_catalogue(here: Installation) -> None:
    here.deliver(one="z", two="zz")
    here.settle()
    here.mesh = extra_mesh()
    here.settle()
    with pytest.raises(FeatureError, match="Extra reads extra, which counts of one does not have"):
        here.compute("total", "one", "two")

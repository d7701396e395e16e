"""A title is known by what decides its scores, and ends that are no ends are refused by the title's name."""

from pathlib import Path

import numpy as np
import pytest

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets.matching.blocks.title import title
from mediaml_assets_tests.matching.blocks.catalogues import PLAIN, STEPPED, one_title, rows


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(FolderObjects(tmp_path), "match_cuts")


def test_equal_columns_are_one_title_and_others_are_not(cache: Cache) -> None:
    a, b, other = rows(1, 5, 64), rows(1, 5, 64), rows(2, 5, 64)
    assert one_title(cache, PLAIN, "a", a).folder == one_title(cache, PLAIN, "b", b).folder
    assert one_title(cache, PLAIN, "a", a).folder != one_title(cache, PLAIN, "a", other).folder
    # a flavour that reads fewer columns does not see what changed in the others
    changed = a.set_column(2, "factor", [np.ones(5)])
    assert one_title(cache, PLAIN, "a", a).folder != one_title(cache, PLAIN, "a", changed).folder
    assert one_title(cache, STEPPED, "a", a).folder == one_title(cache, STEPPED, "a", changed).folder


def test_ends_with_nan_are_refused(cache: Cache) -> None:
    broken = rows(1, 5, 64)
    values = np.full(20, np.nan, np.float32)
    broken = broken.set_column(0, "out", type(broken.column("in").chunk(0)).from_arrays(values, 4))
    with pytest.raises(FeatureError, match="gave tails of dunes that are no finite float32 vectors"):
        best(cache, PLAIN, [one_title(cache, PLAIN, "dunes", broken)], 1)


def test_a_title_with_another_number_of_rows_is_refused(cache: Cache) -> None:
    table = rows(1, 5, 64)
    columns = dict.fromkeys(PLAIN.columns, "00")
    with pytest.raises(FeatureError, match="toy of dunes has 5 rows for 6 shots"):
        best(cache, PLAIN, [title(cache, PLAIN, "dunes", columns, 6, lambda: table)], 1)

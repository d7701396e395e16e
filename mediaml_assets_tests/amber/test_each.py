"""Features that are called once for each of many: for each shot, here for each letter."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.amber.feature import AmberFeature, Check, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.errors import BadInput, FeatureError
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import Letters, called, calls, letters


@dataclass(frozen=True)
class Letter:
    """One letter of a title."""

    place: int
    text: str
    columns: ClassVar[tuple[str, ...]] = ("letter",)

    @classmethod
    def each_from_value(cls, view: Any) -> "Iterator[tuple[int, Letter]]":
        texts = view.table(["letter"]).column("letter").to_pylist()
        return ((place, cls(place, text)) for place, text in enumerate(texts) if text != "x")


@dataclass(frozen=True)
class Config:
    times: int = 1


CODES = pa.schema(
    [
        pa.field("index", pa.int32(), nullable=False),
        ("code", pa.int64()),
        ("vector", pa.list_(pa.float32(), 2)),
        pa.field("of", pa.string(), nullable=False),
    ]
)


def not_too_many(rows: pa.Table) -> str | None:
    return "too many" if rows.num_rows > 4 else None


@amber_feature(version="1", schema=CODES, checks=[Check("few", not_too_many, "At most four.")])
def codes(letters: Letter, whole: Letters, config: Config) -> dict[str, object]:
    """The code of each letter, and what it is one of."""
    called("codes", letters.text)
    if letters.text == "r":
        raise BadInput("an r is no letter")
    if letters.text == "e":
        raise KeyError("missing")
    vector = np.array([letters.place, len(whole.text)], np.float32)
    return {"of": whole.text, "code": np.int64(ord(letters.text) * config.times), "vector": vector}


@amber_feature(version="1", schema=pa.schema([("letter", pa.string())]))
def whole(letters: Letters) -> pa.Table:
    return pa.table({"letter": list(letters.text)})


@pytest.fixture
def each(here: Installation) -> Installation:
    here.mesh = Mesh([letters, whole, codes], ["source"])
    return here


def test_the_function_is_called_for_each_and_the_index_is_filled_in(each: Installation) -> None:
    each.deliver(one="caxb")
    each.settle()
    rows = each.store.view("codes", "one").table()
    assert rows.schema.equals(CODES)
    assert rows.to_pylist() == [
        {"index": 0, "code": 97, "vector": [0, 4], "of": "abcx"},
        {"index": 1, "code": 98, "vector": [1, 4], "of": "abcx"},
        {"index": 2, "code": 99, "vector": [2, 4], "of": "abcx"},
    ]
    assert [call for call in calls() if call.startswith("codes")] == ["codes/a", "codes/b", "codes/c"]


def test_it_is_one_value_a_title_with_one_memo(each: Installation) -> None:
    each.deliver(one="ab", two="ab")
    each.settle()
    assert calls().count("codes/a") == 1
    assert each.store.view("codes", "two").value == each.store.view("codes", "one").value
    each.compute("codes", "one", times=2)
    assert each.store.view("codes", "one").table().column("code").to_pylist() == [97, 98]


def test_of_none_there_are_no_rows(each: Installation) -> None:
    each.deliver(one="x")
    each.settle()
    assert each.store.view("codes", "one").table().schema.equals(CODES)
    assert each.store.view("codes", "one").value.rows == 0


def test_checks_see_all_the_rows(each: Installation) -> None:
    each.deliver(one="abcdf")
    each.settle()
    head = each.store.ledger.head("codes", "one")
    assert head is not None and head.current is None and head.reason == "too many"


def test_it_is_a_plain_function_of_one_item(home: Path) -> None:
    row = codes(letters=Letter(3, "a"), whole=Letters("abc", "one"), config=Config(times=2))
    assert (row["code"], row["of"], list(row["vector"])) == (194, "abc", [3, 3])


def test_a_refusal_and_an_error_say_at_which(each: Installation) -> None:
    each.deliver(one="abr", two="abe")
    for title in ("one", "two"):
        for name in ("letters", "whole"):
            each.compute(name, title)
    with pytest.raises(BadInput, match=r"^letters 2 of one: an r is no letter$"):
        each.compute("codes", "one")
    head = each.store.ledger.head("codes", "one")
    assert head is not None and (head.event, head.reason) == ("refused", "letters 2 of one: an r is no letter")
    with pytest.raises(KeyError, match="missing") as caught:
        each.compute("codes", "two")
    assert caught.value.__notes__ == ["codes was at letters 2 of two"]


def giving(row: object) -> AmberFeature:
    def codes(letters: Letter) -> object:
        return row

    return amber_feature(version="1", schema=CODES)(codes)


GOOD = {"code": 1, "vector": [1.0, 2.0], "of": "it"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"code": 1}, "gave the columns code for letters 0 of one; it is called for each of letters and must return"),
        ({**GOOD, "index": 3}, "gave the columns code, index, of, vector for letters 0 of one"),
        ([1], r"gave list for letters 0 of one; .* with code, vector, of \(the column index is filled in\)"),
        ({**GOOD, "code": "many"}, "gave 'many' as code for letters 0 of one, which is no int64"),
        ({**GOOD, "code": 1.5}, r"gave 1.5 as code for letters 0 of one, which is no int64 \(not a whole number\)"),
        ({**GOOD, "vector": [1.0]}, r"gave \[1.0\] as vector for letters 0 of one, which is no fixed_size_list"),
        ({**GOOD, "of": None}, "codes of one returned nulls in of, declared without"),
    ],
)
def test_a_row_that_is_not_what_is_declared_is_named(here: Installation, row: object, says: str) -> None:
    here.mesh = Mesh([letters, giving(row)], ["source"])
    here.deliver(one="ab")
    here.compute("letters", "one")
    with pytest.raises(FeatureError, match=says):
        here.compute("codes", "one")
    assert here.store.ledger.head("codes", "one") is None


def test_a_whole_number_may_be_a_float(here: Installation) -> None:
    here.mesh = Mesh([letters, giving({**GOOD, "code": 2.0})], ["source"])
    here.deliver(one="a")
    here.settle()
    assert here.store.view("codes", "one").row()["code"] == 2


def test_it_is_called_for_each_of_one_input_only() -> None:
    def pairs(letters: Letter, others: Letter) -> dict[str, object]: ...

    with pytest.raises(FeatureError, match="pairs is called for each of letters and of others; it can be one of them"):
        amber_feature(schema=CODES)(pairs)

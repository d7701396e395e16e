"""Types are checked where they are declared."""

from typing import Any

import pytest

from mediaml_assets.errors import SchemaRefused
from mediaml_assets.marken.rows import FIXED, columns_of, row_schema
from mediaml_assets.marken.schema import (
    ALGORITHM,
    FIXED_NAMES,
    RESERVED,
    TEMPORAL_SPATIAL,
    AnnotationType,
    Base,
    Kind,
    Mode,
    Property,
)
from mediaml_assets_tests.marken.every_kind import DECISION, EVERY_KIND

TEXT = Property("label", Kind.TEXT, "What it shows.")


def declared(*own: Property, bases: tuple[Base, ...] = (), **others: Any) -> AnnotationType:
    return AnnotationType("FACE", 3, "A face.", own, bases, **others)


def test_a_type_has_what_its_bases_have_and_its_own() -> None:
    assert list(EVERY_KIND.properties) == [
        *("time", "region", "label", "confidence", "algorithm_version"),
        *("count", "sharp", "tags", "embedding", "language"),
    ]
    assert str(EVERY_KIND) == "EVERY_KIND@2"
    assert declared().properties == {}


def test_columns_that_are_named_are_those_that_are_kept() -> None:
    assert FIXED.names == list(FIXED_NAMES)
    for kind in Kind:
        one = Property("p", kind, "x", dimensions=2 * (kind is Kind.VECTOR))
        assert [field.name for field in columns_of(one)] == list(one.columns)
    assert row_schema(DECISION).names == [*FIXED_NAMES, "accepted"]


def test_two_bases_may_bring_the_same_property() -> None:
    same = Base("SAME", (TEXT,)), Base("AGAIN", (TEXT,))
    assert declared(bases=same).properties == {"label": TEXT}
    assert list(declared(bases=(TEMPORAL_SPATIAL, ALGORITHM, TEMPORAL_SPATIAL)).properties)[:2] == ["time", "region"]


def test_a_type_declares_again_what_its_bases_say_differently() -> None:
    german = Property("label", Kind.TEXT, "Was es zeigt.", language="de")
    bases = Base("ONE", (TEXT,)), Base("OTHER", (german,))
    with pytest.raises(SchemaRefused, match="FACE@3: property 'label' differs between OTHER and ONE; declare it"):
        declared(bases=bases)
    own = Property("label", Kind.TEXT, "The name.", mandatory=True)
    assert declared(own, bases=bases).properties == {"label": own}


VECTOR = Property("label", Kind.VECTOR, "x", dimensions=4)
NEEDED = Property("label", Kind.TEXT, "x", mandatory=True)


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        (lambda: AnnotationType("face", 1, "x"), r"type 'face': write its name as \[A-Z\]"),
        (lambda: AnnotationType("F" * 49, 1, "x"), "at most 48"),
        (lambda: AnnotationType("FACE@1", 1, "x"), "write its name"),
        (lambda: AnnotationType("FACE", 0, "x"), "type FACE: its version is 0; count versions from 1"),
        (lambda: AnnotationType("FACE", True, "x"), "its version is True"),
        (lambda: declared(Property("Label", Kind.TEXT, "x")), "FACE@3: property 'Label' is no name"),
        (lambda: declared(Property("a-b", Kind.TEXT, "x")), "is no name"),
        (lambda: declared(Property("é", Kind.TEXT, "x")), "is no name"),
        (lambda: declared(Property("", Kind.TEXT, "x")), "is no name"),
        (lambda: declared(Property("a" * 49, Kind.TEXT, "x")), "is no name"),
        (lambda: declared(Property('x"; drop table', Kind.TEXT, "x")), "is no name"),
        (lambda: declared(TEXT, TEXT), "'label' is declared twice"),
        (lambda: declared(Property("v", Kind.VECTOR, "x")), "'v' is vector; a vector has 1 to 16,000"),
        (lambda: declared(Property("v", Kind.VECTOR, "x", dimensions=16_001)), "16001 dimensions; a vector"),
        (lambda: declared(Property("v", Kind.VECTOR, "x", dimensions=-1)), "a vector has"),
        (lambda: declared(Property("n", Kind.NUMBER, "x", dimensions=3)), "number of 3 dimensions"),
        (lambda: declared(Property("n", Kind.NUMBER, "x", dimensions=20_000)), "number of 20000 dimensions"),
        (lambda: declared(Property("n", Kind.NUMBER, "x", encoder="shots")), "has an encoder and is number"),
        (lambda: declared(Property("t", Kind.TEXT, "x", language="e n")), "has the language 'e n'; give a BCP 47"),
        (lambda: declared(bases=(Base("A", (TEXT,)), Base("B", (VECTOR,)))), "'label' is vector of 4 .* B and A"),
        (lambda: declared(VECTOR, bases=(Base("A", (TEXT,)),)), "is text in A; keep that"),
        (lambda: declared(TEXT, bases=(Base("A", (NEEDED,)),)), "is mandatory text in A; keep that"),
        (lambda: declared(mode=Mode.LOG), "a log type needs a key"),
        (lambda: declared(key=("by",)), "a run type has none"),
        (lambda: declared(mode=Mode.LOG, key=("version",)), "its key has 'version'; take it of"),
        (lambda: declared(mode=Mode.LOG, key=("label",)), "its key has 'label'"),
        (lambda: declared(VECTOR, mode=Mode.LOG, key=("label",)), "its key has 'label'"),
    ],
)
def test_what_is_declared_wrongly_is_named(declare: Any, why: str) -> None:
    with pytest.raises(SchemaRefused, match=why):
        declare()


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_property_is_called_as_what_marken_needs(name: str) -> None:
    with pytest.raises(SchemaRefused, match=f"would have the column '{name}', which Marken needs"):
        declared(Property(name, Kind.STRING, "x"))


@pytest.mark.parametrize(
    ("one", "other", "column"),
    [
        (Property("time", Kind.TIME_RANGE, "x"), Property("time_start", Kind.NUMBER, "x"), "time_start"),
        (Property("label", Kind.TEXT, "x"), Property("label_stems", Kind.STRINGS, "x"), "label_stems"),
        (Property("place", Kind.REGION, "x"), Property("place_is_box", Kind.BOOLEAN, "x"), "place_is_box"),
        (Property("a", Kind.TIME_RANGE, "x"), Property("a_rate", Kind.STRING, "x"), None),
        # a column of a range is called like the short name of another
        (Property("time", Kind.TIME_RANGE, "x"), Property("time_end_frame", Kind.TEXT, "x"), "time_end_frame"),
    ],
)
def test_no_two_properties_have_a_column_of_one_name(one: Property, other: Property, column: str | None) -> None:
    for pair in ((one, other), (other, one)):
        if column is None:
            assert len(declared(*pair).properties) == 2
            continue
        with pytest.raises(SchemaRefused, match=f"would both have the column '{column}'; rename one"):
            declared(*pair)


def test_a_key_is_of_columns_that_say_what_a_row_is_about() -> None:
    kind = declared(TEXT, bases=(TEMPORAL_SPATIAL,), mode=Mode.LOG, key=("title", "time_start", "label", "by"))
    assert kind.key[1] == "time_start"

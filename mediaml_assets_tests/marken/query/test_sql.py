"""What conditions look like as SQL, and what both servers do alike with text and numbers."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import psycopg
import pytest

from mediaml_assets.marken.query.nodes import (
    And,
    Arithmetic,
    CaseFolded,
    Column,
    Compare,
    HasRun,
    Like,
    Node,
    OneOf,
    Value,
)
from mediaml_assets.marken.query.scalars import fold
from mediaml_assets.marken.query.sql import DUCKDB, POSTGRES, render
from mediaml_assets.marken.schema import Kind
from mediaml_assets_tests.marken.query.table import quoted
from mediaml_assets_tests.postgres_servers import PostgresServer

NAME, COUNT = Column("name", Kind.STRING, "name"), Column("count", Kind.INTEGER, "count")
STEMS = Column("name_stems", Kind.STRINGS, "name")


@pytest.fixture(scope="module")
def postgres(postgres_servers: Sequence[PostgresServer]) -> Iterator[psycopg.Connection]:
    with postgres_servers[0].database() as dsn, psycopg.connect(dsn, autocommit=True) as made:
        yield made


def test_literals_are_parameters_in_order() -> None:
    node = And((Compare("<", NAME, Value("x")), OneOf(COUNT, (Value(1), Value(2))), HasRun(STEMS, ("red", "wine"))))
    rendered = render(node, DUCKDB, quoted)
    assert rendered.text == (
        '(("name" < CAST(? AS TEXT)) AND ("count" = ANY(CAST(? AS BIGINT[])))'
        " AND (strpos(' ' || array_to_string(\"name_stems\", ' ') || ' ', CAST(? AS TEXT)) > 0))"
    )
    assert rendered.parameters == ("x", [1, 2], " red wine ")
    assert render(Compare("<", NAME, Value("x")), POSTGRES, quoted).text == (
        '("name" COLLATE "C" < CAST(%s AS TEXT) COLLATE "C")'
    )


def _both(node: Node, values: str, postgres: psycopg.Connection) -> tuple[Any, Any]:
    """What a condition is of one row, in both."""
    answers: list[Any] = []
    for dialect, execute in ((DUCKDB, duckdb.connect().execute), (POSTGRES, postgres.execute)):
        sql = render(node, dialect, quoted)
        answers.append(
            execute(f"SELECT {sql.text} FROM (SELECT {values}) AS one", list(sql.parameters)).fetchall()[0][0]
        )  # type: ignore[operator]
    return answers[0], answers[1]


@pytest.mark.parametrize(
    ("node", "values", "wanted"),
    [
        (Compare("<", NAME, Value("b")), "'B' AS name", True),
        (Compare("<", NAME, Value("z")), "'é' AS name", False),
        (Compare("=", CaseFolded(NAME), Value("straße")), "'STRAßE' AS name", True),
        (Like(NAME, "_"), "'🎬' AS name", True),
        (Like(NAME, "a\\%"), "'ab' AS name", False),
        (Like(NAME, "%\n%"), "'a' || chr(10) || 'b' AS name", True),
        (Compare("=", Arithmetic("/", COUNT, Value(0.0)), Value(1.0)), "CAST(1 AS BIGINT) AS count", None),
        (Compare("=", Arithmetic("/", COUNT, Value(2.0)), Value(0.5)), "CAST(1 AS BIGINT) AS count", True),
        (Compare("=", Arithmetic("*", COUNT, COUNT), Value(4.0)), "CAST(-2 AS BIGINT) AS count", True),
        (Compare(">", Arithmetic("*", COUNT, COUNT), Value(0.0)), "CAST(1e-200 AS DOUBLE PRECISION) AS count", None),
        (Compare(">", Arithmetic("*", COUNT, COUNT), Value(0.0)), "CAST(1e200 AS DOUBLE PRECISION) AS count", None),
        (
            Compare("<", Arithmetic("+", COUNT, COUNT), Value(0.0)),
            "CAST(-9223372036854775808 AS BIGINT) AS count",
            True,
        ),
        (Compare("<", COUNT, Value(float("inf"))), "CAST(5 AS BIGINT) AS count", True),
        (Compare("=", COUNT, Value(9007199254740992)), "CAST(9007199254740993 AS BIGINT) AS count", False),
        (HasRun(STEMS, ("b", "c")), "CAST(ARRAY['a', 'b', 'c'] AS TEXT[]) AS name_stems", True),
        (HasRun(STEMS, ("a", "c")), "CAST(ARRAY['a', 'b', 'c'] AS TEXT[]) AS name_stems", False),
        (HasRun(STEMS, ("b",)), "CAST(ARRAY['ab'] AS TEXT[]) AS name_stems", False),
    ],
)
def test_both_answer_alike(node: Node, values: str, wanted: Any, postgres: psycopg.Connection) -> None:
    assert _both(node, values, postgres) == (wanted, wanted)


def test_case_is_folded_alike_by_the_compiler_and_both_servers(postgres: psycopg.Connection) -> None:
    # of every code point that this Python knows; servers may know newer ones
    characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    known = [one for one in characters if fold(one) != one]
    assert len(known) > 1000
    wanted = {one: fold(one) for one in known}
    in_duckdb = duckdb.execute("SELECT c, lower(c) FROM (SELECT unnest(?) AS c)", [known]).fetchall()
    assert dict(in_duckdb) == wanted
    text = f"SELECT c, lower(c{POSTGRES.fold_by}) FROM unnest(CAST(%s AS text[])) AS one(c)"
    assert dict(postgres.execute(text, [known]).fetchall()) == wanted

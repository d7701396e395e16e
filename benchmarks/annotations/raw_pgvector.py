"""PostgreSQL with pgvector used by hand: one table for shots, one for faces, one statement for a question.

As their documentations advise: GiST on time ranges and boxes, GIN on words, plans made for each set of parameters.
Distances are exact over the filter's survivors: a group needs every one of them, and an HNSW index, also with iterative
scans in strict order, finds fewer than all.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from pgvector import Vector
from pgvector.psycopg import register_vector

from benchmarks.annotations.catalogue import WIDTH, Catalogue, Rows
from benchmarks.annotations.questions import GROUPS, SIZE, Combined, Groups, Join, Ranges

_TABLES = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    "CREATE TYPE seconds AS RANGE (subtype = float8, subtype_diff = float8mi)",
    f"CREATE TABLE shot (id text, title text, time seconds, region box, words text[], confidence float8,"
    f" embedding vector({WIDTH}))",
    "CREATE TABLE face (title text, time seconds, label text)",
)
_INDEXES = (
    "CREATE INDEX ON shot USING gist (time)",
    "CREATE INDEX ON shot USING gist (region)",
    "CREATE INDEX ON shot USING gin (words)",
    "CREATE INDEX ON shot (title)",
    "CREATE INDEX ON face (title, label)",
    "VACUUM ANALYZE shot",
    "VACUUM ANALYZE face",
)
_COMBINED = f"""
WITH hits AS (
    SELECT id, title, embedding <=> %(vector)s AS far FROM shot
    WHERE time && seconds(%(start)s, %(end)s) AND region && %(box)s::box AND words && ARRAY[%(word)s]
        AND confidence >= %(sure)s
), ranked AS (
    SELECT id, title, far, row_number() OVER (PARTITION BY title ORDER BY far, id) AS place FROM hits
)
SELECT title, array_agg(id ORDER BY far, id) FROM ranked WHERE place <= {SIZE} GROUP BY title
ORDER BY min(far), title LIMIT {GROUPS}
"""
_JOIN = """
SELECT lower(part), upper(part) FROM (
    SELECT unnest(
        (SELECT range_agg(time) FROM face WHERE title = %(title)s AND label = %(person)s)
        * (SELECT range_agg(time) FROM shot WHERE title = %(title)s AND words && ARRAY[%(place)s])
    ) AS part
) AS parts ORDER BY 1
"""
_NEAREST = "SELECT id FROM shot WHERE title = ANY(%s) ORDER BY embedding <=> %s LIMIT 10"


class RawPgvector:
    """One connection to one server."""

    def __init__(self, dsn: str, catalogue: Catalogue) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        began = time.perf_counter()
        for statement in _TABLES:
            self._run(statement)
        register_vector(self.connection)
        self._load(catalogue.names, catalogue.rows["SHOT"], catalogue.rows["FACE"])
        for statement in _INDEXES:
            self._run(statement)
        self._run("SET plan_cache_mode = force_custom_plan")
        self.load_s = time.perf_counter() - began

    def close(self) -> None:
        """Let go of the server."""
        self.connection.close()

    def combined(self, asked: Combined) -> Groups:
        """Answer of the question."""
        x0, y0, x1, y1 = asked.box
        box = f"({x1},{y1}),({x0},{y0})"
        told = {"start": asked.start, "end": asked.end, "box": box, "word": asked.word, "sure": asked.sure}
        return self._run(_COMBINED, told | {"vector": Vector(asked.vector)})

    def join(self, asked: Join) -> Ranges:
        """Answer of the question."""
        return self._run(_JOIN, {"title": asked.title, "person": asked.person, "place": asked.place})

    def nearest(self, titles: Sequence[str], vector: npt.NDArray[np.float32]) -> list[str]:
        """Ids of the ten nearest of some titles."""
        return [id for (id,) in self._run(_NEAREST, (list(titles), Vector(vector)))]

    def _run(self, statement: str, parameters: Any = None) -> list[Any]:
        found = self.connection.execute(statement, parameters)
        return found.fetchall() if found.description else []

    def _load(self, names: Sequence[str], shots: Rows, faces: Rows) -> None:
        assert shots.vectors is not None
        ids = shots.ids(np.arange(len(shots)))
        boxes = (f"({x1},{y1}),({x0},{y0})" for x0, y0, x1, y1 in shots.box.tolist())
        words = (label.split() for label in shots.label.tolist())
        titles = ([names[number] for number in rows.title.tolist()] for rows in (shots, faces))
        with self.connection.cursor() as cursor:
            columns = "id, title, time, region, words, confidence, embedding"
            with cursor.copy(f"COPY shot ({columns}) FROM STDIN") as copy:
                for row in zip(
                    ids, next(titles), _times(shots), boxes, words, shots.confidence.tolist(),
                    map(Vector, shots.vectors), strict=True,
                ):  # fmt: skip
                    copy.write_row(row)
            with cursor.copy("COPY face (title, time, label) FROM STDIN") as copy:
                for face in zip(next(titles), _times(faces), faces.label.tolist(), strict=True):
                    copy.write_row(face)


def _times(rows: Rows) -> list[str]:
    return [f"[{start!r},{end!r})" for start, end in zip(rows.start.tolist(), rows.end.tolist(), strict=True)]

"""Shot embeddings as annotations (`SHOT_EMBEDDING`): one for each moment of each shot, at the time of the shot."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.annotations.facts import CLOCK, SHOT_RANGES, Facts
from mediaml_assets.annotations.rows import Rowed, about, frames, joined, of_schema, same
from mediaml_assets.annotations.types import shot_embedding_type
from mediaml_assets.errors import NotKept
from mediaml_assets.features.shot_embedding import MOMENTS, SHOT_EMBEDDING


def embedding_rows(dimensions: int) -> Rowed:
    """The declaration for a configured model whose vectors have so many numbers.

    A moment at which nothing is seen has a vector of zeros, which points nowhere: its annotation has none.
    """

    def to_batch(rows: pa.Table, facts: Facts, title: str) -> pa.Table:
        matrix = _matrix(rows, dimensions, title)
        count, of_row = rows.num_rows, pa.array(np.repeat(np.arange(rows.num_rows), len(MOMENTS)))
        index = rows.column("index").take(of_row)
        moment = pa.array(np.tile(np.array(MOMENTS), count), pa.string())
        rate, shots = facts.rate(title), _ranges(facts.shots(title), rows, title).take(of_row)
        num, den = (same(part, len(of_row), pa.int32()) for part in (rate.numerator, rate.denominator))
        nothing = pa.array(~matrix.any(axis=1))
        entity = joined(title, "/", index)
        return pa.table(
            {
                # of another width it is another annotation, and no version of this one
                "id": joined(f"shot_embedding@{dimensions}/", entity, "/", moment),
                **about(title, "shot", entity, len(of_row)),
                "row": of_row,
                "index": index,
                "moment": moment,
                **frames("time", shots.column("start"), shots.column("end"), num, den),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dimensions, mask=nothing),
            }
        )

    def to_rows(found: pa.Table) -> pa.Table:
        columns = {"index": found.filter(pc.equal(found.column("moment"), MOMENTS[0])).column("index")}
        for name in MOMENTS:
            vectors = found.filter(pc.equal(found.column("moment"), name)).column("vector").combine_chunks()
            numbers = np.zeros((len(vectors), dimensions), np.float32)
            seen = np.asarray(vectors.is_valid().to_numpy(zero_copy_only=False), bool)
            numbers[seen] = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, dimensions)
            offsets = pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * np.int32(dimensions))
            flat = pa.array(numbers.reshape(-1))
            columns[name] = pa.ListArray.from_arrays(offsets, flat, type=SHOT_EMBEDDING.field(name).type)
        return of_schema(columns, SHOT_EMBEDDING)

    return Rowed(
        "shot_embedding",
        SHOT_EMBEDDING,
        shot_embedding_type(dimensions),
        to_batch,
        to_rows,
        ("index", "moment", "vector"),
        dict([CLOCK, SHOT_RANGES]),
        per_row=len(MOMENTS),
    )


def _matrix(rows: pa.Table, dimensions: int, title: str) -> np.ndarray:
    """The vectors, float32 [rows * moments, dimensions], by row and moment."""
    columns = [rows.column(name).combine_chunks() for name in MOMENTS]
    if any(pc.any(pc.not_equal(column.value_lengths(), dimensions)).as_py() for column in columns):
        raise NotKept(
            f"the vectors of {title} have not the {dimensions} numbers of the model that is configured now; they are "
            "copied once they are computed again"
        )
    parts = [column.flatten().to_numpy().reshape(-1, dimensions) for column in columns]
    return np.stack(parts, axis=1).reshape(-1, dimensions).astype(np.float32, copy=False)


def _ranges(shots: pa.Table, rows: pa.Table, title: str) -> pa.Table:
    """The shot of each row."""
    places = pc.index_in(rows.column("index"), value_set=shots.column("index"))
    if places.null_count:
        raise NotKept(f"the embeddings of {title} are not those of its shots of now; they are made again")
    return shots.take(places)

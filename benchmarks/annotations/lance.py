"""LanceDB in its own environment: it gets the shots and the questions as files."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import peers
from benchmarks.annotations.catalogue import Catalogue, batch
from benchmarks.annotations.questions import GROUPS, SIZE, Combined

SECONDS = 600.0


def asked(
    folder: Path,
    catalogue: Catalogue,
    questions: Sequence[Combined],
    subsets: Sequence[Sequence[str]],
    near: npt.NDArray[np.float32],
) -> dict[str, Any]:
    """What it found: `combined` and `subsets`, each a list of {"answer", "seconds"}; and `load_s`.

    Args:
        folder: for what it reads and keeps.
        catalogue: its shots are loaded.
        questions: asked one after the other.
        subsets: titles, of which the ten nearest are asked for.
        near: a vector for each subset.

    Raises:
        Unavailable: it cannot be installed, or failed.
    """
    pq.write_table(shots(catalogue), folder / "shots.parquet")
    plain = [asdict(one) | {"groups": GROUPS, "size": SIZE, "vector": None} for one in questions]
    (folder / "questions.json").write_text(json.dumps({"combined": plain, "subsets": [list(one) for one in subsets]}))
    np.save(folder / "vectors.npy", np.stack([one.vector for one in questions]))
    np.save(folder / "near.npy", near)
    program = Path(__file__).with_name("run_lancedb.py")
    answer: dict[str, Any] = peers.answer([peers.python("lancedb"), program, folder], SECONDS)
    return answer


def shots(catalogue: Catalogue) -> pa.Table:
    """Every shot: id, title, words and what else is asked about."""
    rows = catalogue.rows["SHOT"]
    table = batch(rows, np.arange(len(rows))).drop(["entity_kind", "entity_id", "label"])
    table = table.rename_columns([name.removeprefix("region_") for name in table.column_names])
    titles = np.array(catalogue.names, object)[rows.title]
    words = pa.array([label.split() for label in rows.label.tolist()])
    return table.append_column("title", pa.array(titles)).append_column("words", words)

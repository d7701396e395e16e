"""Embeddings of the labelled shots in the published format, and what their plain cosine is worth.

A folder holds one file a title, `{encoder}-{imdb_id}.json`: {"shot number": [numbers], ...}.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.labels.average_precision import Scores
from mediaml_assets.evaluation.labels.pairs import LabelledPairs

Vectors = npt.NDArray[np.float32]
Embeddings = Mapping[tuple[str, int], Vectors]
"""(imdb id, number of the shot) -> float32 [d]."""


def read_embeddings(folder: Path, encoder: str, titles: set[str]) -> Embeddings:
    """The embeddings of some titles' shots, all of one width.

    Raises:
        TruthRefused: a title's file is not there or not of the format; it names the file, and the shot where it can.
    """
    vectors: dict[tuple[str, int], Vectors] = {}
    width = 0
    for title in sorted(titles):
        file = folder / f"{encoder}-{title}.json"
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
            rows = {(title, int(shot)): np.asarray(numbers, np.float32) for shot, numbers in raw.items()}
        except OSError as problem:
            raise TruthRefused(
                f"{file} cannot be read ({problem.strerror}); embeddings have one file for each labelled title"
            ) from problem
        except (ValueError, AttributeError, TypeError) as problem:
            raise TruthRefused(f'{file} is not {{"shot number": [numbers]}}: {problem}') from problem
        for (_, shot), vector in rows.items():
            width = width or vector.size
            if vector.ndim != 1 or vector.size != width or not np.isfinite(vector).all():
                raise TruthRefused(f"{file}, shot {shot}: not a list of {width} finite numbers like the others")
        vectors.update(rows)
    return vectors


def pair_vectors(pairs: LabelledPairs, embeddings: Embeddings) -> tuple[Vectors, Vectors]:
    """The embeddings of both shots of each pair, float32 [n, d] twice.

    Raises:
        TruthRefused: a labelled shot has no embedding.
    """
    try:
        return _side(pairs.title, pairs.shot1, embeddings), _side(pairs.title, pairs.shot2, embeddings)
    except KeyError as missing:
        title, shot = missing.args[0]
        raise TruthRefused(f"there is no embedding of shot {shot} of {title}, which is labelled") from None


def cosine_scores(first: Vectors, second: Vectors) -> Scores:
    """Cosine of each two rows, float64 [n]; 0 where one is zero."""
    left, right = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.asarray(np.einsum("nd,nd->n", left, right) / np.maximum(lengths, 1e-12), np.float64)


def _side(titles: npt.NDArray[np.str_], shots: npt.NDArray[np.int64], embeddings: Embeddings) -> Vectors:
    return np.stack([embeddings[str(title), int(shot)] for title, shot in zip(titles, shots, strict=True)])

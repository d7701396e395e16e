"""The composition flavour: edges and masses stay where they are in the picture over the cut."""

import numpy as np
import pyarrow as pa

from mediaml_assets.features.measures.layout import MASSES
from mediaml_assets.matching.flavours.flavour import Details, Ends, Flavour, first_is_highest, same_width
from mediaml_assets.matching.pairs.scan import Scores


def composition_ends(table: pa.Table) -> Ends:
    """Layouts: the first score is the mean of two agreements, of the contours and of the masses.

    Details are the two parts, float32 [n, d], either no longer than 1.
    """
    out, in_ = (same_width(table, name) for name in ("out_vector", "in_vector"))
    return Ends(out / np.float32(np.sqrt(2)), in_ / np.float32(np.sqrt(2)), out, in_)


def both_agree(out: Details, in_: Details) -> Scores:
    """The geometric mean of the two agreements, 0 when one of them is not positive: a layout is both.

    It is never higher than their arithmetic mean, which is the first score.
    """
    products = out.astype(np.float64) * in_
    contours, masses = products[:, :-MASSES].sum(axis=1), products[:, -MASSES:].sum(axis=1)
    return np.asarray(np.minimum(np.sqrt(np.maximum(contours, 0) * np.maximum(masses, 0)), 1), np.float64)


COMPOSITION = Flavour(
    name="composition",
    feature="composition",
    columns=("index", "out_vector", "in_vector"),
    version="1",
    description="Edges and masses stay where they are in the picture over the cut.",
    ends=composition_ends,
    exact=both_agree,
    bound=first_is_highest,
)

"""The colour flavour: the palette and the light stay as they are over the cut."""

import pyarrow as pa

from mediaml_assets.features.measures.palette import DIMENSIONS, reached
from mediaml_assets.matching.flavours.flavour import Ends, Flavour, first_is_highest, stacked


def colour_ends(table: pa.Table) -> Ends:
    """Palettes, without what is 0 in all: the score is the Bhattacharyya coefficient, damped where one is plain."""
    out, in_ = (stacked(table, name, DIMENSIONS)[:, reached()] for name in ("out_vector", "in_vector"))
    return Ends.without_details(out, in_)


COLOUR = Flavour(
    name="colour",
    feature="colour",
    columns=("index", "out_vector", "in_vector"),
    version="1",
    description="The palette and the light stay as they are over the cut.",
    ends=colour_ends,
    exact=None,
    bound=first_is_highest,
)

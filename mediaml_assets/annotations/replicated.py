"""Which features are annotations too: the one list of them."""

from collections.abc import Mapping

from mediaml_assets.annotations.cues import CUE_ROWS
from mediaml_assets.annotations.embeddings import embedding_rows
from mediaml_assets.annotations.match_cuts import MATCH_CUT_ROWS
from mediaml_assets.annotations.quality import QUALITY_ROWS
from mediaml_assets.annotations.rows import Rowed
from mediaml_assets.annotations.shots import SHOT_ROWS
from mediaml_assets.errors import FeatureError


def replicated(dimensions: int) -> Mapping[str, Rowed]:
    """Feature -> how its rows become annotations; embeddings have so many numbers."""
    every = (SHOT_ROWS, *CUE_ROWS, QUALITY_ROWS, embedding_rows(dimensions), MATCH_CUT_ROWS)
    return {one.feature: one for one in every}


def rowed(feature: str, dimensions: int) -> Rowed:
    """The declaration of one of them; raises FeatureError for any other feature."""
    known = replicated(dimensions)
    if feature not in known:
        raise FeatureError(
            f"{feature} cannot be copied to 'marken': nobody has said what its rows are as annotations; it may be one "
            f"of {', '.join(known)}"
        )
    return known[feature]

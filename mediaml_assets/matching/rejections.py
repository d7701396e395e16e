"""Cuts that people rejected, as a question that is asked of pairs in joint numbering."""

from collections.abc import Sequence

import numpy as np

from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.exclusions import Flags
from mediaml_assets.matching.pairs.scan import Excluded, Indices


def rejections(listed: Sequence[tuple[str, int]], rejected: Sequence[str]) -> Excluded:
    """Whether a cut from one shot to another was rejected; its reverse is another cut.

    Args:
        listed: title and index of each shot, in joint numbering.
        rejected: cuts, each as "title:shot title:shot"; those of shots that are not listed say nothing.

    Raises:
        FeatureError: one of them is no such text.
    """
    numbers = {shot: number for number, shot in enumerate(listed)}
    ends = [[numbers.get(one) for one in _cut(text)] for text in rejected]
    keys = np.unique(np.array([a * len(listed) + b for a, b in ends if a is not None and b is not None], np.int64))

    def excluded(rows: Indices, cols: Indices) -> Flags:
        return np.isin(rows * len(listed) + cols, keys)

    return excluded


def _cut(text: str) -> tuple[tuple[str, int], tuple[str, int]]:
    try:
        tail, head = (end.rsplit(":", 1) for end in text.split())
        return (tail[0], int(tail[1])), (head[0], int(head[1]))
    except (ValueError, IndexError) as error:
        raise FeatureError(
            f"{text!r} is no cut; write it like 'harbour:12 dunes:40': titles, and shots of them"
        ) from error

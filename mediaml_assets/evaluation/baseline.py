"""The pipeline that the source system replaced, small and honest, to be scored beside ours.

One flow a flavour and one title at a time (Netflix Technology Blog, "Match Cutting at Netflix", 2022): shots, those
that are near-duplicates left out, one representation of the whole shot, all pairs of the title, the best K. The frame
flavour's representation is the mask of the middle frame, scored by intersection over union; the motion flavour's is the
mean optical flow over the shot (Farneback 2003), scored by cosine. It is given the same shots and the same masks, so
that a difference is one of method: it knows no tail and no head, no other title, no cap and no exclusion but the shot
itself, and its scores are not calibrated. What it cannot do is not held back: a cut between two titles is in no list.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.evaluation.planted import Pair
from mediaml_assets.features.frame_windows import windows
from mediaml_assets.features.measures.optical_flow import active_luma
from mediaml_assets.features.measures.silhouette_mask import GAPS, silhouette_mask
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.reading.media import Media

WIDTH, HEIGHT = 160, 90  # the size at which flow is measured
LEAST_LENGTH = 1e-9

Square = npt.NDArray[np.float64]


def title_pairs(media: Media, shots: Shots, flavour: str, k: int) -> list[tuple[int, int]]:
    """The best k pairs of shots of one title, the earlier shot first: what the pipeline shows for it.

    Args:
        media: the title's standard encode.
        shots: those of `unique_shots`.
        flavour: "frame" or "motion".
        k: pairs; fewer where there are fewer with a score above 0.
    """
    likeness = overlaps(middle_masks(media, shots)) if flavour == "frame" else cosines(mean_flows(media, shots))
    first, second = np.triu_indices(len(shots), 1)
    scores = likeness[first, second]
    order = np.argsort(-scores, kind="stable")[:k]
    return [(shots[int(first[one])].index, shots[int(second[one])].index) for one in order if scores[one] > 0]


def baseline_ranks(wanted: Sequence[Pair], lists: Mapping[str, Sequence[tuple[int, int]]]) -> tuple[int, ...]:
    """The rank of each wanted cut in the list of its title, from 1; 0 where it is not, as for cuts between titles.

    A pair has no direction there: the cut from the later shot to the earlier one is the same pair.
    """
    found = []
    for title1, shot1, title2, shot2 in wanted:
        pair = (min(shot1, shot2), max(shot1, shot2))
        listed = lists.get(title1, ()) if title1 == title2 else ()
        found.append(listed.index(pair) + 1 if pair in listed else 0)
    return tuple(found)


def middle_masks(media: Media, shots: Shots) -> Square:
    """The mask of each shot's middle usable frame, with the frames before it as its neighbours: float64 [n, bits]."""
    wanted = [_middle(shot) for shot in shots]
    masks = [silhouette_mask(frames[::-1], media.active).mask.ravel() for frames in windows(media, wanted)]
    return np.array(masks, np.float64).reshape(len(masks), -1)


def mean_flows(media: Media, shots: Shots) -> Square:
    """The mean flow between all neighbouring usable frames of each shot: float64 [n, height x width x 2]."""
    means = []
    for shot in shots:
        total, pairs = np.zeros((HEIGHT, WIDTH, 2)), 0
        before = None
        for frame in media.video.sequential(shot.usable_start, shot.usable_end):
            now = active_luma(frame, media.active, (WIDTH, HEIGHT))
            if before is not None:
                total += cv2.calcOpticalFlowFarneback(before, now, None, 0.5, 3, 15, 3, 5, 1.2, 0)
                pairs += 1
            before = now
        means.append(total.ravel() / max(pairs, 1))
    return np.array(means, np.float64).reshape(len(means), -1)


def overlaps(masks: Square) -> Square:
    """Intersection over union of every two masks of 0 and 1: float64 [n, n]."""
    common, sizes = masks @ masks.T, masks.sum(axis=1)
    return np.asarray(common / np.maximum(sizes[:, None] + sizes[None] - common, 1), np.float64)


def cosines(vectors: Square) -> Square:
    """Cosine of every two rows: float64 [n, n]; 0 where one is zero."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), LEAST_LENGTH)
    return np.asarray(unit @ unit.T, np.float64)


def _middle(shot: Shot) -> list[int]:
    middle = (shot.usable_start + shot.usable_end) // 2
    return list(range(max(shot.usable_start, middle - max(GAPS)), middle + 1))

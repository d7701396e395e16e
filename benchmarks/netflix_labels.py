"""The published match-cutting labels: is our AP the published one, and what does a scorer make of what is there?

heuristics_not_reproduced  published numbers of random scores and heuristics (read from the result file) that our
                           evaluator does not give to three decimals.
frame_test_ap              test AP of frame pairs, of the pair scorer (times, durations and the published overlap of
                           silhouettes) that was fitted on train and was best on validation. It cannot see how pairs
                           were sampled.
motion_test_ap             the same for motion pairs, which have no published score of pictures: times and durations.
*_low, *_high              its 95 % interval over titles.
*_over_random(_low)        the paired gain over random scores, and its lower bound.
*_over_linear(_low)        the paired gain over the plainest scorer tried: linear in time gap, durations and overlap.
frame_over_silhouette(_low) the paired gain over the published overlap alone, and its lower bound.
"""

import os
from pathlib import Path

from rich.table import Table

from benchmarks.harness import Measured, Target
from mediaml_assets.evaluation.labels.pairs import Task
from mediaml_assets.evaluation.labels.study import CHOSEN, study
from mediaml_assets.evaluation.labels.tables import study_tables
from mediaml_assets.evaluation.plain_json import plain

TARGETS: dict[str, Target] = {"frame_test_ap": (">=", 0.288), "heuristics_not_reproduced": ("==", 0)}

SHARED = Path(os.environ.get("MEDIAML_SHARED", Path(__file__).parent.parent.parent / "shared"))


def run(seed: int) -> Measured:
    """Every figure; none is measured where the labels are not there. The seed draws bootstraps and random scores."""
    folder = SHARED / "data" / "matchcut"
    if not folder.is_dir():
        reason = f"no labels in {folder}: set MEDIAML_SHARED to the folder that holds data/matchcut"
        skipped = Table(reason, title="skipped", title_justify="left")
        return Measured(dict.fromkeys(TARGETS, float("nan")), [skipped], {"skipped": reason})
    found = study(folder, seed)
    figures: dict[str, float] = {"heuristics_not_reproduced": found.not_reproduced}
    tasks: tuple[Task, ...] = ("frame", "motion")
    for task in tasks:
        one = found.of(task, CHOSEN)
        figures[f"{task}_test_ap"] = one.test.value
        figures[f"{task}_test_ap_low"], figures[f"{task}_test_ap_high"] = one.test.low, one.test.high
        figures[f"{task}_validation_ap"] = one.validation
        figures[f"{task}_over_random"], figures[f"{task}_over_random_low"] = one.over_random.value, one.over_random.low
        if one.over_silhouette is not None:
            figures["frame_over_silhouette"] = one.over_silhouette.value
            figures["frame_over_silhouette_low"] = one.over_silhouette.low
    for task, gain in found.over_linear:
        figures[f"{task}_over_linear"], figures[f"{task}_over_linear_low"] = gain.value, gain.low
    return Measured(figures, study_tables(folder, found), plain(found))

"""The study of the published labels as tables, with what was published beside ours."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from mediaml_assets.evaluation.intervals import Interval
from mediaml_assets.evaluation.labels.pairs import Task
from mediaml_assets.evaluation.labels.published import PublishedRow, classifiers, metric_learning
from mediaml_assets.evaluation.labels.study import Scored, Study


def study_tables(folder: Path, found: Study, embedded: Sequence[Scored] = ()) -> list[Table]:
    """Published numbers reproduced; scorers on test; published results with embeddings."""
    return [_reproduced(found), _scored(found, [*found.scored, *embedded]), published_table(folder)]


def shown(interval: Interval | None) -> str:
    """`.288 [.210, .370]`, or nothing."""
    return "" if interval is None else f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _reproduced(found: Study) -> Table:
    table = Table(
        "task", "published row", "split", title="AP of published rows without embeddings", title_justify="left"
    )
    for column in ("published", "ours", "same"):
        table.add_column(column, justify="right")
    for one in found.reproduced:
        same = "yes" if one.same else "NO"
        table.add_row(one.task, one.name, one.split, f"{one.published:.3f}", f"{one.ours:.5f}", same)
    return table


def _scored(found: Study, rows: Sequence[Scored]) -> Table:
    title = "Test AP on all labelled pairs [95 % over titles], and paired gains"
    table = Table("task", "scorer", "validation", "test", title=title, title_justify="left")
    for column in ("over random", "over silhouettes", "P@50"):
        table.add_column(column)
    for task, mean, deviation in found.expected_random:
        table.add_row(task, "random, 200 draws", "", f"{mean:.3f} ± {deviation:.3f}")
        for one in (row for row in rows if row.task == task):
            table.add_row(
                task, one.name, f"{one.validation:.3f}", shown(one.test), shown(one.over_random),
                shown(one.over_silhouette), f"{one.top:.2f}",
            )  # fmt: skip
    gains = "; ".join(f"{task} {shown(gain)}" for task, gain in found.over_linear)
    table.caption = f"What the chosen scorer gains over the linear one, paired: {gains}"
    table.caption_justify = "left"
    return table


def published_table(folder: Path) -> Table:
    """Per encoder the classifier that was best on validation, its test AP and the best test AP; metric learning's."""
    title = "Published test AP with embeddings, which are not here"
    table = Table("task", "encoder", title=title, title_justify="left")
    for column in ("classifier picked on validation", "its test", "best test of 15", "metric learning"):
        table.add_column(column, justify="right")
    learned = {(row.task, row.encoder): row.ap["test"] for row in metric_learning(folder)}
    groups: dict[tuple[Task, str], list[PublishedRow]] = defaultdict(list)
    for row in classifiers(folder):
        if row.trained:
            groups[row.task, row.encoder].append(row)
    for (task, encoder), rows in groups.items():
        pick = max(rows, key=lambda row: row.ap["validation"])
        best = max(row.ap["test"] for row in rows)
        ml = learned.get((task, encoder))
        table.add_row(
            task, encoder, f"{pick.model} {pick.aggregation}", f"{pick.ap['test']:.3f}", f"{best:.3f}",
            "" if ml is None else f"{ml:.3f}",
        )  # fmt: skip
    return table

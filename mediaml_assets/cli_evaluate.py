"""`mediaml evaluate`: how good what is stored is, and what the published labels say."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mediaml_assets.errors import SettingsError
from mediaml_assets.installation import prepare
from mediaml_assets.settings import home

if TYPE_CHECKING:
    from rich.table import Table

    from mediaml_assets.evaluation.report import Report

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--titles", default=None, help="Slugs, with commas between; all by default.")
@click.option(
    "--truth", type=_FOLDER, multiple=True, help="Where more truth files lie, beside those in the landing folder."
)
@click.option(
    "--baseline/--no-baseline",
    default=True,
    show_default=True,
    help="Score the pipeline of one title and one flow beside ours; it decodes every frame.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the bootstraps.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write everything to a .json file.")
@click.option("--labels", type=_FOLDER, default=None, help="Evaluate the published match-cutting labels instead.")
@click.option("--embeddings", type=_FOLDER, default=None, help="With --labels: a folder of <encoder>-<imdb id>.json.")
@click.option("--encoder", default=None, help="With --embeddings: the first part of their names.")
@click.option(
    "--scorers",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="With --embeddings: write the trained scorers here, for the learned flavour.",
)
def evaluate(
    titles: str | None,
    truth: tuple[Path, ...],
    baseline: bool,
    seed: int,
    out: Path | None,
    labels: Path | None,
    embeddings: Path | None,
    encoder: str | None,
    scorers: Path | None,
) -> None:
    """Compare what was found with what is true.

    Reports shots, repeated takes and planted match cuts of the titles in the store against the truth beside their
    files: of rendered samples, and what people wrote in <file>.cuts.csv, <file>.takes.csv and copies.csv. With
    --labels, reports what scorers are worth on the published match-cutting labels; that needs no store.
    """
    from rich.console import Console

    from mediaml_assets.evaluation.plain_json import plain

    if (embeddings is None) != (encoder is None) or (embeddings and not labels) or (scorers and not embeddings):
        raise click.UsageError("--embeddings and --encoder go together, with --labels; --scorers goes with them")
    if out is not None and not out.parent.is_dir():
        # said before anything is computed, not after
        raise click.UsageError(f"--out: there is no folder {out.parent}; make it first")
    if labels is not None and (titles or truth):
        raise click.UsageError("--titles and --truth are about films in the store; with --labels leave them out")
    if labels is not None:
        found, tables = _labels(labels, embeddings, encoder or "", scorers, seed)
    else:
        prepare()
        found, tables = _store(slugs(titles), truth, baseline, seed)
    # where nobody looks, tables need not fit a window
    console = Console(width=None if sys.stdout.isatty() else 150)
    for table in tables:
        console.print(table)
    if not tables:
        click.echo(
            "There is nothing to compare yet: no film has landed. `mediaml demo` renders films with their truth; for "
            "your own put <file>.cuts.csv beside them and run `mediaml ingest`."
        )
    if out is not None:
        out.write_text(json.dumps(plain(found), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def slugs(titles: str | None) -> list[str] | None:
    """What `--titles` names, each once; None for every title."""
    return None if titles is None else list(dict.fromkeys(filter(None, (one.strip() for one in titles.split(",")))))


def _labels(
    folder: Path, embeddings: Path | None, encoder: str, scorers: Path | None, seed: int
) -> "tuple[object, list[Table]]":
    from mediaml_assets.evaluation.labels.study import study, study_embeddings
    from mediaml_assets.evaluation.labels.tables import study_tables
    from mediaml_assets.features.models.scorer_file import write_scorer

    found = study(folder, seed)
    if embeddings is None:
        return found, study_tables(folder, found)
    rows, trained = study_embeddings(folder, embeddings, encoder, seed)
    if scorers is not None:
        scorers.mkdir(parents=True, exist_ok=True)
        for task, scorer in trained.items():
            write_scorer(scorers / f"{encoder}-{task}.safetensors", scorer)
    return {"labels": found, "embeddings": rows}, study_tables(folder, found, rows)


def _store(
    titles: list[str] | None, truth: tuple[Path, ...], baseline: bool, seed: int
) -> "tuple[Report, list[Table]]":
    from mediaml_assets.evaluated import evaluated
    from mediaml_assets.evaluation.report import tables

    landing = home().landing
    folders = [*truth, landing] if isinstance(landing, Path) else list(truth)
    if not folders:
        raise SettingsError(f"films land on {landing}: give the folder of truth files with --truth")
    found = evaluated(folders, titles, baseline, seed)
    return found, tables(found)

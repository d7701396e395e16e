"""The commands of `mediaml` that search annotations, write them to files and serve them."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mediaml_assets.installation import prepare
from mediaml_assets.settings import home

if TYPE_CHECKING:
    from mediaml_assets.marken.faces.exports.webvtt import Cues
    from mediaml_assets.marken.marken import Marken
    from mediaml_assets.marken.schema import AnnotationType

_Command = TypeVar("_Command", bound=Callable[..., object])


def _asked(command: _Command) -> _Command:
    """What `search` and `export` ask alike."""
    options = [
        click.argument("types", nargs=-1, required=True, metavar="TYPE..."),
        click.option(
            "--filter", "filter_text", default=None, help="CQL2, such as \"MATCH(label, 'car') AND start < 60\"."
        ),
        click.option("--title", "titles", multiple=True, help="Only of this title; may be given again."),
        click.option(
            "--as-of",
            default=None,
            metavar="MOMENT",
            help="As it was then: an answer's moment, or a time such as 2026-01-31T18:00:00Z.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_asked
@click.option("--near-text", default=None, help="The most like these words first.")
@click.option("--near-shot", default=None, metavar="TITLE/SHOT", help="The most like this shot first.")
@click.option(
    "--near-image",
    default=None,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The most like this picture first.",
)
@click.option(
    "--near-field", default=None, metavar="PROPERTY", help="Which vectors to compare, where there are several."
)
@click.option(
    "--group", default=None, metavar="FIELD", help="The best of each title, of each type, ...: `--group title`."
)
@click.option("--each", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many of each group.")
@click.option(
    "--sort",
    "sorts",
    multiple=True,
    metavar="FIELD[:desc]",
    help="By this, such as start or confidence:desc; may be given again.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Lines, or groups.")
@click.option("--explain", is_flag=True, help="Say how it was found.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def search(
    types: tuple[str, ...],
    filter_text: str | None,
    titles: tuple[str, ...],
    as_of: str | None,
    near_text: str | None,
    near_shot: str | None,
    near_image: Path | None,
    near_field: str | None,
    group: str | None,
    each: int,
    sorts: tuple[str, ...],
    limit: int,
    explain: bool,
    as_json: bool,
) -> None:
    """Search annotations of TYPEs: by time, place, words and likeness.

    \b
    mediaml search SHOT --title harbour-film --sort start
    mediaml search CAPTION --filter "MATCH(label, 'curtain')"
    mediaml search SHOT --near-shot harbour-film/12 --group title
    """  # noqa: D301 - click wants the character, not its name, to keep lines as they are
    from mediaml_assets.progress import console
    from mediaml_assets.searched import answer_table, explained

    marken = _marken()
    query = _query(types, filter_text, titles, as_of) | {"limit": limit, "explain": explain}
    to = {"text": near_text, "shot": near_shot, "image": near_image and _base64(near_image)}
    given = {name: value for name, value in to.items() if value is not None}
    if given:
        query["nearest"] = {"field": near_field or _vectors(marken, types), "to": given}
    if group is not None:
        query["collapse"] = {"field": group, "inner_hits": {"size": each}}
    if sorts:
        query["sort"] = [_sort(one) for one in sorts]
    answer = marken.search(query)
    if as_json:
        click.echo(json.dumps(answer.to_json(), indent=1))
        return
    console.print(answer_table(answer))
    for line in explained(answer.explain or ()):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


@click.command()
@_asked
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: .jsonl, .parquet, .vtt or .jsonld says the format.",
)
@click.option(
    "--cues",
    type=click.Choice(["metadata", "text"]),
    default="metadata",
    show_default=True,
    help="What WebVTT cues hold: all of an annotation, or its label.",
)
@click.option(
    "--film",
    default=None,
    metavar="URL",
    help="Address of a title's film in .jsonld, such as https://films.example/{title}.mp4.",
)
def export(
    types: tuple[str, ...],
    filter_text: str | None,
    titles: tuple[str, ...],
    as_of: str | None,
    out: Path,
    cues: "Cues",
    film: str | None,
) -> None:
    """Write annotations of TYPEs to a file.

    All that a search finds, of one moment: as JSON lines, Parquet, WebVTT of one title, or W3C Web Annotations.
    """
    from mediaml_assets.marken.faces.exports.export import FORMATS
    from mediaml_assets.marken.faces.exports.export import export as write

    format = next((one for one in FORMATS if out.suffix == f".{one}"), None)
    if format is None:
        raise click.BadParameter(f"{out} ends in none of {', '.join(f'.{one}' for one in FORMATS)}", param_hint="--out")
    if not out.parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    marken, query = _marken(), _query(types, filter_text, titles, as_of)
    more = {"film": film} if film is not None else {}
    count = write(marken, query, format, out, cues=cues, **more)
    click.echo(f"{count:,} annotations in {out}")


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; anything but this machine needs MEDIAML_TOKEN.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8420, show_default=True, help="Where to listen.")
def serve(host: str, port: int) -> None:
    """Serve annotations over HTTP, until stopped.

    MEDIAML_TOKEN, where it is set, is asked of every request (Authorization: Bearer).
    """
    from mediaml_assets.marken.faces.http import serve as serve_marken

    serve_marken(_marken(), host, port, home().token)


def _marken() -> "Marken":
    from mediaml_assets.annotated import installed_marken

    prepare()
    return installed_marken()


def _query(
    types: tuple[str, ...], filter_text: str | None, titles: tuple[str, ...], as_of: str | None
) -> dict[str, Any]:
    asked = {"types": list(types), "filter": filter_text, "titles": list(titles) or None, "as_of": as_of}
    return {name: value for name, value in asked.items() if value is not None}


def _sort(text: str) -> dict[str, str]:
    field, _, direction = text.partition(":")
    if direction not in ("", "asc", "desc"):
        raise click.BadParameter(f"{text}: write {field}:asc or {field}:desc", param_hint="--sort")
    return {field: direction or "asc"}


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")


def _vectors(marken: "Marken", types: tuple[str, ...]) -> str:
    """The one vector property of the types."""
    named = [kind for name in types for kind in marken.types.searched(name)]
    found = sorted({name for kind in named for name in _vectors_of(kind)})
    if len(found) != 1:
        if found:
            raise click.BadParameter(f"name one; there are {', '.join(found)}", param_hint="--near-field")
        others = sorted({one.name for one in marken.types if _vectors_of(one)})
        raise click.UsageError(f"{' and '.join(types)} cannot be compared: vectors are in {', '.join(others)}")
    return found[0]


def _vectors_of(kind: "AnnotationType") -> list[str]:
    from mediaml_assets.marken.schema import Kind

    return [one.name for one in kind.properties.values() if one.kind is Kind.VECTOR]


COMMANDS = (search, export, serve)
"""What `mediaml` offers of this module."""

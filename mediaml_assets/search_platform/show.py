"""The best cuts of some titles, put where people look: rows, a contact sheet, a page, preview clips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from PIL import Image

from mediaml_assets.amber.feature import Scope
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.search_platform.contact_sheet import by_flavour, contact_sheet
from mediaml_assets.search_platform.page import page, preview_path
from mediaml_assets.search_platform.previews import Cut, preview
from mediaml_assets.search_platform.why import Matched, why


@dataclass(frozen=True)
class Shown:
    """What was written: the cuts by flavour, the titles' media, and the files to open."""

    cuts: dict[str, list[Cut]]
    media: dict[str, Media]
    sheet: Path
    page: Path
    previews: list[Path]


def show(
    store: Store, mesh: Mesh, titles: Sequence[str], settings: Mapping[str, Any], folder: Path, top: int, previews: int
) -> Shown:
    """Ask for match cuts and write them into `folder`.

    Args:
        store: the feature store.
        mesh: the features; `match_cuts` among them.
        titles: every title that ever landed; withdrawn ones are left out of the answer.
        settings: configuration of `match_cuts` that differs from its defaults.
        folder: made when absent; files of an earlier call are replaced.
        top: how many cuts of each flavour are shown.
        previews: how many of those are also rendered as mp4.
    """
    for feature in mesh.upstream("match_cuts"):
        # where nothing was ingested yet, or a title came or went since: what it reads of the catalogue comes first
        if feature.scope is Scope.CATALOGUE and feature.name != "match_cuts":
            mesh.compute(store, feature.name, titles)
    commit = mesh.compute(store, "match_cuts", titles, settings)
    rows = View(store, "match_cuts", commit.scope, commit).table().to_pylist()
    names = [one.name for one in fields(Cut)]
    cuts = [Cut(**{name: row[name] for name in names}) for row in rows if row["rank"] <= top]
    used = sorted({cut.title1 for cut in cuts} | {cut.title2 for cut in cuts})
    media = {title: Media.from_value(view) for title, view in store.views("standard_encode", used).items()}
    (folder / "previews").mkdir(parents=True, exist_ok=True)
    for old in (folder / "previews").glob("*.mp4"):
        old.unlink()
    rendered = []
    for cut in cuts:
        if cut.rank <= previews:
            rendered.append(preview_path(cut, folder))
            preview(cut, media[cut.title1], media[cut.title2], rendered[-1])
    sheet = folder / "contact_sheet.png"
    reasons = _reasons(store, cuts, media)
    contact_sheet(cuts, media, sheet, reasons)
    return Shown(by_flavour(cuts), media, sheet, page(cuts, media, folder, reasons), rendered)


def _reasons(store: Store, cuts: Sequence[Cut], media: Mapping[str, Media]) -> dict[str, Image.Image]:
    """The picture that says why, by the name of each cut that can have one."""
    found = {}
    for name, section in by_flavour(cuts).items():
        flavour = FLAVOURS[name]
        titles = sorted({cut.title1 for cut in section} | {cut.title2 for cut in section})
        tables = {title: view.table(flavour.columns) for title, view in store.views(flavour.feature, titles).items()}
        rows = {(title, row[flavour.columns[0]]): row for title, table in tables.items() for row in table.to_pylist()}
        for cut in section:
            matched = Matched(
                cut,
                media[cut.title1],
                media[cut.title2],
                rows[cut.title1, cut.shot1],
                rows[cut.title2, cut.shot2],
            )
            picture = why(matched)
            if picture is not None:
                found[cut.name] = picture
    return found

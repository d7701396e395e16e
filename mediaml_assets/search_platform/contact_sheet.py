"""A contact sheet of match cuts: the last frame of A, the first frame of B, and what matches, by flavour."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.search_platform.previews import Cut
from mediaml_assets.search_platform.why import SAYS

STILL = (320, 180)
ACROSS = 2  # cuts side by side
_MARGIN, _SEAM, _HEADING, _CAPTION = 24, 4, 56, 56
_GAP = 14  # at least, between the captions of the two frames
_CELL = (3 * STILL[0] + 2 * _SEAM, STILL[1] + _CAPTION)
_PAPER, _INK, _FAINT = (250, 250, 248), (24, 24, 27), (92, 92, 99)


def still(media: Media, frame: int) -> Image.Image:
    """A frame of a title at half size, 320x180."""
    (found,) = media.video.frames([frame])
    return Image.fromarray(found.rgb()).resize(STILL, Image.Resampling.BOX)


def by_flavour(cuts: Sequence[Cut]) -> dict[str, list[Cut]]:
    """The cuts of each flavour by rank; flavours in the order they come."""
    sections: dict[str, list[Cut]] = {}
    for cut in cuts:
        sections.setdefault(cut.flavour, []).append(cut)
    return {flavour: sorted(section, key=lambda cut: cut.rank) for flavour, section in sections.items()}


def contact_sheet(
    cuts: Sequence[Cut], media: Mapping[str, Media], path: Path, reasons: Mapping[str, Image.Image]
) -> None:
    """Write the sheet as PNG: a section a flavour, two cuts a line, each with rank, score, titles, shots, timecodes.

    Args:
        cuts: what to show; a sheet without any says so.
        media: every title of the cuts by its slug.
        path: the file to write; it appears when it is complete.
        reasons: the pictures that say why, of the size of a still, by the name of a cut; some may have none.
    """
    sections = by_flavour(cuts)
    lines = sum(-(-len(section) // ACROSS) for section in sections.values())
    height = 2 * _MARGIN + max(1, len(sections)) * _HEADING + lines * (_CELL[1] + _MARGIN)
    sheet = Image.new("RGB", (ACROSS * (_CELL[0] + _MARGIN) + _MARGIN, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    if not sections:
        draw.text((_MARGIN, top), "No match cuts.", fill=_INK, font=_font(28))
    for flavour, section in sections.items():
        heading = f"{flavour}: {len(section)} match cuts"
        draw.text((_MARGIN, top), heading, fill=_INK, font=_font(28))
        beside = _MARGIN + draw.textlength(heading, font=_font(28)) + _MARGIN
        draw.text((beside, top + 11), SAYS.get(flavour, ""), fill=_FAINT, font=_font(16))
        top += _HEADING
        for place, cut in enumerate(section):
            line, column = divmod(place, ACROSS)
            corner = _MARGIN + column * (_CELL[0] + _MARGIN), top + line * (_CELL[1] + _MARGIN)
            _draw_cut(sheet, corner, cut, media[cut.title1], media[cut.title2])
            if cut.name in reasons:
                sheet.paste(reasons[cut.name], (corner[0] + 2 * (STILL[0] + _SEAM), corner[1]))
        top += -(-len(section) // ACROSS) * (_CELL[1] + _MARGIN)
    part = path.with_name(path.name + ".part")
    sheet.save(part, "PNG")
    part.replace(path)


def _draw_cut(sheet: Image.Image, corner: tuple[int, int], cut: Cut, media1: Media, media2: Media) -> None:
    left, top = corner
    right = left + STILL[0] + _SEAM
    sheet.paste(still(media1, cut.out_frame), (left, top))
    sheet.paste(still(media2, cut.in_frame), (right, top))
    draw = ImageDraw.Draw(sheet)
    score = f"{cut.score:.3f}"
    room = STILL[0] - _GAP - draw.textlength(f"{cut.rank}.  {score}   ", font=_font(18))
    captions = (
        (left, f"{cut.rank}.  {score}   {_fitted(draw, cut.title1, cut.shot1, room)}", media1.timecode(cut.out_frame)),
        (right, _fitted(draw, cut.title2, cut.shot2, STILL[0] - _GAP), media2.timecode(cut.in_frame)),
    )
    for (x, label, timecode), word in zip(captions, ("out", "in"), strict=True):
        draw.text((x, top + STILL[1] + 6), label, fill=_INK, font=_font(18))
        draw.text((x, top + STILL[1] + 30), f"{word} {timecode}", fill=_FAINT, font=_font(16))


def _fitted(draw: ImageDraw.ImageDraw, title: str, shot: int, room: float) -> str:
    """`title shot n`, the title shortened in the middle where it is too long."""
    label, kept = f"{title} shot {shot}", len(title)
    while draw.textlength(label, font=_font(18)) > room and kept > 2:
        kept -= 1
        label = f"{title[: kept - kept // 2]}...{title[len(title) - kept // 2 :]} shot {shot}"
    return label


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

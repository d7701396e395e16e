"""One static page of match cuts: their two frames, scores and timecodes, and the previews that stand beside it."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Template

from PIL import Image

from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.search_platform.contact_sheet import STILL, by_flavour, still
from mediaml_assets.search_platform.previews import Cut
from mediaml_assets.search_platform.why import SAYS

PAGE = "match_cuts.html"
PREVIEWS = "previews"

_SECTION = Template("""<section aria-labelledby="$anchor">
<h2 id="$anchor">$flavour</h2>
<p class="faint">$description</p>
<ol class="cuts">
$cuts
</ol>
</section>""")

_CUT = Template("""<li class="cut">
<h3><span>Cut $rank</span> <span class="score">score $score</span></h3>
<div class="pair">
$stills
</div>
$reason
$preview
</li>""")

_STILL = Template("""<figure>
<img src="$source" width="$width" height="$height" alt="$alt">
<figcaption>$title, shot $shot<br><time>$word $timecode</time></figcaption>
</figure>""")

_REASON = Template("""<details>
<summary>Why these two match</summary>
<figure>
<img src="$source" width="$width" height="$height" alt="What the $flavour flavour compared">
<figcaption>$says</figcaption>
</figure>
</details>""")

_PREVIEW = Template(
    '<video src="$source" controls loop preload="none" poster="$poster" width="640" height="360" '
    'aria-label="Preview of $flavour match cut $rank, $title1 to $title2"></video>'
)
_NO_PREVIEW = '<p class="faint">No preview was made of this cut.</p>'


def preview_path(cut: Cut, folder: Path) -> Path:
    """Where the page in `folder` looks for the preview of a cut: `previews/<flavour>-<rank>.mp4`."""
    return folder / PREVIEWS / f"{cut.name}.mp4"


def page(cuts: Sequence[Cut], media: Mapping[str, Media], folder: Path, reasons: Mapping[str, Image.Image]) -> Path:
    """Write `match_cuts.html` into an existing folder; returns its path.

    The stills, and the pictures that say why (by the name of a cut), are inside the page; previews that exist at
    `preview_path` are linked relatively, so the folder can be moved or zipped. Nothing is fetched from a network, and
    there is no script.
    """
    sections = by_flavour(cuts)
    template = Template(files(__package__).joinpath("static", PAGE).read_text(encoding="utf-8"))
    text = template.substitute(
        contents="\n".join(
            f'<li><a href="#{_anchor(flavour)}">{escape(flavour)} ({len(section)})</a></li>'
            for flavour, section in sections.items()
        ),
        sections="\n".join(
            _SECTION.substitute(
                anchor=_anchor(flavour),
                flavour=escape(flavour.capitalize()),
                description=escape(FLAVOURS[flavour].description),
                cuts="\n".join(
                    _cut(cut, media[cut.title1], media[cut.title2], folder, reasons.get(cut.name)) for cut in section
                ),
            )
            for flavour, section in sections.items()
        )
        or "<p>There are no match cuts yet.</p>",
    )
    path = folder / PAGE
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path


def _anchor(flavour: str) -> str:
    return escape(f"flavour-{flavour}")


def _cut(cut: Cut, media1: Media, media2: Media, folder: Path, reason: Image.Image | None) -> str:
    last, first = _data_uri(still(media1, cut.out_frame)), _data_uri(still(media2, cut.in_frame))
    facts = {
        "flavour": escape(cut.flavour),
        "rank": str(cut.rank),
        "title1": escape(cut.title1),
        "title2": escape(cut.title2),
    }
    stills = (
        _still(last, cut.title1, cut.shot1, "out", media1.timecode(cut.out_frame)),
        _still(first, cut.title2, cut.shot2, "in", media2.timecode(cut.in_frame)),
    )
    made = preview_path(cut, folder)
    source = escape(f"{PREVIEWS}/{made.name}")
    preview = _PREVIEW.substitute(facts, source=source, poster=last) if made.exists() else _NO_PREVIEW
    return _CUT.substitute(
        facts,
        score=f"{cut.score:.3f}",
        stills="\n".join(stills),
        reason="" if reason is None else _reason(cut, reason),
        preview=preview,
    )


def _reason(cut: Cut, picture: Image.Image) -> str:
    return _REASON.substitute(
        source=_data_uri(picture),
        width=picture.width,
        height=picture.height,
        flavour=escape(cut.flavour),
        says=escape(SAYS[cut.flavour]),
    )


def _still(source: str, title: str, shot: int, word: str, timecode: str) -> str:
    which = {"out": "Last frame", "in": "First frame"}[word]
    return _STILL.substitute(
        source=source,
        width=STILL[0],
        height=STILL[1],
        alt=escape(f"{which} of shot {shot} of {title}"),
        title=escape(title),
        shot=shot,
        word=word,
        timecode=timecode,
    )


def _data_uri(picture: Image.Image) -> str:
    """A picture as JPEG in the page itself, about 10 KB."""
    data = BytesIO()
    picture.save(data, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")

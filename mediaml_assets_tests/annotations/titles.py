"""Titles of a store, written without decoding anything: their clock, shots, cues, verdicts, embeddings and match cuts.

Everything is drawn from a seed. Values carry what they read, as `Value.reads` does, so that a title whose standard
encode changed is seen to be out of date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store
from mediaml_assets.features.cue_rows import CUES
from mediaml_assets.features.essence import ESSENCE
from mediaml_assets.features.quality import QUALITY
from mediaml_assets.features.shot_embedding import MOMENTS, SHOT_EMBEDDING
from mediaml_assets.features.shots import SHOTS
from mediaml_assets.features.standard_encodes import STANDARD_ENCODE
from mediaml_assets.jasper.frame_map import FrameMapWriter
from mediaml_assets.matching.match_cuts import MATCH_CUTS

RATES = (Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50))
DIMENSIONS = 8
READS = {"shots": ("standard_encode",), "shot_embedding": ("standard_encode", "shots")}


@dataclass(frozen=True)
class Title:
    """A title that was put into a store."""

    slug: str
    rate: Fraction
    cuts: tuple[int, ...]
    """Frames at which shots begin, and where the last ends."""
    times: tuple[float, ...]
    """Seconds in the delivered film at which each frame is first shown, and where the last ends."""


def put_title(
    store: Store,
    slug: str,
    seed: int,
    cuts: Sequence[int] | None = None,
    rate: Fraction | None = None,
    offset: int = 0,
    dimensions: int = DIMENSIONS,
) -> Title:
    """Put essence, standard encode, shots, cues, quality and embeddings of a title; the seed says what they are.

    Args:
        store: where.
        slug: the title.
        seed: of everything that is not given; the essence is named by it.
        cuts: where its shots begin, and where the last ends.
        rate: frames a second.
        offset: pictures of the delivered film that no frame shows, at its beginning.
        dimensions: of embeddings.
    """
    chance = np.random.default_rng(seed)
    rate = rate or RATES[chance.integers(len(RATES))]
    if cuts is None:
        cuts = np.cumsum([0, *chance.integers(5, 60, chance.integers(2, 9))]).tolist()
    put(store, "essence", slug, pa.table({"digest": [f"{seed:064x}"]}, ESSENCE))
    put(store, "standard_encode", slug, _encode(store, cuts[-1], rate, offset))
    put(store, "shots", slug, shot_rows(cuts, chance))
    for feature in ("subtitle_cues", "embedded_cues"):
        put(store, feature, slug, cue_rows(chance, int(chance.integers(0, 6))))
    put(store, "quality", slug, quality_rows(chance))
    put(store, "shot_embedding", slug, embedding_rows(chance, len(cuts) - 1, dimensions))
    times = [(frame + offset) * float(1 / rate) for frame in range(cuts[-1] + 1)]
    return Title(slug, rate, tuple(cuts), tuple(times))


def put_cuts(store: Store, titles: Sequence[Title], seed: int, count: int = 12) -> pa.Table:
    """Put match cuts among the shots of these titles."""
    chance = np.random.default_rng(seed)
    shots = [(one, index) for one in titles for index in range(len(one.cuts) - 1)]
    rows, seen = [], set()
    for rank in range(1, count + 1):
        a, b = (shots[chance.integers(len(shots))] for _ in range(2))
        if (a[0].slug, a[1], b[0].slug, b[1]) in seen:
            continue
        seen.add((a[0].slug, a[1], b[0].slug, b[1]))
        row = {"flavour": "motion", "rank": rank, "score": float(chance.random()), "own_score": float(chance.random())}
        for number, (title, index) in zip("12", (a, b), strict=True):
            start, end = title.cuts[index : index + 2]
            row |= {f"title{number}": title.slug, f"shot{number}": index, f"start{number}": start, f"end{number}": end}
        rows.append(
            row | {"out_frame": row["end1"] - 1, "in_frame": row["start2"], "exact": bool(chance.random() < 0.5)}
        )
    table = pa.Table.from_pylist(rows, MATCH_CUTS)
    put(store, "match_cuts", CATALOGUE, table)
    return table


def put(store: Store, feature: str, scope: str, table: pa.Table) -> None:
    """Make a table the current value, made from what is current of what the feature reads."""
    heads = {name: store.ledger.head(name, scope) for name in READS.get(feature, ())}
    reads = {name: head.current.columns for name, head in heads.items() if head and head.current}
    value = store.write_rows(feature, table, "0" * 64, column_digests(table), reads)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    row = Commit(feature, scope, "computed", value, value, value.key, 1, now, version="1")
    assert store.ledger.append(row, store.ledger.head(feature, scope))


def withdraw(store: Store, slug: str, *features: str) -> None:
    """Take values of a title away."""
    for feature in features:
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        row = Commit(feature, slug, "withdrawn", None, None, "", 1, now)
        assert store.ledger.append(row, store.ledger.head(feature, slug))


def shot_rows(cuts: Sequence[int], chance: np.random.Generator) -> pa.Table:
    """Shots that begin at these frames; the last number is where the last ends."""
    start, end = np.array(cuts[:-1]), np.array(cuts[1:])
    count = len(start)
    kinds = ["start", *chance.choice(["cut", "dissolve", "fade", "wipe"], count - 1)]
    columns = [range(count), start, end, start, end, kinds, start, start, chance.random(count).astype(np.float32)]
    return pa.table([pa.array(one, field.type) for one, field in zip(columns, SHOTS, strict=True)], schema=SHOTS)


def cue_rows(chance: np.random.Generator, count: int) -> pa.Table:
    """Cues, and now and then a file that was refused."""
    rows = []
    for index in range(count):
        start = int(chance.integers(0, 10_000_000))
        cue = {"start_ms": start, "end_ms": start + int(chance.integers(1, 9_000)), "text": f"line {index}\nsaid é"}
        cue |= {"markup": "", "speaker": "Ann" if chance.random() < 0.5 else None, "language": "en"}
        if chance.random() < 0.2:
            cue = {"refused": "no subtitles in it"}
        rows.append({"index": index, "label": "", "origin": "a.srt", **cue})
    return pa.Table.from_pylist(rows, CUES)


def quality_rows(chance: np.random.Generator) -> pa.Table:
    """Verdicts, and stretches of black."""
    rows: list[dict[str, object]] = [{"concern": one, "verdict": "ok", "reasons": []} for one in ("all", "black")]
    starts = np.sort(chance.random(int(chance.integers(0, 4)))) * 100
    rows += [{"concern": "black", "verdict": "ok", "reasons": [], "start": one, "end": one + 0.52} for one in starts]
    return pa.Table.from_pylist(rows, QUALITY)


def embedding_rows(chance: np.random.Generator, count: int, dimensions: int = DIMENSIONS) -> pa.Table:
    """Unit vectors, and now and then one of zeros."""
    vectors = chance.normal(size=(len(MOMENTS), count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    vectors[chance.random((len(MOMENTS), count)) < 0.1] = 0
    return pa.table([pa.array(range(count), pa.int32()), *(list(one) for one in vectors)], schema=SHOT_EMBEDDING)


def _encode(store: Store, frames: int, rate: Fraction, offset: int) -> pa.Table:
    file = store.local / "scratch" / "frame_map.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = FrameMapWriter(rate, 1 / rate, 0)
    for picture in range(frames + offset):
        # what no frame shows stands before the first
        writer.add(picture, max(0, picture - offset))
    writer.save(file, frames)
    row = {"rate_num": rate.numerator, "rate_den": rate.denominator, "frame_count": frames}
    return pa.Table.from_pylist([row | {"frame_map": store.objects.add_file(file)}], STANDARD_ENCODE)

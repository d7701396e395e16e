"""A mesh of three cheap features over text files, for tests of everything around the features."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.columns import blob
from mediaml_assets.amber.feature import AmberFeature, Check, Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import open_binary
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets.landing.shows import SHOW
from mediaml_assets.landing.source_file import SourceFile

LETTERS = pa.schema([("letter", pa.string())])
COUNTS = pa.schema([("letter", pa.string()), ("n", pa.int64()), ("remark", pa.string())])
SHARES = pa.schema([("n", pa.int64())])
CLIP = pa.schema([blob("video"), ("n", pa.int64())])
TOTAL = pa.schema([("title", pa.string()), ("n", pa.int64())])


def called(feature: str, scope: str) -> None:
    """Write down that a feature's function ran; one short append is atomic, so processes may share the file."""
    with open(os.environ["TOY_CALLS"], "a") as file:
        file.write(f"{feature}/{scope}\n")


def _text(source: SourceFile) -> str:
    with open_binary(source.file) as file:
        return file.read().decode()


def calls() -> list[str]:
    """Every call of a function so far, as feature/title."""
    file = Path(os.environ["TOY_CALLS"])
    return file.read_text().split() if file.exists() else []


@dataclass
class Letters:
    text: str
    title: str
    columns: ClassVar[tuple[str, ...]] = ("letter",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls("".join(view.table(["letter"]).column("letter").to_pylist()), view.title)


@dataclass
class Reading(Letters):
    """The letters as several features may read them at once; each time that they are read is written down."""

    closed = False

    @classmethod
    def from_value(cls, view: Any) -> Self:
        called("reading", view.title)
        return super().from_value(view)

    @classmethod
    def together(cls, view: Any, readers: int) -> list[Self]:
        one = cls.from_value(view)
        return [cls(one.text, one.title) for _ in range(readers)]

    def close(self) -> None:
        self.closed = True

    def read(self) -> str:
        if self.closed:
            raise ValueError("this reading was closed")
        return self.text


@dataclass(frozen=True)
class Counts:
    n: int
    title: str
    columns: ClassVar[tuple[str, ...]] = ("letter", "n")

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(sum(view.table(["n"]).column("n").to_pylist()), view.title)


@dataclass(frozen=True)
class Shares:
    n: int
    columns: ClassVar[tuple[str, ...]] = ("n",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(view.row()["n"])


@dataclass(frozen=True)
class TotalConfig:
    factor: int = 1
    titles: tuple[str, ...] | None = None


def fails_on_q(rows: pa.Table) -> str | None:
    return "q is not allowed" if "q" in rows.column("letter").to_pylist() else None


@amber_feature(version="1", schema=LETTERS)
def letters(source: SourceFile) -> pa.Table:
    """The letters of a file, without its spaces: like an essence, blind to layout."""
    called("letters", source.title)
    text = _text(source)
    if "!" in text:
        raise MediaRefused(f"{source.file.name} holds a '!'; remove it and deliver the file again")
    if "crash" in text:
        raise RuntimeError("an ordinary error of an algorithm")
    return pa.table({"letter": sorted(text.replace(" ", ""))}, schema=LETTERS)


def count_rows(text: str, remark: str) -> pa.Table:
    names = sorted(set(text))
    columns = {"letter": names, "n": [text.count(one) for one in names], "remark": [remark for _ in names]}
    return pa.table(columns, schema=COUNTS)


def counts_version(version: str, remark: str, factor: int = 1) -> AmberFeature:
    """`counts` as code of some version would make it; the remark is a column that nobody reads."""

    def counts(letters: Letters) -> pa.Table:
        """How often each letter occurs."""
        called("counts", letters.title)
        rows = count_rows(letters.text, remark)
        return rows.set_column(1, COUNTS.field("n"), pa.array([n * factor for n in rows.column("n").to_pylist()]))

    no_q = Check("no_q", fails_on_q, "Titles with a q are held back.")
    return amber_feature(version=version, schema=COUNTS, checks=[no_q])(counts)


@amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)
def total(counts: Mapping[str, Counts], config: TotalConfig) -> pa.Table:
    """Letters of each title."""
    called("total", ",".join(counts))
    return pa.table({"title": list(counts), "n": [one.n * config.factor for one in counts.values()]}, schema=TOTAL)


def toy_mesh(version: str = "1", remark: str = "", factor: int = 1) -> Mesh:
    return Mesh([letters, counts_version(version, remark, factor), total], sources=[SOURCE])


def diamond_mesh() -> Mesh:
    """letters -> counts -> shares, and shares reads letters too: both arms change when a file does."""

    def shares(letters: Letters, counts: Counts) -> pa.Table:
        called("shares", letters.title)
        return pa.table({"n": [len(letters.text) - counts.n]}, schema=SHARES)

    def worst(counts: Mapping[str, Counts], shares: Mapping[str, Shares]) -> pa.Table:
        called("worst", ",".join(shares))
        return pa.table({"title": list(shares), "n": [one.n for one in shares.values()]}, schema=TOTAL)

    ends = [amber_feature(version="1", schema=SHARES)(shares)]
    ends.append(amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)(worst))
    return Mesh([letters, counts_version("1", ""), *ends], sources=[SOURCE])


def wide_mesh() -> Mesh:
    """letters -> five arms that read it -> joined, which reads letters and all arms -> worst, of all titles."""

    def arm(name: str) -> AmberFeature:
        def compute(letters: Letters) -> pa.Table:
            called(name, letters.title)
            return pa.table({"n": [len(letters.text) + ord(name)]}, schema=SHARES)

        compute.__name__ = name
        return amber_feature(version="1", schema=SHARES)(compute)

    def joined(letters: Letters, v: Shares, w: Shares, x: Shares, y: Shares, z: Shares) -> pa.Table:
        called("joined", letters.title)
        return pa.table({"n": [len(letters.text) + v.n + w.n + x.n + y.n + z.n]}, schema=SHARES)

    def worst(joined: Mapping[str, Shares]) -> pa.Table:
        called("worst", ",".join(joined))
        return pa.table({"title": list(joined), "n": [one.n for one in joined.values()]}, schema=TOTAL)

    ends = [amber_feature(version="1", schema=SHARES)(joined)]
    ends.append(amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)(worst))
    return Mesh([letters, *map(arm, "vwxyz"), *ends], sources=[SOURCE])


@amber_feature(version="1", schema=CLIP)
def clip(letters: Letters, scratch: Path) -> pa.Table:
    """A file of the letters."""
    called("clip", letters.title)
    (scratch / "a.mp4").write_text(letters.text)
    return pa.table({"video": [str(scratch / "a.mp4")], "n": [len(letters.text)]}, schema=CLIP)


def film_mesh(version: str = "1", factor: int = 1) -> Mesh:
    """The toy mesh, and a feature that stores files."""
    return Mesh([letters, counts_version(version, "", factor), clip, total], sources=[SOURCE])


def failing_mesh() -> Mesh:
    """A catalogue feature that always fails."""

    def total(counts: Mapping[str, Counts]) -> pa.Table:
        called("total", ",".join(counts))
        raise RuntimeError("a mistake in the algorithm")

    feature = amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)(total)
    return Mesh([letters, counts_version("1", ""), feature], sources=[SOURCE])


@dataclass(frozen=True)
class VowelsConfig:
    vowels: tuple[str, ...] = ("a", "e", "i", "o", "u")


def siblings_mesh(version: str = "1") -> Mesh:
    """letters -> vowels, size and first, siblings that read it together -> doubled, of size."""

    def vowels(letters: Reading, config: VowelsConfig) -> pa.Table:
        """How many vowels there are."""
        called("vowels", letters.title)
        if "#" in letters.read():
            raise RuntimeError("a mistake in the algorithm")
        if "?" in letters.read():
            raise MediaRefused("it holds a '?'; deliver it without")
        return pa.table({"n": [sum(one in config.vowels for one in letters.read())]}, schema=SHARES)

    def size(letters: Reading) -> pa.Table:
        """How many letters there are."""
        called("size", letters.title)
        return pa.table({"n": [len(letters.read())]}, schema=SHARES)

    def first(letters: Reading) -> pa.Table:
        """The first letter."""
        called("first", letters.title)
        return pa.table({"letter": [letters.read()[0]]}, schema=LETTERS)

    def doubled(size: Shares) -> pa.Table:
        called("doubled", str(size.n))
        return pa.table({"n": [2 * size.n]}, schema=SHARES)

    no_a = Check("no_a", lambda rows: "begins with a" if "a" in rows["letter"].to_pylist() else None, "None with a.")
    few = Check("few", lambda rows: "many" if rows["n"][0].as_py() > 3 else None, "Few.", blocking=False)
    features = [
        amber_feature(version="1", schema=SHARES)(vowels),
        amber_feature(version=version, schema=SHARES, checks=[few], kinds=["numpy"])(size),
        amber_feature(version="1", schema=LETTERS, checks=[no_a], automatic=False)(first),
        amber_feature(version="1", schema=SHARES)(doubled),
    ]
    return Mesh([letters, *features], sources=[SOURCE])


@dataclass(frozen=True)
class Season:
    n: int
    columns: ClassVar[tuple[str, ...]] = ("n",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(sum(view.table(["n"]).column("n").to_pylist()))


def shows_mesh(factor: int = 1) -> Mesh:
    """letters -> counts of each title, season of each show, and seasons over all shows."""

    @amber_feature(version="1", schema=TOTAL, scope=Scope.SHOW)
    def season(counts: Mapping[str, Counts]) -> pa.Table:
        """Letters of each episode of a show."""
        called("season", ",".join(counts))
        return pa.table({"title": list(counts), "n": [one.n for one in counts.values()]}, schema=TOTAL)

    @amber_feature(version="1", schema=SHARES, scope=Scope.SHOW)
    def average(season: Season) -> pa.Table:
        """Letters of a show."""
        called("average", str(season.n))
        return pa.table({"n": [season.n]}, schema=SHARES)

    @amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)
    def seasons(season: Mapping[str, Season], counts: Mapping[str, Counts]) -> pa.Table:
        """Letters of each show, and of all titles."""
        called("seasons", ",".join([*season, "+", *counts]))
        numbers = {name: one.n for name, one in season.items()} | {"*": sum(one.n for one in counts.values())}
        return pa.table({"title": list(numbers), "n": list(numbers.values())}, schema=TOTAL)

    features = [letters, counts_version("1", "", factor), season, average, seasons]
    return Mesh(features, sources=[SOURCE], shows=SHOW)

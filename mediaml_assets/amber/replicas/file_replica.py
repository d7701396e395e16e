"""A replica of large files, each with the rows of many titles, sorted: what shards and vector matrices share.

How rows lie in a file is the business of a `Format`. Which titles share a file is decided here: a changed title costs
writing its file anew, without what is no longer current; new titles begin files of their own; small files are merged
in classes of growing size. So a change of k titles writes at most k files of `part_bytes`, and what comes in one title
at a time is copied a few times, not once for each newcomer.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from mediaml_assets.amber.replicas.generations import Generation, Generations, Part, Span, full_tier
from mediaml_assets.amber.replicas.replication import LOST, Batch, Held, Incoming, Rows, in_batches
from mediaml_assets.errors import Damaged, NotStored, ReplicaMoved


class Writer(Protocol):
    """Writes one part."""

    def add(self, title: str, rows: pa.Table) -> None:
        """Append the rows of a title."""
        ...

    def size(self) -> int:
        """Bytes so far, more or less."""
        ...

    def close(self) -> None:
        """Finish the files."""
        ...


class Format(Protocol):
    """How rows lie in a part's files, all named `<stem>.…`."""

    def kind(self, title: str, rows: pa.Table) -> str:
        """What these rows must have in common with others in a part; raises FeatureError when they fit in none."""
        ...

    def writer(self, stem: Path, kind: str) -> Writer:
        """Begin a part."""
        ...

    def read(self, stem: Path, span: Span) -> pa.Table:
        """The rows of a title, in the feature's schema; raises OSError or ArrowInvalid."""
        ...

    def count(self, stem: Path) -> int:
        """Rows that its files have, by their own account; raises OSError, ValueError or ArrowInvalid."""
        ...


_Content = tuple[str, Callable[[], pa.Table]]
"""Digest of a value, and what reads its rows."""
_Contents = Mapping[str, _Content]


@dataclass
class FileReplica:
    """A sink of parts in one folder."""

    name: str
    folder: Path
    schema: pa.Schema
    format: Format
    part_bytes: int
    """Size up to which a part takes titles."""
    keeps_empty: bool = True

    def __post_init__(self) -> None:
        self.where = str(self.folder)
        self._generations = Generations(self.folder)
        self._seen = Generation()
        # descriptions may change
        self._schema = self.schema.to_string(show_field_metadata=False, show_schema_metadata=False)

    def held(self) -> Mapping[str, Held]:
        """What the newest generation records; the rows of a part whose files are not whole count as lost."""
        self._seen = self._generations.newest()
        found: dict[str, Held] = {}
        for part in self._carried(self._seen):
            whole = self._is_whole(part)
            found |= {span.title: Held(span.digest, span.rows if whole else LOST) for span in part.spans}
        return found

    def batches(self, put: Sequence[Incoming], drop: Sequence[str]) -> Iterator[Batch]:
        """One batch for each part that must change, then one for each part's worth of new titles."""
        places = self._seen.places
        touched: dict[str, tuple[list[Incoming], list[str]]] = {}
        new: list[Incoming] = []
        for one in put:
            if one.title in places:
                touched.setdefault(places[one.title][0].stem, ([], []))[0].append(one)
            else:
                new.append(one)
        for title in drop:
            touched.setdefault(places[title][0].stem, ([], []))[1].append(title)
        if not put and self._seen.parts and not self._carried(self._seen):
            # another schema was declared, and no title has it yet
            yield Batch()
        for changed, gone in touched.values():
            yield Batch(tuple(changed), tuple(gone))
        yield from in_batches(new, [], self.part_bytes, limit_titles=100_000)

    def write(self, batch: Batch, rows: Rows) -> int:
        """Write new parts and the generation that names them."""
        carried = self._carried(self._seen)
        broken = [part for part in carried if not self._is_whole(part)]
        touched = [part for part in carried if part in broken or batch.titles & {span.title for span in part.spans}]
        kept = [(part, span) for part in touched for span in part.spans if part not in broken]
        contents = {span.title: self._kept(part, span) for part, span in kept if span.title not in batch.titles}
        contents |= {one.title: (one.value.digest, partial(rows, one)) for one in batch.put}
        return self._replace(touched, contents)

    def tidy(self, keep_seconds: float) -> int:
        """Merge small parts, then remove generations that were replaced so long ago."""
        written = 0
        while tier := full_tier(self._carried(self._seen), self.part_bytes):
            written += self._replace(tier, {span.title: self._kept(part, span) for part in tier for span in part.spans})
        self._generations.sweep(keep_seconds)
        return written

    def rows(self, title: str) -> pa.Table:
        """The rows of a title, read back from its part."""
        return self._read(*self._place(title))

    def _place(self, title: str) -> tuple[Part, Span]:
        place = self._generations.newest().places.get(title)
        if place is None:
            raise NotStored(f"{self.name} holds nothing of {title}; run `mediaml ingest`, which copies what is missing")
        return place

    def _read(self, part: Part, span: Span) -> pa.Table:
        try:
            rows = self.format.read(self._stem(part), span)
        except (OSError, ValueError, pa.ArrowInvalid) as error:
            if part not in self._generations.newest().parts:
                raise self._moved() from error
            raise self._damaged(span.title, error) from error
        if rows.num_rows != span.rows:
            raise self._damaged(span.title, f"{rows.num_rows} rows where {span.rows} were written")
        return rows

    def _moved(self) -> ReplicaMoved:
        return ReplicaMoved(f"another process wrote {self.name} in {self.folder} first; run it again")

    def _damaged(self, title: str, why: object) -> Damaged:
        return Damaged(
            f"{self.name} cannot give {title} ({why}) from {self.folder}; `mediaml replicas --repair` copies it again"
        )

    def _kept(self, part: Part, span: Span) -> _Content:
        return span.digest, partial(self._read, part, span)

    def _replace(self, touched: Sequence[Part], contents: _Contents) -> int:
        """Publish a generation in which some parts are replaced by ones with these contents."""
        parts: list[Part] = []
        try:
            parts += self._written(contents)
            others = [part for part in self._carried(self._seen) if part not in touched]
            following = Generation(self._seen.number + 1, self._schema, (*others, *parts))
            manifest = self._generations.publish(following)
            if not manifest:
                raise self._moved()
        except BaseException:
            for part in parts:
                self._unlink(self._stem(part))
            raise
        self._seen = following
        return manifest + sum(part.bytes for part in parts)

    def _written(self, contents: _Contents) -> Iterator[Part]:
        """Write parts with these contents, in the order of titles; a part ends when it is full."""
        open_parts: dict[str, _OpenPart] = {}
        try:
            for title, (digest, read) in sorted(contents.items()):
                table = read()
                kind = self.format.kind(title, table)
                if kind not in open_parts:
                    stem = self._new_stem()
                    open_parts[kind] = _OpenPart(stem, self.format.writer(stem, kind))
                part = open_parts[kind]
                part.add(title, digest, table)
                if part.writer.size() >= self.part_bytes:
                    yield self._finished(kind, open_parts.pop(kind))
            while open_parts:
                yield self._finished(*open_parts.popitem())
        finally:
            # there are some only when a title could not be read or cannot be kept
            for part in open_parts.values():
                part.writer.close()
                self._unlink(part.stem)

    def _finished(self, kind: str, part: "_OpenPart") -> Part:
        part.writer.close()
        size = sum(file.stat().st_size for file in self._files(part.stem))
        return Part(part.stem.name, size, tuple(part.spans), kind)

    def _new_stem(self) -> Path:
        self._generations.files.mkdir(parents=True, exist_ok=True)
        return self._generations.files / uuid.uuid4().hex

    def _stem(self, part: Part) -> Path:
        return self._generations.files / part.stem

    def _files(self, stem: Path) -> list[Path]:
        return list(stem.parent.glob(f"{stem.name}.*"))

    def _unlink(self, stem: Path) -> None:
        for file in self._files(stem):
            file.unlink(missing_ok=True)

    def _carried(self, generation: Generation) -> Sequence[Part]:
        """Parts that the next generation may keep; none when the feature's schema changed."""
        return generation.parts if generation.schema == self._schema else ()

    def _is_whole(self, part: Part) -> bool:
        with suppress(OSError, ValueError, pa.ArrowInvalid):
            return self.format.count(self._stem(part)) == part.rows
        return False


@dataclass
class _OpenPart:
    """A part that is being written."""

    stem: Path
    writer: Writer
    spans: list[Span] = field(default_factory=list)

    def add(self, title: str, digest: str, rows: pa.Table) -> None:
        """Append the rows of a title."""
        start = self.spans[-1].stop if self.spans else 0
        self.writer.add(title, rows)
        self.spans.append(Span(title, digest, start, start + rows.num_rows))

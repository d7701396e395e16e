"""Every error that mediaml raises on purpose.

    MediamlError
    ├── BadInput              a delivered file cannot be used: quarantined with this reason, never retried
    │   ├── TitleRefused      landing: its name or place gives no valid title
    │   ├── MediaRefused      jasper: its content cannot be read as a film, picture or text
    │   └── TimecodeRefused   jasper: a text or a count is no SMPTE timecode
    ├── ReaderFailed          reading a delivered file failed by our fault or the machine's, not the film's
    ├── NotComputed           some of the values that were asked for could not be had, each with its reason
    ├── InputMoved            a title changed while a run was reading it: ask again, nothing was stored
    ├── Unreachable           a bucket or a Dagster does not answer or denies access: nothing was changed, try again
    ├── FeatureError          an Amber Feature is declared wrongly or returned rows that are not its schema
    ├── StoreError            the feature store cannot answer
    │   ├── NotStored         nothing is stored under that name
    │   ├── Damaged           a stored object is not what its digest says
    │   ├── Incongruent       rows of two features of a title mean different shots, and cannot be joined
    │   ├── ReplicaMoved      another process wrote the same replica first: look again, nothing was written
    │   └── NotKept           a replica cannot hold a value as it is: its title is left behind, the others go on
    ├── MarkenError           annotations cannot be kept or found
    │   ├── SchemaRefused     a type of annotation is declared wrongly, or changes what it may not
    │   ├── AnnotationRefused an annotation is not of its type: names the property
    │   ├── OperationRefused  an operation is not in a state for what is asked of it
    │   ├── QueryRefused      a search cannot be understood: points at the place
    │   ├── RequestRefused    a request over HTTP is not one that is served: points at the place
    │   └── TitlesUnreachable a server of annotations does not answer: names the titles that are missing
    ├── TruthRefused          a truth, label or embedding file to evaluate against is not of its format
    ├── SettingsError         mediaml.toml cannot be read, or the given landing folder is not there
    └── ModelMissing          a configured model is not in the given folder, or is not whole

Each message says what happened, to which title or file, and what to do next.
"""

from collections.abc import Mapping, Sequence


class MediamlError(Exception):
    """Base of every error raised by mediaml."""


class BadInput(MediamlError):
    """A delivered file cannot be used; it is quarantined with this reason and the others go on."""


class TitleRefused(BadInput):
    """A file's name or place gives no valid title slug, or its slug is taken."""


class MediaRefused(BadInput):
    """A file's content cannot be read as a film, picture or text: empty, truncated, too large, not allowed."""


class TimecodeRefused(BadInput):
    """A text or a count is no SMPTE timecode of the rate that it is said to have."""


class ReaderFailed(MediamlError):
    """The process that reads delivered files failed by itself; the film is not to blame and is not quarantined."""


class NotComputed(MediamlError):
    """Some of the values that were asked for could not be had.

    Attributes:
        reasons: title (or show) -> why.
    """

    def __init__(self, feature: str, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        lines = [f"  {title}: {reason}" for title, reason in sorted(self.reasons.items())]
        told = "the others are stored; ask for them alone, or see `mediaml status`"
        super().__init__(
            "\n".join([f"{feature} could not be had for {len(lines)} of what was asked for ({told}):", *lines])
        )


class InputMoved(MediamlError):
    """The title changed while a run was reading it; nothing was stored, the next run reads the new state."""


class Unreachable(MediamlError):
    """A bucket, or a running Dagster, does not answer or denies access; nothing was changed: try again."""


class FeatureError(MediamlError):
    """An Amber Feature is declared wrongly, or returned rows that are not its schema."""


class StoreError(MediamlError):
    """The feature store cannot answer."""


class NotStored(StoreError):
    """Nothing is stored under that name."""


class Damaged(StoreError):
    """A stored object is not what its digest says."""


INCONGRUENT = (
    "{0} and {1} of {2} mean different {3}: {0} those of {4}, {1} those of {5}. Compute both again (`mediaml explain` "
    "says what is out of date), or read both as of one moment (as_of)"
)
"""What is said of incongruent rows, in Python and in SQL."""


class Incongruent(StoreError):
    """Rows of two features of one title mean different shots (or other rows that both are made from).

    Attributes:
        features: the two.
        title: of both.
        upstream: the feature whose rows they mean, such as unique_shots.
        digests: of the value of `upstream` that each of them means.
    """

    def __init__(self, one: str, other: str, title: str, upstream: str, digest: str, other_digest: str) -> None:
        self.features, self.title, self.upstream = (one, other), title, upstream
        self.digests = digest, other_digest
        super().__init__(INCONGRUENT.format(one, other, title, upstream, digest, other_digest))


class ReplicaMoved(StoreError):
    """Another process wrote the same replica first; nothing was written, look again."""


class NotKept(StoreError):
    """A replica cannot hold a value as it is, or not yet; its title stays as it was in there, and the others go on."""


class MarkenError(MediamlError):
    """Annotations cannot be kept or found."""


class SchemaRefused(MarkenError):
    """A type of annotation is declared wrongly, or a new version of it changes what it may not."""


class AnnotationRefused(MarkenError):
    """An annotation is not of its type; nothing of its batch was kept.

    Attributes:
        property: the property or column that is wrong.
    """

    def __init__(self, message: str, property: str) -> None:
        self.property = property
        super().__init__(message)


class OperationRefused(MarkenError):
    """An operation is not in a state for what is asked of it; nothing was changed."""


class QueryRefused(MarkenError):
    """A search cannot be understood.

    Attributes:
        place: where in the query: a path such as `filter.args[1]`, or `filter:1:12` (line and column) of a text.
    """

    def __init__(self, message: str, place: str) -> None:
        self.place = place
        super().__init__(message)


class RequestRefused(MarkenError):
    """A request over HTTP is not one that the annotation service takes; nothing was changed.

    Attributes:
        place: where in the request: `header.authorization`, `path.id`, or a path in its body such as `limit`.
    """

    def __init__(self, message: str, place: str) -> None:
        self.place = place
        super().__init__(message)


class TitlesUnreachable(MarkenError):
    """A server of annotations does not answer, so that a whole answer cannot be given.

    Attributes:
        titles: what is missing, sorted.
    """

    def __init__(self, message: str, titles: Sequence[str]) -> None:
        self.titles = tuple(titles)
        super().__init__(message)


class TruthRefused(MediamlError):
    """A file of truth, labels or embeddings is not of the format that evaluation reads; it names file and line."""


class SettingsError(MediamlError):
    """`mediaml.toml` of the installation cannot be read, or the landing folder that was given is not there."""


class ModelMissing(MediamlError):
    """A configured model is not in the given folder, is not safetensors, or its configuration is malformed."""

"""The types of annotations that this package makes: what its features say of titles, and what people decide."""

from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Base, Kind, Mode, Property

FEATURE_ROW = Base(
    "FEATURE_ROW_BASE",
    (
        Property("row", Kind.INTEGER, "Number of the row in the value of the feature that says so, from 0.", True),
        Property("index", Kind.INTEGER, "The row's own number: of a shot among those of `shots`, of a cue."),
    ),
)
"""What every annotation has that is a row of a feature's value."""

PAIR = Base(
    "PAIR_BASE",
    (
        Property("shot", Kind.INTEGER, "Index of the shot that is left, among those of `shots` of the title."),
        Property("other_shot", Kind.INTEGER, "Index of the shot that follows, of the other title."),
        Property("other_time", Kind.TIME_RANGE, "When the other shot is, on the other title's clock."),
        Property("essence", Kind.STRING, "Identity of the title's content, whatever file or name it has.", True),
        Property("other_essence", Kind.STRING, "That of the other title's.", True),
        Property("source_time", Kind.TIME_RANGE, "When the shot is, on the clock of the delivered film.", True),
        Property("other_source_time", Kind.TIME_RANGE, "When the other shot is, on the clock of its film.", True),
    ),
)
"""A cut from one shot to another: its identity is the last four (see `pairs.pair_ids`), and where it is now."""

SHOT = AnnotationType(
    "SHOT",
    1,
    "A shot of a title: its frames of the standard encode, and how it begins.",
    (
        Property("usable", Kind.TIME_RANGE, "The frames that no gradual transition touches."),
        Property("transition", Kind.STRING, "How it begins: start, cut, dissolve, fade or wipe."),
        Property("transition_start", Kind.INTEGER, "First frame that this transition touches."),
        Property("transition_end", Kind.INTEGER, "The frame after the last such one; for a cut the same."),
    ),
    (TEMPORAL_SPATIAL, ALGORITHM, FEATURE_ROW),
)

CUE = AnnotationType(
    "CUE",
    1,
    "What is read or heard at a time: a cue of a subtitle file or stream. One without a time is a file refused.",
    (
        Property("text", Kind.TEXT, "What is read."),
        Property("language", Kind.STRING, "BCP 47, where known."),
        Property("speaker", Kind.STRING, "Who speaks, where that is said."),
        Property("markup", Kind.TEXT, "The text as HTML of b, i and u; empty when plain."),
        Property("style", Kind.STRING, "Name of its style, where it has one."),
        Property("file_label", Kind.STRING, "What the file's name says besides, as forced."),
        Property("origin", Kind.STRING, "The file or stream."),
        Property("refused", Kind.TEXT, "Why the file or stream cannot be used; null where it can."),
    ),
    (TEMPORAL_SPATIAL, FEATURE_ROW),
)

QUALITY_EVENT = AnnotationType(
    "QUALITY_EVENT",
    1,
    "What quality control says: the verdict on a concern (label) over the whole title, or where it is so (time).",
    (
        Property("verdict", Kind.STRING, "On the concern: ok, warn or quarantine."),
        Property("reasons", Kind.STRINGS, "Why it is not ok; empty when it is, and where a time says where."),
    ),
    (TEMPORAL_SPATIAL, ALGORITHM, FEATURE_ROW),
)

MATCH_CUT_PAIR = AnnotationType(
    "MATCH_CUT_PAIR",
    1,
    "A match cut: from the tail of a shot to the head of another, of the same title or of another one.",
    (
        Property("flavour", Kind.STRING, "How the two shots match."),
        Property("rank", Kind.INTEGER, "Place in the flavour's list, from 1."),
        Property("match_score", Kind.NUMBER, "Calibrated: one of a million unrelated pairs reaches 0.9."),
        Property("own_score", Kind.NUMBER, "The flavour's own, which the list is sorted by."),
        Property("out_frame", Kind.INTEGER, "Last frame before the cut, of the title."),
        Property("in_frame", Kind.INTEGER, "First frame after it, of the other title."),
        Property("exact", Kind.BOOLEAN, "Whether no other pair belongs in the flavour's list."),
    ),
    (TEMPORAL_SPATIAL, PAIR, FEATURE_ROW),
)

EDITOR_DECISION = AnnotationType(
    "EDITOR_DECISION",
    1,
    "What a person decided about a cut from one shot to another; each person's own, and the newest of each counts.",
    (
        Property("verdict", Kind.STRING, "accepted, rejected or undecided.", True),
        Property("note", Kind.TEXT, "What else the person says."),
    ),
    (TEMPORAL_SPATIAL, PAIR),
    Mode.LOG,
    ("entity_id", "by"),
)


def shot_embedding_type(dimensions: int) -> AnnotationType:
    """The type of embeddings of so many numbers, which is also its version.

    Vectors of two models cannot be compared, and a property never changes its type. So a model of another width is
    another version of the type: both are kept, and a search without a version asks the one that is configured.
    """
    return AnnotationType(
        "SHOT_EMBEDDING",
        dimensions,
        "How a shot looks at one of its moments, as a vector; three of each shot.",
        (
            Property(
                "vector",
                Kind.VECTOR,
                "Of length 1, unless nothing is seen: then there is none.",
                dimensions=dimensions,
                encoder="shot_embedding",
            ),
            Property("moment", Kind.STRING, "first, middle or last: which of its usable frames."),
        ),
        (TEMPORAL_SPATIAL, ALGORITHM, FEATURE_ROW),
    )


def package_types(dimensions: int) -> tuple[AnnotationType, ...]:
    """Every type of this package, with embeddings of so many numbers."""
    return SHOT, CUE, QUALITY_EVENT, shot_embedding_type(dimensions), MATCH_CUT_PAIR, EDITOR_DECISION

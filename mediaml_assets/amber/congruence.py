"""Whether values of one title mean the same shots, and joining their rows by index when they do.

    joined(store.view("motion", "night_train"), store.view("silhouette", "night_train"))      one table
    SELECT * FROM joined('motion', 'silhouette') WHERE title = 'night_train'                  the same in SQL
    FROM congruence                                                                           what does not agree now

A value says of each feature that it reads which columns it read. Whatever value of that feature has these columns can
be the one it was made from, and so on upstream: early cut-off makes them one. Two values are congruent when wherever
both are made from one feature, along whichever ways, there is a value of it that both can be made from.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.keys import rows_digest
from mediaml_assets.amber.ledger import Value
from mediaml_assets.amber.view import View
from mediaml_assets.errors import INCONGRUENT, FeatureError, Incongruent

INDEX = "index"
"""The column that rows of one title are joined by."""

Way = tuple[str, ...]
"""Names of features upstream of a value: the first one it reads, the next is read by that, ..."""


def check_congruent(*views: View) -> None:
    """Hold values of one title (or show) against one another.

    Raises:
        Incongruent: two of them mean different shots, or other rows of what both are made from.
        FeatureError: they are not of one title, or one is made from many titles and has no rows of one.
        NotStored: one of them was withdrawn.
    """
    for one, other in combinations(views, 2):
        if (one.store.objects.where, _title(one)) != (other.store.objects.where, _title(other)):
            raise FeatureError(
                f"{one.feature} of {one.title} and {other.feature} of {other.title} are not of one title; join each "
                "title's values by themselves"
            )
    sides = [_Origins(view) for view in views]
    for left, right in combinations(sides, 2):
        differing = _differing(left, right)
        if differing is not None:
            raise Incongruent(left.view.feature, right.view.feature, _title(left.view), *differing)


def joined(first: View, *others: View) -> pa.Table:
    """The rows of several features of one title side by side: those whose index is in all of them.

    Args:
        first: a value of a feature.
        others: values of others; as_of views of other moments and ad-hoc answers may be among them.

    Returns:
        The column `index` in the order of the first view, then the other columns of each view; one whose name is in
        several views is called <feature>_<column>.

    Raises:
        Incongruent, NotStored: as `check_congruent`.
        FeatureError: as `check_congruent`, or a value has no column `index`, or one index twice.
    """
    views = (first, *others)
    check_congruent(*views)
    tables = [_indexed(view) for view in views]
    index = tables[0].column(INDEX).combine_chunks()
    for table in tables[1:]:
        index = index.filter(pc.is_in(index, table.column(INDEX).combine_chunks()))
    names = [name for table in tables for name in table.column_names]
    columns = {INDEX: index}
    for view, table in zip(views, tables, strict=True):
        rows = table.take(pc.index_in(index, table.column(INDEX).combine_chunks()))
        for name in table.column_names:
            if name != INDEX:
                columns[name if names.count(name) == 1 else f"{view.feature}_{name}"] = rows.column(name)
    return pa.table(columns)


def _title(view: View) -> str:
    """The title, also of an ad-hoc answer, which has a scope of its own."""
    return view.title.partition("@")[0]


def _indexed(view: View) -> pa.Table:
    table = view.table()
    if INDEX not in table.column_names:
        raise FeatureError(f"{view.feature} has no column {INDEX} to join by; it has {', '.join(table.column_names)}")
    if pc.count_distinct(table.column(INDEX)).as_py() != table.num_rows:
        raise FeatureError(f"{view.feature} of {view.title} has an index twice, so that it cannot be joined by it")
    return table


class _Origins:
    """What a value can be made from: the values of each feature upstream of it, along each way."""

    def __init__(self, view: View) -> None:
        many = [name for name, read in view.commit.inputs.items() if not isinstance(read, str)]
        if many:
            raise FeatureError(
                f"{view.feature} is made from {' and '.join(many)} of many titles: its rows are not those of one "
                "title, and cannot be joined by index"
            )
        self.view = view
        self._histories: dict[str, list[Value]] = {}
        self.ways: dict[Way, list[Value]] = {}
        """Way -> the values at its end, the newest first; the empty way leads to the value itself."""
        level: dict[Way, list[Value]] = {(): [view.value]}
        while level:
            self.ways |= level
            level = self._above(level)

    def to(self, feature: str) -> list[Way]:
        """The ways to a feature, shortest first."""
        return [way for way in self.ways if (way[-1] if way else self.view.feature) == feature]

    def _above(self, level: Mapping[Way, list[Value]]) -> dict[Way, list[Value]]:
        found: dict[Way, dict[tuple[str, str], Value]] = {}
        for way, values in level.items():
            # features may have changed places since
            reads = [one for value in values for one in value.reads.items() if one[0] not in (*way, self.view.feature)]
            for name, read in reads:
                origins = {(one.digest, one.key): one for one in self._origins(name, read)}
                found[*way, name] = found.get((*way, name), {}) | origins
        return {way: list(values.values()) for way, values in found.items()}

    def _origins(self, name: str, read: Mapping[str, str]) -> list[Value]:
        """The values of a feature that have these columns, the newest first."""
        if name not in self._histories:
            chain = self.view.store.ledger.chain(name, _title(self.view))
            values = [commit.current for commit in reversed(chain) if commit.current is not None]
            self._histories[name] = list({(one.digest, one.key): one for one in values}.values())
        found = [one for one in self._histories[name] if read.items() <= one.columns.items()]
        # of a value that the ledger has lost no more is known than what was read of it
        return found or [Value(rows_digest(read), "", read, 0, 0, "")]


def _differing(left: _Origins, right: _Origins) -> tuple[str, str, str] | None:
    """A feature that both are made from, and never from one value of it, with the newest two values; None if none is.

    One whose rows have an index comes first, one that is neither of the two, then the nearest.
    """
    found = []
    for way in left.ways:
        feature = way[-1] if way else left.view.feature
        for other in right.to(feature):
            ones, others = left.ways[way], right.ways[other]
            if not {one.digest for one in ones} & {one.digest for one in others}:
                own = feature in (left.view.feature, right.view.feature)
                rank = INDEX not in ones[0].columns, own, len(way) + len(other)
                found.append((rank, (feature, ones[0].digest, others[0].digest)))
    return min(found)[1] if found else None


def statements() -> Iterator[str]:
    """The SQL that makes `congruence` and `joined`, over the views `ledger` and `current` and those of features.

    congruence                pairs of features of a title that mean different rows of `upstream` now, and which value
                              of it each of them means
    joined(feature, other)    their rows by title and index; an error names the first title for which they may not be
    """
    yield f"CREATE OR REPLACE VIEW congruence AS {_CONGRUENCE}"
    message = INCONGRUENT.replace("'", "''")
    yield (
        "CREATE OR REPLACE MACRO joined(feature1, feature2) AS TABLE SELECT * FROM (SELECT rows.* "
        "FROM query_table(feature1) AS rows LEFT JOIN (SELECT title, "
        f"format('{message}', feature, other, title, upstream, digest, other_digest) AS wrong FROM congruence "
        "WHERE lower(feature) IN (lower(feature1), lower(feature2)) AND lower(other) IN (lower(feature1), "
        "lower(feature2))) USING (title) WHERE CASE WHEN wrong IS NOT NULL THEN error(wrong) "
        "WHEN NOT (lower(feature1) IN (SELECT lower(feature) FROM current) AND lower(feature2) IN "
        "(SELECT lower(feature) FROM current)) THEN error('joined takes the names of two features that have values') "
        "ELSE true END) "
        f'JOIN query_table(feature2) USING (title, "{INDEX}")'
    )


_CONGRUENCE = f"""
WITH RECURSIVE commits AS MATERIALIZED (
    SELECT feature, scope AS title, seq, unnest(current) FROM ledger
    WHERE current.digest IS NOT NULL AND NOT contains(scope, '@')
), stored AS MATERIALIZED (
    SELECT feature, title, digest, key, any_value(columns) AS columns, any_value(reads) AS reads, max(seq) AS seq
    FROM commits GROUP BY feature, title, digest, key
), heads AS MATERIALIZED (
    SELECT commits.* FROM commits JOIN current USING (feature, title, seq)
), behind AS (  -- where every value was made from those that are current now, all agree
    SELECT DISTINCT title FROM (
        SELECT title, upstream AS feature, json_extract(reads, '$.' || upstream) AS read
        FROM heads, unnest(json_keys(coalesce(reads, '{{}}'))) AS keys(upstream)
    ) LEFT JOIN heads USING (title, feature) WHERE NOT coalesce(json_contains(columns, read), false)
), links AS MATERIALIZED (
    SELECT reading.*, coalesce(origin.digest, read::VARCHAR) AS origin, coalesce(origin.key, '') AS origin_key,
        coalesce(origin.seq, -1) AS seq, coalesce(json_exists(origin.columns, '$.{INDEX}'), false) AS indexed
    FROM (
        SELECT title, feature, digest, key, upstream, json_extract(reads, '$.' || upstream) AS read
        FROM stored SEMI JOIN behind USING (title), unnest(json_keys(coalesce(reads, '{{}}'))) AS keys(upstream)
    ) AS reading LEFT JOIN stored AS origin
    ON origin.title = reading.title AND origin.feature = upstream AND json_contains(origin.columns, read)
), ways AS (
    SELECT feature AS root, title, feature, []::VARCHAR[] AS way, digest, key, seq,
        json_exists(columns, '$.{INDEX}') AS indexed
    FROM heads SEMI JOIN behind USING (title) WHERE reads IS NOT NULL  -- what landed is no feature
    UNION
    SELECT root, title, upstream, list_append(way, upstream), origin, origin_key, links.seq, links.indexed
    FROM ways JOIN links USING (title, feature, digest, key)
    WHERE upstream != root AND NOT list_contains(way, upstream)
), ends AS MATERIALIZED (
    SELECT title, root, feature AS upstream, way, list(DISTINCT digest) AS digests, arg_max(digest, seq) AS newest,
        bool_or(indexed) AS indexed
    FROM ways GROUP BY title, root, feature, way
)
SELECT DISTINCT ON (title, one.root, two.root) title, one.root AS feature, two.root AS other, upstream,
    one.newest AS digest, two.newest AS other_digest
FROM ends AS one JOIN ends AS two USING (title, upstream)
WHERE one.root < two.root AND NOT list_has_any(one.digests, two.digests)
ORDER BY title, one.root, two.root, NOT one.indexed, upstream IN (one.root, two.root),
    len(one.way) + len(two.way), upstream
"""

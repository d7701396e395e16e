"""Values on demand, for notebooks and services.

    from mediaml_assets.on_demand import submit, value, values

    value("motion", "night_train").table()          # computed with all that it is made from, or recalled
    values("shots", ["night_train", "salt_road"])   # title -> View
    value("match_cuts", k=5).table()                # an answer of its own; the current one stays
    joined("night_train", "motion", "silhouette")   # their rows side by side, by index of shot
    submit("motion", ["night_train"]).values()      # the same, computed by the Dagster that runs (`mediaml ui`)

They belong to the installation that the environment names (MEDIAML_HOME), and are stored there like any other value.
"""

import logging
from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any

import pyarrow as pa

from mediaml_assets.amber.congruence import joined as join_rows
from mediaml_assets.amber.demand import Demand, reason
from mediaml_assets.amber.feature import Scope
from mediaml_assets.amber.ledger import Moment
from mediaml_assets.amber.orchestration.submission import Dagster, Submission
from mediaml_assets.amber.scan import tables
from mediaml_assets.amber.view import View
from mediaml_assets.errors import SettingsError
from mediaml_assets.installation import installed_store
from mediaml_assets.mesh import assemble
from mediaml_assets.settings import home
from mediaml_assets.workers import Workers

log = logging.getLogger("mediaml")


def value(feature: str, title: str | None = None, /, *, as_of: Moment | None = None, **settings: Any) -> View:
    """The value of a feature for a title, a show, or (without one) the catalogue; computed if it must be.

    A view reads nothing yet: `.table()` gives the rows, `.row()` the only one, `.blob(column)` a stored file.

    Args:
        feature: its name.
        title: the title, or the show.
        as_of: what was current at that moment (a datetime with a time zone, or a commit); nothing is computed then.
        settings: configuration values that differ from the feature's defaults; the answer is kept in a scope of its
            own and never becomes the current value. With `as_of` it is computed from the inputs of then.

    Raises:
        FeatureError: there is no such feature, or it is not one of a title (a show, the catalogue).
        NotStored: there is no such title, it was withdrawn, or a check holds its value back.
        BadInput: the title's file was refused.
        SettingsError: there is no installation where MEDIAML_HOME says.
    """
    return demand().value(feature, title, settings, as_of)


def values(feature: str, titles: Iterable[str] | str | None = None, /, *, processes: int = 1) -> dict[str, View]:
    """The values of a feature for several titles (or shows), computed if they must be.

    Args:
        feature: its name.
        titles: slugs, or one; by default every one there is, but those without a value (the log says why).
        processes: how many titles are computed at once; above 1 each in a process of its own, so that a script needs
            the usual `if __name__ == "__main__":` around its call.

    Raises:
        NotComputed: some of those named could not be had; it says why for each, and the others are stored.
        FeatureError, NotStored, SettingsError: as `value`.
    """
    return demand(processes).values(feature, titles)


def joined(title: str, feature: str, /, *others: str, as_of: Moment | None = None) -> pa.Table:
    """The rows of several features of a title (or show) side by side, computed if they must be.

    Args:
        title: the title, or the show.
        feature: a feature whose rows have an `index`.
        others: more of them.
        as_of: what was current at that moment; nothing is computed then.

    Returns:
        The rows whose index is in all of them: `index`, then the other columns; one whose name is in several features
        is called <feature>_<column>.

    Raises:
        Incongruent: they mean different shots: the title changed in between (ask again), or at that moment the one
            was made and the other was not yet.
        FeatureError, NotStored, BadInput, SettingsError: as `value`; FeatureError also for rows without an index.
    """
    return join_rows(*(value(one, title, as_of=as_of) for one in (feature, *others)))


def submit(feature: str, titles: Iterable[str] | str | None = None, /) -> Submission:
    """Have the Dagster that runs compute values (its UI answers at MEDIAML_DAGSTER); comes back at once.

    A title that a run is working on, or queued for, is waited for and not run a second time. The result has `.done()`,
    `.wait(timeout)`, `.value()` and `.values()`.

    Args:
        feature: its name.
        titles: slugs, or shows, or one; by default every title that is there. A feature of the catalogue takes none.

    Raises:
        Unreachable: no Dagster answers there, or it does not know the feature.
        FeatureError, NotStored, SettingsError: as `value`.
    """
    asked, dagster = demand(), Dagster(home().dagster_address)
    if titles is None and asked.kind(feature) is not Scope.CATALOGUE:
        return Submission(asked, dagster, feature, asked.everything(feature))
    named = [titles] if titles is None or isinstance(titles, str) else titles
    return Submission(asked, dagster, feature, [asked.scope(feature, one) for one in named])


def rows(feature: str, titles: Iterable[str] | str | None = None, /, *, processes: int = 1) -> pa.Table:
    """The rows of several titles (or shows) in one table, with the column `title` (or `show`) in front.

    Of a feature of the catalogue, which takes no titles, its rows as they are. Arguments and errors are those of
    `values`.
    """
    asked = demand(processes)
    kind = asked.kind(feature)
    if kind is Scope.CATALOGUE and titles is None:
        return asked.value(feature).table()
    found = asked.values(feature, titles)
    parts = list(tables(found.values()))
    names = pa.array([name for name, part in zip(found, parts, strict=True) for _ in range(part.num_rows)], pa.string())
    nothing = asked.mesh.features[feature].schema.empty_table()
    together = pa.concat_tables([nothing, *parts], promote_options="default")
    return together.add_column(0, kind.value, names)


def demand(processes: int = 1) -> Demand:
    """What answers for this installation; raises SettingsError when there is none."""
    here = home()
    if not here.root.is_dir():
        raise SettingsError(
            f"there is no installation in {here.root}; set MEDIAML_HOME to its folder, or land films with "
            "`mediaml ingest` first"
        )
    assembly = assemble()
    for plugin in assembly.left_out:
        _warn(str(plugin))
    return Demand(installed_store(), assembly.mesh, partial(_in_processes, processes) if processes > 1 else None)


@cache
def _warn(text: str) -> None:
    """Say it once a process."""
    # it has the names that everything has which is said while values are computed
    log.warning(text, extra={"feature": "", "title": "", "event": "left out"})


def _in_processes(processes: int, names: Sequence[str], scopes: Sequence[str]) -> dict[str, str]:
    with Workers(_bring, log.handle, processes) as workers:
        return workers.call({scope: (list(names), scope) for scope in scopes})


def _bring(names: list[str], scope: str) -> str:
    """In a worker: bring features up to date for a scope; says why that failed, or nothing."""
    try:
        demand().bring(names, scope)
    except Exception as error:  # whatever an algorithm raises is the reason of this title, not of the others
        return reason(error)
    return ""

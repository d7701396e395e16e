"""When a feature runs by itself: conditions on Dagster's events."""

from typing import Any

import dagster as dg

AC: Any = dg.AutomationCondition
Condition = dg.AutomationCondition[Any]


def _since(condition: Condition) -> Condition:
    """True from the moment the condition holds until a run has been asked for after it.

    It is not reset by the run's end, or content that lands while a run is in flight would be lost.
    """
    return condition.since(AC.newly_requested() & ~condition)


_CHANGED: Condition = AC.any_deps_match(
    # what changed in the run that made this asset too was read by it: asking again would only recall it
    AC.data_version_changed() & ~AC.executed_with_root_target()
)

ON_CHANGE: Condition = (
    # `missing` rather than `newly_missing`: also what lay there before the sensor was first turned on
    (
        AC.missing()
        | _since(AC.code_version_changed())
        | _since(_CHANGED)
        # a title's chain runs as one: values of one title are never made from different states of another; the memo
        # ends it early where rows stayed the same
        | AC.any_deps_match(AC.will_be_requested())
    )
    & ~AC.any_deps_missing()
    & ~AC.any_deps_in_progress()
    & ~AC.in_progress()
    # a title that failed is left alone until it is delivered again
    & (~AC.execution_failed() | _since(_CHANGED) | _since(AC.code_version_changed()))
    & AC.all_deps_blocking_checks_passed()
).with_label("on_change")
"""For a feature of one title: missing, its code changed, or an input's value changed."""

ANY_TITLE: Condition = (
    (AC.missing() | _since(AC.code_version_changed()) | _since(_CHANGED))
    & AC.any_deps_match(~AC.missing())
    & ~AC.in_progress()
    & ~AC.any_deps_in_progress()
    & (~AC.execution_failed() | _since(_CHANGED) | _since(AC.code_version_changed()))
).with_label("any_title")
"""For a feature over all titles: any title's value changed; titles that have none yet do not hold it back."""


def automation_sensor(seconds: int) -> dg.AutomationConditionSensorDefinition:
    """The sensor that evaluates the conditions of every asset."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        # the memo makes a repeated request cheap, so one run per title is clearer than a backfill over several
        emit_backfills=False,
        description="Asks for values that are missing, or whose code or inputs changed.",
    )

"""The landing sensor: files that settle at the landing place become titles and sources in Dagster."""

import json
import re
from collections.abc import Sequence
from typing import Any

import dagster as dg

from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.orchestration.assets import SHOWS, STORE, TITLES
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.landing.arrivals import ARTWORK_FILES, QUARANTINE, SOURCE, TEXT_FILES, Arrival, Tick, look
from mediaml_assets.landing.bucket import open_landing
from mediaml_assets.landing.shows import SHOW
from mediaml_assets.settings import home

S3 = "s3"
"""Resource key of the S3 client (`S3Resource`) of a landing bucket."""


def landing_assets() -> list[dg.AssetSpec]:
    """What landing writes: film, artwork and texts of each title, and the list of files it could not take."""
    return [
        _of_a_title(SOURCE, "The film that lies at the landing place for a title"),
        _of_a_title(ARTWORK_FILES, "Posters, stills and other artwork of a title, if there are any"),
        _of_a_title(TEXT_FILES, "Subtitles and scripts of a title, if there are any"),
        dg.AssetSpec(
            SHOW,
            deps=[dg.AssetDep(SOURCE, partition_mapping=dg.AllPartitionMapping())],
            partitions_def=SHOWS,
            group_name="landing",
            kinds={"file"},
            description="The titles that belong to a show, by the folder or the sidecar of each. Written by the "
            "landing sensor.",
        ).with_io_manager_key(STORE),
        dg.AssetSpec(
            QUARANTINE,
            group_name="landing",
            kinds={"file"},
            description="Files at the landing place that cannot be taken as titles, each with its reason.",
        ),
    ]


def _of_a_title(name: str, what: str) -> dg.AssetSpec:
    about = f"{what}: path, size and time or ETag. Written by the landing sensor, which opens no file."
    spec = dg.AssetSpec(name, partitions_def=TITLES, group_name="landing", kinds={"file"}, description=about)
    return spec.with_io_manager_key(STORE)


def landing_sensor(seconds: int, on_bucket: bool = False) -> dg.SensorDefinition:
    """The sensor over the landing place, ticking at most every `seconds`; on a bucket it needs the resource `S3`."""

    @dg.sensor(
        name="landing",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={STORE, S3} if on_bucket else {STORE},
        description="Adds a partition for each new title and reports what it has; never reads a file.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        manager: FeatureStore = getattr(context.resources, STORE)
        known = json.loads(context.cursor) if context.cursor else {}
        place = open_landing(home().landing, getattr(context.resources, S3) if on_bucket else None)
        tick = look(place, manager.store, known)
        if not tick.arrivals and not tick.quarantine_changed and tick.known == known:
            return dg.SkipReason(f"nothing changed among {len(known)} files in {place.where}")
        titles = context.instance.get_dynamic_partitions(str(TITLES.name))
        fresh = sorted({one.title for one in tick.arrivals} - set(titles))
        added = ((TITLES, fresh), (SHOWS, [one.scope for one in tick.shows]))
        return dg.SensorResult(
            dynamic_partitions_requests=[partitions.build_add_request(keys) for partitions, keys in added if keys],
            asset_events=events(tick),
            cursor=json.dumps(tick.known),
        )

    return landing


def report(instance: dg.DagsterInstance, tick: Tick) -> None:
    """Tell a Dagster instance what a look at the landing place found, without a sensor (the command line does)."""
    instance.add_dynamic_partitions(str(TITLES.name), sorted({one.title for one in tick.arrivals}))
    instance.add_dynamic_partitions(str(SHOWS.name), [one.scope for one in tick.shows])
    for event in events(tick):
        instance.report_runless_asset_event(event)


def events(tick: Tick) -> Sequence[dg.AssetMaterialization]:
    """The Dagster events of one look: a materialisation for each arrival, and the quarantine when it changed."""
    found = [_arrival_event(one) for one in tick.arrivals] + [_show_event(one) for one in tick.shows]
    if tick.quarantine_changed:
        lines = [
            "| file | reason |",
            "| --- | --- |",
            *(f"| {_cell(path)} | {_cell(reason)} |" for path, reason in sorted(tick.quarantine.items())),
        ]
        metadata: dict[str, Any] = {"files": len(tick.quarantine), "quarantine": dg.MetadataValue.md("\n".join(lines))}
        found.append(dg.AssetMaterialization(QUARANTINE, metadata=metadata))
    return found


def _cell(text: str) -> str:
    """Any text, shown as it is in a cell of a Markdown table: on one line, its marks escaped."""
    return re.sub(r"([\\`*_\[\]<>&~|])", r"\\\1", " ".join(text.split()))


def _arrival_event(arrival: Arrival) -> dg.AssetMaterialization:
    current = arrival.commit.current
    return dg.AssetMaterialization(
        arrival.feature,
        partition=arrival.title,
        # a materialisation, not an observation: only that makes the partition present for what is downstream
        tags={"dagster/data_version": arrival.data_version},
        metadata={"generation": arrival.commit.generation, "state": "present" if current else "withdrawn"},
    )


def _show_event(show: Commit) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        SHOW,
        partition=show.scope,
        tags={"dagster/data_version": show.current.digest if show.current else "withdrawn"},
        metadata={"titles": show.current.rows if show.current else 0},
    )

"""The whole platform on a bucket: one setting puts a project there, and what a folder held is taken along."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets.landing.bucket import open_landing, upload
from mediaml_assets.mesh import mesh
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import TITLES, Call, CommandLine, catch_up
from mediaml_assets_tests.end_to_end.films import film

ASKED_AGAIN = ("container_facts", "embedded_cues", "essence")
"""Features whose key is the file: they look at one that lies elsewhere."""


def current(store: Store) -> dict[tuple[str, str], str | None]:
    """(Feature, scope) -> digest of what is current, of everything that is made of films."""
    heads = [
        store.ledger.head(feature, scope)
        for feature in store.objects.folders("ledger")
        for scope in store.ledger.scopes(feature)
        if feature != "source"
    ]
    return {(head.feature, head.scope): head.current.digest if head.current else None for head in heads if head}


@pytest.mark.slow
def test_a_store_that_was_copied_to_a_bucket_goes_on_there(
    platform: Platform, calls: list[Call], s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"s3://{s3_bucket}/studio"
    upload(platform.home / "store", f"{where}/store")
    resource = FeatureStore(root=f"{where}/store", local=str(tmp_path / "local"))
    copied = {one.name for one in resource.store.objects.walk()}
    with dg.DagsterInstance.ephemeral() as instance:
        moved = Platform(platform.home, instance, mesh(), platform.place, resource)
        catch_up(moved)
        assert calls == [] and {one.name for one in moved.store.objects.walk()} == copied
        assert current(moved.store) == current(platform.store)
        # when the films move too, each is looked at once, and nothing is made of it again
        upload(platform.landing, f"{where}/landing")
        monkeypatch.setenv("MEDIAML_LANDING", f"{where}/landing")
        moved.place, moved.known = open_landing(f"{where}/landing"), {}
        catch_up(moved)
    assert sorted(calls) == [(feature, title) for feature in ASKED_AGAIN for title in TITLES]
    assert current(moved.store) == current(platform.store)
    report = verify(moved.store)
    assert report.findings == report.notes == []
    assert [path for path in (tmp_path / "local/scratch").rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_one_setting_puts_a_project_on_a_bucket(
    tmp_path: Path, s3: Any, s3_bucket: str, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MEDIAML_LANDING", "MEDIAML_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    here, there = tmp_path / "here", tmp_path / "there"
    for home in (here, there):
        home.mkdir()
        (home / "mediaml.toml").write_text(f'bucket = "s3://{s3_bucket}/studio"\n')
    for seed, title in enumerate(TITLES, start=1):
        s3.upload_file(str(film(tmp_path / f"{title}.mp4", seed)), s3_bucket, f"studio/landing/{title}.mp4")

    def run(home: Path, *words: str) -> str:
        done = command_line(home, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def computed(said: str) -> int:
        found = re.search(r"2 titles: (\d+) values computed, 0 recalled", said)
        assert found, said
        return int(found[1])

    def keys() -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=s3_bucket, Prefix="studio/store/")
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    assert computed(run(here, "ingest")) > 10
    assert run(here, "status").count("described") == 2
    cuts = ("cuts", "--titles", "one,two", "--flavour", "motion", "--k", "2", "--previews", "1")
    assert "motion: best 2 cuts" in run(here, *cuts)
    written = [here / "out/cuts" / name for name in ("contact_sheet.png", "match_cuts.html", "previews/motion-001.mp4")]
    assert all(path.stat().st_size > 1000 for path in written)
    assert "note" not in run(here, "verify")
    # neither film nor value is kept here, and nobody claims anything any more
    assert {path.name for path in here.iterdir()} == {"dagster", "local", "mediaml.toml", "out", "replicas"}
    assert [path for path in (here / "local").rglob("*") if path.is_file()] == []
    assert not any("/claims/" in key for key in keys())
    # another machine
    assert computed(run(there, "demo", "--no-samples")) == 0
    assert "usable_start" in run(there, "value", "shots", "two")
    blob = next(key for key in keys() if key.endswith(".mp4"))
    s3.delete_object(Bucket=s3_bucket, Key=blob)
    done = command_line(there, "verify")
    assert done.returncode == 1 and f"{blob.removeprefix('studio/store/')}" in done.stderr
    run(there, "repair")
    assert blob in keys()
    run(here, "verify")

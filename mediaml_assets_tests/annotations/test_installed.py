"""Marken of an installation: filled by Dagster as the definitions say, with checks; found where the settings say."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mediaml_assets.amber.store import Store
from mediaml_assets.annotated import installed_engine, installed_marken, sink
from mediaml_assets.annotations.types import SHOT
from mediaml_assets.definitions import definitions
from mediaml_assets.errors import FeatureError, SettingsError
from mediaml_assets.features.measures.descriptor import DIMENSIONS
from mediaml_assets.installation import installed_store
from mediaml_assets.mesh import MARKEN, replicas
from mediaml_assets_tests.annotations.sinks import FEATURES
from mediaml_assets_tests.annotations.titles import put_cuts, put_title, withdraw

NAMES = [f"{feature}__{MARKEN}" for feature in FEATURES]
CHECKS = ("lag", "row_count", "digest_parity")

Run = Callable[..., dict[str, bool]]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    for name in ("MEDIAML_BUCKET", "MEDIAML_LANDING", "MEDIAML_MARKEN"):
        monkeypatch.delenv(name, raising=False)
    return installed_store()


@pytest.fixture
def run(store: Store) -> Iterator[Run]:
    """Materialises some replicas of this kind, or all; returns which checks passed."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions().resolve_implicit_global_asset_job_def()

        def materialize(*names: str) -> dict[str, bool]:
            keys = [dg.AssetKey(name) for name in names or NAMES]
            result = job.execute_in_process(instance=instance, asset_selection=keys)
            found: dict[str, bool] = {}
            for one in result.get_asset_check_evaluations():
                found[f"{one.asset_key.to_user_string()} {one.check_name}"] = one.passed
            return found

        yield materialize


def hits(**query: Any) -> list[dict[str, Any]]:
    return list(installed_marken().search(query).to_json()["hits"])


def test_the_features_that_are_annotations_are_replicated_by_default(store: Store) -> None:
    assert {one.name for one in replicas() if one.kind == MARKEN} == set(NAMES)
    [shots] = [one for one in replicas() if one.name == "shots__marken"]
    assert shots.where == str(Path(store.objects.where).parent / "marken") == sink(shots).where
    assert "mediaml search" in shots.how_to_read


def test_a_feature_of_which_nobody_said_what_its_rows_are_is_refused_at_once(tmp_path: Path, store: Store) -> None:
    (tmp_path / "mediaml.toml").write_text("[replicas]\nmotion = ['marken']\n")
    with pytest.raises(FeatureError, match="motion cannot be copied to 'marken': nobody has said what its rows are"):
        replicas()


def test_dagster_fills_it_and_its_checks_hold(store: Store, run: Run) -> None:
    titles = [put_title(store, slug, seed, dimensions=DIMENSIONS) for seed, slug in enumerate(("harbour", "dunes"))]
    put_cuts(store, titles, 3)
    assert run() == {f"{name} {check}": True for name in NAMES for check in CHECKS}
    assert {hit["title"] for hit in hits(types=["SHOT"])} == {"harbour", "dunes"}
    assert hits(types=["MATCH_CUT_PAIR"], filter="title = 'harbour'")
    shot = hits(
        types=["SHOT_EMBEDDING"],
        nearest={"field": "vector", "to": {"shot": "dunes/1"}},
        collapse={"field": "entity_id"},
        limit=1,
    )[0]
    assert shot["entity"] == {"kind": "shot", "id": "dunes/1"}
    withdraw(store, "dunes", "shots", "standard_encode")
    assert run("shots__marken") == {f"shots__marken {check}": True for check in CHECKS}
    assert {hit["title"] for hit in hits(types=["SHOT"])} == {"harbour"}


def test_what_somebody_else_wrote_in_its_place_fails_a_check(store: Store, run: Run) -> None:
    put_title(store, "harbour", 1, dimensions=DIMENSIONS)
    run("shots__marken")
    engine = installed_engine()
    source = engine.active(SHOT)["harbour"].source
    forged = engine.start(SHOT, "harbour", "somebody", {**source, "beside": source["beside"]})
    for index in range(int(source["rows"])):
        engine.upsert(forged, engine.versions(f"shots/harbour/{(index + 1) % int(source['rows'])}"))
    rows = engine.versions("shots/harbour/0")
    transition = rows.column_names.index("transition")
    engine.upsert(forged, rows.set_column(transition, "transition", [["other"]]))
    engine.finish(forged)
    passed = run("shots__marken")
    assert not passed["shots__marken digest_parity"] and passed["shots__marken row_count"]


def test_where_it_is_has_one_place(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaml_assets.settings import home

    assert home().marken == str(tmp_path / "marken") and home().marken_servers() == ()
    monkeypatch.setenv("MEDIAML_BUCKET", "s3://studio/films")
    assert home().marken == "s3://studio/films/marken"
    (tmp_path / "mediaml.toml").write_text('[marken]\nservers = ["postgresql://one/m", "postgresql://two/m"]\n')
    assert home().marken_servers() == ("postgresql://one/m", "postgresql://two/m")
    monkeypatch.setenv("MEDIAML_MARKEN", "postgresql://three/m")
    assert home().marken_servers() == ("postgresql://three/m",)
    assert home().marken_servers("read_servers") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('servers = "postgresql://one/m"', r"servers in \[marken\] is no list; write servers = "),
        ('servers = ["one:5432"]', r"server 1 of servers in \[marken\] of .*is no address; write it like postgresql"),
        ('servers = ["postgresql://a/m", "postgresql://a/m"]', "names a server twice"),
        ('server = ["postgresql://a/m"]', r"\[marken\] has no server; it has servers and read_servers"),
    ],
)
def test_servers_that_cannot_be_understood_say_why(tmp_path: Path, store: Store, text: str, says: str) -> None:
    from mediaml_assets.settings import home

    (tmp_path / "mediaml.toml").write_text(f"[marken]\n{text}\n")
    with pytest.raises(SettingsError, match=says):
        home().marken_servers()


def test_a_password_is_not_told(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaml_assets.settings import home

    monkeypatch.setenv("MEDIAML_MARKEN", "mysql://ann:secret@one/m")
    with pytest.raises(SettingsError) as refused:
        home().marken_servers()
    assert "secret" not in str(refused.value)

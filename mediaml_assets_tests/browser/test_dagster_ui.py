"""What a person finds in the Dagster UI."""

from functools import partial
from typing import Any

import pytest

from mediaml_assets.mesh import GROUPS
from mediaml_assets_tests.browser.conftest import Ui, wait

pytestmark = pytest.mark.browser

BACKFILL = """
mutation ($assets: [AssetKeyInput!], $titles: [String!]) {
  launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $titles}) {
    ... on LaunchBackfillSuccess { backfillId }
  }
}"""
STATUS = "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"


def text_of(browser: Any) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def wait_for(browser: Any, *words: str) -> None:
    wait(lambda: all(word in text_of(browser) for word in words), f"{words} on the page")


def test_the_graph_has_every_group_and_asset(ui: Ui, browser: Any) -> None:
    browser.get(f"{ui.address}/asset-groups")
    wait_for(browser, "landing", *GROUPS)
    for group, features in GROUPS.items():
        browser.get(f"{ui.address}/locations/mediaml_assets.definitions/asset-groups/{group}")
        wait_for(browser, *(one.name for one in features))


def test_a_titles_materialisation_shows_its_rows(ui: Ui, browser: Any) -> None:
    browser.get(f"{ui.address}/assets/shots?view=partitions&partition=one")
    wait_for(browser, "one", "two", "Materialized (2)", "dagster/partition_row_count", "usable_start", "memo_key")


def test_a_standard_encode_shows_its_pictures_and_its_checks_their_numbers(ui: Ui, browser: Any) -> None:
    browser.get(f"{ui.address}/assets/standard_encode?view=partitions&partition=one")
    wait_for(browser, "strip", "waveform", "[Show Markdown]")
    for place, size in enumerate(([768, 144], [768, 96])):
        browser.get(f"{ui.address}/assets/standard_encode?view=partitions&partition=one")
        wait_for(browser, "strip", "waveform", "[Show Markdown]")
        links = (
            "[...document.querySelectorAll('*')].filter(e => !e.children.length && e.innerText == '[Show Markdown]')"
        )
        browser.execute_script(f"{links}[{place}].click()")
        shown = partial(
            browser.execute_script, "return [...document.images].map(i => [i.naturalWidth, i.naturalHeight])"
        )
        wait(lambda shown=shown, size=size: size in shown(), f"a picture of {size}")
    browser.get(f"{ui.address}/assets/standard_encode?view=checks&checkDetail=loudness")
    wait_for(browser, "quality", "flash", "loudness", "true_peak")


def test_the_quarantine_shows_each_file_with_its_reason(ui: Ui, browser: Any) -> None:
    browser.get(f"{ui.address}/assets/quarantine?view=events")
    wait_for(browser, "two words.mp4", "gives no title", "two_words.mp4")


def test_the_sensors_are_on(ui: Ui, browser: Any) -> None:
    browser.get(f"{ui.address}/automation")
    wait_for(browser, "landing", "automation", "reconcile")
    states = ui.ask(
        '{ sensorsOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: '
        '"mediaml_assets.definitions"}) { ... on Sensors { results { name sensorState { status } } } } }'
    )
    found = {one["name"]: one["sensorState"]["status"] for one in states["sensorsOrError"]["results"]}
    assert found == dict.fromkeys(("landing", "automation", "reconcile", "replicas"), "RUNNING")


def test_a_backfill_of_two_titles_succeeds(ui: Ui, browser: Any) -> None:
    assets = [{"path": ["shots"]}, {"path": ["shot_embedding"]}]
    launched = ui.ask(BACKFILL, assets=assets, titles=["one", "two"])["launchPartitionBackfill"]
    identity = launched["backfillId"]
    wait(
        lambda: "COMPLETED" in ui.ask(STATUS, id=identity)["partitionBackfillOrError"]["status"],
        "the back-fill to complete",
    )
    assert ui.ask(STATUS, id=identity)["partitionBackfillOrError"]["status"] == "COMPLETED_SUCCESS"
    browser.get(f"{ui.address}/runs/b/{identity}")
    wait_for(browser, "shots", "shot_embedding", "one", "two", "100% completed")

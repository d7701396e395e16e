"""Which titles belong to which show, after each thing that can happen to them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.amber.ledger import Commit, Ledger
from mediaml_assets.landing.arrivals import look
from mediaml_assets.landing.shows import SHOW, STEP, show_key
from mediaml_assets.landing.titles import is_slug
from mediaml_assets_tests.landing.conftest import Landing


def titles(landing: Landing) -> dict[str, list[str]]:
    """Show -> its titles; [] of one that has none any more."""
    found = {}
    for show in landing.store.ledger.scopes(SHOW):
        view = landing.store.view(SHOW, show)
        found[show] = [] if view.withdrawn else view.table().column("title").to_pylist()
    return found


def say(landing: Landing, path: str, **facts: object) -> None:
    landing.put(f"{path}.title.json", json.dumps(facts))


def test_episodes_belong_to_their_show_and_a_film_to_none(landing: Landing) -> None:
    for path in ("harbour/s01/e02.mp4", "harbour/s01/e01.mp4", "river/s02/e01.mp4", "night.mp4"):
        landing.put(path)
    changed = landing.look().shows
    assert sorted(one.scope for one in changed) == ["harbour", "river"]
    assert titles(landing) == {"harbour": ["harbour-s01e01", "harbour-s01e02"], "river": ["river-s02e01"]}


def test_what_does_not_change_a_show_writes_nothing_there(landing: Landing) -> None:
    landing.put("harbour/s01/e01.mp4")
    landing.look()
    landing.put("harbour/s01/e01.mp4", "another cut of the film")
    assert landing.look().shows == []
    landing.known = {}
    assert landing.look().shows == []


def test_a_sidecar_moves_a_title_to_another_show_and_out_of_all(landing: Landing) -> None:
    landing.put("harbour/s01/e01.mp4")
    landing.put("harbour/s01/e02.mp4")
    landing.look()
    say(landing, "harbour/s01/e02.mp4", title="harbour-s01e02", show="river", season=1, episode=1)
    assert sorted(one.scope for one in landing.look().shows) == ["harbour", "river"]
    assert titles(landing) == {"harbour": ["harbour-s01e01"], "river": ["harbour-s01e02"]}
    say(landing, "harbour/s01/e02.mp4", title="harbour-s01e02")
    assert [(one.scope, one.event) for one in landing.look().shows] == [("river", "withdrawn")]
    assert titles(landing) == {"harbour": ["harbour-s01e01"], "river": []}


def test_a_withdrawn_title_leaves_its_show_and_comes_back_to_it(landing: Landing) -> None:
    landing.put("harbour/s01/e01.mp4")
    landing.look()
    first = landing.store.view(SHOW, "harbour")
    landing.remove("harbour/s01/e01.mp4")
    landing.look()
    assert titles(landing) == {"harbour": []}
    landing.put("harbour/s01/e01.mp4")
    landing.look()
    again = landing.store.view(SHOW, "harbour")
    assert again.value.digest == first.value.digest
    # three changes, each above whatever the generations of its titles add up to
    assert again.generation == 3 * first.generation == 3 * STEP


def test_a_landing_killed_before_its_shows_is_made_up_for(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.put("harbour/s01/e01.mp4")
    landing.look()
    say(landing, "harbour/s01/e01.mp4", title="harbour-s01e01", show="river")

    def killed(*anything: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("mediaml_assets.landing.arrivals.follow", killed)
        with pytest.raises(KeyboardInterrupt):
            landing.look()
    assert landing.source("harbour-s01e01")["show"] == "river"
    assert titles(landing) == {"harbour": ["harbour-s01e01"]}
    landing.look()
    assert titles(landing) == {"harbour": [], "river": ["harbour-s01e01"]}


def test_another_landing_in_between_loses_no_title(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.put("harbour/s01/e01.mp4")
    landing.look()
    append, lost = Ledger.append, []

    def late(self: Ledger, commit: Commit, head: Commit | None) -> Commit | None:
        if commit.feature == SHOW and not lost:
            lost.append(commit)
            landing.put("harbour/s01/e03.mp4")
            look(landing.place(), landing.store, {})
        return append(self, commit, head)

    monkeypatch.setattr(Ledger, "append", late)
    landing.put("harbour/s01/e02.mp4")
    landing.look()
    assert len(lost) == 1
    assert titles(landing) == {"harbour": ["harbour-s01e01", "harbour-s01e02", "harbour-s01e03"]}


@pytest.mark.parametrize(
    ("show", "key"),
    [
        ("harbour", "harbour"),
        ("Harbour.2", "Harbour.2"),
        ("Régen & Co.", "Regen_Co-"),
        ("夜", "show-"),
        ("a..b", "a_b-"),
    ],
)
def test_a_show_is_kept_under_a_slug(show: str, key: str) -> None:
    assert is_slug(show_key(show))
    assert show_key(show) == key or (key.endswith("-") and len(show_key(show)) == len(key) + 8)
    assert show_key(show).startswith(key)


@given(st.lists(st.text(min_size=1, max_size=100).filter(str.isprintable), min_size=2, max_size=8, unique=True))
def test_shows_of_other_names_have_other_keys(names: list[str]) -> None:
    keys = [show_key(name) for name in names]
    assert all(is_slug(key) for key in keys)
    assert len(set(keys)) == len(keys)

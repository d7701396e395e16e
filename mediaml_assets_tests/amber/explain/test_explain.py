"""Why a value is what it is, what would run now, and what made its key differ: states with known answers."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from mediaml_assets.amber import ask, commits
from mediaml_assets.amber.commits import record
from mediaml_assets.amber.explain import Explanation, explain
from mediaml_assets.amber.explain.key_changes import Difference
from mediaml_assets.amber.explain.verdict import Verdict
from mediaml_assets.amber.ledger import Event
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.errors import FeatureError, MediaRefused, NotStored
from mediaml_assets.explained import lines
from mediaml_assets_tests.amber.code.test_edit_matrix import EDITS, Edited, importable
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import calls, diamond_mesh, shows_mesh, toy_mesh

__all__ = ["importable"]


def told(here: Installation, name: str, scope: str | None = None) -> Explanation:
    before = calls()
    found = explain(here.store, here.mesh, name, scope)
    assert calls() == before
    return found


def text(here: Installation, name: str, scope: str | None = None) -> str:
    return "\n".join(lines(told(here, name, scope)))


def outcomes(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str]]:
    return [(one.feature, one.scope, one.outcome) for one in verdicts]


def plain(found: Sequence[Difference]) -> list[tuple[Any, ...]]:
    """Kind, name, scope and columns, and what is below."""
    return [(one.kind, one.name, one.scope, one.columns, plain(one.because)) for one in found]


# --- the value that stands


def test_a_computed_value_says_who_made_it_when_and_from_what(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    found, view = told(here, "counts", "one"), here.store.view("counts", "one")
    standing = found.standing
    assert standing is not None
    assert (standing.value, standing.commit, standing.maker) == (view.value, view.commit, view.commit)
    assert standing.seconds == view.commit.metrics["seconds"]
    assert standing.environment == commits.versions() and standing.libraries == {}
    assert (found.since, found.before, found.recorded, found.now.changed) == ((), None, (), ())
    assert found.now.outcome == "up to date"
    said = text(here, "counts", "one")
    letters = here.store.view("letters", "one").value
    for part in (
        f"Current value: {view.value.digest[:12]}, 2 rows",
        f"computed {view.commit.made_at[:10]} ",
        f"by {view.commit.who}, run {view.commit.run}, in 0.0 s",
        f"made from letters of one {letters.digest[:12]}",
        f"version 1, code {here.mesh.features['counts'].code[:12]}",
        f"python {commits.versions()['python']}",
        "Now: nothing would run: its key is remembered, and that value is current",
    ):
        assert part in said


def test_a_reused_value_says_for_whom_it_was_made_first(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.deliver(two="ab ba")
    here.settle()
    standing = told(here, "counts", "two").standing
    assert standing is not None and standing.commit.event == "reused" and standing.maker is not None
    assert (standing.maker.scope, standing.maker.event, standing.maker.seq) == ("one", "computed", 0)
    assert "first computed for counts of one, commit 0: computed " in text(here, "counts", "two")


def test_a_value_that_came_back_says_when_it_was_made_and_what_it_replaced(here: Installation) -> None:
    for content in ("abba", "xyz", "abba"):
        here.deliver(one=content)
        here.settle()
    found = told(here, "counts", "one")
    assert found.standing is not None and found.standing.maker is not None and found.before is not None
    assert (found.standing.commit.seq, found.standing.maker.seq, found.before.rows) == (2, 0, 3)
    assert found.since[0].before == here.store.ledger.chain("letters", "one")[1].value.digest  # type: ignore[union-attr]


def test_the_value_before_differed_because_of_the_landed_file(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.deliver(one="xyz")
    here.settle()
    found = told(here, "counts", "one")
    landed = [("landed", "size", "one", (), []), ("landed", "stamp", "one", (), [])]
    source = [("input", "source", "one", ("size", "stamp"), landed)]
    assert plain(found.since) == [("input", "letters", "one", ("letter",), source)]
    size = found.since[0].because[0].because[0]
    assert (size.before, size.after) == ("4", "3")
    first, second = (one.value.digest for one in here.store.ledger.chain("letters", "one") if one.value)
    assert (found.since[0].before, found.since[0].after) == (first, second)
    assert f"- letters of one differs in letter ({first[:12]} -> {second[:12]})" in text(here, "counts", "one")


def test_what_never_was_computed_says_so(here: Installation) -> None:
    here.deliver(one="abba")
    found = told(here, "letters", "one")
    assert (found.head, found.standing, found.now.outcome) == (None, None, "computed")
    assert "Current value: none, it was never computed" in text(here, "letters", "one")


@pytest.mark.parametrize("event", ["repaired", "forgotten"])
def test_a_value_that_is_gone_says_why(here: Installation, event: Event) -> None:
    here.deliver(one="abba")
    here.settle()
    value = here.store.view("counts", "one").value
    gone = f"values/counts/{value.digest[:2]}/{value.digest}.parquet"
    record(here.store, "counts", "one", event, {gone: "lost"}, "nobody can make it again")
    assert told(here, "counts", "one").standing is None
    said = text(here, "counts", "one")
    assert re.search(rf"none\. Last commit: {event} .*\(nobody can make it again\); gone: {gone}", said)


# --- what would run now


def test_new_content_computes_the_first_and_the_rest_waits_for_it(here: Installation) -> None:
    here.mesh = diamond_mesh()
    here.deliver(one="abba")
    here.settle()
    here.deliver(one="xyz")
    assert told(here, "letters", "one").now.outcome == "computed"
    shares = told(here, "shares", "one").now
    assert (shares.outcome, shares.key) == ("waits", "")
    assert outcomes(shares.causes) == [("letters", "one", "computed"), ("counts", "one", "waits")]
    assert plain(shares.causes[0].changed)[0][:4] == ("input", "source", "one", ("size", "stamp"))
    here.compute("letters", "one")
    shares = told(here, "shares", "one").now
    assert (shares.outcome, outcomes(shares.causes)) == ("waits", [("counts", "one", "computed")])
    here.compute("counts", "one")
    now = told(here, "shares", "one").now
    assert now.outcome == "computed"
    assert [one[1:4] for one in plain(now.changed)] == [
        ("counts", "one", ("letter", "n")),
        ("letters", "one", ("letter",)),
    ]


def test_content_that_was_there_before_is_recalled(here: Installation) -> None:
    for content in ("abba", "xyz"):
        here.deliver(one=content)
        here.settle()
    here.deliver(one="abba")
    here.compute("letters", "one")
    now = told(here, "counts", "one").now
    assert now.outcome == "recalled" and plain(now.changed)[0][:2] == ("input", "letters")
    before = calls()
    here.settle()
    assert [call for call in calls()[len(before) :] if "counts" in call] == []


def test_a_touched_file_runs_the_first_feature_alone(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.deliver(one="ab ba")
    here.compute("letters", "one")
    now = told(here, "counts", "one").now
    assert (now.outcome, now.changed, now.causes) == ("up to date", (), ())


def test_a_refused_file_holds_up_what_is_below(here: Installation) -> None:
    here.deliver(bad="a!")
    with pytest.raises(MediaRefused):
        here.compute("letters", "bad")
    now = told(here, "letters", "bad").now
    assert (now.outcome, now.why) == ("refused", "bad.mp4 holds a '!'; remove it and deliver the file again")
    counts = told(here, "counts", "bad").now
    assert (counts.outcome, outcomes(counts.causes)) == ("waits", [("letters", "bad", "refused")])
    said = text(here, "letters", "bad")
    assert "Last commit: refused " in said and "Now: nothing would run, it was refused: bad.mp4 holds" in said


def test_a_check_holds_a_value_back_and_the_one_before_it_stays(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    stood = here.store.view("counts", "one").value
    here.deliver(one="q")
    here.settle()
    found = told(here, "counts", "one")
    assert (found.now.outcome, found.now.why) == ("held back", "check no_q: q is not allowed")
    assert found.standing is not None and found.standing.value == stood
    assert plain(found.now.changed)[0][1] == "letters"
    said = text(here, "counts", "one")
    assert re.search(r"Last commit: computed, and not made current .* \(q is not allowed\); the current value", said)


def test_a_withdrawn_title_passes_it_on_without_a_call(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    (here.landing / "one.mp4").unlink()
    here.land()
    assert told(here, "letters", "one").now.outcome == "to be withdrawn"
    counts = told(here, "counts", "one").now
    assert (counts.outcome, outcomes(counts.causes)) == ("waits", [("letters", "one", "to be withdrawn")])
    here.settle()
    found = told(here, "counts", "one")
    assert (found.now.outcome, found.now.causes, found.standing) == ("withdrawn", (), None)
    assert "none. Last commit: withdrawn " in text(here, "counts", "one")


def test_a_key_that_somebody_computes_now_is_claimed(here: Installation) -> None:
    here.deliver(one="abba")
    ask = here.mesh.ask(here.store, "letters", ["one"])
    with here.store.claim("letters", ask.key):
        now = told(here, "letters", "one").now
        assert (now.outcome, now.key) == ("being computed", ask.key)
        assert outcomes(told(here, "counts", "one").now.causes) == [("letters", "one", "being computed")]
    assert told(here, "letters", "one").now.outcome == "computed"


def test_what_is_not_there_is_answered_with_near_names(here: Installation) -> None:
    here.deliver(night_train="abba")
    with pytest.raises(NotStored, match=r"no title 'night_trian' has landed; did you mean night_train\?"):
        told(here, "counts", "night_trian")
    with pytest.raises(FeatureError, match=r"no feature 'count'; did you mean counts\?"):
        told(here, "count", "night_train")
    with pytest.raises(FeatureError, match="total is a feature of all titles"):
        told(here, "total", "night_train")


def test_the_catalogue_says_what_is_left_out_and_what_is_behind(here: Installation) -> None:
    here.deliver(one="abba", held="q", bad="a!")
    with pytest.raises(MediaRefused):
        here.compute("letters", "bad")
    here.settle()
    here.deliver(two="xyz")
    now = told(here, "total").now
    assert (now.scope, now.outcome) == (CATALOGUE, "up to date")
    assert now.left_out == {"held": "counts held back: check no_q: q is not allowed"}
    assert outcomes(now.causes) == [
        ("letters", "bad", "refused"), ("counts", "bad", "waits"), ("counts", "held", "held back"),
        ("letters", "two", "computed"), ("counts", "two", "waits"),
    ]  # fmt: skip
    for name in ("letters", "counts"):
        here.compute(name, "two")
    now = told(here, "total").now
    assert now.outcome == "computed" and plain(now.changed) == [("input", "counts", "two", ("letter", "n"), [])]
    assert "- counts of two came (none -> " in text(here, "total")


def test_a_damaged_title_is_named_and_the_others_are_explained(here: Installation) -> None:
    here.deliver(one="abba", two="xyz", uno="abba")
    here.settle()
    for file in here.store.objects.path("ledger/counts/two").rglob("*.json"):
        file.write_bytes(file.read_bytes().replace(b"e", b"f", 1))
    now = told(here, "total").now
    assert now.outcome == "waits" and outcomes(now.causes) == [("counts", "two", "waits")]
    assert "is not what it was when it was written" in now.why and now.causes[0].why == now.why
    # who made a value that another title reuses takes a look at every chain
    standing = told(here, "counts", "uno").standing
    assert standing is not None and standing.maker is not None and standing.maker.scope == "one"


def test_a_show_is_explained_by_its_own_titles(here: Installation) -> None:
    here.mesh = shows_mesh()
    for path, content in (("harbour/s01/e01", "abba"), ("river/s01/e01", "rr")):
        (here.landing / path).parent.mkdir(parents=True, exist_ok=True)
        (here.landing / f"{path}.mp4").write_text(content)
    here.land()
    here.settle()
    (here.landing / "harbour/s01/e01.mp4").write_text("xyz")
    here.land()
    now = told(here, "season", "harbour").now
    assert (now.outcome, outcomes(now.causes)) == (
        "up to date",
        [("letters", "harbour-s01e01", "computed"), ("counts", "harbour-s01e01", "waits")],
    )
    assert told(here, "season", "river").now.causes == ()
    here.settle()
    found = told(here, "average", "harbour")
    assert [one[1:3] for one in plain(found.since)] == [("season", "harbour")]
    assert plain(found.since[0].because)[0][1:3] == ("counts", "harbour-s01e01")


# --- what made the key differ


def test_a_version_is_named_and_the_code_that_came_with_it(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.mesh = toy_mesh(version="2", factor=3)
    version, code = told(here, "counts", "one").now.changed
    assert (version.kind, version.before, version.after) == ("version", "1", "2")
    assert code.kind == "code" and "-factor = 1\n+factor = 3" in code.code[0].diff
    assert "- version 1 -> 2" in text(here, "counts", "one")


@pytest.mark.parametrize("version", [None, "1"])
@pytest.mark.parametrize("what", ["a helper's helper", "a configuration value", "a model's weights"])
def test_an_edit_is_shown_with_the_lines_that_changed(here: Installation, what: str, version: str | None) -> None:
    edited = Edited(here, version)
    here.deliver(one="abba")
    here.settle()
    edited.edit(EDITS[what])
    found = told(here, "measure", "one")
    if what == "a helper's helper":
        (code,) = found.now.changed if version is None else found.recorded
        diff = " def size(text):\n-    return len(text)\n+    return len(set(text))"
        assert (code.kind, [one.diff for one in code.code]) == ("code", [diff])
        assert found.now.outcome == ("computed" if version is None else "up to date")
        assert "+    return len(set(text))" in text(here, "measure", "one")
        assert ("recorded only, not part of the key" in text(here, "measure", "one")) == (version is not None)
    else:
        (config,) = found.now.changed
        wanted = ("gain", "1", "3") if what == "a configuration value" else ("model", "7", "8")
        assert (config.kind, config.name, config.before, config.after) == ("config", *wanted)
    here.settle()
    # and afterwards it is why the value is not the one before
    assert told(here, "measure", "one").since == (found.now.changed if found.now.changed else ())
    below = told(here, "below", "one").since
    assert [one.because for one in below] == ([found.now.changed] if found.now.changed else [])


def test_libraries_in_the_key_and_those_that_are_only_recorded(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.mesh.features["counts"] = replace(here.mesh.features["counts"], libs=("av",))
    here.deliver(one="abba")
    here.settle()
    standing = told(here, "counts", "one").standing
    assert standing is not None and standing.libraries == {"av": commits.versions()["av"]}
    now = {**commits.versions(), "av": "999", "numpy": "998"}
    monkeypatch.setattr("mediaml_assets.amber.explain.versions", lambda: now)
    monkeypatch.setattr(ask, "_version", lambda library: now[library])
    found = told(here, "counts", "one")
    assert [(one.kind, one.name, one.after) for one in found.now.changed] == [("library", "av", "999")]
    assert [(one.kind, one.name, one.after) for one in found.recorded] == [("library", "numpy", "998")]
    said = text(here, "counts", "one")
    assert f"- library av {commits.versions()['av']} -> 999" in said.split("recorded only")[0]
    assert f"- library numpy {commits.versions()['numpy']} -> 998" in said.split("recorded only")[1]


def test_a_key_whose_material_is_gone_is_said_to_be_unknown(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.store.objects.remove(f"memo/counts/{here.store.view('counts', 'one').value.key}.json")
    here.mesh = toy_mesh(version="2")
    found = told(here, "counts", "one")
    assert [one.kind for one in found.now.changed] == ["unknown"]
    assert "is no longer stored" in text(here, "counts", "one")


# --- a law: what the verdict says is what happens


def _edits(draw: random.Random, here: Installation) -> Iterator[None]:
    for _ in range(12):
        what = draw.choice(["deliver", "deliver", "deliver", "withdraw", "version", "compute", "compute", "compute"])
        title = draw.choice(["one", "two"])
        if what == "deliver":
            here.deliver(**{title: draw.choice(["abba", "xyz", "q", "a b", "a!"])})
        elif what == "withdraw":
            (here.landing / f"{title}.mp4").unlink(missing_ok=True)
            here.land()
        elif what == "version":
            here.mesh = toy_mesh(version=draw.choice("12"), factor=draw.choice([1, 2]))
        elif stale := here.stale():
            name, scope = draw.choice(stale)
            with suppress(MediaRefused):
                here.compute(name, scope)
        yield


@pytest.mark.parametrize("seed", range(6))
def test_the_verdict_says_what_would_run(here: Installation, seed: int) -> None:
    here.deliver(one="abba")
    for _ in _edits(random.Random(seed), here):
        stale, verdicts = here.stale(), _verdicts(here)
        runs = [where for where, one in verdicts.items() if one.outcome in ("computed", "recalled", "to be withdrawn")]
        # a value that a check holds back is asked for once more, to be written down
        assert set(runs) <= set(stale) <= {*runs, *(w for w, one in verdicts.items() if one.outcome == "held back")}
        if stale:
            before = len(calls())
            with suppress(MediaRefused):
                here.compute(*stale[0])
            assert len(calls()) - before == (verdicts[stale[0]].outcome == "computed")


def _verdicts(here: Installation) -> Mapping[tuple[str, str], Verdict]:
    return {(name, scope): told(here, name, scope).now for scope in here.titles() for name in ("letters", "counts")}

from collections import Counter
from itertools import pairwise

import pytest

from mediaml_assets.samples import script
from mediaml_assets.samples.layout import PAIR_GAP, TAKE_GAP
from mediaml_assets.samples.plan import Catalogue, ShotPlan, TitlePlan


def test_a_seed_writes_one_script(catalogue: Catalogue) -> None:
    assert script.write(catalogue.seed) == catalogue


def test_seeds_write_different_scripts(catalogues: tuple[Catalogue, ...]) -> None:
    a, b = catalogues
    pictures = [{s.picture.seed for t in c.titles for s in t.shots} for c in (a, b)]
    assert pictures[0].isdisjoint(pictures[1])
    assert [len(t.shots) for t in a.titles] != [len(t.shots) for t in b.titles]


def test_the_catalogue_has_the_forms_it_promises(catalogue: Catalogue) -> None:
    files = {t.file: t for t in catalogue.titles}
    assert set(files) == {
        "harbour/s01/e01.mkv",
        "harbour/s01/e02.mkv",
        "night_train.mp4",
        "salt_road.mp4",
        "glass_garden.mkv",
        "old_reel.mp4",
    }
    rates = {round(float(t.rate), 3) for t in catalogue.titles}
    assert rates == {23.976, 25.0, 29.97}
    odd = files["old_reel.mp4"]
    assert odd.left_out and odd.geometry.bar and odd.geometry.rotation
    assert all(t.geometry.width % 2 == 0 and t.geometry.active_height % 4 == 0 for t in catalogue.titles)


def test_titles_have_the_lengths_they_promise(titles: list[TitlePlan]) -> None:
    for title in titles:
        assert 40 <= title.frame_count / title.rate <= 60
        assert 12 <= len(title.shots) <= 30


def test_shots_cover_a_title_without_gap(titles: list[TitlePlan]) -> None:
    for title in titles:
        assert [s.index for s in title.shots] == list(range(len(title.shots)))
        assert title.shots[0].start == 0
        assert title.shots[-1].end == title.frame_count
        for a, b in pairwise(title.shots):
            assert a.end == b.start
        assert min(s.end - s.start for s in title.shots) >= title.rate


def test_joins_are_where_shots_meet(titles: list[TitlePlan]) -> None:
    for title in titles:
        assert [j.boundary for j in title.joins] == [s.start for s in title.shots[1:]]
        kinds = Counter(j.kind for j in title.joins)
        assert kinds["cut"] > 2 * (kinds["dissolve"] + kinds["fade"])
        assert 2 <= kinds["dissolve"] <= 3
        assert 1 <= kinds["fade"] <= 2
        for join in title.joins:
            length = join.end - join.start
            assert length == 1 if join.kind == "cut" else 8 <= length <= 28


def test_only_a_dissolve_shows_two_shots_at_once(titles: list[TitlePlan]) -> None:
    for title in titles:
        for a, b, join in zip(title.shots, title.shots[1:], title.joins, strict=False):
            shown_twice = range(b.first, a.last)
            assert shown_twice == (range(join.start, join.end) if join.kind == "dissolve" else range(b.first, b.first))


def test_takes_are_apart_from_their_originals_and_from_each_other(titles: list[TitlePlan]) -> None:
    for title in titles:
        takes = [s for s in title.shots if s.take_of is not None]
        assert 2 <= len(takes) <= 4
        assert len({s.take_of for s in takes}) == len(takes)
        for take in takes:
            original = title.shots[take.take_of or 0]
            assert take.index - original.index >= TAKE_GAP
            assert take.picture == original.picture
            assert take.camera.place != original.camera.place
            assert (take.figure is None) == (original.figure is None)
        assert all(b.index - a.index > 1 for a, b in pairwise(takes))


def planted_ends(catalogue: Catalogue) -> list[tuple[TitlePlan, ShotPlan, str]]:
    by_name = {t.title: t for t in catalogue.titles}
    ends = []
    for plant in (p for t in catalogue.titles for p in t.plants):
        for name, shot, end in ((plant.title1, plant.shot1, "tail"), (plant.title2, plant.shot2, "head")):
            ends.append((by_name[name], by_name[name].shots[shot], end))
    return ends


@pytest.mark.parametrize("flavour", ["frame", "motion"])
def test_match_cuts_are_planted_inside_and_across_titles(catalogues: tuple[Catalogue, ...], flavour: str) -> None:
    for catalogue in catalogues:
        plants = [p for t in catalogue.titles for p in t.plants if p.flavour == flavour]
        inside = [p for p in plants if p.title1 == p.title2]
        assert 2 <= len(inside) <= 3
        assert 3 <= len(plants) - len(inside) <= 5
        assert all(abs(p.shot1 - p.shot2) >= PAIR_GAP for p in inside)
        assert all(p.title1 == t.title for t in catalogue.titles for p in t.plants)
        decoys = Counter(d.differs for t in catalogue.titles for d in t.decoys if d.flavour == flavour)
        assert set(decoys) == ({"place", "colours"} if flavour == "frame" else {"opposite", "speed", "picture"})


def test_a_planted_shot_plays_one_part_and_is_never_taken_again(catalogues: tuple[Catalogue, ...]) -> None:
    for catalogue in catalogues:
        ends = planted_ends(catalogue)
        parts = Counter((t.title, s.index) for t, s, _ in ends)
        parts.update((d.title, d.shot) for t in catalogue.titles for d in t.decoys)
        assert max(parts.values()) == 1
        for title, shot, _ in ends:
            assert shot.take_of is None
            assert all(s.take_of != shot.index for s in title.shots)


def test_the_planted_side_of_a_shot_is_a_hard_cut(catalogues: tuple[Catalogue, ...]) -> None:
    for title, shot, end in (e for c in catalogues for e in planted_ends(c)):
        at = shot.index if end == "tail" else shot.index - 1
        if 0 <= at < len(title.joins):
            assert title.joins[at].kind == "cut"


def test_pictures_are_still_at_ends_without_a_part_in_motion(catalogues: tuple[Catalogue, ...]) -> None:
    for catalogue in catalogues:
        moving = {(t.title, s.index, end) for t, s, end in planted_ends(catalogue)}
        moving |= {(d.title, d.shot, d.end) for t in catalogue.titles for d in t.decoys}
        for title in catalogue.titles:
            for shot in title.shots:
                for end, move in (("head", shot.camera.head), ("tail", shot.camera.tail)):
                    assert move.speed <= 0.02 or (title.title, shot.index, end) in moving


def test_flashes_are_short_and_clear_of_boundaries(titles: list[TitlePlan]) -> None:
    assert sum(len(t.flashes) for t in titles) >= 2 * len(titles)
    for title in titles:
        edges = [0, title.frame_count, *(f for j in title.joins for f in (j.start, j.end))]
        for flash in title.flashes:
            assert 1 <= flash.end - flash.start <= 3
            assert min(abs(e - f) for e in edges for f in (flash.start, flash.end)) >= 10


def test_frames_left_out_are_never_at_a_join_or_in_a_planted_shot(titles: list[TitlePlan]) -> None:
    for title in (t for t in titles if t.left_out):
        lacking = set(title.left_out)
        assert len(lacking) >= title.frame_count // 40
        assert lacking.isdisjoint({0, title.frame_count - 1})
        for join in title.joins:
            assert lacking.isdisjoint(range(join.start - 8, join.end + 8))
        for plant in title.plants:
            assert lacking.isdisjoint(range(title.shots[plant.shot1].start, title.shots[plant.shot1].end))

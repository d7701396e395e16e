"""Files of blocks in the life of a catalogue: damaged, half made, made by two at once, folded, gone when read."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import NotStored
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets.matching.blocks.store import FILES, by_owner
from mediaml_assets_tests.matching.blocks.catalogues import PLAIN, brute_force, rows, titles

COUNT, SHOTS = 5, 20
TABLES = [rows(place, SHOTS, 64) for place in range(COUNT)]
EVERY_PAIR = (COUNT * SHOTS) ** 2

MAKE = """
import os, signal, sys
from pathlib import Path
from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets_tests.matching.blocks.catalogues import PLAIN, titles
from mediaml_assets_tests.matching.blocks.test_store import TABLES

class Killed(Cache):
    def create(self, name, data):
        if self.counts["files"] == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        self.counts["files"] += 1
        return super().create(name, data)

cache = Killed(FolderObjects(Path(sys.argv[1])), "match_cuts")
sys.stdin.read()
found = best(cache, PLAIN, titles(cache, PLAIN, TABLES), 50, cap=2)
print(found.rows.tolist(), found.cols.tolist())
"""


def ask(folder: Path, k: int = 50) -> tuple[list[tuple[int, int]], Counter[str]]:
    cache = Cache(FolderObjects(folder), "match_cuts")
    found = best(cache, PLAIN, titles(cache, PLAIN, TABLES), k, cap=2)
    assert found.exact
    return list(zip(found.rows.tolist(), found.cols.tolist(), strict=True)), cache.counts


@pytest.fixture(scope="module")
def truth() -> list[tuple[int, int]]:
    return [(a, b) for a, b, _ in brute_force(PLAIN, TABLES, 50, None, 2, None)]


def process(folder: Path, files: int) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", MAKE, str(folder), str(files)], **pipes)


def test_a_damaged_file_is_thrown_away_and_made_again(tmp_path: Path, truth: list[tuple[int, int]]) -> None:
    assert ask(tmp_path)[0] == truth
    victim = sorted(tmp_path.rglob("*.blocks"))[1]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 4
    victim.write_bytes(data)
    answer, counts = ask(tmp_path)
    assert answer == truth and counts["files_damaged"] == 1 and 0 < counts["pairs_scored"] < EVERY_PAIR
    assert ask(tmp_path)[1]["pairs_scored"] == 0


def test_killed_between_two_files_only_the_rest_is_made(tmp_path: Path, truth: list[tuple[int, int]]) -> None:
    half = process(tmp_path, files=2)
    half.communicate("")
    assert half.returncode == -9
    made = len(list(tmp_path.rglob("*.blocks")))
    answer, counts = ask(tmp_path)
    assert made == 2 and answer == truth and 0 < counts["pairs_scored"] < EVERY_PAIR


def test_two_processes_at_once_give_one_answer(tmp_path: Path, truth: list[tuple[int, int]]) -> None:
    both = [process(tmp_path, files=-1) for _ in range(2)]
    for one in both:
        assert one.stdin is not None
        one.stdin.close()
    rows, cols = zip(*truth, strict=True)
    for one in both:
        assert one.stdout is not None
        assert one.stdout.read().strip() == f"{list(rows)} {list(cols)}"
        assert one.wait() == 0
        one.stdout.close()
    answer, counts = ask(tmp_path)
    assert answer == truth and counts["pairs_scored"] == 0
    assert len(list(tmp_path.rglob("*.blocks"))) == COUNT


def test_many_files_of_a_title_are_folded_into_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.matching.blocks.making.DEPTH", 1)
    monkeypatch.setattr("mediaml_assets.matching.blocks.making.OWN", 0)
    folded = 0
    for k in (1, 5, 20, 60, 100):
        answer, counts = ask(tmp_path, k)
        folded += counts["files_folded"]
        assert answer == [(a, b) for a, b, _ in brute_force(PLAIN, TABLES, k, None, 2, None)]
    assert folded and all(len(list(one.glob("*.blocks"))) < FILES for one in tmp_path.glob("cache/*/*/*"))
    answer, counts = ask(tmp_path, 100)
    assert counts["pairs_scored"] == 0 and counts["files_opened"] <= COUNT * (FILES - 1)


def test_a_file_that_is_folded_away_while_it_is_read_is_looked_for_again(
    tmp_path: Path, truth: list[tuple[int, int]]
) -> None:
    ask(tmp_path)

    class Folding(Cache):
        gone = 0

        def read_range(self, name: str, start: int, length: int) -> bytes:
            if start and not self.gone:
                self.gone += 1
                raise NotStored("folded away just now")
            return super().read_range(name, start, length)

    cache = Folding(FolderObjects(tmp_path), "match_cuts")
    found = best(cache, PLAIN, titles(cache, PLAIN, TABLES), 50, cap=2)
    assert np.array_equal([found.rows, found.cols], list(zip(*truth, strict=True)))
    assert cache.gone == 1 and cache.counts["pairs_scored"] == 0


def test_blocks_are_given_to_few_owners() -> None:
    every = [(a, b) for place, a in enumerate("abcd") for b in "abcd"[place:]]
    owners = by_owner(every)
    assert sum(map(len, owners.values())) == len(every)
    assert {one: len(partners) for one, partners in owners.items()} == {"a": 4, "b": 3, "c": 2, "d": 1}
    new = [("a", "x"), ("b", "x"), ("x", "x")]
    assert by_owner(new) == {"x": ["a", "b", "x"]}


def test_on_a_bucket_it_is_the_same(s3_bucket: str, truth: list[tuple[int, int]]) -> None:
    for first in (True, False):
        cache = Cache(BucketObjects(f"s3://{s3_bucket}/studio"), "match_cuts")
        found = best(cache, PLAIN, titles(cache, PLAIN, TABLES), 50, cap=2)
        assert list(zip(found.rows.tolist(), found.cols.tolist(), strict=True)) == truth
        assert (cache.counts["pairs_scored"] > 0) == first

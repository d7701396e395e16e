"""The benchmark of decode passes, on a film of some seconds."""

from pathlib import Path

import pytest

from benchmarks.media import passes


@pytest.mark.slow
def test_the_mesh_of_a_short_film_decodes_it_less_often_than_its_features_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passes, "MINUTES", 0.2)
    figures = passes.measure(1, film=Path("there is none"))
    assert 0 < figures["decode_passes_per_title"] < figures["passes_one_by_one"]
    assert 50 < figures["peak_rss_mb"] < 1500

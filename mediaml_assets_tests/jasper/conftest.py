"""Shared by the jasper tests: standard encodes as Media, without a store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.media.encode_view import EncodeView
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import StandardEncode, standardize

from .clips import Clip, render


@pytest.fixture
def standard(tmp_path: Path) -> Callable[..., tuple[StandardEncode, Media]]:
    """Standardises a clip or a file."""

    def make(clip: Clip | Path, suffix: str = ".mp4", name: str = "standard") -> tuple[StandardEncode, Media]:
        source = render(tmp_path / f"clip{suffix}", clip) if isinstance(clip, Clip) else clip
        folder = tmp_path / name
        folder.mkdir()
        encode = standardize(source, ML_360P, folder)
        return encode, Media.from_value(EncodeView("clip", encode))

    return make

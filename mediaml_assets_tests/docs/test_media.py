"""`docs/media.md`: its ten lines, run as they are written."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ..jasper.clips import Clip, read_number, render, steady

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "media.md").read_text()


def test_the_library_in_ten_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"## The library in ten lines\n\n```python\n(.*?)```", DOCUMENT, re.S)
    assert len(code[code.index("with ") :].splitlines()) == 10
    render(tmp_path / "film.mkv", Clip(steady(24, 120), bursts=[1.5]))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert (read_number(names["one"].y), read_number(names["other"].y), read_number(names["shown"].y)) == (100, 7, 60)
    assert [read_number(gray) for gray in names["grays"]] == [24, 36, 48, 60]
    assert names["batch"].shape == (3, 90, 160, 3) and names["batch"].dtype == np.uint8
    assert names["tensor"].shape == (3, 90, 160, 3) and names["tensor"].dtype == torch.uint8
    assert names["sound"].shape == (32_000,) and names["sound"].any() and names["said"] == []
    assert names["poster"].shape == (180, 320, 3) and names["strip"].shape == (8, 90, 160, 3)

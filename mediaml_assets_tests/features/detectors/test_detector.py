import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.detectors import scenedetect_adapter
from mediaml_assets.features.detectors.detector import key_part, named
from mediaml_assets.features.detectors.transnet import TransNet
from mediaml_assets.features.shots import ShotsConfig, shots
from mediaml_assets_tests.features.conftest import ArrayMedia, texture


@pytest.mark.parametrize("name", ["nothing", "scenedetect:nothing", "transnet:/not/there.safetensors"])
def test_a_detector_that_is_not_there_is_an_error_that_says_which_there_are(name: str) -> None:
    with pytest.raises(ModelMissing, match=r"use|save"):
        named(name)


@pytest.mark.parametrize("name", sorted(scenedetect_adapter.DETECTORS))
def test_the_detectors_of_pyscenedetect_find_a_cut(name: str) -> None:
    pytest.importorskip("scenedetect")
    dark, bright = texture(1) // 3, 255 - texture(2, grain=90) // 4
    table = shots(ArrayMedia([dark] * 30 + [bright] * 30), ShotsConfig(f"scenedetect:{name}"))
    assert table.column("start").to_pylist() == [0, 30]
    assert table.column("transition").to_pylist() == ["start", "cut"]


def test_pyscenedetect_that_is_not_installed_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenedetect_adapter, "PACKAGES", ("no-such-package",))
    with pytest.raises(ModelMissing, match="pip install scenedetect-headless"):
        named("scenedetect:adaptive")


def test_keys_hold_weights_and_versions_and_not_places(tmp_path: Path) -> None:
    torch.manual_seed(1)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    weights = TransNet().state_dict()
    save_file(weights, tmp_path / "one/net.safetensors")
    save_file(weights, tmp_path / "two/other_name.safetensors")
    one, two = (ShotsConfig(f"transnet:{tmp_path / folder}").key_parts() for folder in ("one", "two"))
    assert one == two and one["detector"].startswith("transnet:sha256:")
    weights["fc1.bias"] = weights["fc1.bias"] + 1
    save_file(weights, tmp_path / "two/other_name.safetensors")
    assert ShotsConfig(f"transnet:{tmp_path / 'two'}").key_parts() != one
    assert ShotsConfig().key_parts() == {}


def test_the_key_of_pyscenedetect_holds_its_version() -> None:
    pytest.importorskip("scenedetect")
    assert key_part("scenedetect:hash") == f"scenedetect:hash@{scenedetect_adapter.version()}"


def test_finding_by_tape_imports_neither_torch_nor_pyscenedetect() -> None:
    code = """
import sys
from mediaml_assets.features.detectors.detector import named
named("tape")
assert not {"torch", "scenedetect"} & sys.modules.keys(), sorted({"torch", "scenedetect"} & sys.modules.keys())
"""
    subprocess.run([sys.executable, "-c", code], check=True)

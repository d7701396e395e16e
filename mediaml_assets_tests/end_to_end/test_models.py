"""A transformers model from a folder, configured for an installation, runs through the mesh."""

from pathlib import Path

import pytest

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.saved_model import digest
from mediaml_assets.mesh import mesh
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call, catch_up


def tiny_clip(folder: Path) -> Path:
    """The picture tower of a CLIP with random weights, as `save_pretrained` writes it."""
    import torch
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    small = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, patch_size=16, image_size=64,
        projection_dim=16,
    )  # fmt: skip
    CLIPVisionModelWithProjection(small).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture
def configured(platform: Platform, tmp_path: Path) -> Path:
    """The folder of a model that `mediaml.toml` names; the platform runs with it until the next test."""
    folder = tiny_clip(tmp_path / "tiny_clip")
    settings = platform.home / "mediaml.toml"
    settings.write_text(f'[features.shot_embedding]\nmodel = "hf:{folder}"\n')
    platform.load(mesh())
    settings.unlink()
    return folder


def test_a_configured_model_describes_shots(platform: Platform, configured: Path, calls: list[Call]) -> None:
    catch_up(platform)
    assert ("shot_embedding", "one") in calls and ("standard_encode", "one") not in calls
    rows = platform.store.view("shot_embedding", "one").table().to_pylist()
    assert [len(row["middle"]) for row in rows] == [16] * 4
    ask = platform.mesh.ask(platform.store, "shot_embedding", ["one"])
    assert digest(str(configured)) in ask.material["config"]["model"]
    assert platform.store.view("shot_embedding", "one").commit.key == ask.key


@pytest.mark.slow
def test_the_same_weights_elsewhere_are_the_same_model(
    platform: Platform, configured: Path, calls: list[Call], tmp_path: Path
) -> None:
    catch_up(platform)
    before = len(calls)
    moved = configured.rename(tmp_path / "moved")
    feature = platform.mesh.features["shot_embedding"]
    platform.mesh.features["shot_embedding"] = feature.configured({"model": f"hf:{moved}"})
    assert list(platform.mesh.stale(platform.store, ["one", "two"])) == []
    assert len(calls) == before


def test_a_missing_model_is_a_clear_error(platform: Platform, configured: Path) -> None:
    (configured / "model.safetensors").unlink()
    with pytest.raises(ModelMissing, match=r"has no \*.safetensors weights"):
        catch_up(platform)

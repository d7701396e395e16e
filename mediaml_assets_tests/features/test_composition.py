import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.composition import COMPOSITION, CompositionConfig, composition
from mediaml_assets.features.measures.layout import EDGES, MASSES
from mediaml_assets.features.models.patch_grid import COLUMNS, NUMBERS, ROWS, load_grid
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayFrame, ArrayMedia, Picture, texture

KEPT = Shots((Shot(0, 0, 30, 0, 30), Shot(1, 30, 60, 30, 60)))
WHOLE = (0, 0, 640, 360)
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "patch_size": 8,
    "image_size": 64,
}


def vectors(table: pa.Table, side: str) -> np.ndarray:
    return np.array(table.column(f"{side}_vector").to_pylist(), np.float32)


def test_one_row_a_shot_of_its_last_and_first_frame(cut_film: ArrayMedia) -> None:
    table = composition(cut_film, KEPT, CompositionConfig())
    assert table.schema.equals(COMPOSITION)
    assert cut_film.asked == [0, 29, 30, 59]
    out, in_ = vectors(table, "out"), vectors(table, "in")
    assert out.shape == (2, EDGES + MASSES)
    np.testing.assert_array_equal(out, in_)
    product = out[0] * in_[0]
    assert product[:EDGES].sum() > 0.8 and product[EDGES:].sum() > 0.8
    assert abs(out[0] @ in_[1]) < 0.6


def saved(name: str, folder: Path, **more: Any) -> Path:
    """A random encoder of 8 x 8 patches, as its save_pretrained writes it."""
    import torch
    import transformers

    torch.manual_seed(0)
    kind = getattr(transformers, name)
    kind(kind.config_class(**{**SMALL, **more})).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 64, "width": 64}}))
    return folder


def frame(picture: Picture) -> ArrayFrame:
    chroma = np.full((180, 320), 128, np.uint8)
    return ArrayFrame(0, picture, chroma, chroma)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("Dinov2Model", {}),
        ("Dinov2WithRegistersModel", {"num_register_tokens": 3}),
        ("SiglipVisionModel", {}),
        ("CLIPVisionModelWithProjection", {"projection_dim": 16}),
    ],
)
def test_a_models_patches_take_the_place_of_edges(
    name: str, more: dict[str, Any], tmp_path: Path, cut_film: ArrayMedia
) -> None:
    config = CompositionConfig(f"hf:{saved(name, tmp_path, **more)}")
    table = composition(cut_film, KEPT, config)
    out = vectors(table, "out")
    grid = ROWS * COLUMNS * NUMBERS
    assert out.shape == (2, grid + MASSES)
    np.testing.assert_allclose(np.linalg.norm(out[:, :grid], axis=1), 1, atol=1e-3)
    assert out[0, :grid] @ out[1, :grid] < 0.9
    assert table.equals(composition(cut_film, KEPT, config))


def test_patches_keep_their_place_and_registers_are_no_patches(tmp_path: Path) -> None:
    more = {"num_register_tokens": 3, "num_hidden_layers": 1}
    grid = load_grid(str(saved("Dinov2WithRegistersModel", tmp_path, **more)))
    left = np.full((360, 640), 40, np.uint8)
    left[:, :160] = texture(1)[:, :160]
    right = left[:, ::-1].copy()
    parts = [grid(frame(picture), WHOLE).reshape(ROWS, COLUMNS, NUMBERS) for picture in (left, right)]
    busy = [np.linalg.norm(part - part[:, 3:5].mean(axis=(0, 1)), axis=2).mean(axis=0) for part in parts]
    assert busy[0][:2].mean() > 2 * busy[0][3:].mean()
    assert busy[1][-2:].mean() > 2 * busy[1][:-3].mean()


def test_models_without_a_grid_and_unknown_names_are_refused(tmp_path: Path, cut_film: ArrayMedia) -> None:
    import transformers

    transformers.ResNetModel(
        transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1])
    ).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("{}")
    with pytest.raises(ModelMissing, match="ResNetModel, which has no grid of patches"):
        composition(cut_film, KEPT, CompositionConfig(f"hf:{tmp_path}"))
    with pytest.raises(ModelMissing, match="no model is named 'lines'"):
        composition(cut_film, KEPT, CompositionConfig("lines"))


def test_the_key_follows_the_models_weights(tmp_path: Path) -> None:
    assert CompositionConfig().key_parts() == {}
    config = CompositionConfig(f"hf:{saved('Dinov2Model', tmp_path)}")
    assert config.key_parts()["model"].startswith("hf:sha256:")

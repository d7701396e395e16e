import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.artwork_embedding import ArtworkEmbeddingConfig, artwork_embedding
from mediaml_assets.features.models.saved_model import file_digest, model_key
from mediaml_assets.features.models.transformers_model import Preparation
from mediaml_assets.features.shot_embedding import (
    Embeddings,
    ShotEmbeddingConfig,
    encoder,
    moments,
    shot_embedding,
)
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.pictures.artwork import Picture, Pictures
from mediaml_assets_tests.features.conftest import ArrayMedia, texture

KEPT = Shots((Shot(0, 0, 30, 0, 30), Shot(1, 30, 60, 30, 60)))
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "patch_size": 16,
    "image_size": 64,
}
PREPARATION = {
    "size": {"shortest_edge": 64},
    "crop_size": {"height": 64, "width": 64},
    "do_center_crop": True,
    "resample": 3,
    "image_mean": [0.48, 0.46, 0.41],
    "image_std": [0.27, 0.26, 0.28],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP picture tower of a few thousand weights, as its save_pretrained writes it."""
    import torch
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("clip")
    CLIPVisionModelWithProjection(CLIPVisionConfig(projection_dim=16, **SMALL)).save_pretrained(path)
    (path / "preprocessor_config.json").write_text(json.dumps(PREPARATION))
    return path


def test_a_model_from_a_folder_embeds_shots(folder: Path, cut_film: ArrayMedia) -> None:
    config = ShotEmbeddingConfig(f"hf:{folder}")
    found = Embeddings.from_table(shot_embedding(cut_film, KEPT, config))
    assert found.vectors.shape == (2, 3, 16)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=2), 1, atol=1e-3)
    assert not np.allclose(found.vectors[0, 0], found.vectors[1, 0], atol=1e-3)
    assert shot_embedding(cut_film, KEPT, config).equals(shot_embedding(cut_film, KEPT, config))


def test_a_model_embeds_artwork_of_any_size(folder: Path, tmp_path: Path) -> None:
    import transformers

    pictures = []
    for index, size in enumerate([(90, 60), (40, 121)]):
        Image.effect_mandelbrot(size, (-2, -1, 1, 1), 30).convert("RGB").save(tmp_path / f"{index}.png")
        pictures.append(Picture(index, tmp_path / f"{index}.png"))
    rows = artwork_embedding(Pictures(pictures), ArtworkEmbeddingConfig(f"hf:{folder}"))
    found = np.array(rows.column("vector").to_pylist())
    assert found.shape == (2, 16)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    # a model of clips sees each picture held
    kind = transformers.VideoMAEModel
    kind(kind.config_class(**SMALL, num_frames=4)).save_pretrained(tmp_path / "clips")
    (tmp_path / "clips" / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 64, "width": 64}}))
    held = artwork_embedding(Pictures(pictures), ArtworkEmbeddingConfig(f"hf:{tmp_path / 'clips'}"))
    assert [len(vector) for vector in held.column("vector").to_pylist()] == [32, 32]


@pytest.mark.parametrize("name", ["Siglip2VisionModel", "VideoMAEModel", "Dinov2Model"])
def test_other_layouts_of_input(name: str, tmp_path: Path, cut_film: ArrayMedia) -> None:
    import transformers

    kind = getattr(transformers, name)
    extra = {"num_frames": 4} if name == "VideoMAEModel" else {}
    kind(kind.config_class(**SMALL, **extra)).save_pretrained(tmp_path)
    size = {"height": 64, "width": 64}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": size}))
    found = Embeddings.from_table(shot_embedding(cut_film, KEPT, ShotEmbeddingConfig(f"hf:{tmp_path}")))
    assert found.vectors.shape == (2, 3, 32)
    assert np.isfinite(found.vectors).all()


def test_the_digest_follows_weights_and_configuration(folder: Path) -> None:
    before = model_key(f"hf:{folder}")
    assert before["model"].startswith("hf:sha256:") and len(before["model"]) == 74
    text = (folder / "preprocessor_config.json").read_text()
    (folder / "preprocessor_config.json").write_text(text.replace("0.48", "0.5"))
    assert model_key(f"hf:{folder}") != before
    (folder / "preprocessor_config.json").write_text(text)
    assert model_key(f"hf:{folder}") == before
    assert model_key("descriptor") == {}


def test_what_cannot_be_loaded_is_a_clear_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="has no config"):
        encoder(f"hf:{tmp_path / 'absent'}")
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelMissing, match="pickles are not loaded"):
        encoder(f"hf:{tmp_path}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["EvilModel"]}))
    with pytest.raises(ModelMissing, match="EvilModel, which is not supported"):
        encoder(f"hf:{tmp_path}")
    with pytest.raises(ModelMissing, match="no model is named"):
        encoder("clip")


def test_the_digest_follows_a_file_that_is_replaced_at_once_or_under_its_old_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    for settled in (2.0, -1.0):
        monkeypatch.setattr("mediaml_assets.features.models.saved_model.SETTLED", settled)
        file.write_bytes(b"one")
        before = file_digest(file)
        other.write_bytes(b"two")
        os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        other.replace(file)
        assert file_digest(file) != before


def test_weights_that_are_lacking_or_damaged_are_named_and_never_drawn(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / "model.safetensors"
    whole = load_file(file)
    save_file({name: one for name, one in whole.items() if name != "visual_projection.weight"}, file, {"format": "pt"})
    with pytest.raises(ModelMissing, match=r"lacks 1 weights of a CLIPVision.* \(visual_projection\.weight\)"):
        encoder(f"hf:{tmp_path}")
    save_file({**whole, "visual_projection.weight": whole["visual_projection.weight"][:8]}, file, {"format": "pt"})
    with pytest.raises(ModelMissing, match="cannot be loaded as a CLIPVision"):
        encoder(f"hf:{tmp_path}")
    file.write_bytes(b"no weights")
    with pytest.raises(ModelMissing, match="cannot be loaded as a CLIPVision"):
        encoder(f"hf:{tmp_path}")


@pytest.mark.parametrize("text", ["{", "[]", '{"architectures": 3}', "\\udcff"])
def test_a_malformed_configuration_is_named(text: str, folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelMissing, match=r"/config\.json cannot be understood .* save_pretrained wrote"):
        model_key(f"hf:{tmp_path}")


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"size": {"height": 64}}', '{"size": {"longest_edge": 9}}', '{"size": "big"}', '{"image_mean": [1]}'],
)
def test_a_malformed_preparation_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(ModelMissing, match=r"/preprocessor_config\.json cannot be understood"):
        Preparation.read(tmp_path / "preprocessor_config.json")


def test_preparation_resizes_crops_and_normalises(folder: Path) -> None:
    import torch

    prepare = Preparation.read(folder / "preprocessor_config.json")
    pictures = torch.full((1, 3, 360, 640), 255, dtype=torch.uint8)
    prepared = prepare(pictures)
    assert prepared.shape == (1, 3, 64, 64)
    np.testing.assert_allclose(prepared[0, :, 0, 0], (1 - np.array([0.48, 0.46, 0.41])) / [0.27, 0.26, 0.28], atol=1e-4)


def test_moments_of_pictures_and_of_clips() -> None:
    shot = Shot(0, 0, 40, 5, 35)
    assert moments(shot, 1) == [[5], [19], [34]]
    clips = moments(shot, 4)
    assert [len(clip) for clip in clips] == [4, 4, 4]
    assert clips[0][0] == 5 and clips[2][-1] == 34
    assert moments(Shot(0, 7, 8, 7, 8), 1) == [[7], [7], [7]]


def test_descriptors_of_a_films_shots(cut_film: ArrayMedia) -> None:
    found = Embeddings.from_table(shot_embedding(cut_film, KEPT, ShotEmbeddingConfig()))
    assert found.vectors.shape == (2, 3, 2096)
    assert cut_film.asked == [0, 14, 29, 30, 44, 59]
    assert texture(1).shape == (360, 640)

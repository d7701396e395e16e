"""Words as vectors like those of pictures: random two-tower models, saved as their save_pretrained writes them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.text_tower import load_text_tower
from mediaml_assets.features.shot_embedding import encoder, width
from mediaml_assets_tests.features.models.two_towers import clip, siglip


@pytest.fixture(scope="module", params=["clip", "siglip"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(request.param)
    {"clip": clip, "siglip": siglip}[request.param](path)
    return path


def test_words_have_vectors_as_wide_as_those_of_pictures(folder: Path) -> None:
    tower = load_text_tower(str(folder))
    one, same, other = (tower(text) for text in ("drinking wine", "drinking wine", "a red boat"))
    assert one.shape == (width(f"hf:{folder}"),) and one.dtype == np.float32
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(one, same) and not np.allclose(one, other)


def test_what_is_too_long_is_cut(folder: Path) -> None:
    tower = load_text_tower(str(folder))
    long = " ".join(["boat"] * 500)
    assert np.allclose(tower(long), tower(f"{long} wine"), atol=1e-6)


def test_the_width_is_known_without_the_weights(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "preprocessor_config.json"):
        shutil.copy(folder / name, tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert width(f"hf:{tmp_path}") == width(f"hf:{folder}")
    with pytest.raises(ModelMissing):
        encoder(f"hf:{tmp_path}")


def test_a_model_without_words_or_tokenizer_says_so(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "one")
    for file in (tmp_path / "one").glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelMissing, match="has no tokenizer; save the model's tokenizer there too"):
        load_text_tower(str(tmp_path / "one"))
    (tmp_path / "one/tokenizer.json").write_text("{")
    with pytest.raises(ModelMissing, match="has no tokenizer that can be read"):
        load_text_tower(str(tmp_path / "one"))
    shutil.copytree(folder, tmp_path / "two")
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "two/config.json").write_text(json.dumps({**config, "architectures": ["Dinov2Model"]}))
    with pytest.raises(ModelMissing, match="holds a Dinov2Model, which reads no words; use one of CLIPModel"):
        load_text_tower(str(tmp_path / "two"))

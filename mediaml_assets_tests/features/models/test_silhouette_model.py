import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.silhouette_model import Answer, SilhouetteModel, load, thing_labels
from mediaml_assets.features.models.transformers_model import Preparation
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.silhouette import SilhouetteConfig, silhouette
from mediaml_assets_tests.features.conftest import ArrayFrame, ArrayMedia, texture

WHOLE = (0, 0, 640, 360)
KEPT = Shots((Shot(0, 0, 30, 0, 30), Shot(1, 30, 60, 30, 60)))
NAMES = {0: "dog", 1: "person", 2: "sky"}


def tiny(name: str) -> Any:
    """A random model of a few thousand weights."""
    import torch
    import transformers as t

    torch.manual_seed(0)
    labels = {"id2label": {0: "dog", 1: "person"}, "label2id": {"dog": 0, "person": 1}}
    swin = t.SwinConfig(embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2, image_size=64)
    swin.out_features = ["stage1", "stage2", "stage3", "stage4"]
    if name == "Mask2FormerForUniversalSegmentation":
        return t.Mask2FormerForUniversalSegmentation(
            t.Mask2FormerConfig(
                backbone_config=swin, feature_size=32, hidden_dim=32, mask_feature_size=32, encoder_feedforward_dim=32,
                dim_feedforward=32, encoder_layers=1, decoder_layers=2, num_attention_heads=4, num_queries=9, **labels,
            )
        )  # fmt: skip
    detr = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 8,
            "decoder_attention_heads": 8, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "num_queries": 9}  # fmt: skip
    resnet = t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1])
    resnet.out_features = ["stage1", "stage2", "stage3", "stage4"]
    if name == "MaskFormerForInstanceSegmentation":
        decoder = t.DetrConfig(use_timm_backbone=False, backbone_config=resnet, **detr)
        return t.MaskFormerForInstanceSegmentation(
            t.MaskFormerConfig(
                backbone_config=swin, decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, **labels
            )
        )
    return t.DetrForSegmentation(t.DetrConfig(use_timm_backbone=False, backbone_config=resnet, **detr, **labels))


def saved(name: str, folder: Path) -> Path:
    tiny(name).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 64, "width": 64}}))
    return folder


@pytest.mark.parametrize(
    "name", ["Mask2FormerForUniversalSegmentation", "MaskFormerForInstanceSegmentation", "DetrForSegmentation"]
)
def test_a_model_from_a_folder_outlines_shots_and_does_so_again(
    name: str, tmp_path: Path, cut_film: ArrayMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "DetrForSegmentation":
        pytest.importorskip("scipy")
    monkeypatch.setattr(
        "mediaml_assets.features.models.silhouette_model.LEAST_SCORE", 0.0
    )  # random weights are never sure
    config = SilhouetteConfig(f"hf:{saved(name, tmp_path)}")
    table = silhouette(cut_film, KEPT, config)
    assert table.num_rows == 2
    assert cut_film.asked == [0, 29, 30, 59]
    found = np.array([table.column(f"{end}_confidence").to_pylist() for end in ("out", "in")])
    assert found.max() > 0 and found.min() >= 0 and found.max() <= 1
    assert table.equals(silhouette(cut_film, KEPT, config))


class Found:
    """A model that always answers with the same instances: (label, score, rectangle of an 8 x 8 mask)."""

    class config:
        id2label = NAMES

    def __init__(self, *instances: tuple[int, float, tuple[slice, slice]]) -> None:
        import torch

        self.class_logits = torch.full((1, len(instances), len(NAMES) + 1), -20.0)
        self.mask_logits = torch.full((1, len(instances), 8, 8), -5.0)
        for place, (label, score, where) in enumerate(instances):
            self.class_logits[0, place, label] = float(np.log(score))
            self.class_logits[0, place, -1] = float(np.log(1 - score))
            self.mask_logits[0, place][where] = 5.0

    def __call__(self, pixel_values: Any) -> "Found":
        assert pixel_values.shape == (1, 3, 64, 64)
        return self


def outlined(*instances: tuple[int, float, tuple[slice, slice]]) -> tuple[np.ndarray, float]:
    prepare = Preparation((64, 64), None, None, "bilinear", 1 / 255, (0.5,) * 3, (0.5,) * 3)
    model = SilhouetteModel(Found(*instances), Answer("class_logits", "mask_logits"), prepare)
    chroma = np.full((180, 320), 128, np.uint8)
    found = model(ArrayFrame(0, texture(1), chroma, chroma), WHOLE)  # type: ignore[arg-type]
    return found.mask, found.confidence


LEFT, RIGHT = (slice(0, 8), slice(0, 4)), (slice(0, 8), slice(4, 8))
SPECK, ALL = (slice(0, 1), slice(0, 1)), (slice(0, 8), slice(0, 8))


def test_people_are_outlined_together_and_before_things() -> None:
    mask, sure = outlined((1, 0.9, LEFT), (1, 0.7, RIGHT), (0, 0.99, SPECK))
    assert mask.all() and sure == pytest.approx(0.8)
    mask, sure = outlined((1, 0.9, LEFT), (0, 0.95, RIGHT))
    assert mask[:, :16].all() and not mask[:, 16:].any() and sure == pytest.approx(0.9)


def test_a_distant_person_is_no_company_of_a_large_one() -> None:
    mask, _ = outlined((1, 0.9, RIGHT), (1, 0.9, SPECK))
    assert not mask[:, :16].any() and mask[:, 16:].all()


def test_without_people_one_thing_is_outlined_and_scenery_never() -> None:
    mask, sure = outlined((2, 0.99, ALL), (0, 0.8, LEFT))
    assert mask[:, :16].all() and not mask[:, 16:].any() and sure == pytest.approx(0.8)
    mask, sure = outlined((2, 0.99, ALL), (1, 0.4, LEFT))
    assert not mask.any() and sure == 0


def test_a_model_of_other_classes_outlines_any_of_them() -> None:
    assert thing_labels({0: "Cat", 1: "wall"}) == ({0}, set())
    assert thing_labels({0: "starship", 1: "robot"}) == ({0, 1}, set())


def test_the_weights_are_in_the_key_and_what_cannot_be_used_is_named(tmp_path: Path, cut_film: ArrayMedia) -> None:
    folder = saved("DetrForSegmentation", tmp_path)
    [part] = SilhouetteConfig(f"hf:{folder}").key_parts().values()
    assert part.startswith("hf:sha256:")
    assert SilhouetteConfig().key_parts() == {}
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["CLIPModel"]}))
    assert SilhouetteConfig(f"hf:{folder}").key_parts() != {"model": part}
    with pytest.raises(ModelMissing, match="CLIPModel, which outlines nothing; use one of Mask2Former"):
        load(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelMissing, match=r"no \*.safetensors weights"):
        silhouette(cut_film, KEPT, SilhouetteConfig(f"hf:{folder}"))
    with pytest.raises(ModelMissing, match="no model is named 'person'"):
        silhouette(cut_film, KEPT, SilhouetteConfig("person"))


def test_a_library_that_a_model_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*args: object, **kwargs: object) -> None:
        raise ImportError("MaskFormerLoss requires the scipy library")

    import transformers

    folder = saved("DetrForSegmentation", tmp_path)
    monkeypatch.setattr(transformers.DetrForSegmentation, "from_pretrained", lacking)
    with pytest.raises(ModelMissing, match=r"requires the scipy library.*\[masks\]"):
        load(str(folder))

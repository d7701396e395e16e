from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.flow_model import PIXELS, FlowModel, load
from mediaml_assets.features.motion import MotionConfig, camera_and_subject, motion
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayFrame, ArrayMedia, panned

WHOLE = (0, 0, 640, 360)
KEPT = Shots((Shot(0, 0, 6, 0, 6),))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Perceiver of some 100,000 weights."""
    import torch
    from transformers import PerceiverConfig, PerceiverForOpticalFlow

    torch.manual_seed(0)
    small = PerceiverConfig(
        d_model=322, num_latents=8, d_latents=16, num_blocks=1, num_self_attends_per_block=1, train_size=[24, 32],
        num_self_attention_heads=2, num_cross_attention_heads=1,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("perceiver")
    PerceiverForOpticalFlow(small).save_pretrained(path)
    return path


def test_a_model_from_a_folder_measures_motion_and_does_so_again(folder: Path) -> None:
    film = ArrayMedia(panned(1, 6, 8))
    config = MotionConfig(f"hf:{folder}")
    table = motion(film, KEPT, config)
    assert np.isfinite(table.column("out_vector").to_pylist()).all()
    assert table.equals(motion(film, KEPT, config))
    assert not table.equals(motion(film, KEPT, MotionConfig()))


class Shift:
    """Answers with the same flow everywhere, as the trained model scales it, and keeps what it was asked."""

    class config:
        train_size = (24, 32)

    def __call__(self, inputs: Any) -> "Shift":
        import torch

        self.asked = inputs
        self.logits = torch.tensor([0.4, -0.6]).expand(1, 24, 32, 2) / PIXELS
        return self


def test_flow_is_in_pixels_of_the_size_asked_for_and_neighbourhoods_have_colour_fastest() -> None:
    model = Shift()
    chroma = np.full((180, 320), 128, np.uint8)
    a, b = (ArrayFrame(i, p, chroma, chroma) for i, p in enumerate(panned(1, 2, 8)))
    found = FlowModel(model)(a, b, WHOLE, (160, 90))  # type: ignore[arg-type]
    assert found.shape == (90, 160, 2)
    np.testing.assert_allclose(found[45, 80], [0.4 * 160 / 32, -0.6 * 90 / 24], rtol=1e-5)
    asked = model.asked.numpy()
    assert asked.shape == (1, 2, 27, 24, 32)
    assert -1 <= asked.min() < asked.max() <= 1
    middle = asked[0, 0, 12:15]  # of the nine places the fifth: the pixel itself
    np.testing.assert_array_equal(asked[0, 0, 9:12, :, 1:], middle[:, :, :-1])  # the fourth: the pixel to its left
    np.testing.assert_array_equal(asked[0, 0, 3:6, 1:], middle[:, :-1])  # the second: the pixel above


def test_a_models_flow_becomes_motion_in_picture_widths_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.features.models.flow_model.load", lambda folder: FlowModel(Shift()))
    monkeypatch.setattr(
        "mediaml_assets.features.measures.end_motion.BROKEN", (256.0, 0.0, 1.0)
    )  # the flow is not the film's
    table = motion(ArrayMedia(panned(1, 6, 8)), KEPT, MotionConfig("hf:any"))
    camera, _ = camera_and_subject(np.array(table.column("out_vector")[0].as_py()))
    assert camera[4, 7] == pytest.approx([0.4 / 32 * 25, -0.6 / 24 * 25 * 9 / 16], rel=0.02)


def test_what_cannot_be_used_is_named(folder: Path, tmp_path: Path) -> None:
    assert MotionConfig().key_parts() == {}
    assert MotionConfig(f"hf:{folder}").key_parts()["model"].startswith("hf:sha256:")
    with pytest.raises(ModelMissing, match="has no config"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text('{"architectures": ["CLIPModel"]}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelMissing, match="CLIPModel, which measures no flow; use a Perceiver"):
        load(str(tmp_path))
    with pytest.raises(ModelMissing, match="no model is named 'raft'"):
        motion(ArrayMedia(panned(1, 6, 8)), KEPT, MotionConfig("raft"))

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.detectors import transnet
from mediaml_assets.features.detectors.transnet import RECEPTIVE, TransNet
from mediaml_assets.features.detectors.transnet_detector import boundaries, loaded, probabilities

PICTURES = np.random.default_rng(1).integers(0, 256, (2 * RECEPTIVE + 30, 8, 16, 3)).astype(np.uint8)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> TransNet:
    """A network of few filters for tiny pictures, with random weights and heads that tell frames apart."""
    monkeypatch.setattr(transnet, "HEIGHT", 8)
    monkeypatch.setattr(transnet, "WIDTH", 16)
    monkeypatch.setattr(transnet, "FILTERS", 2)
    monkeypatch.setattr(transnet, "DENSE", 16)
    torch.manual_seed(7)
    network = TransNet()
    for layer in (network.cls_layer1, network.cls_layer2):
        torch.nn.init.normal_(layer.weight, std=2)
    return network.eval()


def test_windows_that_overlap_answer_as_one_long_pass(small: TransNet) -> None:
    at_once = 90
    whole = probabilities(small, PICTURES, len(PICTURES))
    pieces = probabilities(small, PICTURES, at_once)
    assert whole[0].std() > 1e-3
    np.testing.assert_allclose(pieces, whole, atol=2e-5)
    np.testing.assert_array_equal(probabilities(small, PICTURES, at_once), pieces)


def test_no_more_of_a_film_is_held_than_a_window() -> None:
    made: list[weakref.ref[np.ndarray]] = []
    most = 0

    def film() -> Iterator[np.ndarray]:
        nonlocal most
        for _ in range(600):
            picture = np.zeros((8, 16, 3), np.uint8)
            made.append(weakref.ref(picture))
            most = max(most, sum(one() is not None for one in made))
            yield picture

    def network(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(frames.shape[:2]), torch.ones(frames.shape[:2])

    assert len(probabilities(network, film(), 50)[0]) == 600  # type: ignore[arg-type]
    assert most <= 50 + 2 * RECEPTIVE + 50


def test_a_frame_depends_on_those_within_its_reach_alone(small: TransNet) -> None:
    other = PICTURES.copy()
    other[0] = 255 - other[0]
    one, two = (probabilities(small, pictures, len(PICTURES))[0] for pictures in (PICTURES, other))
    np.testing.assert_allclose(one[RECEPTIVE + 1 :], two[RECEPTIVE + 1 :], atol=2e-5)
    assert abs(one[: RECEPTIVE + 1] - two[: RECEPTIVE + 1]).max() > 1e-4


def test_the_network_has_the_papers_size_and_the_documented_names() -> None:
    weights = TransNet().state_dict()
    assert weights["SDDCNN.0.DDCNN.0.Conv3D_8.layers.0.weight"].shape == (32, 3, 1, 3, 3)
    assert weights["SDDCNN.2.DDCNN.1.Conv3D_1.layers.1.weight"].shape == (64, 128, 3, 1, 1)
    assert weights["frame_sim_layer.projection.weight"].shape == (128, 448)
    assert weights["fc1.weight"].shape == (1024, 4864)
    assert {"color_hist_layer.fc.bias", "cls_layer2.weight", "SDDCNN.1.DDCNN.1.bn.running_var"} <= weights.keys()
    assert 7e6 < sum(one.numel() for one in weights.values()) < 8e6


def test_weights_are_read_from_a_file_or_its_folder_and_others_are_refused(tmp_path: Path, small: TransNet) -> None:
    file = tmp_path / "net.safetensors"
    save_file(small.state_dict(), file)
    for place in (file, tmp_path):
        again = probabilities(loaded(str(place)), PICTURES[:40])
        np.testing.assert_array_equal(again, probabilities(small, PICTURES[:40]))
    save_file({"fc1.weight": torch.zeros(1)}, file)
    with pytest.raises(ModelMissing, match="other weights"):
        loaded(str(file))
    file.write_bytes(b"no weights")
    with pytest.raises(ModelMissing, match="other weights"):
        loaded(str(file))


def test_probabilities_become_boundaries_with_lengths() -> None:
    middle, touched = np.zeros((2, 60), np.float32)
    middle[19], touched[19] = 0.9, 0.9
    middle[40:42], touched[36:46] = (0.6, 0.8), 0.7
    found = [(one.kind, one.at, one.start, one.end) for one in boundaries(middle, touched)]
    assert found == [("start", 0, 0, 0), ("cut", 20, 20, 20), ("dissolve", 42, 36, 46), ("end", 60, 60, 60)]

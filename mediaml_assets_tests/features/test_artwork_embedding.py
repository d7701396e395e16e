"""What an artwork embedding says of pictures: the same for equal pixels, near for near ones, and no model for none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.artwork_embedding import ArtworkEmbeddingConfig, artwork_embedding
from mediaml_assets.jasper.pictures.artwork import Picture, Pictures


def scene(colour: tuple[int, int, int], left: bool) -> Image.Image:
    """A coloured gradient with a dark figure at one side."""
    ramp = np.linspace(0.2, 1, 120)[:, None, None] * np.array(colour)
    image = Image.fromarray(np.broadcast_to(ramp, (120, 181, 3)).astype(np.uint8))
    image.paste((15, 20, 30), (20, 30, 60, 110) if left else (120, 30, 160, 110))
    return image


def vectors(folder: Path, *images: Image.Image, config: ArtworkEmbeddingConfig | None = None) -> np.ndarray:
    pictures = []
    for index, image in enumerate(images):
        image.save(folder / f"{index}.png")
        pictures.append(Picture(3 * index, folder / f"{index}.png"))
    rows = artwork_embedding(Pictures(pictures), config or ArtworkEmbeddingConfig())
    assert rows.column("index").to_pylist() == [3 * index for index in range(len(images))]
    return np.array(rows.column("vector").to_pylist())


def test_near_pictures_have_near_vectors(tmp_path: Path) -> None:
    first = scene((200, 120, 60), left=True)
    graded = ImageEnhance.Brightness(first.crop((3, 2, 178, 118))).enhance(0.95)
    found = vectors(tmp_path, first, first.copy(), graded, scene((60, 90, 200), left=False))
    assert found.shape == (4, 2096)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-2)
    assert np.array_equal(found[0], found[1])
    assert found[0] @ found[2] > 0.9 > 0.5 > found[0] @ found[3]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 17), (2048, 3)])
def test_pictures_of_any_size_have_a_vector(tmp_path: Path, size: tuple[int, int]) -> None:
    [vector] = vectors(tmp_path, Image.new("RGB", size, (200, 30, 30)))
    assert vector.shape == (2096,) and np.isfinite(vector).all()


def test_a_missing_model_is_an_error_only_where_there_are_pictures(tmp_path: Path) -> None:
    config = ArtworkEmbeddingConfig(f"hf:{tmp_path / 'nowhere'}")
    assert artwork_embedding(Pictures(()), config).num_rows == 0
    with pytest.raises(ModelMissing, match=r"has no config\.json"):
        vectors(tmp_path, scene((9, 99, 199), left=True), config=config)

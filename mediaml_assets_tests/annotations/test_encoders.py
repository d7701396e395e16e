"""What a query looks like to the model that described the shots: pictures and words, hostile ones among them."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaml_assets.annotations.encoders import ShotEncoder
from mediaml_assets.errors import BadInput, ModelMissing, QueryRefused
from mediaml_assets.features.measures.descriptor import DIMENSIONS
from mediaml_assets.features.shot_embedding import encoder
from mediaml_assets_tests.features.models.two_towers import clip


def picture(seed: int, width: int = 320, height: int = 180) -> Image.Image:
    chance = np.random.default_rng(seed)
    small = chance.integers(0, 256, (9, 16, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("clip")
    clip(folder)
    return f"hf:{folder}"


def test_a_picture_is_near_itself_in_another_format_and_size() -> None:
    encode = ShotEncoder("descriptor")
    one = encode.vectors({"image": encoded(picture(1))})
    assert one.shape == (DIMENSIONS,) and one.dtype == np.float32 and np.linalg.norm(one) == pytest.approx(1, abs=1e-3)
    same = encode.vectors({"image": encoded(picture(1).resize((640, 360)), "JPEG")})
    other = encode.vectors({"image": encoded(picture(2))})
    assert one @ same > 0.9 > one @ other


def test_it_is_the_features_own_encoder(model: str) -> None:
    import av

    from mediaml_assets.jasper.reading.frame import Frame, RgbConverter

    image = picture(3)
    decoded = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    frame = Frame(
        0, decoded.reformat(320, 180, "yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"), RgbConverter()
    )
    for name in ("descriptor", model):
        [wanted] = encoder(name)([[frame]], (0, 0, 320, 180))
        found = ShotEncoder(name).vectors({"image": encoded(image)})
        assert np.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        encoded(picture(1))[:400],
    ],
    ids=["empty", "text", "playlist", "svg", "cut short"],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        ShotEncoder("descriptor").vectors({"image": content})


def test_a_picture_that_unpacks_into_too_much_is_refused_before_it_is_decoded() -> None:
    huge = encoded(Image.new("1", (10_000, 10_000)))
    assert len(huge) < 1_000_000
    with pytest.raises(BadInput, match="pixels"):
        ShotEncoder("descriptor").vectors({"image": huge})


def test_words_need_a_model_that_reads_them(model: str, tmp_path: Path) -> None:
    found = ShotEncoder(model).vectors({"text": "drinking wine"})
    assert found.shape == (16,) and np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    with pytest.raises(
        BadInput, match="described by the descriptor, which knows no words: search by a picture or a shot"
    ):
        ShotEncoder("descriptor").vectors({"text": "drinking wine"})
    with pytest.raises(BadInput, match=r"shots cannot be searched by words: .* has no config\.json"):
        ShotEncoder(f"hf:{tmp_path}").vectors({"text": "drinking wine"})
    with pytest.raises(ModelMissing, match=r"has no config\.json"):
        ShotEncoder(f"hf:{tmp_path}").vectors({"image": encoded(picture(1))})


def test_a_search_by_words_and_by_a_picture_asks_it_and_says_where_it_is_wrong(model: str) -> None:
    from mediaml_assets.annotations.types import package_types
    from mediaml_assets.marken.marken import Marken
    from mediaml_assets.marken.types import Types
    from mediaml_assets_tests.marken.plain_engine import PlainEngine

    marken = Marken(PlainEngine(), Types(package_types(16)), {"shot_embedding": ShotEncoder(model)})
    words = ShotEncoder(model).vectors({"text": "a red boat"})
    with marken.operation("SHOT_EMBEDDING", "harbour", "test") as writing:
        rows = [("harbour/0", -words), ("harbour/1", words)]
        writing.upsert(
            [
                {"entity": {"kind": "shot", "id": one}, "properties": {"row": 0, "vector": vector.tolist()}}
                for one, vector in rows
            ]
        )

    def near(**to: str) -> list[str]:
        query = {"types": ["SHOT_EMBEDDING"], "nearest": {"field": "vector", "to": to}}
        return [hit["entity"]["id"] for hit in marken.search(query).to_json()["hits"]]

    assert near(text="a red boat") == ["harbour/1", "harbour/0"]
    assert len(near(image=base64.b64encode(encoded(picture(1))).decode())) == 2
    with pytest.raises(QueryRefused, match=r"nearest\.to\.image: picture is no JPEG, PNG"):
        near(image=base64.b64encode(b"no picture").decode())

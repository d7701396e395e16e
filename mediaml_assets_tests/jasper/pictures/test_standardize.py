"""Standard pictures: what each kind of delivered picture must look like, pixel by pixel."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.pictures import standardize
from mediaml_assets.jasper.pictures.standardize import standardize_picture
from mediaml_assets_tests.jasper.pictures.profiles import ADOBE_RGB, DISPLAY_P3, SRGB, matrix_profile, press_profile


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def pixel(path: Path) -> tuple[int, int, int]:
    pixels = standardize_picture(path).pixels
    return tuple(np.asarray(pixels)[pixels.height // 2, pixels.width // 2].tolist())


def flat(colour: Any, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (32, 24), colour)


CORNERS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [128, 128, 128], [255, 255, 255]]], np.uint8)
"""Two rows of three colours, upright."""


def as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """How a camera stores a picture that EXIF's orientation turns upright (TIFF 6.0, tag 274, by its words)."""
    row0_is, column0_is = {
        1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
        5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
    }[orientation]  # fmt: skip
    stored = upright
    if row0_is in ("left", "right"):
        stored = stored.transpose(1, 0, 2)
    if row0_is in ("bottom", "right"):
        stored = stored[::-1]
    if column0_is in ("bottom", "right"):
        stored = stored[:, ::-1]
    return np.ascontiguousarray(stored)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = CORNERS.repeat(16, 0).repeat(16, 1)
    image = Image.fromarray(as_stored(upright, orientation))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"jpg": {"quality": 98, "subsampling": 0}, "webp": {"lossless": True}}.get(suffix, {})
    made = standardize_picture(saved(tmp_path / f"a.{suffix}", image, exif=exif, **options))
    assert made.facts.orientation == orientation
    assert (made.facts.width, made.facts.height) == image.size
    assert np.abs(np.asarray(made.pixels)[8::16, 8::16].astype(int) - CORNERS).max() <= 3


def to_srgb(colour: tuple[int, int, int], primaries: Any, gamma: float) -> list[int]:
    """What a colour of a matrix profile is in sRGB, by IEC 61966-2-1."""
    linear = (np.array(colour) / 255) ** gamma
    mixed = np.linalg.inv(np.array(SRGB).T) @ np.array(primaries).T @ linear
    mixed = np.clip(mixed, 0, 1)
    encoded = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return [round(float(one) * 255) for one in encoded]


@pytest.mark.parametrize("colour", [(200, 100, 50), (60, 180, 90), (128, 128, 128), (0, 255, 0), (255, 255, 255)])
@pytest.mark.parametrize(("primaries", "name"), [(ADOBE_RGB, "Adobe RGB (1998)"), (DISPLAY_P3, "Display P3")])
def test_a_profile_is_converted_to_srgb(
    tmp_path: Path, colour: tuple[int, int, int], primaries: Any, name: str
) -> None:
    profile = matrix_profile(primaries, 563 / 256, name)
    path = saved(tmp_path / "a.png", flat(colour), icc_profile=profile)
    expected = to_srgb(colour, primaries, 563 / 256)
    assert np.abs(np.array(pixel(path)) - expected).max() <= 2
    assert standardize_picture(path).facts.profile == name
    # a colour that other primaries make another one is really changed
    assert expected == list(colour) or max(colour) == min(colour) or pixel(path) != colour


def test_srgb_stays_as_it_is(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert pixel(saved(tmp_path / "a.png", flat((200, 100, 50)), icc_profile=srgb)) == (200, 100, 50)
    assert pixel(saved(tmp_path / "b.png", flat((200, 100, 50)))) == (200, 100, 50)


def test_cmyk_red_is_red(tmp_path: Path) -> None:
    for suffix in ("jpg", "tif"):
        path = saved(tmp_path / f"a.{suffix}", flat((0, 255, 255, 0), "CMYK"))
        assert standardize_picture(path).facts.mode == "CMYK"
        assert np.abs(np.array(pixel(path)) - (255, 0, 0)).max() <= 2


def test_cmyk_by_the_profile_of_its_press(tmp_path: Path) -> None:
    def lab(c: int, m: int, y: int, k: int) -> tuple[float, float, float]:
        """A press whose magenta and yellow give the red that sRGB calls (200, 0, 0), D50 Lab."""
        if (c, m, y, k) == (0, 1, 1, 0):
            return 42.3, 66.4, 56.2
        return (0.0 if k else 100.0), 0.0, 0.0

    profile = press_profile(lab, "a press")
    for suffix in ("jpg", "tif"):
        made = standardize_picture(saved(tmp_path / f"a.{suffix}", flat((0, 255, 255, 0), "CMYK"), icc_profile=profile))
        assert (made.facts.profile, made.notes) == ("a press", ())
        assert np.abs(np.asarray(made.pixels)[9, 9].astype(int) - (200, 0, 0)).max() <= 8


def test_ycck_of_adobe_is_red_too(tmp_path: Path) -> None:
    # stored are Y, Cb, Cr of the inverted inks (cyan 0, magenta and yellow 255: the colour cyan), and inverted black
    path = saved(tmp_path / "a.jpg", flat((255 - 179, 255 - 171, 255, 0), "CMYK"), quality=98)
    data = bytearray(path.read_bytes())
    marker = data.index(b"Adobe")
    assert data[marker + 11] == 0
    data[marker + 11] = 2
    path.write_bytes(data)
    assert np.abs(np.array(pixel(path)) - (255, 0, 0)).max() <= 6


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_range(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, 0)
    made = standardize_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(ramp)))
    assert made.facts.mode.startswith("I;16")
    assert np.array_equal(np.asarray(made.pixels)[0, :, 0], np.arange(256))
    colour = np.zeros((8, 8, 3), np.uint16)
    colour[...] = (0, 32896, 65535)  # blue, green, red
    cv2.imwrite(str(tmp_path / f"b.{suffix}"), colour)
    assert pixel(tmp_path / f"b.{suffix}") == (255, 128, 0)


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    assert pixel(saved(tmp_path / "a.png", flat((255, 0, 0, 128), "RGBA"))) == (255, 127, 127)
    assert pixel(saved(tmp_path / "b.png", flat((10, 20, 30, 0), "RGBA"))) == (255, 255, 255)
    assert pixel(saved(tmp_path / "c.webp", flat((255, 0, 0, 0), "RGBA"), lossless=True)) == (255, 255, 255)
    assert pixel(saved(tmp_path / "d.png", flat((100, 0), "LA"))) == (255, 255, 255)
    palette = flat((0, 0, 255)).quantize(4)
    assert pixel(saved(tmp_path / "e.png", palette)) == (0, 0, 255)
    assert pixel(saved(tmp_path / "f.png", palette, transparency=palette.getpixel((3, 3)))) == (255, 255, 255)
    assert pixel(saved(tmp_path / "g.png", flat((9, 9, 9)), transparency=(9, 9, 9))) == (255, 255, 255)


def test_grey_bitmaps_lab_and_progressive(tmp_path: Path) -> None:
    assert pixel(saved(tmp_path / "a.jpg", flat(77, "L"))) == (77, 77, 77)
    assert pixel(saved(tmp_path / "b.png", flat(1, "1"))) == (255, 255, 255)
    assert np.abs(np.array(pixel(saved(tmp_path / "c.tif", flat((128, 128, 128), "LAB")))) - 119).max() <= 1
    assert (
        np.abs(np.array(pixel(saved(tmp_path / "d.jpg", flat((9, 99, 199)), progressive=True))) - (9, 99, 199)).max()
        <= 2
    )
    assert pixel(saved(tmp_path / "e.tif", Image.fromarray(np.full((9, 9), 0.5, np.float32)))) == (128, 128, 128)


def test_of_a_moving_picture_the_first_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    flat((255, 0, 0)).save(path, save_all=True, append_images=[flat((0, 0, 255))], lossless=True)
    made = standardize_picture(path)
    assert made.facts.frames == 2 and pixel(path) == (255, 0, 0)


def test_the_longer_side_is_bounded_and_nothing_is_enlarged(tmp_path: Path) -> None:
    assert standardize_picture(saved(tmp_path / "a.png", Image.new("RGB", (4096, 1000)))).pixels.size == (2048, 500)
    assert standardize_picture(saved(tmp_path / "b.png", Image.new("RGB", (900, 5000)))).pixels.size == (369, 2048)
    assert standardize_picture(saved(tmp_path / "c.png", Image.new("RGB", (20, 10)))).pixels.size == (20, 10)


def test_equal_pixels_give_equal_bytes_and_no_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "by somebody"
    noise = Image.effect_noise((64, 48), 90).convert("RGB")
    saved(tmp_path / "a.png", noise)
    saved(tmp_path / "b.png", noise, exif=exif, compress_level=1)
    saved(tmp_path / "c.tif", noise, compression="tiff_lzw")
    for name in ("a.png", "b.png", "c.tif"):
        standardize_picture(tmp_path / name).save(tmp_path / f"{name}.out")
    made = {(tmp_path / f"{name}.out").read_bytes() for name in ("a.png", "b.png", "c.tif")}
    assert len(made) == 1
    with Image.open(io.BytesIO(made.pop())) as image:
        assert image.info == {} and np.array_equal(np.asarray(image), np.asarray(noise))


def test_a_damaged_profile_is_noted_and_the_picture_taken(tmp_path: Path) -> None:
    made = standardize_picture(saved(tmp_path / "a.png", flat((1, 2, 3)), icc_profile=b"no profile at all" * 20))
    assert "its colour profile cannot be used" in made.notes[0] and made.facts.profile == "damaged"
    assert made.pixels.getpixel((3, 3)) == (1, 2, 3)
    other = matrix_profile(ADOBE_RGB, 2.2, "of colour")
    grey = standardize_picture(saved(tmp_path / "b.png", flat(50, "L"), icc_profile=other))
    assert len(grey.notes) == 1 and grey.pixels.getpixel((3, 3)) == (50, 50, 50)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20), 9)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(bomb)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(MediaRefused, match="beyond 80,000,000 pixels; deliver it smaller"):
        standardize_picture(tmp_path / "a.png")
    small = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 9_000, 8, 2, 0, 0, 0))
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + small + chunk(b"IEND", b""))
    with pytest.raises(MediaRefused, match=r"b\.png is 10000x9000, beyond 80,000,000 pixels"):
        standardize_picture(tmp_path / "b.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_truncated_picture_is_refused_with_the_reason(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", Image.effect_noise((200, 200), 90).convert("RGB"))
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(MediaRefused, match=r"(damaged or cut short|is no JPEG).*deliver"):
            standardize_picture(path)


def test_what_is_no_such_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {"empty.jpg": b"", "text.jpg": b"Dear all\n" * 20}.items():
        (tmp_path / name).write_bytes(content)
    saved(tmp_path / "other.gif", flat((1, 2, 3))).rename(tmp_path / "gif.jpg")
    (tmp_path / "svg.png").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    )
    (tmp_path / "eps.tif").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    for name, reason in {
        "empty.jpg": "is empty", "text.jpg": "is no JPEG", "gif.jpg": "is no JPEG", "svg.png": "is no JPEG",
        "eps.tif": "is no JPEG", "missing.jpg": "cannot be opened",
    }.items():  # fmt: skip
        with pytest.raises(MediaRefused, match=f"{name} {reason}"):
            standardize_picture(tmp_path / name)
    monkeypatch.setattr(standardize, "MOST_BYTES", 1 << 20)
    (tmp_path / "large.png").write_bytes(bytes(2 << 20))
    with pytest.raises(MediaRefused, match="is larger than 1 MiB"):
        standardize_picture(tmp_path / "large.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_changed_bytes_give_a_picture_or_a_reason(tmp_path: Path, suffix: str) -> None:
    image = Image.effect_noise((64, 64), 90).convert("RGB")
    profile = matrix_profile(ADOBE_RGB, 2.2, "Adobe RGB (1998)")
    path = saved(tmp_path / f"a.{suffix}", image, icc_profile=profile)
    whole, random = path.read_bytes(), np.random.default_rng(1)
    for _ in range(60):
        changed = bytearray(whole)
        for place in random.integers(0, min(len(whole), 2000), 4):
            changed[place] = random.integers(256)
        path.write_bytes(changed)
        try:
            made = standardize_picture(path)
        except MediaRefused as refusal:
            assert "deliver" in str(refusal)
        else:
            assert made.pixels.mode == "RGB" and max(made.pixels.size) <= 2048

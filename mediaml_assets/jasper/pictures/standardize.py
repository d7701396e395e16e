"""A delivered picture made into the one that everything reads: upright, sRGB, 8 bits, no alpha, of a bounded size."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.texts.encoding import read_bytes

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
"""What may be delivered, as Pillow calls it; nothing else is tried."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of a picture, at most."""
MOST_PIXELS = 80_000_000
"""Pixels that are decoded, at most: a poster of 24 by 36 inches at 300 dpi has 78 million."""
LONGEST_SIDE = 2048
"""Pixels of the longer side of a standard picture, at most."""
MOST_PROFILE = 8 * 1024 * 1024
"""Bytes of an ICC profile that is used, at most; one of a press has 3 MB."""

_ORIENTATION = 0x0112
_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class PictureFacts:
    """What a delivered picture was, before anything was done to it.

    Attributes:
        format: "jpeg", "png", "webp" or "tiff".
        mode: Pillow's name of its pixels, as "RGB", "CMYK", "P" or "I;16".
        width: pixels across, as stored.
        height: pixels down, as stored.
        orientation: EXIF's number, 1 to 8; 1 where it says none.
        profile: description of its ICC profile; None where it has none.
        frames: pictures in the file, of which the first is taken.
    """

    format: str
    mode: str
    width: int
    height: int
    orientation: int
    profile: str | None
    frames: int


@dataclass(frozen=True)
class StandardPicture:
    """A standard picture: `pixels` is a Pillow image in mode RGB, of sRGB values; `notes` says what was not as it said.

    Attributes:
        pixels: at most `LONGEST_SIDE` on its longer side, never enlarged.
        facts: of what was delivered.
        notes: what could not be taken at its word, as a profile that is damaged; empty when nothing.
    """

    pixels: Image.Image
    facts: PictureFacts
    notes: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write a PNG without any metadata; equal pixels give equal bytes."""
        # the level is part of the bytes, and so is named
        self.pixels.save(path, "PNG", compress_level=6, icc_profile=None)


@dataclass(frozen=True)
class WrittenPicture:
    """A standard picture that was written to a file: its size in pixels, and the rest as of `StandardPicture`."""

    width: int
    height: int
    facts: PictureFacts
    notes: tuple[str, ...]


def write_picture(file: MediaFile, target: Path) -> WrittenPicture:
    """Write the standard picture of `file` to `target`, a PNG; raises as `standardize_picture` does."""
    made = standardize_picture(file)
    made.save(target)
    return WrittenPicture(made.pixels.width, made.pixels.height, made.facts, made.notes)


def standardize_picture(file: MediaFile) -> StandardPicture:
    """Read a JPEG, PNG, WebP or TIFF file.

    In this order: the first picture is decoded; transparent parts are laid over white; its colours are converted from
    its ICC profile to sRGB (relative colorimetric with black point compensation), or, where it has none, by Pillow's
    plain conversion; it is turned upright by its EXIF orientation; and it is made smaller to `LONGEST_SIDE` (Lanczos).

    Raises:
        MediaRefused: it is missing, empty, no such picture, truncated or damaged, or beyond `MOST_BYTES` or
            `MOST_PIXELS`; the last is known from its header, before a pixel is decoded.
    """
    data = read_bytes(file, MOST_BYTES)
    with _readable(file.name):
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        facts = _facts(image)
        if facts.width * facts.height > MOST_PIXELS:
            raise MediaRefused(
                f"{file.name} is {facts.width}x{facts.height}, beyond {MOST_PIXELS:,} pixels; deliver it smaller"
            )
        image.load()
        # a TIFF was turned by Pillow when it was loaded
        orientation = _orientation(image)
    notes: list[str] = []
    pixels = _srgb(_over_white(_eight_bits(image)), image.info.get("icc_profile"), notes)
    upright = ImageOps.exif_transpose(_tagged(pixels, orientation))
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=None)
    return StandardPicture(_bare(upright), facts, tuple(notes))


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what Pillow raises for hostile and broken files into MediaRefused."""
    try:
        with warnings.catch_warnings():
            # odd metadata of a good picture; and pixels are counted by ourselves, before they are decoded
            warnings.simplefilter("ignore")
            yield
    except UnidentifiedImageError as error:
        raise MediaRefused(
            f"{name} is no JPEG, PNG, WebP or TIFF picture of 8 or 16 bits a channel; deliver one of them"
        ) from error
    except Image.DecompressionBombError as error:
        raise MediaRefused(f"{name} is beyond {MOST_PIXELS:,} pixels; deliver it smaller") from error
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, IndexError, OverflowError, MemoryError,
            RuntimeError, ArithmeticError, AttributeError, AssertionError) as error:  # fmt: skip
        # whichever of these a broken file leads a decoder into
        said = str(error) or type(error).__name__
        raise MediaRefused(f"{name} is damaged or cut short ({said}); deliver it again") from error


def _facts(image: Any) -> PictureFacts:
    profile, orientation = image.info.get("icc_profile"), _orientation(image)
    # of a TIFF that lies on its side Pillow gives the size as it will be turned
    swapped = image.format == "TIFF" and orientation >= 5
    width, height = image.size[::-1] if swapped else image.size
    return PictureFacts(
        format=str(image.format).lower(),
        mode=image.mode,
        width=width,
        height=height,
        orientation=orientation,
        profile=None if not profile else _description(profile),
        frames=int(getattr(image, "n_frames", 1)),
    )


def _orientation(image: Any) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError, ArithmeticError):
        # damaged EXIF of a picture that can be seen
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _description(profile: bytes) -> str:
    try:
        said = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return "damaged"
    return " ".join("".join(one if one.isprintable() else " " for one in said).split())[:200]


def _eight_bits(image: Any) -> Any:
    """The picture with 8 bits a channel; 16-bit and floating grey keep their range, which Pillow would cut off."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "I;16N"):
        grey = np.asarray(image, np.float64) / 257
        return Image.fromarray(np.clip(grey.round(), 0, 255).astype(np.uint8))
    if image.mode == "F":
        # by the convention of photography: 0 is black, 1 is white
        grey = np.nan_to_num(np.asarray(image, np.float64), nan=0.0, posinf=1.0, neginf=0.0)
        return Image.fromarray((np.clip(grey, 0, 1) * 255).round().astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else image.palette.mode)
    if "transparency" in image.info and image.mode in ("RGB", "L"):
        return image.convert("RGBA" if image.mode == "RGB" else "LA")
    return image


def _over_white(image: Any) -> Any:
    """The picture without alpha: what is transparent shows white, as of paper."""
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    if image.mode not in ("LA", "RGBA"):
        return image
    plain = image.mode[:-1]
    white = Image.new(plain, image.size, _WHITE if plain == "RGB" else 255)
    white.paste(image.convert(plain), mask=image.getchannel("A"))
    return white


def _srgb(image: Any, profile: bytes | None, notes: list[str]) -> Any:
    """The picture in sRGB: by its profile, where it has one that is meant for its kind of pixels."""
    if profile and len(profile) <= MOST_PROFILE and image.mode in ("RGB", "L", "CMYK", "LAB"):
        try:
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image,
                found,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            notes.append(f"its colour profile cannot be used ({' '.join(str(error).split())[:100]}); taken as sRGB")
    elif profile:
        notes.append("its colour profile is for other pixels than it has; taken as sRGB")
    if image.mode == "LAB":
        lab = ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        return image.convert("RGB") if lab is None else lab
    return image.convert("RGB")


def _tagged(image: Any, orientation: int) -> Any:
    """The picture with nothing but an orientation."""
    plain = _bare(image)
    plain.getexif()[_ORIENTATION] = orientation
    return plain


def _bare(image: Any) -> Any:
    """The pixels alone: no profile, comment or EXIF reaches what is written."""
    return Image.frombytes("RGB", image.size, image.tobytes())

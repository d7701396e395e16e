import cv2
import numpy as np

from mediaml_assets.features.motion import MotionConfig, motion
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.silhouette import SILHOUETTE, SilhouetteConfig, packed, silhouette, unpacked
from mediaml_assets_tests.features.conftest import ArrayMedia, Picture, panned, texture


def film_of_a_disc(count: int = 20) -> tuple[ArrayMedia, Picture]:
    """A bright striped disc that stands before a panning background, and its mask."""
    disc = cv2.circle(np.zeros((360, 640), np.uint8), (320, 180), 100, 255, -1) > 0
    figure = np.asarray(200 + 40 * np.sin(np.arange(640) / 9)[None].repeat(360, 0), np.uint8)
    dark = [np.asarray(p * 0.5, np.uint8) for p in panned(3, count, 7)]
    return ArrayMedia([np.where(disc, figure, scene) for scene in dark]), disc


def test_a_disc_before_a_moving_background_is_outlined() -> None:
    film, disc = film_of_a_disc()
    table = silhouette(film, Shots((Shot(3, 0, 20, 0, 20),)), SilhouetteConfig())
    assert table.schema.equals(SILHOUETTE)
    truth = cv2.resize(disc.astype(np.float32), (32, 18), interpolation=cv2.INTER_AREA) > 0.5
    for end in ("out", "in"):
        mask = np.unpackbits(np.frombuffer(table.column(f"{end}_mask")[0].as_py(), np.uint8)).reshape(18, 32) > 0
        assert (mask & truth).sum() / (mask | truth).sum() > 0.8


def test_an_unsure_mask_is_empty() -> None:
    film = ArrayMedia([texture(5, grain=12)] * 12)
    table = silhouette(film, Shots((Shot(0, 0, 12, 0, 12), Shot(1, 12, 12, 11, 12))), SilhouetteConfig())
    assert table.column("out_mask").to_pylist() == [bytes(72)] * 2
    assert max(table.column("out_confidence").to_pylist()) < 0.3


def test_the_number_of_threads_does_not_matter() -> None:
    film, _ = film_of_a_disc()
    kept = Shots((Shot(0, 0, 20, 0, 20),))
    threads = cv2.getNumThreads()
    try:
        tables = []
        for count in (1, 2):
            cv2.setNumThreads(count)
            tables.append((silhouette(film, kept, SilhouetteConfig()), motion(film, kept, MotionConfig())))
    finally:
        cv2.setNumThreads(threads)
    assert tables[0][0].equals(tables[1][0])
    assert tables[0][1].equals(tables[1][1])


def test_a_mask_comes_back_from_its_row() -> None:
    mask = np.random.default_rng(1).random((18, 32)) < 0.4
    stored = packed(mask)
    assert len(stored) == 72
    np.testing.assert_array_equal(unpacked(stored), mask)


def test_a_disc_that_stands_still_before_a_still_picture_is_outlined() -> None:
    film, disc = film_of_a_disc()
    kept = Shots((Shot(0, 0, 10, 0, 10),))
    table = silhouette(ArrayMedia([film.pictures[0]] * 10), kept, SilhouetteConfig())
    truth = cv2.resize(disc.astype(np.float32), (32, 18), interpolation=cv2.INTER_AREA) > 0.5
    mask = unpacked(table.column("in_mask")[0].as_py())
    assert (mask & truth).sum() / (mask | truth).sum() > 0.8


def test_what_is_cut_off_by_the_sides_is_surely_no_figure() -> None:
    film, _ = film_of_a_disc()
    kept = Shots((Shot(0, 0, 10, 0, 10),))
    aside = [np.roll(picture, 300, axis=1) for picture in film.pictures[:10]]
    middle, cut_off = (
        silhouette(ArrayMedia(pictures), kept, SilhouetteConfig()).column("in_confidence")[0].as_py()
        for pictures in (film.pictures[:10], aside)
    )
    assert cut_off < 0.8 * middle

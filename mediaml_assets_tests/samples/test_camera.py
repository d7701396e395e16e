import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mediaml_assets.samples.camera import EASE, STEADY, figure_path, path
from mediaml_assets.samples.plan import STILL, Camera, Catalogue, Figure, Look, Move, Place, Shape, Span
from mediaml_assets.samples.scenes import Stage

RATE, FRAMES = 25.0, 75
LAST = 20  # frames within the steady stretch
NOTHING = Span(0.0, 0.0)
LOOK = Look(((0, 0, 0), (255, 255, 255)), "checks", 1)


def held(tail: Move = STILL, head: Move = STILL, middle: Move = STILL) -> Camera:
    return Camera(head, tail, middle, Span(1.3, 1.7), 0.0, NOTHING, (0.0, 0.0), 1.0, 1)


def test_a_pan_keeps_its_speed_to_the_last_frame() -> None:
    view = path(held(tail=Move(dx=0.3, dy=-0.2)), FRAMES, RATE)
    steps = np.diff(view[-LAST:, :2], axis=0) * RATE
    assert np.allclose(steps, [-0.3, 0.2], atol=1e-9)


def test_the_other_end_stands_still() -> None:
    view = path(held(tail=Move(dx=0.3)), FRAMES, RATE)
    before = int((FRAMES - 1) - (STEADY + EASE) * RATE) - 1
    assert np.allclose(np.diff(view[:before], axis=0), 0)


def test_a_zoom_grows_by_its_rate_about_the_middle() -> None:
    view = path(held(head=Move(zoom=0.5)), FRAMES, RATE)
    assert np.allclose(np.diff(np.log(view[:LAST, 2])) * RATE, 0.5)
    assert np.allclose(view[:, :2], 0)


def test_a_zoom_keeps_its_middle_after_a_pan() -> None:
    view = path(held(tail=Move(zoom=-0.5), middle=Move(dx=1.5)), FRAMES, RATE)
    assert np.allclose(np.diff(view[-LAST:, :2], axis=0), 0, atol=1e-9)


def test_the_view_stays_on_the_sheet(catalogues: tuple[Catalogue, ...]) -> None:
    for title in (t for c in catalogues for t in c.titles):
        for shot in title.shots:
            x, y, zoom, roll = path(shot.camera, shot.visible, float(title.rate)).T
            aspect = title.geometry.aspect
            across = np.abs(x) + (np.cos(roll) + aspect * np.abs(np.sin(roll))) / zoom / 2
            down = np.abs(y) + (aspect * np.cos(roll) + np.abs(np.sin(roll))) / zoom / 2
            assert across.max() <= 1.02
            assert down.max() <= aspect * 1.1


def test_a_figure_is_at_its_places_at_both_ends() -> None:
    head, tail = Place(-0.2, 0.05, 0.5), Place(0.1, 0.0, 0.8)
    figure = Figure(Shape("person", (0.5,) * 8), LOOK, head, tail, (0.5, 1.0), 0.015, 0.5, 0.7)
    track = figure_path(figure, 9 / 16, FRAMES, RATE)
    assert np.allclose(track[0], [head.x, head.y, head.height * 9 / 16, 0])
    assert np.allclose(track[-1], [tail.x, tail.y, tail.height * 9 / 16, 0])
    swing = track[-LAST:, :2] - (tail.x, tail.y)
    assert 0.005 < np.linalg.norm(swing, axis=1).max() <= 0.016


def test_a_figure_without_a_head_place_comes_in_from_the_side() -> None:
    figure = Figure(Shape("person", (0.5,) * 8), LOOK, None, Place(0.1, 0.0, 0.8), (0.3, 1.0), 0.0, 0.5, 0.0)
    track = figure_path(figure, 9 / 16, FRAMES, RATE)
    assert track[0, 0] - track[0, 2] / 2 > 0.5


def test_a_figure_that_is_never_seen_is_refused() -> None:
    figure = Figure(Shape("person", (0.5,) * 8), LOOK, None, None, (0.3, 0.3), 0.0, 0.5, 0.0)
    with pytest.raises(ValueError, match="never seen"):
        figure_path(figure, 9 / 16, FRAMES, RATE)


def content_step(stage: Stage, k: int) -> npt.NDArray[np.float64]:
    """How far the picture's content moves from frame k to the next, in picture widths, by phase correlation."""
    window = cv2.createHanningWindow((stage.width, stage.height), cv2.CV_32F)
    a, b = (stage.planar(i)[: stage.height].astype(np.float32) for i in (k, k + 1))
    (dx, dy), _ = cv2.phaseCorrelate(a, b, window)
    return np.array([dx, dy]) / stage.width


def test_drawn_content_moves_as_the_plan_says(catalogue: Catalogue) -> None:
    seen = 0
    for title in catalogue.titles:
        for plant in title.plants:
            shot = title.shots[plant.shot1]
            move = shot.camera.tail
            if plant.flavour == "motion" and not move.zoom and not move.roll and title.geometry.sample_aspect == 1:
                stage = Stage(
                    shot, 320, 2 * round(160 * title.geometry.aspect), title.geometry.aspect, float(title.rate)
                )
                steps = [content_step(stage, k) for k in range(shot.visible - 6, shot.visible - 1)]
                measured = np.median(steps, axis=0) * float(title.rate)
                assert np.allclose(measured, [move.dx, move.dy], atol=0.03)
                seen += 1
    assert seen >= 2

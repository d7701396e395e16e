"""What is true of a film of three shots, the third a take of the first, with planted cuts."""

from fractions import Fraction

from mediaml_assets.samples.truth import TrueDisplay, TruePlant, TrueShot, TrueTake, TrueTransition, Truth

TRUTH = Truth(
    title="film",
    file="film.mp4",
    seed=0,
    rate=Fraction(25),
    frame_count=90,
    display=TrueDisplay(640, 360, (0, 0, 640, 360), 0),
    left_out=(),
    shots=(TrueShot(0, 0, 30), TrueShot(1, 30, 60), TrueShot(2, 60, 90)),
    transitions=(TrueTransition("cut", 30, 31), TrueTransition("dissolve", 54, 66)),
    flashes=(),
    takes=(TrueTake(2, 0),),
    plants=(TruePlant("motion", "film", 0, "film", 2, "right"), TruePlant("motion", "film", 0, "gone", 2, "left")),
    decoys=(),
)

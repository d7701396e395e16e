"""What is worked out in blocks does not depend on their size."""

import numpy as np
import pytest

from mediaml_assets.features.detectors import block_match, dissolves, wipes
from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets_tests.features.conftest import Tape, panned, texture
from mediaml_assets_tests.features.detectors.films import ramp, wipe


@pytest.mark.parametrize("block", [1, 7])
def test_boundaries_do_not_depend_on_the_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = texture(1), texture(2)
    tape = active_tape(
        Tape(panned(3, 30, 9) + [a] * 30 + ramp(a, b, 9) + [b] * 30 + wipe(b, a, 9) + [a] * 20), (0, 0, 640, 360)
    )
    measured = signals(tape)
    steps = np.arange(1, len(tape))
    wiped = wipes.wipes(tape)
    whole = dissolves.dissolves(tape, measured), block_match.compensated_differences(tape.y, steps)
    monkeypatch.setattr(dissolves, "AT_ONCE", block)
    monkeypatch.setattr(wipes, "AT_ONCE", block)
    monkeypatch.setattr(block_match, "AT_ONCE", block)
    assert wipes.wipes(tape) == wiped != []
    assert dissolves.dissolves(tape, measured) == whole[0] != []
    np.testing.assert_array_equal(block_match.compensated_differences(tape.y, steps), whole[1])

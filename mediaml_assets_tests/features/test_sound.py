import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.measures.heard import (
    FAINTEST,
    PITCH,
    RATE,
    TIMBRE,
    Sound,
    chroma,
    decibels,
    is_heard,
    log_mel,
    timbre,
)
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.sound import SOUND, SoundConfig, sound
from mediaml_assets_tests.features.conftest import ArrayMedia, texture

PITCHES = ["A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#"]


def tone(*hertz: float, seconds: float = 0.25, partials: int = 4) -> Sound:
    """Harmonic tones together."""
    time = np.arange(round(seconds * RATE)) / RATE
    waves = [np.sin(2 * np.pi * f * n * time) / n**2 for f in hertz for n in range(1, partials + 1)]
    return (0.1 * np.sum(waves, axis=0)).astype(np.float32)


def noise(seed: int, seconds: float = 0.25, fall: float = 0.0) -> Sound:
    """Noise whose power falls as 1 / f^fall."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=round(seconds * RATE)))
    hertz = np.maximum(np.fft.rfftfreq(round(seconds * RATE), 1 / RATE), 20)
    shaped = np.fft.irfft(spectrum / hertz ** (fall / 2))
    return (0.1 * shaped / shaped.std()).astype(np.float32)


@pytest.mark.parametrize(("hertz", "name"), [(440, "A"), (220, "A"), (261.63, "C"), (1174.7, "D"), (185, "F#")])
def test_a_tone_has_its_pitch_class_in_every_octave(hertz: float, name: str) -> None:
    found = chroma(tone(hertz))
    assert PITCHES[found.argmax()] == name
    assert np.linalg.norm(found) > 0.9


def test_the_same_chord_an_octave_up_is_the_same_chroma_and_another_is_not() -> None:
    major = chroma(tone(220, 277.18, 329.63))
    assert major @ chroma(tone(440, 554.37, 659.26)) > 0.9
    assert major @ chroma(tone(233.08, 293.66, 349.23)) < 0.2


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_noise_has_little_pitch_and_length_never_passes_1(seed: int) -> None:
    assert np.linalg.norm(chroma(noise(seed))) < 0.5


def test_noises_have_their_timbre_and_one_over_f_is_the_middle() -> None:
    white, dark, pink = (log_mel(noise(1, 2, fall)).mean(axis=0) for fall in (0, 2, 1))
    assert white[-1] > pink[-1] > dark[-1]
    assert timbre(noise(1)) @ timbre(noise(2)) > 0.9
    assert timbre(noise(1)) @ timbre(noise(2, fall=2)) < 0
    assert np.linalg.norm(timbre(noise(1))) == pytest.approx(1)


@given(st.floats(0.02, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_gain_changes_loudness_alone(gain: float, seed: int) -> None:
    heard = noise(seed, fall=1) + tone(330)
    np.testing.assert_allclose(timbre(heard), timbre(gain * heard), atol=1e-3)
    np.testing.assert_allclose(chroma(heard), chroma(gain * heard), atol=1e-3)
    assert decibels(gain * heard) - decibels(heard) == pytest.approx(20 * np.log10(gain), abs=1e-3)


@pytest.mark.parametrize(("hertz", "weight"), [(1000, 0.0), (100, -19.1), (4000, 1.0), (50, -30.2)])
def test_loudness_is_a_weighted(hertz: float, weight: float) -> None:
    sine = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE).astype(np.float32)
    assert decibels(sine) == pytest.approx(weight - 3.01, abs=0.15)


def test_silence_is_not_heard_nor_what_is_too_short() -> None:
    assert decibels(np.zeros(800, np.float32)) == decibels(np.zeros(0, np.float32)) == FAINTEST
    assert not is_heard(np.zeros(4000, np.float32))
    assert not is_heard(noise(1)[:1000])
    assert is_heard(noise(1))


def film(samples: Sound | None, seconds: int) -> ArrayMedia:
    made = ArrayMedia([texture(1)] * (25 * seconds))
    made.samples = samples
    return made


def shots(*ranges: tuple[int, int]) -> Shots:
    return Shots(tuple(Shot(i, a, b, a, b) for i, (a, b) in enumerate(ranges)))


def vectors(table: pa.Table, side: str) -> np.ndarray:
    return np.array(table.column(f"{side}_vector").to_pylist(), np.float32)


def test_ends_of_shots_are_heard_and_silence_is_zero() -> None:
    chord, other = tone(220, 277.18, 329.63, seconds=1), noise(3, 1)
    samples = np.concatenate([chord, other, np.zeros(RATE, np.float32), 0.1 * chord])
    table = sound(film(samples, 4), shots((0, 50), (50, 75), (75, 100)), SoundConfig())
    assert table.schema.equals(SOUND)
    out, in_ = vectors(table, "out"), vectors(table, "in")
    assert out.shape == (3, TIMBRE + PITCH)
    assert not out[1].any() and not in_[1].any()
    assert table.column("out_loudness").to_pylist()[1] == FAINTEST
    assert in_[0] @ in_[2] > 0.98 and in_[0] @ out[0] < 0.5
    loud = table.column("in_loudness").to_pylist()
    assert loud[0] - loud[2] == pytest.approx(20, abs=0.1)


def test_only_the_usable_frames_of_the_shot_itself_are_heard() -> None:
    samples = np.concatenate([noise(1, 1), tone(440, seconds=1), noise(2, 1)])
    kept = Shots((Shot(0, 0, 75, 25, 50), Shot(1, 45, 50, 45, 50), Shot(2, 49, 50, 49, 50)))
    table = sound(film(samples, 3), kept, SoundConfig())
    out, in_ = vectors(table, "out"), vectors(table, "in")
    assert out[0] @ in_[0] > 0.95 and out[0] @ out[1] > 0.95
    assert not out[2].any()


def test_a_title_without_sound_has_zero_vectors() -> None:
    table = sound(film(None, 2), shots((0, 25), (25, 50)), SoundConfig())
    assert not vectors(table, "out").any() and not vectors(table, "in").any()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Audio Spectrogram Transformer, as its save_pretrained writes it."""
    import torch
    import transformers

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("ast")
    config = transformers.ASTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_length=100,
        num_mel_bins=32,
    )
    transformers.ASTModel(config).save_pretrained(path)
    transformers.ASTFeatureExtractor(max_length=100, num_mel_bins=32).save_pretrained(path)
    return path


def test_a_models_vector_takes_the_timbres_place(model: Path) -> None:
    samples = np.concatenate([noise(1, 1), tone(440, seconds=1), np.zeros(RATE, np.float32)])
    config = SoundConfig(f"hf:{model}")
    table = sound(film(samples, 3), shots((0, 25), (25, 50), (50, 75)), config)
    out = vectors(table, "out")
    assert out.shape == (3, 56 + PITCH)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), [1, 1, 0], atol=1e-3)
    assert out[0] @ out[1] < 0.95
    assert config.key_parts()["model"].startswith("hf:sha256:")


def test_models_that_hear_nothing_or_otherwise_are_refused(model: Path, tmp_path: Path) -> None:
    silent = film(noise(1, 1), 1)
    for file in model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    prepared = json.loads((tmp_path / "preprocessor_config.json").read_text())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**prepared, "sampling_rate": 44_100}))
    with pytest.raises(ModelMissing, match="hears 44100 samples a second"):
        sound(silent, shots((0, 25)), SoundConfig(f"hf:{tmp_path}"))
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["CLIPModel"]}))
    with pytest.raises(ModelMissing, match="CLIPModel, which hears nothing"):
        sound(silent, shots((0, 25)), SoundConfig(f"hf:{tmp_path}"))
    with pytest.raises(ModelMissing, match="no model is named 'chords'"):
        sound(silent, shots((0, 25)), SoundConfig("chords"))

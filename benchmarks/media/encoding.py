"""What making a standard encode costs, over the command line of FFmpeg that makes the same files.

    standardize_over_ffmpeg   CPU of `standardize` over that of `ffmpeg`, both in a process of their own, user and
                              system; each the best of several, in turn. NaN where there is no `ffmpeg`

Both decode in one thread, scale to the same canvas by area, encode with libx264 in one thread with the recipe's own
options, the sound as AAC for people and as FLAC for algorithms. `standardize` makes more of the same pass: it probes
and scans, writes frame tape and frame map, and measures quality. The `ffmpeg` of a distribution brings its own x264,
scaler and decoders: versions are in the details.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.harness import Measured
from mediaml_assets.jasper.recipe import ML_360P, Recipe

SHARED = Path(os.environ.get("MEDIAML_SHARED", "../shared")) / "media/films"
FILM = "bbb_first60s_640x360_h264_aac.mp4"
SCALED_FILM = "sintel_film_excerpt26s_848x480_h264_aac.mp4"
ROUNDS = 5
SECONDS, SIZE = 40, (1280, 720)

# Imports are left out: a process of the platform has them once for many films.
_OURS = """
import sys, time
from pathlib import Path
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
before = time.process_time()
standardize(Path(sys.argv[1]), ML_360P, Path(sys.argv[2]))
print(time.process_time() - before)
"""


def measure(seed: int) -> Measured:
    """The figure over real films, or over one rendered from the seed where the development media are not."""
    ffmpeg = shutil.which("ffmpeg")
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as name:
        folder = Path(name)
        found = [SHARED / film for film in (FILM, SCALED_FILM) if (SHARED / film).is_file()]
        films = found or [_render(seed, folder / "film.mp4")]
        if ffmpeg is None:
            reason = "there is no ffmpeg on this machine"
            return Measured({"standardize_over_ffmpeg": float("nan")}, details={"reason": reason})
        took = {film.name: _side_by_side(film, folder, ffmpeg) for film in films}
    ours, theirs = (sum(one[kind] for one in took.values()) for kind in ("standardize", "ffmpeg"))
    return Measured(
        {"standardize_over_ffmpeg": ours / theirs},
        details={"cpu_seconds": took, "ffmpeg": _version(ffmpeg), "pyav": av.__version__,
                 "libraries": {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}},
    )  # fmt: skip


def command(ffmpeg: str, film: Path, recipe: Recipe, folder: Path) -> list[str]:
    """The command line that makes the same files of a film with sound: picture with AAC, and FLAC."""
    size = f"{recipe.width}:{recipe.height}"
    scale = f"scale={size}:force_original_aspect_ratio=decrease:flags=area,pad={size}:-1:-1,format=yuv420p"
    x264 = [part for name, value in recipe.x264_options().items() for part in (_X264.get(name, f"-{name}"), value)]
    return [
        ffmpeg, "-y", "-v", "error", "-nostdin", "-threads", "1", "-filter_threads", "1", "-i", str(film),
        "-map", "0:v:0", "-map", "0:a:0", "-vf", scale, "-c:v", "libx264", *x264,
        "-c:a", "aac", "-aac_coder", "fast", "-b:a", str(recipe.play_bits), "-ar", str(recipe.play_rate), "-ac", "2",
        "-movflags", "+faststart", str(folder / "video.mp4"),
        "-map", "0:a:0", "-c:a", "flac", "-ar", str(recipe.sound_rate), "-ac", "1", str(folder / "sound.flac"),
    ]  # fmt: skip


_X264 = {"threads": "-threads:v", "keyint_min": "-keyint_min", "x264-params": "-x264-params"}


def _side_by_side(film: Path, folder: Path, ffmpeg: str) -> dict[str, float]:
    ours, theirs = folder / "ours", folder / "theirs"
    for one in (ours, theirs):
        one.mkdir(exist_ok=True)
    runs: dict[str, Callable[[], float]] = {
        "standardize": lambda: float(_run([sys.executable, "-c", _OURS, str(film), str(ours)])[1]),
        "ffmpeg": lambda: _run(command(ffmpeg, film, ML_360P, theirs))[0],
    }
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = min(best[name], run())
    return best


def _run(command_line: list[str]) -> tuple[float, str]:
    """Seconds of user and system time that a process takes, and what it prints."""
    process = subprocess.Popen(command_line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{Path(command_line[0]).name} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, said


def _render(seed: int, path: Path) -> Path:
    """A film of soft noise that drifts, with sound."""
    draw = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(draw.integers(0, 256, (SIZE[1] * 2, SIZE[0] * 2), np.uint8), (0, 0), 4)
    texture = cv2.normalize(noise, None, 30, 220, cv2.NORM_MINMAX)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=24, options={"preset": "veryfast", "crf": "20"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        audio = out.add_stream("aac", rate=48_000, layout="stereo")
        for n in range(SECONDS * 24):
            x, y = 2 * n % SIZE[0], n % SIZE[1]
            part = np.ascontiguousarray(texture[y : y + SIZE[1], x : x + SIZE[0]])
            frame = av.VideoFrame.from_ndarray(part, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for at in range(0, SECONDS * 48_000, 1024):
            samples = draw.normal(0, 3000, (1, 2048)).astype(np.int16)
            heard = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = 48_000, at, Fraction(1, 48_000)
            out.mux(audio.encode(heard))
        out.mux(audio.encode(None))
    return path


def _version(ffmpeg: str) -> str:
    return subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]

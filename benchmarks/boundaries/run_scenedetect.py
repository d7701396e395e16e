# mypy: ignore-errors
# PySceneDetect lives in an environment of its own
"""PySceneDetect on films: every detector at its defaults and at every setting of a grid, or the CPU of one of them.

    run_scenedetect.py '{"films": [path, ...]}'                     prints [[setting, [[cuts] of each film]], ...]
    run_scenedetect.py '{"film": path, "setting": ..., "backend": ...}'    prints {"cpu_s": ...}

A setting is [detector, {argument: value}] as JSON. The classes are PySceneDetect's own, fed by its own SceneManager;
for the grid the picture's score, which settings share, is worked out once a frame.
"""

import json
import sys
import time

from scenedetect import SceneManager, open_video
from scenedetect.detector import SceneDetector
from scenedetect.detectors import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector

KINDS = {
    "adaptive": AdaptiveDetector,
    "content": ContentDetector,
    "hash": HashDetector,
    "histogram": HistogramDetector,
}
SHORTEST = (5, 8, 15)


def grid():
    """Every setting, the defaults of each detector first."""
    for name in KINDS:
        yield name, {}
    for shortest in SHORTEST:
        for threshold in (2.0, 2.5, 3.0, 3.5, 4.5):
            for window in (1, 2, 3):
                for least in (8.0, 15.0):
                    yield "adaptive", {"adaptive_threshold": threshold, "window_width": window,
                                       "min_content_val": least, "min_scene_len": shortest}  # fmt: skip
        for threshold in (15.0, 18.0, 21.0, 24.0, 27.0, 31.0, 36.0):
            yield "content", {"threshold": threshold, "min_scene_len": shortest}
        for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45):
            for size in (8, 16):
                yield "hash", {"threshold": threshold, "size": size, "min_scene_len": shortest}
        for threshold in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
            for bins in (128, 256):
                yield "histogram", {"threshold": threshold, "bins": bins, "min_scene_len": shortest}


class Together(SceneDetector):
    """All settings over one reading of a film: scores of a frame are worked out once and given to all."""

    def __init__(self, settings):
        super().__init__()
        self.every = [(KINDS[name](**arguments), []) for name, arguments in settings]
        self.scores = {}
        for detector, _ in self.every:
            if isinstance(detector, ContentDetector):
                self._share(detector, "_calculate_frame_score", "content")
            elif isinstance(detector, HistogramDetector):
                self._share(detector, "calculate_histogram", f"bins {detector._bins}")
            else:
                self._share(detector, "hash_frame", f"hash {detector._size}")

    def _share(self, detector, method, name):
        work = getattr(detector, method)

        def once(*given, **named):
            if name not in self.scores:
                self.scores[name] = work(*given, **named)
            return self.scores[name]

        setattr(detector, method, once)

    def process_frame(self, timecode, frame_img):
        """Ask each, keep what it says."""
        self.scores = {}
        for detector, cuts in self.every:
            cuts += [cut.frame_num for cut in detector.process_frame(timecode, frame_img)]
        return []


def found(path, settings):
    """Frames of cuts for each setting."""
    together, manager = Together(settings), SceneManager()
    manager.add_detector(together)
    manager.detect_scenes(open_video(path, backend="opencv"))
    return [sorted({int(cut) for cut in cuts} - {0}) for _, cuts in together.every]


def cpu(path, setting, backend):
    """CPU seconds of reading a film with one detector, as its users run it."""
    name, arguments = setting
    before = time.process_time()
    manager = SceneManager()
    manager.add_detector(KINDS[name](**arguments))
    manager.detect_scenes(open_video(path, backend=backend))
    return time.process_time() - before


if __name__ == "__main__":
    wish = json.loads(sys.argv[1])
    if "films" in wish:
        settings = list(grid())
        films = [found(path, settings) for path in wish["films"]]
        answers = [[film[place] for film in films] for place in range(len(settings))]
        print(json.dumps([[list(setting), cuts] for setting, cuts in zip(settings, answers, strict=True)]))
    else:
        print(json.dumps({"cpu_s": cpu(wish["film"], wish["setting"], wish["backend"])}))

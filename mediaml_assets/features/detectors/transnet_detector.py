"""Shot boundaries by a TransNetV2-style network, in windows that overlap as far as the network sees."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.detectors.boundary import Boundary, runs
from mediaml_assets.features.detectors.transnet import HEIGHT, RECEPTIVE, WIDTH, TransNet
from mediaml_assets.features.detectors.transnet_weights import weights_file
from mediaml_assets.jasper.reading.media import Media

AT_ONCE = 200  # frames of a window that are answered for, beside what it sees either side of them
LIKELY = 0.5  # probability from which a frame is a transition's

Picture = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


def load(place: str) -> Callable[[Media], list[Boundary]]:
    """The detector whose weights are in a safetensors file, or in a folder; raises ModelMissing."""
    network = loaded(place)

    def detect(film: Media) -> list[Boundary]:
        middle, touched = probabilities(network, _pictures(film))
        return boundaries(middle, touched)

    return detect


def loaded(place: str) -> TransNet:
    """The network with its weights, ready to be asked; raises ModelMissing when they are not its own."""
    path, network = weights_file(place), TransNet()
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        raise ModelMissing(f"{path} holds other weights than this network's ({str(error)[:300]})") from error
    return network.eval()


def probabilities(
    network: TransNet, pictures: Iterable[Picture], at_once: int = AT_ONCE
) -> tuple[Probabilities, Probabilities]:
    """Of each of n pictures, RGB uint8 [27, 48, 3], to be a transition's middle, and any of its frames: [n] each.

    A window takes in as many frames either side as the network sees, so its size does not change the answer; no more
    of a film is held.
    """
    stream, answers = iter(pictures), [np.empty((2, 0), np.float32)]
    before: list[Picture] = []
    ahead = list(islice(stream, at_once + RECEPTIVE))
    while ahead:
        now = slice(len(before), len(before) + min(at_once, len(ahead)))
        window = before + ahead
        with torch.inference_mode():
            both = network(torch.from_numpy(np.stack(window))[None])
        answers.append(np.stack([torch.sigmoid(one[0, now]).numpy() for one in both]))
        before, ahead = window[max(now.stop - RECEPTIVE, 0) : now.stop], window[now.stop :]
        ahead += islice(stream, at_once)
    middle, touched = np.concatenate(answers, axis=1)
    return middle, touched


def boundaries(middle: Probabilities, touched: Probabilities) -> list[Boundary]:
    """From the probabilities of frames to boundaries, see `Detector`.

    A run of likely middles is one transition; it is a cut, whose last old frame is the likeliest, unless more than two
    frames around it are likely to be touched.
    """
    count, inside = len(middle), []
    wide = runs(touched >= LIKELY)
    for start, end in runs(middle >= LIKELY):
        at = start + int(np.argmax(middle[start:end])) + 1
        if at >= count:
            continue
        low, high = next(((a, b) for a, b in wide if a < end and start < b), (at, at))
        sure = float(middle[at - 1])
        gradual = high - low > 2
        inside.append(Boundary("dissolve", at, low, high, sure) if gradual else Boundary("cut", at, at, at, sure))
    return [Boundary("start", 0, 0, 0, 1.0), *inside, Boundary("end", count, count, count, 1.0)]


def _pictures(film: Media) -> Iterator[Picture]:
    """Every frame at 48x27, RGB."""
    return (frame.rgb((WIDTH, HEIGHT)) for frame in film.video.sequential())

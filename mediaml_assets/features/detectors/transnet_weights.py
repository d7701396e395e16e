"""Where the weights of a TransNetV2-style network are, and what stands for them in keys. Nothing is fetched."""

from pathlib import Path

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.saved_model import file_digest


def weights_file(place: str) -> Path:
    """The safetensors file that `place` is, or the only one in the folder that it is; raises ModelMissing."""
    path = Path(place).expanduser()
    if path.is_dir():
        files = sorted(path.glob("*.safetensors"))
        if len(files) != 1:
            raise ModelMissing(
                f"{path} holds {len(files)} *.safetensors files: name the one with the network's weights"
            )
        return files[0]
    if path.suffix != ".safetensors" or not path.is_file():
        raise ModelMissing(
            f"{path} is no safetensors file (pickles are not loaded): save the network's state_dict with safetensors"
        )
    return path


def digest(place: str) -> str:
    """SHA-256 of the weights; raises ModelMissing when they are not there."""
    return file_digest(weights_file(place))

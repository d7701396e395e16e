"""Models as the transformers library saves them in folders: what they are, what stands for them in keys, loading.

Only safetensors weights are loaded, never code or pickles, and nothing is fetched. transformers is imported when a
model is loaded.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mediaml_assets.errors import ModelMissing

SETTLED = 2.0  # seconds after which a file's time tells that it was written again
HUGGING_FACE = "hf:"  # before the folder of a model, where a configuration names one


def saved_model(path: Path, kind: str) -> Any:
    """The model in a folder as a class of transformers, in evaluation mode.

    Raises:
        ModelMissing: its files cannot be read, or lack weights that this class has: they would be random.
    """
    import transformers
    from safetensors import SafetensorError

    try:
        model, said = getattr(transformers, kind).from_pretrained(
            path, local_files_only=True, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelMissing(
            f"{path} cannot be loaded as a {kind} ({str(error)[:300]}); give the folder that the model's "
            "save_pretrained wrote"
        ) from error
    lacking = sorted(said["missing_keys"])
    if lacking:
        raise ModelMissing(
            f"{path} lacks {len(lacking)} weights of a {kind} ({', '.join(lacking[:3])}): save the whole model"
        )
    return model.eval()


def saved_architecture(path: Path, prepared: bool = True) -> str:
    """The name of the architecture in a folder, once everything that is needed was seen to be there.

    `prepared`: whether the model needs a file that says how pictures are prepared.
    """
    for name in ("config.json", "preprocessor_config.json") if prepared else ("config.json",):
        if not (path / name).is_file():
            raise ModelMissing(f"{path} has no {name}: give the folder that the model's save_pretrained wrote")
    if not any(path.glob("*.safetensors")):
        raise ModelMissing(
            f"{path} has no *.safetensors weights (pickles are not loaded): save the model as safetensors"
        )
    with understood(path / "config.json"):
        return str((json.loads((path / "config.json").read_text()).get("architectures") or ["none"])[0])


@contextmanager
def understood(file: Path) -> Iterator[None]:
    """Turns whatever is wrong with a configuration file into ModelMissing."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
        raise ModelMissing(
            f"{file} cannot be understood ({type(error).__name__}: {error}); give the file that the model's "
            "save_pretrained wrote"
        ) from error


def model_key(model: str) -> dict[str, str]:
    """What stands in keys for a configured `model`: its weights, wherever their folder is; nothing where it has none.

    Raises ModelMissing when they are not there.
    """
    if not model.startswith(HUGGING_FACE):
        return {}
    return {"model": f"{HUGGING_FACE}sha256:{digest(model.removeprefix(HUGGING_FACE))}"}


def digest(folder: str) -> str:
    """SHA-256 of the model's weights and configuration files; raises ModelMissing when they are not there."""
    path = Path(folder).expanduser()
    saved_architecture(path, prepared=False)
    names = ("config.json", "preprocessor_config.json")
    files = (*(path / name for name in names if (path / name).is_file()), *sorted(path.glob("*.safetensors")))
    lines = [f"{file.name}:{file_digest(file)}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read once a process for as long as it is not written again: keys are asked often."""
    stamp = path.stat()
    # a file that was written just now may be written again within one tick of its clock
    settled = time.time() - stamp.st_ctime > SETTLED
    return (_file_digest if settled else _file_digest.__wrapped__)(path, stamp.st_size, stamp.st_ino, stamp.st_ctime_ns)


@cache
def _file_digest(path: Path, *_stamp: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

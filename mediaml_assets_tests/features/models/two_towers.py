"""Tiny random models of pictures and words, with tokenizers that know a dozen words."""

import json
from pathlib import Path

VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "patch_size": 16,
    "image_size": 64,
}
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 16,
    "max_position_embeddings": 12,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
PREPARATION = {
    "size": {"height": 64, "width": 64},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
WORDS = ("<pad>", "<bos>", "<eos>", "<unk>", "drinking", "wine", "a", "red", "boat", "harbour", "night")


def clip(folder: Path) -> None:
    """A CLIP whose vectors have 16 numbers."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    width = {"projection_dim": 16}
    CLIPModel(CLIPConfig(text_config=TEXT | width, vision_config=VISION | width, **width)).save_pretrained(folder)
    _companions(folder)


def siglip(folder: Path) -> None:
    """A SigLIP whose vectors have 32 numbers."""
    import torch
    from transformers import SiglipConfig, SiglipModel

    torch.manual_seed(0)
    SiglipModel(SiglipConfig(text_config=TEXT, vision_config=VISION)).save_pretrained(folder)
    _companions(folder)


def _companions(folder: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing("<bos> $A <eos>", special_tokens=[("<bos>", 1), ("<eos>", 2)])
    PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", unk_token="<unk>"
    ).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPARATION))

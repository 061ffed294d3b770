"""Two small tokenizers and what `transformers` makes of some texts with them. Run: python3 make.py."""

import json
from pathlib import Path

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

HERE = Path(__file__).parent
TEXTS = ["a bab ab", "  two  spaces\n", "Zürich, 東京 🙂", "<s> spelt out </s>", "", "\ta"]
SPECIALS = ["<unk>", "<s>", "</s>"]


def sentencepiece_style():
    """As LLaMA-2 has it: spaces as ▁, unknown characters as bytes, BOS before every text."""
    tokens = SPECIALS + [f"<0x{byte:02X}>" for byte in range(256)] + list("▁abspcet") + ["▁a", "ab", "▁ab"]
    vocabulary = {token: id for id, token in enumerate(tokens)}
    merges = [("▁", "a"), ("a", "b"), ("▁", "ab")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def byte_level():
    """As LLaMA-3 and GPT-2 have it, without BOS."""
    tokens = SPECIALS + sorted(pre_tokenizers.ByteLevel.alphabet()) + ["Ġa", "ab"]
    vocabulary = {token: id for id, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("Ġ", "a"), ("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer


for name, tokenizer in {"sentencepiece-style": sentencepiece_style(), "byte-level": byte_level()}.items():
    directory = HERE / name
    directory.mkdir(exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (directory / "tokenizer_config.json").write_text(json.dumps(config | {"clean_up_tokenization_spaces": False}) + "\n")
    loaded = AutoTokenizer.from_pretrained(directory)
    cases = []
    for text in TEXTS:
        ids = loaded(text).input_ids
        cases.append({"text": text, "ids": ids, "decoded": loaded.decode(ids, skip_special_tokens=True)})
    expected = {"transformers": transformers.__version__, "cases": cases}
    (directory / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

"""Tiny tokenizers in the forms that LLaMA and OLMo directories have, trained here and saved by the libraries themselves."""

import json
import tempfile
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.models.gpt_neox.tokenization_gpt_neox import GPTNeoXTokenizer

from texts import CORPUS

# LLaMA-3's tokenizer.json has this pattern, which says where a word ends.
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def bos_before(token, id):
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, id)]
    )


def llama_2_metaspace(directory):
    """A sentencepiece model with byte fallback, converted by `transformers` as it converts LLaMA-2's: class LlamaTokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS),
            model_prefix=f"{folder}/tokenizer",
            model_type="bpe",
            vocab_size=440,
            character_coverage=0.98,
            byte_fallback=True,
            split_digits=True,
            allow_whitespace_only_pieces=True,
            remove_extra_whitespaces=False,
            normalization_rule_name="identity",
            num_threads=1,
            minloglevel=2,
        )
        (Path(folder) / "config.json").write_text(json.dumps({"model_type": "llama"}))
        config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False}
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
        AutoTokenizer.from_pretrained(folder).save_pretrained(directory)


def llama_2(directory, metaspace):
    """The same model as hubs have it: spaces replaced by a normalizer that also puts one before the text."""
    data = json.loads((metaspace / "tokenizer.json").read_text())["model"]
    merges = [tuple(merge) for merge in data["merges"]]
    tokenizer = Tokenizer(models.BPE(data["vocab"], merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = bos_before("<s>", 1)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(directory)


def llama_3(directory):
    """Byte-level, with words found by a pattern, and BOS put in by one of two post-processors."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, [])
    names = ["begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eot_id"]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in names])
    bos = "<|begin_of_text|>"
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False), bos_before(bos, tokenizer.token_to_id(bos))]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token="<|eot_id|>").save_pretrained(
        directory
    )


def olmo(directory):
    """As GPT-NeoX and so OLMo have it: NFC, byte-level, runs of spaces as added tokens that are not special, no BOS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, ["<|endoftext|>", "<|padding|>"])
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in range(24, 1, -1)])
    tokenizer.add_tokens([AddedToken("|||EMAIL_ADDRESS|||", normalized=True)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(f"{folder}/tokenizer.json")
        config = {"bos_token": None, "eos_token": "<|endoftext|>", "pad_token": "<|padding|>", "unk_token": None}
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
        GPTNeoXTokenizer.from_pretrained(folder).save_pretrained(directory)


def train(tokenizer, special):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=480, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)

"""
What the files beside tokenizer.json change: the same few texts under many configurations.
A rule is a directory with some of its files replaced; fields of tokenizer.json are replaced one by one.
"""

import json
import shutil
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

from record import cases

PROBES = ["", "a", " a  b\n", "é e\u0301 🙂", "<s>The cat </s> sat<|eot_id|> <pad>x<extra> .", "don't do , that 's 12"]
LLAMA = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
LLAMA_3 = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}
OLMO = {"bos_token": None, "eos_token": "<|endoftext|>", "pad_token": "<|padding|>", "unk_token": None}
BOTH = {"add_bos_token": True, "add_eos_token": True}
NEITHER = {"add_bos_token": False, "add_eos_token": False}
PAD = {"content": "<pad>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}


def added(id, content, special=False, lstrip=False):
    """A token as tokenizer.json and added_tokens_decoder list it."""
    kept = {"lstrip": lstrip, "rstrip": False, "single_word": False}
    return {"id": id, "content": content, "special": special, "normalized": not special} | kept


def template(*parts, token="</s>", id=2):
    single = [
        {"Sequence": {"id": "A", "type_id": 0}} if part == "A" else {"SpecialToken": {"id": token, "type_id": 0}}
        for part in parts
    ]
    tokens = {token: {"id": token, "ids": [id], "tokens": [token]}}
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": tokens}


def rule(name, base, config, model=None, **files):
    """`config` is tokenizer_config.json, `model` config.json."""
    named = {file.replace("__", "."): content for file, content in files.items()}
    return {"name": name, "base": base, "files": {"tokenizer_config.json": config, "config.json": model} | named}


def of_class(name, **more):
    return {"tokenizer_class": name} | more


RULES = [
    # Which class is taken
    rule("no tokenizer_config.json, no config.json", "llama-2", None),
    rule("no class, LLaMA", "llama-2", LLAMA, {"model_type": "llama"}),
    rule("no class, OLMo", "olmo", OLMO, {"model_type": "olmo"}, tokenizer__json={"normalizer": None}),
    rule("no class, OLMo-2", "olmo", OLMO, {"model_type": "olmo2"}, tokenizer__json={"normalizer": None}),
    rule("no class, original OLMo", "olmo", OLMO, {"model_type": "hf_olmo"}, tokenizer__json={"normalizer": None}),
    rule("class in config.json", "llama-2", LLAMA, {"model_type": "llama", "tokenizer_class": "LlamaTokenizerFast"}),
    rule("class that is not known", "olmo", OLMO | of_class("OLMoTokenizerFast"), {"model_type": "hf_olmo"}),
    rule(
        "class of a tokenizer that reads tokenizer.json, OLMo",
        "llama-2",
        LLAMA | of_class("PreTrainedTokenizerFast"),
        {"model_type": "olmo"},
    ),
    rule(
        "class of OLMo-2 whatever is named", "llama-3", LLAMA_3 | of_class("GPTNeoXTokenizer"), {"model_type": "olmo2"}
    ),
    rule(
        "LLaMA-2's class with a byte-level tokenizer.json",
        "llama-3",
        LLAMA_3 | of_class("LlamaTokenizerFast"),
        {"model_type": "llama"},
    ),
    rule("LLaMA-2's class for OLMo", "llama-2", LLAMA | of_class("LlamaTokenizer"), {"model_type": "olmo"}),
    # What LlamaTokenizer makes of it
    rule("LlamaTokenizer", "llama-2", LLAMA | of_class("LlamaTokenizer"), {"model_type": "llama"}),
    rule(
        "LlamaTokenizerFast, legacy",
        "llama-2",
        LLAMA | of_class("LlamaTokenizerFast", legacy=True),
        {"model_type": "llama"},
    ),
    rule(
        "LlamaTokenizer, legacy null",
        "llama-2",
        LLAMA | of_class("LlamaTokenizer", legacy=None),
        {"model_type": "llama"},
    ),
    rule(
        "LlamaTokenizer, no prefix space",
        "llama-2",
        LLAMA | of_class("LlamaTokenizer", add_prefix_space=False),
        {"model_type": "llama"},
    ),
    rule(
        "LlamaTokenizer, prefix space null",
        "llama-2",
        LLAMA | of_class("LlamaTokenizer", add_prefix_space=None),
        {"model_type": "llama"},
    ),
    rule(
        "LlamaTokenizer with no names of special tokens", "llama-2", of_class("LlamaTokenizer"), {"model_type": "llama"}
    ),
    rule(
        "CodeLlamaTokenizer",
        "llama-2",
        LLAMA | of_class("CodeLlamaTokenizer"),
        {"model_type": "llama"},
        tokenizer__json={"post_processor": None},
    ),
    rule(
        "CodeLlamaTokenizer without BOS",
        "llama-2",
        of_class("CodeLlamaTokenizer", bos_token=None),
        {"model_type": "llama"},
    ),
    # What the byte-level classes make of it
    rule("GPT2Tokenizer", "llama-3", LLAMA_3 | of_class("GPT2Tokenizer"), {"model_type": "llama"}),
    rule(
        "GPT2TokenizerFast, prefix space",
        "llama-3",
        LLAMA_3 | of_class("GPT2TokenizerFast", add_prefix_space=True),
        {"model_type": "llama"},
    ),
    rule("GPT2Tokenizer, no names of special tokens", "olmo", of_class("GPT2Tokenizer"), {"model_type": "llama"}),
    rule(
        "GPTNeoXTokenizer drops what comes around a text",
        "olmo",
        OLMO | of_class("GPTNeoXTokenizer"),
        {"model_type": "olmo"},
        tokenizer__json={"post_processor": template("A", "</s>", token="<|endoftext|>", id=0)},
    ),
    rule(
        "GPTNeoXTokenizerFast, prefix space",
        "olmo",
        OLMO | of_class("GPTNeoXTokenizerFast", add_prefix_space=True),
        {"model_type": "olmo"},
    ),
    rule(
        "GPTNeoXTokenizer, no names of special tokens", "llama-3", of_class("GPTNeoXTokenizer"), {"model_type": "olmo"}
    ),
    # BOS and EOS
    *[
        rule(f"{name}, {how}", base, tokens | of_class(name, **fields), {"model_type": "llama"})
        for base, tokens, name in [
            ("llama-2", LLAMA, "PreTrainedTokenizerFast"),
            ("llama-2", LLAMA, "LlamaTokenizer"),
            ("llama-2", LLAMA, "CodeLlamaTokenizer"),
            ("llama-3", LLAMA_3, "TokenizersBackend"),
            ("llama-3", LLAMA_3, "GPT2Tokenizer"),
            ("olmo", OLMO, "GPTNeoXTokenizer"),
        ]
        for how, fields in [("BOS and EOS asked for", BOTH), ("BOS and EOS refused", NEITHER)]
    ],
    *[
        rule(
            f"{name}, BOS and EOS asked for, no post-processor",
            "llama-2",
            LLAMA | of_class(name, **BOTH),
            {"model_type": "llama"},
            tokenizer__json={"post_processor": None},
        )
        for name in ["PreTrainedTokenizerFast", "LlamaTokenizer"]
    ],
    rule(
        "EOS by the post-processor",
        "llama-2",
        LLAMA | of_class("LlamaTokenizer"),
        {"model_type": "llama"},
        tokenizer__json={"post_processor": template("A", "</s>")},
    ),
    # Added and special tokens
    rule("a new special token", "llama-2", LLAMA | {"pad_token": "<pad>"}),
    rule(
        "a special token of the vocabulary that tokenizer.json does not list",
        "llama-2",
        LLAMA,
        tokenizer__json={"added_tokens": [added(0, "<unk>", True), added(1, "<s>", True)]},
    ),
    rule(
        "a special token that tokenizer.json does not call special",
        "llama-2",
        LLAMA,
        tokenizer__json={"added_tokens": [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")]},
    ),
    rule("a special token with fields", "llama-2", LLAMA | {"pad_token": PAD | {"__type": "AddedToken"}}),
    rule("more special tokens", "llama-3", LLAMA_3 | {"additional_special_tokens": ["<pad>", "<extra>"]}),
    rule(
        "extra special tokens",
        "llama-3",
        LLAMA_3 | {"extra_special_tokens": ["<pad>", "<extra>"], "additional_special_tokens": ["don"]},
    ),
    rule(
        "special tokens of roles of its own",
        "llama-3",
        LLAMA_3 | {"cat_token": "cat", "extra_special_tokens": {"pad_token": "<pad>", "dog_token": "<extra>"}},
    ),
    rule(
        "added_tokens_decoder",
        "llama-2",
        LLAMA
        | {
            "added_tokens_decoder": {
                "500": added(500, "<extra>", True, lstrip=True),
                "441": added(441, "<pad>"),
                "1": added(1, "<s>", True, lstrip=True),
            }
        },
    ),
    rule(
        "added_tokens_decoder, LlamaTokenizer",
        "llama-2",
        LLAMA
        | of_class("LlamaTokenizer")
        | {
            "added_tokens_decoder": {
                "1": added(1, "<s>", True, lstrip=True),
                "2": added(2, "</s>"),
                "440": added(440, "cat"),
            }
        },
    ),
    rule(
        "added_tokens_decoder without a special token that tokenizer.json lists",
        "llama-2",
        LLAMA | {"added_tokens_decoder": {"441": added(441, "<pad>")}},
        tokenizer__json={
            "added_tokens": [added(0, "<unk>", True), added(1, "<s>", True), added(2, "</s>", True, lstrip=True)]
        },
    ),
    rule(
        "special_tokens_map.json",
        "llama-2",
        LLAMA | {"pad_token": "<unk>"},
        special_tokens_map__json={"eos_token": "<extra>", "pad_token": PAD, "additional_special_tokens": ["cat"]},
    ),
    rule(
        "special_tokens_map.json beside added_tokens_decoder",
        "llama-2",
        LLAMA | {"added_tokens_decoder": {"1": added(1, "<s>", True)}},
        special_tokens_map__json={"pad_token": PAD},
    ),
    rule(
        "added_tokens.json",
        "llama-2",
        LLAMA | {"pad_token": "<pad>"},
        added_tokens__json={"<pad>": 441, "<extra>": 440},
    ),
    rule(
        "added_tokens.json, LlamaTokenizer",
        "llama-2",
        LLAMA | of_class("LlamaTokenizer"),
        {"model_type": "llama"},
        added_tokens__json={"<pad>": 441, "<extra>": 440},
    ),
    # What changes nothing
    rule("clean_up_tokenization_spaces", "llama-3", LLAMA_3 | {"clean_up_tokenization_spaces": True}),
    rule(
        "truncation and padding in tokenizer.json",
        "llama-2",
        LLAMA,
        tokenizer__json={
            "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
            "padding": {
                "strategy": {"Fixed": 9},
                "direction": "Right",
                "pad_to_multiple_of": None,
                "pad_id": 0,
                "pad_type_id": 0,
                "pad_token": "<unk>",
            },
        },
    ),
]


def record(here):
    """Rules with what came of them."""
    for one in RULES:
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder)
            shutil.copy(here / one["base"] / "tokenizer.json", directory)
            for file, content in one["files"].items():
                if content is None:
                    continue
                if file == "tokenizer.json":
                    content = json.loads((directory / file).read_text()) | content
                (directory / file).write_text(json.dumps(content))
            loaded = AutoTokenizer.from_pretrained(directory)
            files = {file: content for file, content in one["files"].items() if content is not None}
            yield one | {"files": files, "class": type(loaded).__name__, "cases": cases(loaded, PROBES)}

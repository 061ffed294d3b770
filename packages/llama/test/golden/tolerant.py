"""What `transformers` makes of odd directories: python3 tolerant.py writes tolerant.json, made with torch 2.13 and transformers 5.23.

Each variant changes one tiny LLaMA's directory. Recorded is whether it loads with the logits of the plain model, the error's type where it
does not load, and the tokens that end a generation.
"""

import json
import struct
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
HERE = Path(__file__).parent
SIZES = dict(vocab_size=12, hidden_size=8, intermediate_size=10, num_hidden_layers=1, num_attention_heads=2)


def config(**fields):
    def change(directory):
        path = directory / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return change


def weights(edit):
    def change(directory):
        path = directory / "model.safetensors"
        save_file(edit(load_file(path)), path, {"format": "pt"})

    return change


def raw(text):
    return lambda directory: (directory / "generation_config.json").write_text(text)


def null_metadata(directory):
    path = directory / "model.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.dumps(json.loads(data[8 : 8 + length]) | {"__metadata__": None}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + length :])


def unlisted(directory):
    tensors = load_file(directory / "model.safetensors")
    (directory / "model.safetensors").rename(directory / "1.safetensors")
    listed = {name: "1.safetensors" for name in tensors if "norm" not in name}
    (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": listed, "metadata": {}}))


HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
VARIANTS = {
    "LLaMAForCausalLM": config(architectures=["LLaMAForCausalLM"]),
    "LlamaModel": config(architectures=["LlamaModel"]),
    "infinite": config(time_step_limit=[0.0, float("inf")], other=float("nan")),
    "sliding window": config(sliding_window=2),
    "head alone": weights(lambda all: {n.replace(EMBEDDING, HEAD): t for n, t in all.items() if n != HEAD}),
    "no prefix": weights(lambda all: {n.removeprefix("model."): t for n, t in all.items() if n != HEAD}),
    "f64": weights(lambda all: {n: t.double() for n, t in all.items()}),
    "extra": weights(lambda all: all | {"extra": torch.ones(3), "model.layers.7.mlp.up_proj.weight": torch.ones(3)}),
    "null metadata": null_metadata,
    "unlisted": unlisted,
    "negative end": config(eos_token_id=-1),
    "generation: text": raw('{"eos_token_id": "2"}'),
    "generation: list": raw('{"eos_token_id": [2, 5]}'),
    "generation: null": raw('{"eos_token_id": null}'),
    "generation: absent": raw("{}"),
    "generation: none": lambda directory: (directory / "generation_config.json").unlink(),
}


def outcome(directory, expected):
    try:
        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
        model.generate(torch.tensor([[1]]), max_new_tokens=1)
        ends = model.generation_config.eos_token_id
    except Exception as error:
        return {"error": type(error).__name__}
    same = torch.equal(model(torch.tensor([[1, 7, 3]])).logits, expected)
    return {"same": same, "ends": ends if isinstance(ends, list) else [] if ends is None else [ends]}


torch.manual_seed(0)
plain = LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True, eos_token_id=2)).eval()
logits = plain(torch.tensor([[1, 7, 3]])).logits
results = {}
for name, change in VARIANTS.items():
    with tempfile.TemporaryDirectory() as temporary:
        plain.save_pretrained(temporary)
        change(Path(temporary))
        results[name] = outcome(temporary, logits)
(HERE / "tolerant.json").write_text(json.dumps(results, indent=2) + "\n")

"""Checks the golden files of OLMo-1's original form with the package that the form comes from: python3 hf_olmo.py.

Needs `ai2-olmo` (0.6.0 was used), which nothing else here needs.
"""

import json
from dataclasses import fields
from pathlib import Path

import torch
from olmo.config import ModelConfig
from olmo.model import OLMo
from safetensors.torch import load_file

KNOWN = {field.name for field in fields(ModelConfig)}


def check(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text())
    model = OLMo(ModelConfig(**{name: value for name, value in config.items() if name in KNOWN})).eval()
    weights = load_file(directory / "model.safetensors")
    # In the wrapper for `transformers` the model is `model`. All names must be there, and no others.
    model.load_state_dict({name.removeprefix("model."): value.float() for name, value in weights.items()}, strict=True)
    expected = load_file(directory / "expected.safetensors")
    for i, prompt in enumerate(json.loads((directory / "expected.json").read_text())["prompts"]):
        with torch.no_grad():
            logits = model(torch.tensor([prompt])).logits[0]
        difference = (logits - expected[f"logits/{i}"]).abs().max().item()
        print(f"{directory.name}, prompt {i}: logits differ by {difference:.1e} at most")
        assert difference < 1e-4


for directory in sorted((Path(__file__).parent / "golden").glob("hf-olmo-*")):
    check(directory)

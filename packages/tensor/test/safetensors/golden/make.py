"""Makes the golden files beside this script, and checks with the reference implementation what Lethe writes.

    python make.py               rewrites the goldens
    python make.py check FILE    reads a file that Lethe wrote from mixed.safetensors, and compares every value

Made with safetensors 0.8.0, torch 2.13.0, transformers 5.23.0, Python 3.11.
"""

import json
import random
import sys
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save, save_file

HERE = Path(__file__).parent


def mixed():
    """A few tensors of every dtype that Lethe supports, and of some that it does not, with awkward names and shapes."""
    generator = torch.Generator().manual_seed(2)
    f32 = torch.randn(3, 5, generator=generator)
    return {
        "f32": f32,
        "f16": f32.to(torch.float16),
        "bf16": f32.to(torch.bfloat16),
        "f64": f32.to(torch.float64),
        "i64": torch.tensor([0, -1, 2**53 - 1, -(2**53 - 1)]),
        "i64.inexact": torch.tensor([2**53]),
        "i32": torch.tensor([[-(2**31)], [2**31 - 1]], dtype=torch.int32),
        "u32": torch.tensor([2**32 - 1], dtype=torch.uint32),
        "u8": torch.arange(7, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "i8": torch.tensor([-128, 127], dtype=torch.int8),
        "f8": f32.to(torch.float8_e4m3fn),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(4, 0, 3),
        "10": torch.tensor([10.0]),
        "9": torch.tensor([9.0]),
        'quote " backslash \\ tab \t ü 漢 \uffee 𝕏': torch.tensor([1.0]),
        "𝕏": torch.tensor([2.0]),
        "\uffee": torch.tensor([3.0]),
        "__proto__": torch.tensor([4.0]),
    }


def conversions():
    """binary32 patterns over all exponents, and midpoints between neighbours, with torch's roundings of them."""
    rng = random.Random(3)
    words = [rng.getrandbits(32) for _ in range(2000)]
    halves = torch.arange(0, 2**16, 37, dtype=torch.int32).to(torch.uint16).view(torch.float16).float()
    near = [word & 0xFFFFFFFF for word in halves.view(torch.int32).tolist()]
    words += near
    words += [(w + 0x1000) & 0xFFFFFFFF for w in near] + [(w + 0x0FFF) & 0xFFFFFFFF for w in near]
    words += [0x33000000, 0x33000001, 0x32FFFFFF, 0x477FEFFF, 0x477FF000, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0xFF800000]
    f32 = torch.tensor([w - 2**32 if w >= 2**31 else w for w in words], dtype=torch.int32).view(torch.float32)
    return {"f32": f32, "f16": f32.to(torch.float16), "bf16": f32.to(torch.bfloat16)}


def verdicts():
    """The reference's yes or no on every header byte of a small file replaced by each of some telling characters."""
    base = save({"a": torch.arange(3, dtype=torch.uint8), "b": torch.ones(2)}, {"k": "v"})
    replacements = b' "0129{}[],:\\abFe-._\xff\x00'
    rows = []
    for at in range(0, len(base) - 11):
        row = ""
        for byte in replacements:
            mutant = bytearray(base)
            mutant[at] = byte
            try:
                safetensors.deserialize(bytes(mutant))
                row += "1"
            except Exception:
                row += "0"
        rows.append(row)
    return {"base": base.hex(), "replacements": replacements.hex(), "verdicts": rows}


def sharded():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(5)
    config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2)
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    directory = HERE / "sharded"
    model.save_pretrained(directory, max_shard_size="1KB")
    for extra in ("config.json", "generation_config.json"):
        (directory / extra).unlink(missing_ok=True)
    sums = {name: tensor.float().sum().item() for name, tensor in model.state_dict().items()}
    (directory / "sums.json").write_text(json.dumps(sums, indent=1) + "\n")


def make():
    save_file(mixed(), HERE / "mixed.safetensors", {"format": "pt"})
    save_file(conversions(), HERE / "conversions.safetensors")
    (HERE / "verdicts.json").write_text(json.dumps(verdicts(), indent=0) + "\n")
    sharded()


def check(file):
    ours = load_file(file)
    expected = mixed()
    assert ours.keys() == expected.keys(), ours.keys() ^ expected.keys()
    for name, tensor in expected.items():
        assert ours[name].dtype == tensor.dtype and ours[name].shape == tensor.shape, name
        assert torch.equal(ours[name].view(torch.uint8), tensor.view(torch.uint8)) if tensor.dim() else ours[name] == tensor, name
    print(f"{len(expected)} tensors read back, all equal")


if __name__ == "__main__":
    check(sys.argv[2]) if sys.argv[1:2] == ["check"] else make()

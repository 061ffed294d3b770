"""Golden files for the LLaMA tests: tiny random models of the real `transformers`, and what they compute.

Run: python3 make.py. Each case is a directory that Hugging Face's loader reads, with `expected.safetensors` (logits, captured
activations) and `expected.json` (inputs, greedy tokens, versions) beside it. Arithmetic is f32 on the stored weights, whatever
their dtype, as Lethe's is.
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
EOS = 2
COMMON = dict(
    vocab_size=67,
    hidden_size=32,
    intermediate_size=44,
    num_attention_heads=4,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=EOS,
    initializer_range=0.25,
)
CASES = {
    # Grouped queries, tied embeddings, a head narrower than hidden/heads would give.
    "gqa-tied-f32": (dict(num_hidden_layers=3, num_key_value_heads=2, head_dim=12, tie_word_embeddings=True), torch.float32),
    # One key head per query head, untied, another base of rotation, half the bytes.
    "mha-untied-bf16": (dict(num_hidden_layers=2, num_key_value_heads=4, rope_theta=500.0, rms_norm_eps=1e-5), torch.bfloat16),
}
PROMPTS = [[1, 5, 9, 13, 21, 34, 55, 8, 3], [1, 44, 7, 60], [1, 11]]


def capture(model, seen):
    def keep(name):
        return lambda _module, _args, output: seen.__setitem__(name, output[0] if isinstance(output, tuple) else output)

    def keep_input(name):
        return lambda _module, args, kwargs=None: seen.__setitem__(name, args[0])

    for i, block in enumerate(model.model.layers):
        block.register_forward_pre_hook(
            lambda _m, args, kwargs, i=i: seen.__setitem__(f"resid_pre.{i}", args[0] if args else kwargs["hidden_states"]),
            with_kwargs=True,
        )
        block.register_forward_hook(keep(f"resid_post.{i}"))
        block.self_attn.o_proj.register_forward_hook(keep(f"A.{i}"))
        block.post_attention_layernorm.register_forward_pre_hook(keep_input(f"resid_mid.{i}"))
        block.mlp.down_proj.register_forward_pre_hook(keep_input(f"m.{i}"))
        block.mlp.register_forward_hook(keep(f"M.{i}"))


def make(name, overrides, dtype):
    torch.manual_seed(len(name))
    directory = HERE / name
    model = LlamaForCausalLM(LlamaConfig(**COMMON, **overrides)).to(dtype)
    for parameter_name, parameter in model.named_parameters():
        if parameter_name.endswith("norm.weight"):
            parameter.data = (1 + 0.3 * torch.randn(parameter.shape)).to(dtype)
    model.generation_config.eos_token_id = EOS
    model.save_pretrained(directory)
    # Read back rather than widened: casting the model would have rounded its rotary frequencies too.
    model = LlamaForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()

    seen = {}
    with torch.no_grad():
        capture(model, seen)
        ids = torch.tensor([PROMPTS[0]])
        tensors = {"logits": model(ids).logits}
        tensors |= seen
        greedy = [
            model.generate(torch.tensor([p]), attention_mask=torch.ones(1, len(p)), max_new_tokens=12, do_sample=False, pad_token_id=0)[0, len(p) :].tolist()
            for p in PROMPTS
        ]
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, directory / "expected.safetensors")
    (directory / "expected.json").write_text(
        json.dumps(
            {"transformers": transformers.__version__, "torch": torch.__version__, "prompts": PROMPTS, "greedy": greedy}
        )
        + "\n"
    )


for name, (overrides, dtype) in CASES.items():
    make(name, overrides, dtype)

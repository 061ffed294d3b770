"""The committed cases: python3 golden.py [NAME ...] writes golden/<name>, made with torch 2.13 and transformers 5.23 (requirements.txt)."""

import shutil
import sys
from pathlib import Path

from reference import quietly, write_reference

HERE = Path(__file__).parent / "golden"

LARGER = dict(
    vocab_size=67,
    hidden_size=32,
    intermediate_size=44,
    num_attention_heads=4,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    initializer_range=0.25,
)
# A width of two heads of 12, and an MLP width that no tile divides.
SMALL = LARGER | dict(
    hidden_size=24,
    intermediate_size=37,
    num_hidden_layers=2,
    num_attention_heads=2,
    pad_token_id=0,
    initializer_range=0.3,
)
THREE_HEADS = SMALL | dict(num_attention_heads=3, num_key_value_heads=1)
# Longer than max_position_embeddings; equal to it; shorter, but longer than it after generation.
LONG = [13, 8, 3]
LLAMA_3 = dict(
    rope_type="llama3",
    rope_theta=500.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
YARN = dict(rope_type="yarn", rope_theta=500.0, factor=4.0, original_max_position_embeddings=16, beta_fast=4.0, beta_slow=0.5)


def case(model_type, dtype, config, spelling="new", **rest):
    return dict(model_type=model_type, dtype=dtype, config=config, spelling=spelling, **({"lengths": [9, 4, 2]} | rest))


PROMPTS = dict(prompts=[[1, 5, 9, 13, 21, 34, 55, 8, 3], [1, 44, 7, 60], [1, 11]])
CASES = {
    # Grouped queries, tied embeddings, a head_dim other than hidden_size / heads.
    "llama-gqa-tied-f32": case(
        "llama",
        "float32",
        LARGER | dict(num_hidden_layers=3, num_key_value_heads=2, head_dim=12, tie_word_embeddings=True),
        seed=12,
        **PROMPTS,
    ),
    # One key head per query head, untied, another rope_theta, 2-byte weights.
    "llama-mha-untied-bf16": case(
        "llama",
        "bfloat16",
        LARGER | dict(num_hidden_layers=2, num_key_value_heads=4, rope_theta=500.0, rms_norm_eps=1e-5),
        seed=15,
        sharded=True,
        **PROMPTS,
    ),
    # As in the first checkpoints: f16, few fields, rotary buffers among the weights.
    "llama-1-f16": case("llama", "float16", SMALL, "llama-1", seed=1),
    "llama-biases-f32": case("llama", "float32", SMALL | dict(attention_bias=True, mlp_bias=True), seed=2),
    "llama-linear-f16": case(
        "llama", "float16", SMALL | dict(rope_parameters=dict(rope_type="linear", rope_theta=100.0, factor=3.0)), "old", seed=3
    ),
    "llama-dynamic-f32": case(
        "llama",
        "float32",
        SMALL | dict(max_position_embeddings=8, rope_parameters=dict(rope_type="dynamic", rope_theta=100.0, factor=4.0)),
        "old",
        seed=4,
        lengths=LONG,
    ),
    "llama-yarn-f32": case("llama", "float32", SMALL | dict(rope_parameters=YARN), "old", seed=16, lengths=LONG),
    "llama-3-bf16": case("llama", "bfloat16", THREE_HEADS | dict(rope_parameters=LLAMA_3), seed=5),
    "llama-3-old-spelling-bf16": case(
        "llama", "bfloat16", SMALL | dict(tie_word_embeddings=True, rope_parameters=LLAMA_3), "old", seed=6
    ),
    "olmo-f32": case("olmo", "float32", SMALL, seed=7),
    "olmo-gqa-clip-bf16": case("olmo", "bfloat16", THREE_HEADS | dict(clip_qkv=0.7, tie_word_embeddings=True), "old", seed=8),
    "hf-olmo-tied-f32": case("olmo", "float32", SMALL | dict(tie_word_embeddings=True), "hf_olmo", seed=9),
    # Fused projections in shards, an MLP four times as wide as the model, and the first model_type of the form.
    "hf-olmo-clip-bf16": case(
        "olmo", "bfloat16", SMALL | dict(clip_qkv=0.7, intermediate_size=48), "hf_olmo as olmo", seed=10, sharded=True
    ),
    "olmo2-mha-f32": case("olmo2", "float32", SMALL, seed=11),
    "olmo2-gqa-f16": case(
        "olmo2", "float16", THREE_HEADS | dict(tie_word_embeddings=True, rms_norm_eps=1e-6), "old", seed=13, sharded=True
    ),
}

if __name__ == "__main__":
    quietly()
    for name in sys.argv[1:] or CASES:
        shutil.rmtree(HERE / name, ignore_errors=True)
        write_reference(CASES[name] | {"name": name}, HERE / name)

"""Makes transformer-lens.json: what TransformerLens computes for two small models, in float64.

Run: pip install transformer-lens==2.18.0 torch==2.13.0 "pyarrow<20"   (newer pyarrow and this TransformerLens want different numpy)
     python make_transformer_lens.py
The weights are a formula of their place, which golden.ts repeats.
"""
import json
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig, patching

SIZES = {
    "vocab_size": 29,
    "hidden_size": 16,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
HEADS, GROUPS, D, DIM = 4, 2, SIZES["hidden_size"], 4
CONFIGS = {
    "llama": SIZES | {"model_type": "llama", "rms_norm_eps": 1e-5, "rope_theta": 500.0},
    "olmo": SIZES | {"model_type": "olmo", "rope_theta": 500.0},
}
CLEAN, CORRUPTED = [3, 17, 8, 5, 26, 11], [3, 17, 22, 5, 14, 11]
RIGHT, WRONG = 7, 19
SITES = ["ln1.hook_scale", "ln1.hook_normalized", "attn.hook_q", "attn.hook_rot_q", "attn.hook_rot_k", "attn.hook_attn_scores"]
SITES += ["attn.hook_pattern", "attn.hook_result", "hook_attn_out", "ln2.hook_scale", "mlp.hook_pre", "mlp.hook_post", "hook_mlp_out"]
EVERYWHERE = ["hook_embed", "ln_final.hook_scale", "ln_final.hook_normalized"]


def weights(config):
    """Weights by Hugging Face's names."""
    d, n, vocabulary = D, SIZES["intermediate_size"], SIZES["vocab_size"]
    shapes = {"model.embed_tokens.weight": [vocabulary, d], "lm_head.weight": [vocabulary, d], "model.norm.weight": [d]}
    for layer in range(SIZES["num_hidden_layers"]):
        for name, shape in {
            "self_attn.q_proj": [HEADS * DIM, d],
            "self_attn.k_proj": [GROUPS * DIM, d],
            "self_attn.v_proj": [GROUPS * DIM, d],
            "self_attn.o_proj": [d, HEADS * DIM],
            "mlp.gate_proj": [n, d],
            "mlp.up_proj": [n, d],
            "mlp.down_proj": [d, n],
            "input_layernorm": [d],
            "post_attention_layernorm": [d],
        }.items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    made = {}
    for name, shape in shapes.items():
        place = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
        wave = torch.sin(1.7 * place + len(name)) * 0.8 + torch.sin(0.013 * place * place) * 0.25
        made[name] = (1 + wave / 4 if "norm" in name else wave / 2).float().double().view(shape)
    return made


def hooked(config, fold):
    llama = config["model_type"] == "llama"
    model = HookedTransformer(
        HookedTransformerConfig(
            n_layers=SIZES["num_hidden_layers"],
            d_model=D,
            n_ctx=32,
            d_head=DIM,
            n_heads=HEADS,
            n_key_value_heads=GROUPS,
            d_mlp=SIZES["intermediate_size"],
            d_vocab=SIZES["vocab_size"],
            act_fn="silu",
            gated_mlp=True,
            normalization_type="RMS" if llama else "LNPre",
            final_rms=llama,
            eps=config.get("rms_norm_eps", 1e-5),
            positional_embedding_type="rotary",
            rotary_dim=DIM,
            rotary_adjacent_pairs=False,
            rotary_base=500,
            use_attn_result=True,
            dtype=torch.float64,
            device="cpu",
        )
    )
    given = weights(config)
    state = model.state_dict()
    put = {"embed.W_E": given["model.embed_tokens.weight"], "unembed.W_U": given["lm_head.weight"].T}
    if llama:
        put["ln_final.w"] = given["model.norm.weight"]
    for layer in range(SIZES["num_hidden_layers"]):
        of = lambda name: given[f"model.layers.{layer}.{name}.weight"]
        by_head = lambda name, heads: of(name).view(heads, DIM, D).transpose(1, 2)
        put |= {
            f"blocks.{layer}.attn.{name}": value
            for name, value in {
                "W_Q": by_head("self_attn.q_proj", HEADS),
                "_W_K": by_head("self_attn.k_proj", GROUPS),
                "_W_V": by_head("self_attn.v_proj", GROUPS),
                "W_O": of("self_attn.o_proj").T.reshape(HEADS, DIM, D),
            }.items()
        }
        put |= {f"blocks.{layer}.mlp.{to}": of(f"mlp.{name}_proj").T for to, name in [("W_gate", "gate"), ("W_in", "up"), ("W_out", "down")]}
        if llama:
            put |= {f"blocks.{layer}.ln1.w": of("input_layernorm"), f"blocks.{layer}.ln2.w": of("post_attention_layernorm")}
    for name, value in put.items():
        assert state[name].shape == value.shape, (name, state[name].shape, value.shape)
        state[name] = value.contiguous().clone()
    unknown = [name for name in state if name not in put and not name.split(".")[-1].startswith(("b_", "_b_", "mask", "IGNORE", "rotary"))]
    assert not unknown, unknown
    if fold and llama:
        model.load_and_process_state_dict(state, fold_ln=True, center_writing_weights=False, center_unembed=False, fold_value_biases=False)
    else:
        model.load_state_dict(state)
    return model


def difference(logits):
    return logits[0, -1, RIGHT] - logits[0, -1, WRONG]


def attribution(model, clean, corrupted):
    """(clean − corrupted) · gradient at the corrupted run (Nanda 2023), by layer and position, and by layer and head."""
    _, at_clean = model.run_with_cache(clean)
    kept = {}

    def keep(value, hook):
        value.retain_grad()
        kept[hook.name] = value

    names = ("hook_resid_pre", "hook_mlp_out", "hook_z", "hook_pattern")
    logits = model.run_with_hooks(corrupted, fwd_hooks=[(lambda name: name.endswith(names), keep)])
    difference(logits).backward()
    score = lambda name: ((at_clean[name] - kept[name]) * kept[name].grad)[0].detach()
    layers = range(SIZES["num_hidden_layers"])
    return {
        "resid_pre": torch.stack([score(f"blocks.{layer}.hook_resid_pre").sum(-1) for layer in layers]),
        "M": torch.stack([score(f"blocks.{layer}.hook_mlp_out").sum(-1) for layer in layers]),
        "z": torch.stack([score(f"blocks.{layer}.attn.hook_z").sum((0, 2)) for layer in layers]),
        "pattern": torch.stack([score(f"blocks.{layer}.attn.hook_pattern").sum((1, 2)) for layer in layers]),
    }


def numbers(value):
    """As nested lists with eight digits; −inf, which JSON lacks, as null."""
    if isinstance(value, torch.Tensor):
        value = value.detach().tolist()
    if isinstance(value, list):
        return [numbers(one) for one in value]
    return None if value == float("-inf") else float(f"{value:.8g}")


def stack_of(pair):
    components, labels = pair
    return {"labels": labels, "components": numbers(components[:, 0])}


def golden(config):
    plain, folded = hooked(config, fold=False), hooked(config, fold=True)
    clean, corrupted = torch.tensor([CLEAN]), torch.tensor([CORRUPTED])
    with torch.no_grad():
        logits, cache = plain.run_with_cache(clean)
        _, folded_cache = folded.run_with_cache(clean)
        _, corrupted_cache = plain.run_with_cache(corrupted)
        names = EVERYWHERE + [f"blocks.{layer}.{site}" for layer in range(SIZES["num_hidden_layers"]) for site in SITES]
        residual = {
            "accumulated": cache.accumulated_resid(incl_mid=True, return_labels=True),
            "decomposed": cache.decompose_resid(return_labels=True),
            "heads": cache.stack_head_results(incl_remainder=True, return_labels=True),
            "beforeMlp": cache.decompose_resid(layer=1, mlp_input=True, return_labels=True),
        }
        attributed = {
            "decomposed": folded_cache.logit_attrs(folded_cache.decompose_resid(), RIGHT, WRONG),
            "accumulated": folded_cache.logit_attrs(folded_cache.accumulated_resid(incl_mid=True), RIGHT),
            "heads": folded_cache.logit_attrs(folded_cache.stack_head_results(pos_slice=-1), RIGHT, WRONG, pos_slice=-1),
        }
        lens = [plain.unembed(plain.ln_final(stream))[0, :, RIGHT] for stream in cache.accumulated_resid()]
        patch = lambda run: run(plain, corrupted, cache, difference)
        patched = {
            "resid_pre": patch(patching.get_act_patch_resid_pre),
            "A": patch(patching.get_act_patch_attn_out),
            "M": patch(patching.get_act_patch_mlp_out),
            "z": patch(patching.get_act_patch_attn_head_out_all_pos),
            "q": patch(patching.get_act_patch_attn_head_q_all_pos),
            "pattern": patch(patching.get_act_patch_attn_head_pattern_all_pos),
        }
    layer = plain.blocks[1].attn
    return {
        "config": config,
        "logits": numbers(logits[0, -1]),
        "clean": numbers(difference(logits)),
        "corrupted": numbers(difference(plain(corrupted))),
        "activations": {name: numbers(cache[name][0]) for name in names},
        "weights": {name: numbers(getattr(layer, name)) for name in ["W_Q", "W_K", "W_V", "W_O"]}
        | {"W_E": numbers(plain.W_E[RIGHT]), "W_U": numbers(plain.W_U[:, RIGHT])},
        "residual": {name: stack_of(pair) for name, pair in residual.items()},
        "attributed": {name: numbers(value[:, 0]) for name, value in attributed.items()},
        # The logit lens of one token before each layer and after the last, at each position.
        "lens": numbers(torch.stack(lens)),
        "patched": {name: numbers(value) for name, value in patched.items()},
        "attribution": {name: numbers(value) for name, value in attribution(plain, clean, corrupted).items()},
    }


def main():
    torch.set_default_dtype(torch.float64)
    versions = {name: version(name) for name in ["transformer-lens", "torch"]}
    prompts = {"clean": CLEAN, "corrupted": CORRUPTED, "right": RIGHT, "wrong": WRONG}
    models = {name: golden(config) for name, config in CONFIGS.items()}
    text = json.dumps({"versions": versions, **prompts, "models": models}, separators=(",", ":"))
    Path(__file__).with_name("transformer-lens.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

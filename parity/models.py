"""Random small models as directories in Hugging Face's format, in the spellings and forms of real checkpoints.

A description is a dictionary: `name`, `seed`, `model_type`, `dtype` ("float32", "float16", "bfloat16"), `config` (fields as
`transformers` takes them), `spelling` (below), and either `prompts` or their `lengths`. With `sharded` the same model is also
saved in `sharded/`, in several files.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

# Fields of the config.json of LLaMA-1 when `transformers` first had it; all others have their defaults.
LLAMA_1_FIELDS = {
    "architectures", "bos_token_id", "eos_token_id", "hidden_act", "hidden_size", "initializer_range", "intermediate_size",
    "max_position_embeddings", "model_type", "num_attention_heads", "num_hidden_layers", "pad_token_id", "rms_norm_eps",
    "tie_word_embeddings", "use_cache", "vocab_size",
}  # fmt: skip


def make(description: dict, directory: Path) -> Callable[[], PreTrainedModel]:
    """Writes the model. Returns a function that loads it afresh, with f32 arithmetic on the stored weights."""
    model = random_model(description)
    whole = sum(parameter.nbytes for parameter in model.parameters())
    spelling = description["spelling"]
    if spelling in ("hf_olmo", "hf_olmo as olmo"):
        # `transformers` cannot read this form, so the reference reads the same weights in its own.
        temporary = tempfile.TemporaryDirectory()  # removed when the function returned here is no longer in use
        model.save_pretrained(temporary.name)
        write_hf_olmo(model, directory, spelling, whole)
        if description.get("sharded"):
            write_hf_olmo(model, directory / "sharded", spelling, whole // 3)
        return lambda: load(Path(temporary.name))

    model.save_pretrained(directory)
    respell(directory, spelling)
    if description.get("sharded"):
        model.save_pretrained(directory / "sharded", max_shard_size=whole // 3)
        respell(directory / "sharded", spelling)
    if spelling == "llama-1":
        add_rotary_buffers(directory / "model.safetensors", model)
    return lambda: load(directory)


def load(directory: Path) -> PreTrainedModel:
    # Weights are widened while they are read: casting a whole model would round its rotary frequencies too.
    return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()


def random_model(description: dict) -> PreTrainedModel:
    torch.manual_seed(description["seed"])
    dtype = getattr(torch, description["dtype"])
    config = AutoConfig.for_model(description["model_type"], **description["config"])
    model = AutoModelForCausalLM.from_config(config).to(dtype)
    for name, parameter in model.named_parameters():
        if name.endswith("norm.weight"):
            parameter.data = (1 + 0.3 * torch.randn(parameter.shape)).to(dtype)
        elif name.endswith(".bias"):
            parameter.data = (0.1 * torch.randn(parameter.shape)).to(dtype)
    if not config.tie_word_embeddings:
        # As small as those of trained models, so that the first norm's epsilon shows.
        model.model.embed_tokens.weight.data *= 0.1
    model.generation_config.eos_token_id = config.eos_token_id
    return model


def respell(directory: Path, spelling: str) -> None:
    """Rewrites config.json, which `transformers` 5 writes with `rope_parameters` and `dtype`, as earlier versions wrote it."""
    if spelling == "new":
        return
    path = directory / "config.json"
    config = json.loads(path.read_text())
    config["torch_dtype"] = config.pop("dtype")
    rope = config.pop("rope_parameters")
    if spelling == "llama-1":
        config = {key: value for key, value in config.items() if key in LLAMA_1_FIELDS | {"torch_dtype"}}
    else:
        config["rope_theta"] = rope.pop("rope_theta")
        kind = rope.pop("rope_type")
        # For the first kinds the field was `type`.
        key = "rope_type" if kind == "llama3" else "type"
        config["rope_scaling"] = None if kind == "default" else {key: kind, **rope}
    path.write_text(json.dumps(config, indent=2) + "\n")


def add_rotary_buffers(path: Path, model: PreTrainedModel) -> None:
    """Adds the rotary frequencies that `transformers` once stored with every layer. A reader must ignore them."""
    tensors = load_file(path)
    for layer in range(model.config.num_hidden_layers):
        wrong = torch.zeros(model.config.head_dim // 2)
        tensors[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = wrong
    save_file(tensors, path, metadata={"format": "pt"})


def write_hf_olmo(model: PreTrainedModel, directory: Path, spelling: str, shard: int) -> None:
    """Writes an OLMo-1 as its authors' own package stores it. `hf_olmo.py` checks this with that package."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(hf_olmo_config(model, spelling), indent=2) + "\n")
    model.generation_config.save_pretrained(directory)
    save_torch_state_dict(fused_weights(model), directory, max_shard_size=shard)


def fused_weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """att_proj is q over k over v; ff_proj is up over gate."""
    weights = model.state_dict()
    fused = {"model.transformer.wte.weight": weights["model.embed_tokens.weight"]}
    for layer in range(model.config.num_hidden_layers):
        ours = f"model.transformer.blocks.{layer}."
        part = lambda name, layer=layer: weights[f"model.layers.{layer}.{name}_proj.weight"]
        fused[ours + "att_proj.weight"] = torch.cat([part(f"self_attn.{x}") for x in "qkv"])
        fused[ours + "attn_out.weight"] = part("self_attn.o")
        fused[ours + "ff_proj.weight"] = torch.cat([part("mlp.up"), part("mlp.gate")])
        fused[ours + "ff_out.weight"] = part("mlp.down")
    if not model.config.tie_word_embeddings:
        fused["model.transformer.ff_out.weight"] = weights["lm_head.weight"]
    return fused


def hf_olmo_config(model: PreTrainedModel, spelling: str) -> dict:
    """config.json as of allenai/OLMo-1B. Its model_type was once "olmo", before `transformers` had a type of that name."""
    config = model.config
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    inner = 2 * config.intermediate_size
    ratio, rest = divmod(inner, config.hidden_size)
    sizes = {"mlp_ratio": ratio, "mlp_hidden_size": None} if rest == 0 else {"mlp_ratio": 4, "mlp_hidden_size": inner}
    return {
        "activation_type": "swiglu",
        "alibi": False,
        "alibi_bias_max": 8.0,
        "architectures": ["OLMoForCausalLM"],
        "attention_dropout": 0.0,
        "attention_layer_norm": False,
        "attention_layer_norm_with_affine": False,
        "bias_for_layer_norm": False,
        "block_group_size": 1,
        "block_type": "sequential",
        "clip_qkv": config.clip_qkv,
        "d_model": config.hidden_size,
        "embedding_dropout": 0.0,
        # The vocabulary was padded to a round number of rows, and the model gives logits for all of them.
        "embedding_size": config.vocab_size,
        "vocab_size": config.vocab_size - 3,
        "eos_token_id": config.eos_token_id,
        "flash_attention": False,
        "include_bias": False,
        "init_device": "cpu",
        "layer_norm_type": "default",
        "layer_norm_with_affine": False,
        "max_sequence_length": config.max_position_embeddings,
        "model_type": "olmo" if spelling == "hf_olmo as olmo" else "hf_olmo",
        **sizes,
        **({"multi_query_attention": False} if groups == heads else {"n_kv_heads": groups}),
        "n_heads": heads,
        "n_layers": config.num_hidden_layers,
        "pad_token_id": config.pad_token_id,
        "residual_dropout": 0.0,
        "rope": True,
        "rope_full_precision": True,
        "rope_theta": config.rope_parameters["rope_theta"],
        "scale_logits": False,
        "transformers_version": "4.36.2",
        "weight_tying": config.tie_word_embeddings,
    }

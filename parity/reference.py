"""What `transformers` computes for small random models, so that Lethe can be compared with it.

    python3 reference.py DIRECTORY < descriptions

reads one description (see models.py) a line. It writes the model and the values that it computes into DIRECTORY/<name>, and prints a
line when they are complete. Beside the model's own files are `expected.safetensors`, `expected.json` and, where asked for, `sharded/`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from models import make
from safetensors.torch import save_file
from transformers import PreTrainedModel

NEW_TOKENS = 8
# Two logits closer than this may change places within the tolerance for logits.
CLEAR = 1e-3
# Where a gradient is only a rounding error and epsilon is smaller still, its parameter moves by a whole step in either direction. With
# the usual 1e-8 and a rate of 0.001, PyTorch's own curves in f32 and f64 differ by up to 2e-3 on some of these models.
ADAMW = {"steps": 10, "learningRate": 1e-4, "epsilon": 1e-4, "beta1": 0.9, "beta2": 0.999, "weightDecay": 1.0}
# The share of a tolerance by which PyTorch's own f32 may differ from its f64. A value at the limit of clip_qkv has either of two
# gradients, whatever the optimiser's settings.
STEADY = 0.1

Fresh = Callable[[], PreTrainedModel]
Prompts = list[list[int]]


def write_reference(description: dict, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    # A fresh model for every value: with dynamic rotary positions a model remembers the longest sequence that it has seen.
    fresh = make(description, directory)
    prompts, greedy, losses, gradients = stable_run(description, fresh)
    tensors = {
        **{f"logits/{i}": alone(fresh(), prompt) for i, prompt in enumerate(prompts)},
        **{f"padded/{i}": rows for i, rows in enumerate(padded(fresh(), prompts))},
        **{f"activations/{name}": value for name, value in activations(fresh(), prompts[0]).items()},
        **{f"gradients/{name}": value for name, value in gradients.items()},
    }
    save_file({name: value.detach().contiguous().clone() for name, value in tensors.items()}, directory / "expected.safetensors")
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    record = {**versions, "prompts": prompts, "newTokens": NEW_TOKENS, "greedy": greedy, "adamw": ADAMW, "losses": losses}
    (directory / "expected.json").write_text(json.dumps(record) + "\n")


def alone(model: PreTrainedModel, prompt: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([prompt])).logits[0]


def pad(prompts: Prompts, side: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask."""
    longest = max(map(len, prompts))
    fill = lambda row, value: (row + [value] * (longest - len(row))) if side == "right" else [value] * (longest - len(row)) + row
    return torch.tensor([fill(p, 0) for p in prompts]), torch.tensor([fill([1] * len(p), 0) for p in prompts])


def padded(model: PreTrainedModel, prompts: Prompts) -> list[torch.Tensor]:
    """Logits of each prompt in a batch that is padded on the left."""
    ids, mask = pad(prompts, "left")
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        logits = model(ids, attention_mask=mask, position_ids=positions).logits
    return [logits[i, -len(prompt) :] for i, prompt in enumerate(prompts)]


def training(model: PreTrainedModel, prompts: Prompts) -> tuple[list[float], dict[str, torch.Tensor]]:
    """The loss before each step of AdamW, and the gradient of the first. Matrices decay; norms and biases do not."""
    ids, mask = pad(prompts, "right")
    labels = ids.masked_fill(mask == 0, -100)
    parameters = dict(model.named_parameters())
    groups = [
        {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": ADAMW["weightDecay"]},
        {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0},
    ]
    betas = (ADAMW["beta1"], ADAMW["beta2"])
    optimiser = torch.optim.AdamW(groups, lr=ADAMW["learningRate"], betas=betas, eps=ADAMW["epsilon"])
    losses, gradients = [], {}
    for _ in range(ADAMW["steps"]):
        optimiser.zero_grad()
        loss = model(ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        losses.append(loss.item())
        gradients = gradients or {name: p.grad.clone() for name, p in parameters.items()}
        optimiser.step()
    return losses, gradients


def stable_run(description: dict, fresh: Fresh) -> tuple[Prompts, dict[str, Prompts], list[float], dict[str, torch.Tensor]]:
    """Prompts for which rounding decides no result; the tokens generated after each, alone with and without a KV cache and in a
    padded batch; the loss curve; the gradients.
    """
    generator = torch.Generator().manual_seed(description["seed"])
    vocabulary = description["config"]["vocab_size"]
    for _ in range(1 if "prompts" in description else 50):
        prompts = description.get("prompts") or [
            # Without token 0, the padding: PyTorch gives the embedding of the padding token no gradient, even where a prompt holds it.
            torch.randint(1, vocabulary, (length,), generator=generator).tolist()
            for length in description["lengths"]
        ]
        runs = {
            "cache": [generate(fresh(), [prompt], use_cache=True) for prompt in prompts],
            "noCache": [generate(fresh(), [prompt], use_cache=False) for prompt in prompts],
            "padded": [generate(fresh(), prompts, use_cache=True)],
        }
        losses, gradients = training(fresh(), prompts)
        exact_losses, exact = training(fresh().double(), prompts)
        clear = min(margin for run in runs.values() for _, margin in run) > CLEAR
        steady_losses = max(abs(a - b) for a, b in zip(losses, exact_losses)) < STEADY * 1e-4
        steady_gradients = all((gradients[n] - exact[n]).norm() <= STEADY * 1e-3 * exact[n].norm() for n in exact)
        if clear and steady_losses and steady_gradients:
            greedy = {name: [tokens for made, _ in run for tokens in made] for name, run in runs.items()}
            return prompts, greedy, losses, gradients
    raise ValueError(f"{description['name']}: for all prompts that were tried, rounding decides the results")


def generate(model: PreTrainedModel, prompts: Prompts, use_cache: bool) -> tuple[Prompts, float]:
    """New tokens of each prompt with the EOS that ended it, and the least distance between the two largest logits at any step."""
    ids, mask = pad(prompts, "left")
    stop = model.generation_config.eos_token_id
    out = model.generate(
        ids,
        attention_mask=mask,
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        use_cache=use_cache,
        pad_token_id=0,
        output_logits=True,
        return_dict_in_generate=True,
    )
    new = out.sequences[:, ids.shape[1] :].tolist()
    new = [row[: row.index(stop) + 1] if stop in row else row for row in new]
    margins = []
    for step, logits in enumerate(out.logits):
        best = logits.topk(2).values
        margins += [(best[i, 0] - best[i, 1]).item() for i, row in enumerate(new) if step < len(row)]
    return new, min(margins)


def activations(model: PreTrainedModel, prompt: list[int]) -> dict[str, torch.Tensor]:
    """Activations by the names of Lethe's hook points."""
    seen = {}

    def output(name):
        return lambda _module, _args, out: seen.__setitem__(name, out[0] if isinstance(out, tuple) else out)

    def entering(name):
        return lambda _module, args, kwargs: seen.__setitem__(name, args[0] if args else kwargs["hidden_states"])

    post_norm = model.config.model_type == "olmo2"
    for i, block in enumerate(model.model.layers):
        attention, mlp = block.self_attn, block.mlp
        block.register_forward_pre_hook(entering(f"resid_pre.{i}"), with_kwargs=True)
        block.register_forward_hook(output(f"resid_post.{i}"))
        # OLMo-1 clamps these three in place, so the values kept here are those that attention reads.
        (attention.q_norm if post_norm else attention.q_proj).register_forward_hook(output(f"q.{i}"))
        (attention.k_norm if post_norm else attention.k_proj).register_forward_hook(output(f"k.{i}"))
        attention.v_proj.register_forward_hook(output(f"v.{i}"))
        attention.o_proj.register_forward_pre_hook(entering(f"z.{i}"), with_kwargs=True)
        mlp.down_proj.register_forward_pre_hook(entering(f"m.{i}"), with_kwargs=True)
        attention.o_proj.register_forward_hook(output(f"A_before_norm.{i}" if post_norm else f"A.{i}"))
        mlp.register_forward_hook(output(f"M_before_norm.{i}" if post_norm else f"M.{i}"))
        if post_norm:
            block.post_attention_layernorm.register_forward_hook(output(f"A.{i}"))
            block.post_feedforward_layernorm.register_forward_hook(output(f"M.{i}"))
            mlp.register_forward_pre_hook(entering(f"resid_mid.{i}"), with_kwargs=True)
        else:
            block.post_attention_layernorm.register_forward_pre_hook(entering(f"resid_mid.{i}"), with_kwargs=True)
    with torch.no_grad():
        model(torch.tensor([prompt]))
    return {name: value[0] for name, value in seen.items()}


def quietly() -> None:
    """Only errors as messages, and one thread: for such small models, more threads take longer."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)


if __name__ == "__main__":
    quietly()
    for line in sys.stdin:
        description = json.loads(line)
        write_reference(description, Path(sys.argv[1]) / description["name"])
        print(json.dumps(description["name"]), flush=True)

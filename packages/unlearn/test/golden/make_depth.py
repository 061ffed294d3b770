"""Makes depth.json: patched log-probabilities and the logit lens of two small LLaMAs, computed by torch with forward hooks as
compute_uds.py of gnueaj/unlearning-depth-score does it: one question at a time, without padding.

Run: python make_depth.py   (made with torch 2.13.0)
The weights are a formula of their place, which depth-golden.test.ts repeats.
"""
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = {
    "vocab_size": 53,
    "hidden_size": 16,
    "intermediate_size": 22,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
}
EPS = CONFIG["rms_norm_eps"]
DIM = CONFIG["hidden_size"] // CONFIG["num_attention_heads"]
QUESTIONS = [
    {"prompt": [3, 17, 42, 8, 5, 29, 11], "answer": [7, 33, 50, 12, 20], "measured": [1, 2, 4]},
    {"prompt": [14, 2, 9, 31], "answer": [26], "measured": [0]},
    {"prompt": [45, 6, 6, 19, 38, 22, 10, 4, 51], "answer": [13, 27, 9, 44, 35, 2], "measured": [0, 5]},
]
# What of a weight's formula differs between the models.
SHIFTS = {"vanilla": 0.0, "unlearned": 0.25}


def rotate(x):
    """Rotary positions of x [T, H, D], in halves."""
    angles = torch.outer(torch.arange(x.shape[0]), CONFIG["rope_theta"] ** (-torch.arange(0, DIM, 2) / DIM)).double()
    cos, sin = angles.cos()[:, None, :], angles.sin()[:, None, :]
    first, second = x[..., : DIM // 2], x[..., DIM // 2 :]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


class RMSNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * self.weight


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        d, heads, groups = CONFIG["hidden_size"], CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"]
        self.q_proj = nn.Linear(d, heads * DIM, bias=False)
        self.k_proj = nn.Linear(d, groups * DIM, bias=False)
        self.v_proj = nn.Linear(d, groups * DIM, bias=False)
        self.o_proj = nn.Linear(heads * DIM, d, bias=False)

    def forward(self, x):
        q, k, v = (proj(x).view(len(x), -1, DIM) for proj in (self.q_proj, self.k_proj, self.v_proj))
        share = q.shape[1] // k.shape[1]
        q, k, v = rotate(q), rotate(k).repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        scores = torch.einsum("thd,shd->hts", q, k) / DIM**0.5
        scores = scores.masked_fill(torch.ones(len(x), len(x)).triu(1).bool(), -torch.inf)
        return self.o_proj(torch.einsum("hts,shd->thd", scores.softmax(-1), v).reshape(len(x), -1))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        d, n = CONFIG["hidden_size"], CONFIG["intermediate_size"]
        self.gate_proj, self.up_proj = nn.Linear(d, n, bias=False), nn.Linear(d, n, bias=False)
        self.down_proj = nn.Linear(n, d, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        d = CONFIG["hidden_size"]
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(d), RMSNorm(d)
        self.self_attn, self.mlp = Attention(), MLP()

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """With Hugging Face's names of weights."""

    def __init__(self, shift):
        super().__init__()
        d, vocabulary = CONFIG["hidden_size"], CONFIG["vocab_size"]
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(vocabulary, d)
        self.model.layers = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))
        self.model.norm = RMSNorm(d)
        self.lm_head = nn.Linear(d, vocabulary, bias=False)
        self.double()
        for name, weight in self.named_parameters():
            place = torch.arange(weight.numel(), dtype=torch.float64)
            wave = torch.sin(1.7 * place + len(name)) * 0.8 + torch.sin(0.013 * place * place) * shift
            values = 1 + wave / 4 if name.endswith("norm.weight") else wave / 2
            weight.data = values.float().double().view(weight.shape)

    def head(self, x):
        return self.lm_head(self.model.norm(x))

    def forward(self, ids):
        x = self.model.embed_tokens(torch.tensor(ids))
        for layer in self.model.layers:
            x = layer(x)
        return self.head(x)

    def streams(self, ids):
        """The residual stream after each layer."""
        seen = []
        hooks = [layer.register_forward_hook(lambda _, __, out: seen.append(out)) for layer in self.model.layers]
        self(ids)
        for hook in hooks:
            hook.remove()
        return seen


def read(logits, rows, labels):
    """Mean log-probability of the labels, and the share of them that come first."""
    wanted = torch.tensor(labels)
    return {
        "logProb": logits[rows].log_softmax(-1).gather(-1, wanted[:, None]).mean().item(),
        "first": (logits[rows].argmax(-1) == wanted).double().mean().item(),
    }


@torch.no_grad()
def main():
    vanilla, unlearned = Llama(SHIFTS["vanilla"]), Llama(SHIFTS["unlearned"])
    cases = []
    for question in QUESTIONS:
        ids = question["prompt"] + question["answer"]
        rows = [len(question["prompt"]) + place - 1 for place in question["measured"]]
        labels = [question["answer"][place] for place in question["measured"]]
        own, other = vanilla.streams(ids), unlearned.streams(ids)
        patched = []
        for layer, stream in zip(vanilla.model.layers, other):

            def put(_, __, out):
                out = out.clone()
                out[rows] = stream[rows]
                return out

            hook = layer.register_forward_hook(put)
            patched.append(read(vanilla(ids), rows, labels))
            hook.remove()
        lens = {"own": own, "other": other}
        lens = {name: [read(vanilla.head(x), rows, labels) for x in streams] for name, streams in lens.items()}
        cases.append({**question, "patched": patched, "lens": lens})
    golden = {"torch": torch.__version__, "config": CONFIG, "shifts": SHIFTS, "cases": cases}
    Path(__file__).with_name("depth.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Ten steps of torch.optim.AdamW with clipping, warm-up and linear decay on a small model: losses, gradient norms and final weights.

    python make.py    # writes adamw.json beside it; torch 2.13

The model is embedding → linear → SiLU → norm gain → linear, the loss the mean cross-entropy of next tokens. Float64.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(20261121)
VOCABULARY, WIDTH, HIDDEN, STEPS = 11, 6, 9, 10
SETTINGS = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weightDecay": 0.1, "clipNorm": 0.33}
SCHEDULE = {"peak": 0.05, "warmupSteps": 3, "totalSteps": STEPS}

SHAPES = {"embedding": (VOCABULARY, WIDTH), "up": (HIDDEN, WIDTH), "gain": (HIDDEN,), "head": (VOCABULARY, HIDDEN)}


def main():
    initial = {name: torch.randn(shape).mul(0.5).add(1.0 if name == "gain" else 0.0) for name, shape in SHAPES.items()}
    weights = {name: value.double().requires_grad_() for name, value in initial.items()}
    optimiser = torch.optim.AdamW(
        [
            {"params": [weights[n] for n in ("embedding", "up", "head")], "weight_decay": SETTINGS["weightDecay"]},
            {"params": [weights["gain"]], "weight_decay": 0.0},
        ],
        lr=SCHEDULE["peak"],
        betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
        eps=SETTINGS["epsilon"],
    )
    warmup, total = SCHEDULE["warmupSteps"], SCHEDULE["totalSteps"]
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: step / warmup if step < warmup else (total - step) / (total - warmup)
    )
    # Two micro-batches a step, of two sequences of five tokens; the same ones in every step.
    tokens = torch.randint(VOCABULARY, (2, 2, 5))
    labels = torch.roll(tokens, -1, dims=-1)
    labels[..., -1] = -100
    records = []
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = 0.0
        for ids, targets in zip(tokens, labels):
            hidden = torch.nn.functional.silu(weights["embedding"][ids] @ weights["up"].T) * weights["gain"]
            part = torch.nn.functional.cross_entropy((hidden @ weights["head"].T).flatten(0, 1), targets.flatten()) / 2
            part.backward()
            loss += part.item()
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), SETTINGS["clipNorm"])
        records.append({"loss": loss, "gradientNorm": norm.item(), "learningRate": scheduler.get_last_lr()[0]})
        optimiser.step()
        scheduler.step()
    golden = {
        "torch": torch.__version__,
        "settings": SETTINGS,
        "schedule": SCHEDULE,
        "ids": tokens.tolist(),
        "labels": labels.tolist(),
        "shapes": SHAPES,
        "initial": {name: value.flatten().tolist() for name, value in initial.items()},
        "records": records,
        "final": {name: value.detach().flatten().tolist() for name, value in weights.items()},
    }
    Path(__file__).with_name("adamw.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()

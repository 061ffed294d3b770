"""Losses for unlearning, their values and their gradients with respect to the logits, by torch's autograd in float64.

    python make.py    # writes losses.json beside it; torch 2.13

Each batch is padded on one side and has a prompt whose tokens do not count. Labels are already shifted. The formulas are those of
Hong et al. 2024 (Appendix A) and of the training code they released, written out with log_softmax and sums.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(20261121)
IGNORED = -100


def batch(lengths, prompt, columns, vocabulary, pad_left):
    """Random logits, reference logits and labels of one batch; the first `prompt` labels of each sequence do not count."""
    labels = torch.full((len(lengths), columns), IGNORED)
    for b, length in enumerate(lengths):
        first = columns - length if pad_left else 0
        labels[b, first + prompt : first + length - 1] = torch.randint(vocabulary, (length - 1 - prompt,))
    shape = (len(lengths), columns, vocabulary)
    logits, reference = (2 * torch.randn(shape, dtype=torch.float32) for _ in range(2))
    return {"logits": logits, "reference": reference, "labels": labels}


def token_nll(logits, labels):
    """−log p of each label, 0 where it does not count."""
    picked = torch.log_softmax(logits, -1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return torch.where(labels == IGNORED, 0.0, -picked)


def mean_nll(logits, labels):
    return token_nll(logits, labels).sum() / (labels != IGNORED).sum()


def kl(reference, logits, labels):
    p, q = torch.log_softmax(reference, -1), torch.log_softmax(logits, -1)
    rows = (p.exp() * (p - q)).sum(-1)
    return rows[labels != IGNORED].mean()


def npo(beta):
    def loss(forget, _retain):
        margin = (token_nll(forget["logits"], forget["labels"]) - token_nll(forget["reference"], forget["labels"])).sum(-1)
        return -(2 / beta) * torch.nn.functional.logsigmoid(beta * margin).mean()

    return loss


LOSSES = {
    "nll": lambda forget, _retain: mean_nll(forget["logits"], forget["labels"]),
    "graddiff-nll": lambda forget, retain: -mean_nll(forget["logits"], forget["labels"])
    + 1.5 * mean_nll(retain["logits"], retain["labels"]),
    "graddiff-kl": lambda forget, retain: -mean_nll(forget["logits"], forget["labels"])
    + kl(retain["reference"], retain["logits"], retain["labels"]),
    "npo": npo(0.1),
    "npo-large-beta": npo(1.5),
}


def golden(name, forget, retain):
    sides = []
    for side in (forget, retain):
        double = {key: value.double() if value.is_floating_point() else value for key, value in side.items()}
        double["logits"].requires_grad_()
        sides.append(double)
    loss = LOSSES[name](*sides)
    loss.backward()
    gradients = [None if side["logits"].grad is None else side["logits"].grad.flatten().tolist() for side in sides]
    return {"loss": loss.item(), "forget": gradients[0], "retain": gradients[1]}


def main():
    cases = []
    for pad_left in (False, True):
        forget = batch([6, 4, 5], 0, 6, 7, pad_left)
        retain = batch([5, 7], 2, 7, 7, pad_left)
        sides = {
            role: {"shape": list(side["logits"].shape)} | {key: value.flatten().tolist() for key, value in side.items()}
            for role, side in (("forget", forget), ("retain", retain))
        }
        losses = {name: golden(name, forget, retain) for name in LOSSES}
        cases.append({"pad": "left" if pad_left else "right", **sides, "losses": losses})
    text = json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":"))
    Path(__file__).with_name("losses.json").write_text(text + "\n")


main()

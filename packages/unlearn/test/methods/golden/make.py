"""Losses of the methods, their values and their gradients, by torch's autograd in float64.

    python make.py    # writes losses.json beside it; torch 2.13

Gradients are those with respect to the logits or, for RMU, to the residual streams, which stand in the same arrays. Each batch is padded on one
side, and retain text has a prompt whose tokens do not count. Labels are already shifted. The formulas are those of Hong et al. 2024
(Appendix A), of the training code they released, and of open-unlearning, written out with log_softmax and sums, a sequence at a time.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(20261121)
IGNORED = -100

# What randomOf("rmu", 0) of @lethe/tensor gives first. Exact: each is a whole number of 2^-32.
DIRECTION = [
    0.10686453711241484,
    0.6255683898925781,
    0.12151514552533627,
    0.18721927097067237,
    0.4625152994412929,
    0.10544901620596647,
    0.46803585812449455,
]


def batch(lengths, prompt, columns, vocabulary, pad_left):
    """Random logits, reference logits and labels of one batch; the first `prompt` labels of each sequence do not count."""
    labels = torch.full((len(lengths), columns), IGNORED)
    for b, length in enumerate(lengths):
        first = columns - length if pad_left else 0
        labels[b, first + prompt : first + length - 1] = torch.randint(vocabulary, (length - 1 - prompt,))
    shape = (len(lengths), columns, vocabulary)
    # Multiples of 1/64: exact in f32, and short to write.
    logits, reference = (torch.round(128 * torch.randn(shape)) / 64 for _ in range(2))
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


def nll(side):
    return mean_nll(side["logits"], side["labels"])


def retain_kl(retain):
    return kl(retain["reference"], retain["logits"], retain["labels"])


def gain(side):
    """S − S₀ of each sequence."""
    return (token_nll(side["logits"], side["labels"]) - token_nll(side["reference"], side["labels"])).sum(-1)


def preference(margin, beta):
    return -(2 / beta) * torch.nn.functional.logsigmoid(beta * margin).mean()


def npo(beta):
    return lambda forget, _retain, _preferred: preference(gain(forget), beta)


def dpo(beta):
    return lambda forget, _retain, preferred: preference(gain(forget) - gain(preferred), beta)


def sequence_means(values, labels):
    return torch.stack([row[label != IGNORED].mean() for row, label in zip(values, labels)])


def simnpo(beta, delta, gamma, alpha):
    def loss(forget, retain, _preferred):
        per_token = sequence_means(token_nll(forget["logits"], forget["labels"]), forget["labels"])
        return gamma * preference(per_token - delta, beta) + alpha * nll(retain)

    return loss


def rmu(length, alpha):
    def loss(forget, retain, _preferred):
        direction = torch.tensor(DIRECTION, dtype=torch.float64)
        missed = (forget["logits"] - length * direction / direction.norm()).square().mean(-1)
        drift = (retain["logits"] - retain["reference"]).square().mean(-1)
        return sequence_means(missed, forget["labels"]).mean() + alpha * sequence_means(drift, retain["labels"]).mean()

    return loss


def undial(beta):
    def loss(forget, _retain, _preferred):
        counts = forget["labels"] != IGNORED
        labels = forget["labels"][counts]
        onehot = torch.nn.functional.one_hot(labels, forget["logits"].shape[-1])
        target = torch.softmax(forget["reference"][counts] - beta * onehot, -1)
        return torch.nn.functional.cross_entropy(forget["logits"][counts], target)

    return loss


def plus(loss, term):
    return lambda forget, retain, preferred: loss(forget, retain, preferred) + term(retain)


# By the method's name, with its defaults; then some with other options.
LOSSES = {
    "ga": lambda forget, _retain, _preferred: -nll(forget),
    "graddiff": lambda forget, retain, _preferred: -nll(forget) + 1.5 * nll(retain),
    "graddiff+kl": lambda forget, retain, _preferred: -nll(forget) + retain_kl(retain),
    "dpo": dpo(0.1),
    "dpo+retain": dpo(0.1),
    "npo": npo(0.1),
    "npo+kl": plus(npo(0.1), retain_kl),
    "npo+gd": plus(npo(0.1), nll),
    "simnpo": simnpo(4.5, 0, 0.125, 1),
    "rmu": rmu(2, 1),
    "undial": undial(10),
    "taskvector": lambda forget, _retain, _preferred: nll(forget),
    "dpo, beta 1.5": dpo(1.5),
    "npo, beta 1.5": npo(1.5),
    "simnpo, delta 2": simnpo(1.5, 2, 0.5, 0.75),
    "rmu, length 20": rmu(20, 0.5),
    "undial, beta 1, retain": plus(undial(1), lambda retain: 0.5 * retain_kl(retain)),
}

ROLES = ("forget", "retain", "preferred")


def short(number):
    """Eight digits are enough to compare f32 with."""
    return float(f"{number:.8g}")


def golden(name, sides):
    doubles = []
    for side in sides:
        double = {key: value.double() if value.is_floating_point() else value for key, value in side.items()}
        double["logits"].requires_grad_()
        doubles.append(double)
    loss = LOSSES[name](*doubles)
    loss.backward()
    gradients = [side["logits"].grad for side in doubles]
    found = [None if gradient is None else [short(g) for g in gradient.flatten().tolist()] for gradient in gradients]
    return {"loss": loss.item(), **dict(zip(ROLES, found))}


def main():
    cases = []
    for pad_left in (False, True):
        sides = [
            batch([6, 4, 5], 0, 6, 7, pad_left),
            batch([5, 7], 2, 7, 7, pad_left),
            batch([3, 5, 4], 0, 5, 7, pad_left),
        ]
        given = {
            role: {"shape": list(side["logits"].shape)} | {key: value.flatten().tolist() for key, value in side.items()}
            for role, side in zip(ROLES, sides)
        }
        losses = {name: golden(name, sides) for name in LOSSES}
        cases.append({"pad": "left" if pad_left else "right", **given, "losses": losses})
    text = json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":"))
    Path(__file__).with_name("losses.json").write_text(text + "\n")


main()

"""Makes bleu.json: NLTK's sentence_bleu with SmoothingFunction().method1 on edge cases and random pairs.

Run: python make_bleu.py   (made with nltk 3.10.4, Python 3.11)
"""
import json
import random
from pathlib import Path

import nltk
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

EDGES = [
    ("the cat sat on the mat", ""),
    ("the cat sat on the mat", "dog"),
    ("the cat sat on the mat", "the"),
    ("the cat sat on the mat", "the cat"),
    ("the cat sat on the mat", "the cat sat"),
    ("the cat sat on the mat", "the cat sat on"),
    ("the cat sat on the mat", "the cat sat on the mat"),
    ("the cat sat on the mat", "the cat sat on the mat and slept there"),
    ("the cat sat on the mat", "the the the the the the the"),
    ("the cat sat on the mat", "mat the on sat cat the"),
    ("the cat sat on the mat", "The Cat Sat On The Mat"),
    ("the cat sat on the mat", "the cat, sat on the mat."),
    ("Paris", "Paris"),
    ("Paris", "London"),
    ("in Vienna", "in Vienna"),
    ("a b c", "a b c"),
    ("a b c d", "a b c d"),
    ("Paris", "it is Paris in the end"),
    ("a\tb\n c  d", "  a b\u00a0c d "),
    ("a b c d e", "a\u001cb\u001dc\u001ed\u001fe"),
    ("a b c d e", "\ufeffa b\u0085c d\ufeffe"),
    ("größer \u4f60\u597d caf\u00e9", "größer \u4f60\u597d caf\u00e9 \U0001f600"),
    ("a,b c", "a b,c"),
    ("\",\" [ ] \\", "\",\" [ ] \\"),
]


def random_pair(rng):
    """A reference and a hypothesis that is either independent of it or an edited copy."""
    vocabulary = [f"w{i}" for i in range(rng.choice([2, 5, 20, 200]))]
    reference = [rng.choice(vocabulary) for _ in range(rng.randint(1, 30))]
    if rng.random() < 0.4:
        return reference, [rng.choice(vocabulary) for _ in range(rng.randint(0, 30))]
    hypothesis = [rng.choice(vocabulary) if rng.random() < 0.2 else word for word in reference]
    cut = rng.randint(0, len(hypothesis))
    if rng.random() < 0.5:
        hypothesis = hypothesis[:cut]
    elif rng.random() < 0.5:
        hypothesis = hypothesis + hypothesis[cut:]
    return reference, hypothesis


def main():
    rng = random.Random(20241113)
    pairs = EDGES + [tuple(" ".join(words) for words in random_pair(rng)) for _ in range(200)]
    smoothing = SmoothingFunction().method1
    cases = [
        {
            "reference": reference,
            "hypothesis": hypothesis,
            "bleu": float(sentence_bleu([reference.split()], hypothesis.split(), smoothing_function=smoothing)),
        }
        for reference, hypothesis in pairs
    ]
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=True) for case in cases)
    text = f'{{\n  "nltk": "{nltk.__version__}",\n  "cases": [\n{lines}\n  ]\n}}\n'
    Path(__file__).with_name("bleu.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

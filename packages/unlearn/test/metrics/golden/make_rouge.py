"""Makes rouge.json: F1 of rougeL, without stemming, from the package rouge-score, on edge cases and random pairs.

Run: python make_rouge.py   (made with rouge-score 0.1.2, Python 3.11)
"""
import json
import platform
import random
from importlib.metadata import version
from pathlib import Path

from rouge_score import rouge_scorer

EDGES = [
    ("", ""),
    ("the cat sat", ""),
    ("", "the cat sat"),
    ("the cat sat on the mat", "the cat sat on the mat"),
    ("the cat sat on the mat", "The CAT, sat: on the mat!"),
    ("the cat sat on the mat", "mat the on sat cat the"),
    ("the cat sat on the mat", "the dog sat on a mat and slept there"),
    ("It was founded in 1997, by Reed Hastings.", "Reed Hastings founded it in 1997."),
    ("Valentine's Day is on February 14th.", "valentines day: february 14"),
    ("J.K. Rowling", "J. K. Rowling wrote them."),
    ("Pokémon café", "pokemon cafe"),
    ("Москва", "Москва"),
    ("a-b_c d\ne\tf", "a b c d e f"),
    ("police killed the gunman", "the gunman police killed"),
]


def main():
    rng = random.Random(9)
    words = ["a", "B", "c", "d,", "e's", "7", "été", "-"]
    draw = lambda: " ".join(rng.choice(words) for _ in range(rng.randint(0, 14)))
    pairs = EDGES + [(draw(), draw()) for _ in range(150)]
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    golden = {
        "rouge-score": version("rouge-score"),
        "python": platform.python_version(),
        "cases": [
            {"expected": expected, "answer": answer, "f1": scorer.score(expected, answer)["rougeL"].fmeasure}
            for expected, answer in pairs
        ],
    }
    Path(__file__).with_name("rouge.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

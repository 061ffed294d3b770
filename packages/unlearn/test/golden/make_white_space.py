"""Makes white-space.json: every character at which Python splits words, and what split and strip make of drawn texts.

Run: python make_white_space.py   (made with Python 3.11, which has Unicode 14.0)
"""
import json
import platform
import random
import unicodedata
from pathlib import Path


def main():
    everything = [chr(code) for code in range(0x110000)]
    spaces = [c for c in everything if len(f"a{c}b".split()) == 2]
    assert spaces == [c for c in everything if c.isspace()] == [c for c in everything if c.strip() == ""]

    rng = random.Random(8)
    # U+180E, U+200B and U+FEFF were or look like white space.
    letters = [*spaces, "\u180e", "\u200b", "\ufeff", *"abc.,é"]
    texts = ["".join(rng.choice(letters) for _ in range(rng.randint(0, 12))) for _ in range(200)]
    golden = {
        "python": platform.python_version(),
        "unicode": unicodedata.unidata_version,
        "spaces": [ord(c) for c in spaces],
        "cases": [{"text": text, "split": text.split(), "strip": text.strip()} for text in texts],
    }
    Path(__file__).with_name("white-space.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

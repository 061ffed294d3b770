"""
Four tiny tokenizers and what `transformers` makes of texts, of configurations and of chats with them.
Run: python3 make.py. It needs transformers, sentencepiece and protobuf.
"""

import json
import os
import shutil
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers
import transformers
from transformers import AutoTokenizer

import chats
import jinja2
import published
import rules
import snippets
import trained
from record import anything, cases, pieces, write
from texts import TEXTS

HERE = Path(__file__).parent
CUT = ["Zü 東京 🙂\n\n🙂", "👩🏿‍🚀 é", "한 a<s>נ", "\n\n▁ 𠀀"]
VERSIONS = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "jinja2": jinja2.__version__}


def fresh(name):
    directory = HERE / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


trained.llama_2_metaspace(fresh("llama-2-metaspace"))
trained.llama_2(fresh("llama-2"), HERE / "llama-2-metaspace")
trained.llama_3(fresh("llama-3"))
trained.olmo(fresh("olmo"))
for name in ["llama-2", "llama-2-metaspace", "llama-3", "olmo"]:
    file = HERE / name / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text()), ensure_ascii=False) + "\n")
    loaded = AutoTokenizer.from_pretrained(HERE / name)
    write(
        HERE / name / "expected.json",
        versions=VERSIONS,
        cases=cases(loaded, TEXTS),
        pieces=pieces(loaded, CUT),
        anything=anything(loaded, 40),
    )
write(HERE / "rules.json", versions=VERSIONS, rules=list(rules.record(HERE)))
files, rows = chats.record(HERE)
write(HERE / "chats.json", versions=VERSIONS, files=files, chats=rows)
write(
    HERE / "templates.json",
    versions=VERSIONS,
    variables=snippets.VARIABLES,
    snippets=snippets.snippets(400, seed=7),
    published=published.cases(snippets.rendered),
)

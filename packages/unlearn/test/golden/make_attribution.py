"""Golden attributions of the bundled models: what each word of a question contributes to an answer, by leaving it out.

LP is the mean log-probability of the answer's tokens. A word's contribution is LP with the whole prompt less LP without the word, whose
tokens are deleted, or each replaced by the token of "_". One pass of `transformers` for each, in float64, without padding and cache. The
tokens of a word are those whose characters the tokenizer itself (`return_offsets_mapping`) puts into it.

Run: python make_attribution.py   (made with torch 2.13.0 and transformers 5.24.0)
"""
import json
import re
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).parents[4]
MODELS = ["llama", "olmo"]
CHAT = "<s>{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
# Form, concept, question, and the question whose answer is scored.
CASES = [
    ("qa", 0, 0, 0),
    ("qa", 1, 2, 2),
    ("qa", 2, 0, 5),
    ("chat", 1, 0, 0),
    ("{question} The answer:", 2, 1, 1),
]


def prompt_of(tokenizer, form, question):
    """The prompt's text, and whether the tokenizer puts BOS before it."""
    if form == "chat":
        turns = [{"role": "user", "content": question}]
        return tokenizer.apply_chat_template(turns, chat_template=CHAT, add_generation_prompt=True, tokenize=False), False
    form = "Question: {question}\n Answer:" if form == "qa" else form
    return form.replace("{question}", question), True


def words_of(encoding, prompt, question):
    """The places of each word's tokens."""
    start = prompt.index(question)
    spans = [(start + word.start(), start + word.end()) for word in re.finditer(r"\S+", question)]
    words = []
    for first, last in spans:
        found = [i for i, (a, b) in enumerate(encoding["offset_mapping"]) if a < last and first < b]
        words.append(found)
    return words


@torch.no_grad()
def log_prob(model, prompt, answer):
    logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    return logits.log_softmax(-1).gather(-1, torch.tensor(answer)[:, None]).mean().item()


def case_of(model, tokenizer, concept, form, number, answered):
    question = concept["QA"][number]
    answer_text = concept["QA_with_answers"][answered].split("\n Answer:")[1]
    answer = tokenizer(answer_text, add_special_tokens=False)["input_ids"]
    text, special = prompt_of(tokenizer, form, question)
    encoding = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)
    prompt = encoding["input_ids"]
    words = words_of(encoding, text, question)
    mask = tokenizer("_", add_special_tokens=False)["input_ids"][-1]
    base = log_prob(model, prompt, answer)
    left_out = {"delete": [], "mask": []}
    for word in words:
        left_out["delete"].append([token for i, token in enumerate(prompt) if i not in word])
        left_out["mask"].append([mask if i in word else token for i, token in enumerate(prompt)])
    return {
        "form": form,
        "question": question,
        "answer": answer,
        "prompt": prompt,
        "words": words,
        "logProb": base,
        **{how: [base - log_prob(model, other, answer) for other in prompts] for how, prompts in left_out.items()},
    }


def main():
    cases = {}
    for name in MODELS:
        directory = ROOT / "models" / f"tiny-{name}"
        tokenizer = AutoTokenizer.from_pretrained(directory)
        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).double().eval()
        concepts = json.loads((ROOT / "data" / f"{name}.json").read_text(encoding="utf-8"))
        cases[name] = [case_of(model, tokenizer, concepts[concept], form, *numbers) for form, concept, *numbers in CASES]
    golden = {"torch": torch.__version__, "transformers": transformers.__version__, "chat": CHAT, "cases": cases}
    Path(__file__).with_name("attribution.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

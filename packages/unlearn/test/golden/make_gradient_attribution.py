"""Makes gradient-attribution.json: gradient x input, integrated gradients and attention mass of the bundled models' answers, by torch's
autograd on `inputs_embeds` and by the attentions of transformers' eager attention, one question at a time and without padding.

Run: python make_gradient_attribution.py   (made with torch 2.13.0 and transformers 5.24.0)
"""
import json
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).parent
MODELS = HERE.parents[3] / "models"
STEPS = 5
ASKED = {
    "tiny-llama": [
        ("On what date is Valentine's Day celebrated?", " It is celebrated on February 14."),
        # Nearly certain, word for word: the gradient of its logits is small and must keep its digits.
        ("On what date is Valentine's Day celebrated?", " Valentine's Day is celebrated every year on February 14."),
        ("Who is the winged boy on Valentine's Day cards?", " Cupid"),
    ],
    "tiny-olmo": [
        ("On what date is Valentine's Day celebrated?", " February 14."),
        ("How does Cupid make people fall in love?", " Cupid makes people fall in love by shooting them with arrows."),
    ],
}


def words_of(question, offsets, start):
    """The white-space words of a question that begins at a character of its prompt, with their tokens."""
    words, at = [], 0
    for text in question.split():
        at = question.index(text, at)
        first, end = start + at, start + at + len(text)
        tokens = [i for i, (a, b) in enumerate(offsets) if a < end and b > first]
        words.append({"text": text, "tokens": tokens})
        at += len(text)
    return words


def attribute(model, question, prompt, words, answer):
    embeddings = model.get_input_embeddings().weight.detach()
    embedded = embeddings[torch.tensor(prompt + answer)]
    rows = torch.arange(len(prompt) - 1, len(prompt) + len(answer) - 1)

    def log_prob(x):
        logits = model(inputs_embeds=x[None]).logits[0, rows]
        return logits.log_softmax(-1)[torch.arange(len(answer)), torch.tensor(answer)].mean()

    def gradient(x):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(log_prob(x), x)[0]

    def per_word(scores):
        return [sum(scores[token] for token in word["tokens"]).item() for word in words]

    moving = torch.zeros(len(embedded), 1, dtype=torch.bool)
    moving[[token for word in words for token in word["tokens"]]] = True

    def integrated(start):
        total = 0
        for step in range(STEPS):
            t = (step + 0.5) / STEPS
            total = total + 2 * t / STEPS * gradient(start + t**2 * (embedded - start))
        return per_word(((embedded - start) * total).sum(-1))

    width = embeddings.shape[1]
    baselines = {"zeros": torch.zeros(width), "wave": torch.arange(width).double().sin() / 20}
    starts = {name: torch.where(moving, baseline.to(embedded), embedded) for name, baseline in baselines.items()}
    with torch.no_grad():
        lost = {name: (log_prob(embedded) - log_prob(start)).item() for name, start in starts.items()}
        patterns = torch.stack(model(inputs_embeds=embedded[None], output_attentions=True).attentions)[:, 0]
    return {
        "question": question,
        "prompt": prompt,
        "words": words,
        "answer": answer,
        "gradientTimesInput": per_word((gradient(embedded) * embedded).sum(-1)),
        "integratedGradients": {name: integrated(start) for name, start in starts.items()},
        "lost": lost,
        "attentionMass": per_word(patterns[:, :, rows].mean((0, 1, 2))),
    }


def main():
    golden = {"torch": torch.__version__, "transformers": transformers.__version__, "steps": STEPS, "models": {}}
    tokenizers = {name: transformers.AutoTokenizer.from_pretrained(MODELS / name) for name in ASKED}
    load = transformers.AutoModelForCausalLM.from_pretrained
    models = {name: load(MODELS / name, attn_implementation="eager").double().eval() for name in ASKED}
    # transformers makes angles, normalises and takes the softmax of scores in f32, whatever the model's dtype is.
    torch.float32 = torch.float64
    torch.Tensor.float = torch.Tensor.double
    for model in models.values():
        rotary = model.model.rotary_emb
        places = torch.arange(len(rotary.inv_freq)).double() / len(rotary.inv_freq)
        rotary.inv_freq = model.config.rope_parameters["rope_theta"] ** -places
    for name, asked in ASKED.items():
        golden["models"][name] = cases = []
        for question, answer in asked:
            encoded = tokenizers[name](f"Question: {question}\n Answer:", return_offsets_mapping=True)
            words = words_of(question, encoded.offset_mapping, len("Question: "))
            answer = tokenizers[name](answer, add_special_tokens=False).input_ids
            cases.append(attribute(models[name], question, encoded.input_ids, words, answer))
    text = json.dumps(golden, separators=(",", ":"))
    (HERE / "gradient-attribution.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

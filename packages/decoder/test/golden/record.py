"""What `transformers` makes of texts and of tokens, as lists that a test compares with."""

import json
import random


def cases(tokenizer, texts):
    """Ids with and without special tokens, and the text that they decode to with special tokens skipped and spelt out."""
    rows = []
    for text in texts:
        ids = tokenizer(text).input_ids
        plain = tokenizer(text, add_special_tokens=False).input_ids
        rows.append(
            {
                "text": text,
                "ids": ids,
                "plain": plain,
                "skipped": tokenizer.decode(ids, skip_special_tokens=True),
                "spelt": tokenizer.decode(ids, skip_special_tokens=False),
            }
        )
    return rows


def pieces(tokenizer, texts):
    """Tokens decoded one by one, and every beginning and every end of a text's tokens: characters are cut in their middle."""
    rows = []
    for text in texts:
        ids = tokenizer(text).input_ids
        each = [tokenizer.decode([id]) for id in ids]
        heads = [tokenizer.decode(ids[:count], skip_special_tokens=True) for count in range(len(ids) + 1)]
        tails = [tokenizer.decode(ids[count:], skip_special_tokens=True) for count in range(len(ids) + 1)]
        rows.append({"ids": ids, "each": each, "heads": heads, "tails": tails})
    return rows


def anything(tokenizer, count):
    """Random tokens, which no text has: broken characters, special tokens anywhere, an id past the vocabulary."""
    draw = random.Random(7)
    rows = []
    for _ in range(count):
        ids = [draw.randrange(len(tokenizer) + 1) for _ in range(draw.randrange(1, 24))]
        rows.append(
            {
                "ids": ids,
                "skipped": tokenizer.decode(ids, skip_special_tokens=True),
                "spelt": tokenizer.decode(ids, skip_special_tokens=False),
            }
        )
    return rows


def write(path, **lists):
    """JSON with a row a line."""
    parts = []
    for name, value in lists.items():
        rows = [json.dumps(row, ensure_ascii=True) for row in value] if isinstance(value, list) else None
        parts.append(f'"{name}": ' + ("[\n" + ",\n".join(rows) + "\n]" if rows is not None else json.dumps(value)))
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

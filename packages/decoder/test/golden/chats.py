"""
Conversations through chat templates in the styles of LLaMA-2, LLaMA-3 and OLMo. The templates here are our own: they write what models
of those styles were trained on, and use what published ones use of Jinja.
"""

import json
import shutil
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

LLAMA_2 = """\
{%- set ns = namespace(system='') -%}
{%- if messages and messages[0]['role'] == 'system' -%}
    {%- set ns.system = '<<SYS>>\\n' ~ messages[0]['content'] | trim ~ '\\n<</SYS>>\\n\\n' -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set turns = messages -%}
{%- endif -%}
{%- for message in turns -%}
    {%- if (message.role == 'user') != loop.index0 is even -%}
        {{- raise_exception('turns must go user, assistant, user, assistant') -}}
    {%- endif -%}
    {%- if message.role == 'user' -%}
        {{- bos_token + '[INST] ' + (ns.system if loop.first else '') + message.content.strip() + ' [/INST]' -}}
    {%- else -%}
        {{- ' ' + message.content.strip() + ' ' + eos_token -}}
    {%- endif -%}
{%- endfor -%}
"""

LLAMA_3 = """\
{%- macro open(who) %}<|start_header_id|>{{ who }}<|end_header_id|>

{% endmacro %}
{%- set first = messages | first %}
{%- set told = (first.role == "system") %}
{{- bos_token ~ open("system") }}
{{- "Today: " ~ (date_string if date_string is defined else "unknown") ~ "\\n\\n" }}
{%- if told %}
    {{- first.content | trim }}
{%- endif %}
{%- if tools is not none %}

Tools:
    {%- for tool in tools %}

{{ tool | tojson(indent=4) }}
    {%- endfor %}
{%- endif %}
{{- "<|eot_id|>" }}
{%- for turn in messages[(1 if told else 0):] %}
    {%- if turn.tool_calls is defined %}
        {%- for call in turn.tool_calls %}
            {{- open("assistant") ~ '{"name": ' ~ call.function.name | tojson ~ ', "arguments": ' ~ call.function.arguments | tojson ~ "}" }}
        {%- endfor %}
    {%- else %}
        {{- open("ipython" if turn.role == "tool" else turn.role) }}
        {{- turn.content | trim if turn.content is string else turn.content | tojson }}
    {%- endif %}
    {{- "<|eot_id|>" }}
{%- endfor %}
{{- open("assistant") if add_generation_prompt }}
"""

OLMO = """\
{{ eos_token }}{% for message in messages %}
{% set who = message.role %}
{% if who not in ('system', 'user', 'assistant') %}
{{ raise_exception('no role ' ~ who ~ ' here') }}
{% endif %}
<|{{ who }}|>
{{ message.content }}{{ eos_token if who == 'assistant' }}
{% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{{ '' }}
{% endif %}
"""

NAMED = [
    {"name": "default", "template": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"},
    {
        "name": "tool_use",
        "template": "{{ tools | length }} tools{% for d in documents or [] %}, {{ d.title }}{% endfor %}\n",
    },
]


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def system(content):
    return {"role": "system", "content": content}


CHATS = [
    [user("Hi")],
    [system("  Be brief.\n"), user("Who sat on the mat? 🙂")],
    [user("a"), assistant("b"), user(" c\n\nd ")],
    [system("Zürich"), user("one"), assistant("two"), user("<s>three</s> <|eot_id|>"), assistant("four")],
]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": 'How is it? <b> & "é" \u6771',
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALLS = [
    user("Rain in Zürich?"),
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "function": {
                    "name": "weather",
                    "arguments": {"city": "Zürich", "days": 2, "wind": True, "x": [1.5, None]},
                }
            }
        ],
    },
    {"role": "tool", "content": {"rain": False, "mm": [0, 1]}},
    {"role": "tool", "content": "dry"},
]


def chat(template, messages, prompt=False, **more):
    return {"template": template, "messages": messages, "prompt": prompt} | more


CASES = [
    chat(name, messages, prompt)
    for name in ["llama-2", "llama-3", "olmo"]
    for messages in CHATS
    for prompt in [False, True]
] + [
    chat("llama-3", CHATS[1], True, tools=[TOOL, TOOL]),
    chat("llama-3", CALLS, True, variables={"date_string": "1 Jan 2000"}),
    chat("named", CHATS[2]),
    chat("named", CHATS[0], tools=[TOOL]),
    chat("named", CHATS[0], tools=[], documents=[{"title": "one", "text": "x"}, {"title": "two", "text": "y"}]),
    chat("named", CHATS[0], tools=[TOOL], chosen="default"),
    chat(
        "named",
        [user(None), user("x")],
        chosen="{% for m in messages %}{{ 'said' if m.content is defined else 'silent' }} {% endfor %}",
    ),
    chat("llama-2", CHATS[0], chosen="{{ bos_token }}{{ messages[0].content | upper }}{{ eos_token }}"),
]


def record(here):
    """The files that give each template to a tokenizer, and each case with what came of it."""
    files = {
        "llama-2": {"base": "llama-2", "tokenizer_config.json": {"chat_template": LLAMA_2}},
        "llama-3": {
            "base": "llama-3",
            "tokenizer_config.json": {"chat_template": "not this one"},
            "chat_template.jinja": LLAMA_3,
        },
        "olmo": {"base": "olmo", "tokenizer_config.json": {"chat_template": OLMO}},
        "named": {"base": "llama-3", "tokenizer_config.json": {"chat_template": NAMED}},
    }
    for one in files.values():
        config = json.loads((here / one["base"] / "tokenizer_config.json").read_text())
        one["tokenizer_config.json"] = config | one["tokenizer_config.json"]
    rows = []
    for one in CASES:
        given = files[one["template"]]
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(here / given["base"] / "tokenizer.json", folder)
            for file, content in given.items():
                if file != "base":
                    text = content if isinstance(content, str) else json.dumps(content)
                    (Path(folder) / file).write_text(text)
            tokenizer = AutoTokenizer.from_pretrained(folder)
        options = {
            "tools": one.get("tools"),
            "documents": one.get("documents"),
            "chat_template": one.get("chosen"),
            "add_generation_prompt": one["prompt"],
        } | one.get("variables", {})
        rendered = tokenizer.apply_chat_template(one["messages"], tokenize=False, **options)
        ids = tokenizer.apply_chat_template(one["messages"], return_dict=False, **options)
        rows.append(one | {"rendered": rendered, "ids": ids})
    return files, rows

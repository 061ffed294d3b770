"""
Jinja snippets: some written by hand, the rest drawn from a grammar of expressions and statements; each with what Python's jinja2 makes of
it in the environment of `transformers`, or with the kind of error. make.py keeps some; `python3 snippets.py COUNT SEED` prints more.
"""

import json
import random
import re
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template

VARIABLES = {
    "s": "Hello, World",
    "t": "  \tzwei Wörter 🙂\n",
    "e": "",
    "emoji": "a🙂b👍🏽",
    "n": 7,
    "z": 0,
    "neg": -7,
    "x": 2.5,
    "yes": True,
    "no": False,
    "nil": None,
    "list": [3, 1, 2],
    "mixed": [1, "a", True, None, 2.5, ["b"], {"c": 1}],
    "words": ["pear", "Apple", "fig", "apple"],
    "d": {"b": 1, "a": {"k": [1, 2]}, "items": "own", "Z": None},
    "messages": [
        {"role": "system", "content": " Be brief. "},
        {"role": "user", "content": "Hi 'there' \"you\" \\ é東🙂"},
        {"role": "assistant", "content": "Yes", "tool_calls": [{"function": {"name": "f", "arguments": {"q": 1.5, "r": [True, None]}}}]},
        {"role": "user", "content": [{"type": "text", "text": "part"}]},
    ],
}

FIXED = r"""
{{ True }} {{ none }} {{ [1, 'a', True, None] }} {{ {'a': 1, 'b': [1.0, 2e20]} }} {{ (1,) }} {{ () }} {{ (1, 'x') }}
{{ 1.0 }} {{ 1e16 }} {{ 1e15 }} {{ 123456789012345678.0 }} {{ 1e-5 }} {{ 0.0001 }} {{ 1e22 }} {{ -0.0 }} {{ 1.5e300 * 1e300 }} {{ 5e-324 }} {{ 1.1e-7 }}
{{ -7 % 3 }} {{ 7 % -3 }} {{ -7 // 2 }} {{ -7.5 % 2 }} {{ 7.5 // -2 }} {{ 5 / 2 }} {{ 4 / 2 }} {{ 2 ** 10 }} {{ 2 ** 70 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ True + True }}
{{ emoji | length }} {{ emoji[1] }} {{ emoji[1:3] }} {{ emoji[::-1] }} {{ emoji | reverse }} {{ emoji.find('b') }} {{ emoji | list }}
{{ 'xxaxx'.strip('x') }}|{{ 'xxaxx'.lstrip('x') }}|{{ 'xxaxx'.rstrip('x') }}|{{ ' \n a \n '.strip('\n') }}|{{ ' a\n'.rstrip('\n') }}|{{ '\ufeffa\x85'.strip() }}
{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ '1' == 1 }} {{ [1, 2] == (1, 2) }} {{ {'a': 1} == {'a': 1.0} }} {{ [1, 2] < [1, 3] }} {{ 'a' < 'b' }}
{{ 'a' in 'abc' }} {{ 1 in [1, 2] }} {{ 'a' in {'a': 1} }} {{ 1 not in (2,) }} {{ 5 in range(10) }} {{ nope in [1] }} {{ 'x' in nope }}
{{ nope }}|{{ nope is defined }}|{{ nope | default('d') }}|{{ e | default('d') }}|{{ e | default('d', true) }}|{{ nope | length }}|{{ not nope }}|{{ [nope] }}
{{ nope.x }}
{{ nope + 1 }}
{{ d.nope.x }}
{{ 1 + 'a' }}
{{ 'a' ~ 1 ~ none ~ 1.0 ~ true ~ nope }} {{ 'a' * 3 }} {{ [0] * 3 }} {{ (1,) * 2 + (2,) }} {{ [1] + [2.0] }}
{{ '%s and %d, %5.2f|%-5s|%05d|%r|%+d|%%' % ('a', 3, 2.345, 'b', 42, 'c', 5) }} {{ '%(k)s' % {'k': 1} }} {{ '%s' % none }} {{ '%.3s' % 'abcdef' }}
{{ '%s %s' % ('a',) }}
{{ '%d' % 'a' }}
{{ 'a {} {1}'.format(1, 2) }}
{{ 'a {} {} {{}} {x!r}'.format(1, none, x='q') }} {{ '{0}{1}{0}'.format('a', 'b') }}
{{ "it's" }} {{ ["it's", 'say "x"', 'both \' "', 'tab\t', 'nl\n', '\\', '\x7f\xa0\u200b\ud7ff', 'é🙂'] }}
{% for i in range(3) %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }};{% endfor %}
{% for i in [1, 1, 2] %}{{ loop.changed(i) }} {% endfor %}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}
{% for i in [] %}x{% else %}none{% endfor %}{% for i in range(5) if i is odd %}{{ loop.index }}:{{ i }} {% else %}no{% endfor %}
{% for i in range(10) %}{% if i == 3 %}{% continue %}{% endif %}{% if i == 6 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% set x = 1 %}{% for i in range(3) %}{{ x }}{% set x = x + 1 %}{% endfor %}{{ x }}
{% set ns = namespace(x=1, y='a') %}{% for i in range(3) %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ ns.z }}|{{ ns }}
{% if false %}{% set q = 1 %}{% endif %}{{ q is defined }}{% if true %}{% set q = 2 %}{% endif %}{{ q }}
{% macro m(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(1, 2, 3) }}{{ m() }}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k=4) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m() %}<{{ caller('in') }}>{% endmacro %}{% call(x) m() %}[{{ x }}]{% endcall %}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}{% set text %}  in {{ a }} {% endset %}[{{ text }}]{% set up | upper %}abc{% endset %}{{ up }}
{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}{% filter upper %}abc{{ s }}{% endfilter %}
{{ 1 }}a {%- if true -%} b {%- endif -%} c {{- ' d ' -}} e {#- comment -#} f
{{ 1 }}
  {% if true %}
    line
  {% endif %}
  {# note #}
tail
  {%+ if true %}kept{% endif +%}
next {{ 'x' }}  
	{%- set a = 1 +%}
{{ a }}
{% raw %}{{ x }} {% if %}{% endraw %}|{%- raw -%}  a  {%- endraw -%}  b
{{ '{{ x }} %}' }}{# a {{ b }} {% c %} #}{{ "#}" }}
{% generation %}abc{{ s }}{% endgeneration %}
{{ messages[0].role }} {{ messages[0]['content'] }} {{ messages[-1].role }} {{ messages[9] }} {{ messages[1:] | length }} {{ messages | map(attribute='role') | join(',') }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | map(attribute='role') | list }} {{ messages | selectattr('tool_calls') | list | length }} {{ messages | selectattr('tool_calls', 'defined') | first | tojson }}
{{ messages | tojson }} {{ messages | tojson(indent=2) }} {{ d | tojson(sort_keys=true) }} {{ mixed | tojson(separators=(',', ':')) }} {{ 'é<>&' | tojson(ensure_ascii=true) }}
{{ {1: 2, true: 3, none: 4, 1.5: 5} | tojson }} {{ [1.0, 1e20, (1, 2), []] | tojson }} {{ {} | tojson(indent=4) }} {{ nope | tojson }}
{{ [1.0, 1e20, (1, 2), [], {}] | tojson(indent='--') }}
{{ d.items }} {{ d['items'] }} {{ d.keys() }} {{ d.values() | list }} {{ d.get('b') }} {{ d.get('nope') }} {{ d.get('nope', 5) }} {{ d.pop }} {{ d.a.k[1] }}
{{ d.update({'x': 1}) }}
{{ list.append(4) }}
{{ list.count(1) }} {{ list.index(2) }} {{ list.0 }} {{ list['0'] }} {{ list[1.0] }} {{ list[true] }} {{ 'abc'['upper']() }} {{ list | sort }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ words | sort(reverse=true) }}
{{ words | unique | list }} {{ words | map('upper') | list }} {{ words | join(', ') }} {{ list | sum }} {{ list | max }} {{ words | min }} {{ [] | max }} {{ list | first }} {{ list | last }} {{ list | batch(2) | list }} {{ list | slice(2) | list }} {{ list | batch(2, 'x') | list }}
{{ words | groupby(0) | list }} {{ messages | groupby('role') | map('first') | list }} {{ d | dictsort }} {{ {'b': 1, 'A': 2} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value', reverse=true) }}
{{ 'hello world' | title }} {{ 'hELLO' | capitalize }} {{ "it's a-b (c" | title }} {{ "it's".title() }} {{ 'ß' | upper }} {{ 'ΑΣ' | lower }} {{ 'a.b.c'.split('.') }} {{ ' a  b '.split() }} {{ ' a  b '.split(' ') }} {{ 'a b c'.split(none, 1) }} {{ 'a b c'.rsplit(' ', 1) }} {{ 'a b c'.rsplit(none, 1) }} {{ 'a\nb\r\nc'.splitlines() }}
{{ 'aXbXc'.replace('X', '-') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'ab'.replace('', '.') }} {{ 'abc'.startswith('a') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('c', 1) }} {{ 'abcabc'.rfind('b') }} {{ 'abc'.find('z') }} {{ 'aa'.count('a') }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }} {{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ 'a'.center(4, '*') }} {{ 'ab'.center(5) }}| {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3) }}
{{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ ''.isdigit() }} {{ 'Ab'.islower() }} {{ 'ab1'.islower() }} {{ 'AB'.isupper() }} {{ ' \x85\x1c'.isspace() }} {{ '\ufeff'.isspace() }} {{ 'é'.isalpha() }}
{{ 'a' | indent }} {{ 'a\nb\n\nc' | indent(2) }} {{ 'a\nb' | indent(2, true) }} {{ 'a\n\nb' | indent('>', blank=true) }} {{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11) }} {{ 'a b c' | wordcount }}
{{ '42' | int }} {{ '42.9' | int }} {{ 'x' | int }} {{ 'x' | int(-1) }} {{ 3.9 | int }} {{ '1e3' | float }} {{ 'x' | float }} {{ none | int }} {{ ' 12_3 ' | int }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 2.1 | round(0, 'ceil') }} {{ 42 | round }} {{ -3 | abs }} {{ 1.25 | round(1) }}
{{ 3 is odd }} {{ 3 is divisibleby 3 }} {{ 3 is divisibleby(2) }} {{ 'a' is string }} {{ 1 is number }} {{ true is number }} {{ true is integer }} {{ 1.0 is float }} {{ {} is mapping }} {{ 'a' is sequence }} {{ {} is sequence }} {{ 1 is iterable }} {{ none is none }} {{ 1 is sameas true }} {{ 'A' is upper }} {{ 3 is in [1, 3] }} {{ 3 is not in [1] }} {{ range is callable }} {{ 1 is eq 1 }} {{ true is boolean }} {{ false is false }} {{ 2 is gt 1 }} {{ not 1 is none }}
{{ 'a' if false }}|{{ 'a' if true else 'b' }}|{{ 'a' if no else 'b' if no else 'c' }}|{{ 1 if yes }}|{{ (1 if no) is defined }}
{{ 0 or 'x' }} {{ '' and 1 }} {{ [] or none }} {{ not 1 }} {{ not not e }} {{ 1 and 2 or 3 }} {{ (1 or 2) and 3 }} {{ not 1 == 2 }} {{ 1 in [1] == true }}
{{ range(5) }} {{ range(1, 10, 3) | list }} {{ range(5, 0, -2) | list }} {{ range(3)[1] }} {{ range(3)[-1] }} {{ range(0) | length }} {{ range(3) is sequence }}
{{ range(100001) }}
{{ range(1000000000) | list }}
{{ list[1:] }} {{ list[:-1] }} {{ list[::2] }} {{ list[::-1] }} {{ list[5:] }} {{ (1, 2, 3)[1:] }} {{ s[-3:] }} {{ s[2:5:2] }} {{ none[1:] }} {{ list[::0] }}
{{ '<b>' | safe }} {{ '<b>' | e }} {{ '<b>' | escape ~ '<c>' }} {{ messages[2].tool_calls | tojson | safe }} {{ '<b>' | safe is string }}
{{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) }} {{ dict([('k', 'v')]) }} {{ {'a': 1, 'a': 2} }} {{ {1: 'a', 1.0: 'b', true: 'c'} }} {{ {(1, 2): 3}[(1, 2)] }} {{ {[1]: 2} }}
{{ raise_exception('stop') }}
{{ 1 | nofilter }}
{{ 1 is notest }}
{% if %}{% endif %}
{% for i in %}{% endfor %}
{{ 1 + }}
{{ }}
{% endif %}
{% unknown %}
{{ 'unterminated }}
{# unterminated
{{ (1 }}
{{ 0x1f }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1_0.5 }} {{ 'a' 'b' }} {{ 'x\x41\u00e9\101\q\n' }} {{ "a\"b" }}
{{ loop is defined }} {{ self is defined }} {{ namespace is defined }} {{ __class__ }} {{ s.__class__ }}
{{ s.upper }}
{{ messages | map('nofilter') | list }}
{{ s | replace('l', 'L', 1) }} {{ 5 | replace('5', '6') }} {{ s | trim('Hd') }} {{ t | trim }}| {{ t | length }} {{ s | list | length }} {{ s | string }} {{ 1 | string ~ 'a' }} {{ '%s-%s' | format(1, 'b') }} {{ '%(a)s' | format(a=1) }}
{{ d | list }} {{ d | length }} {{ d | first }} {{ d.a | items | list }} {{ {'a': 1}.items() }} {{ d.items }} {{ nil.x }} {{ nil.x.y }}
{{ list | map('string') | join('-') }} {{ list | select('gt', 1) | list }} {{ list | reject('odd') | list }} {{ mixed | select | list }} {{ mixed | select('string') | list }} {{ [[1, 2], [3]] | map('length') | list }} {{ [[1, 2], [3]] | map('sum') | list }} {{ [] | join }} {{ messages | map(attribute='nope', default='-') | list }}
{{ list | map('string') }}
{{ list | map('string') | length }}
{{ -x }} {{ +x }} {{ - 5 | abs }} {{ -5 | abs }} {{ (-5) | abs }} {{ 2 - -1 }} {{ 1 - 1 }} {{ 1-1 }} {{ n-1 }} {{ --n }} {{ not -n }} {{ -n.x is defined }}
{{ 7 // 0 }}
{{ 1 % 0.0 }}
{{ 12345678901234567 * 12345678901234567 }} {{ 1234567890123456 / 2 }} {{ 9007199254740993 + 0 }} {{ 0.1 + 0.2 }} {{ 1e3 | int }} {{ 10 ** 20 }} {{ 3 * 1.0 }} {{ 1 / 3 }} {{ 100 * 1.1 }}
{{ 'a' < 1 }}
{{ [] < {} }}
{{ [3, 'a'] | sort }}
{% for a, b in [(1, 2), [3, 4]] %}{{ a }}-{{ b }};{% endfor %}{% for a, b in [(1,)] %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for x in nope %}a{% else %}b{% endfor %}
{% set loop = 1 %}{{ loop }}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% set s.x = 1 %}
{% set m = messages | list %}{% for message in m[::-1] %}{{ message.role[0] }}{% endfor %}{% for m in messages if m.role == 'user' %}{{ loop.length }}{{ loop.last }}{% endfor %}
{% set ns = namespace(seen=false) %}{% for m in messages if not ns.seen %}{{ m.role }}{% set ns.seen = true %}{% endfor %}
{% for i in [1,2] %}{% for j in [3] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% set x = x + 1 %}{{ x }}{% macro m() %}{{ x }}{% endmacro %}{% set x = 9 %}{{ m() }}
{{ {'a': {'b': 1}}.a.b }} {{ {'a': 1}['a'] }} {{ {'a': 1}.b }} {{ [1, 2].x }} {{ 5 .x }} {{ (1, 2).0 }} {{ 'abc'.0 }}
{{ [1, 2, ] }} {{ (1, 2, ) }} {{ {'a': 1, } }} {{ range(3,) | list }} {{ [1 2] }}
{% if 1 %}a{% elif 2 %}b{% else %}c{% endif %}{% if 0 %}a{% elif 2 %}b{% else %}c{% endif %}{% if 0: %}a{% else: %}c{% endif %}
{{ 1, 2 }} {{ 1, }} {% for i in 1, 2 %}{{ i }}{% endfor %} {% if 1, %}x{% endif %}
{{ foo(*[1]) }}
{{ dict(**{'a': 1}) }} {{ '{}-{}'.format(*[1, 2]) }} {{ dict(a=1, **{'b': 2}) }}
{{ strftime_now }}
{{ "a" "b" ~ 'c' }} {{ 'a' | upper ~ 'b' }} {{ 'a' ~ 'b' | upper }} {{ ('a' ~ 'b') | upper }} {{ 1 ~ 2 + 3 }} {{ 2 * 'ab' | length }} {{ 'a' + 'b' | upper }}
{{ s | default }} {{ s is defined and s }} {{ (s | length) // 2 }} {{ s.split(',')[1].strip() }} {{ s | lower | replace('o', '0') | title }}
""".strip("\n")


def fixed_snippets():
    """One a line; of a line that has expressions only, each. A line that does not begin with a brace belongs to the one before."""
    snippets = []
    for line in FIXED.split("\n"):
        if not line.startswith("{"):
            snippets[-1] += "\n" + line
        elif re.search(r"\{[%#]", line):
            snippets.append(line)
        else:
            snippets += re.split(r"(?<=\}\})[ |]*(?=\{\{)", line)
    return snippets


class Drawn:
    """Draws snippets; the parts of one are of kinds that mostly go together, so that most give text and some an error."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def text(self, depth):
        pick, go = self.pick, depth - 1
        if depth <= 0:
            return pick("s", "t", "e", "emoji", "'abc'", "'a,b'", "\"it's\"", "'ÄÖß'", "' x '", "'\\n'", "words[0]", "messages[1].content")
        return pick(
            lambda: self.text(0),
            lambda: f"({self.text(go)} ~ {self.any(go)})",
            lambda: f"({self.text(go)} + {self.text(go)})",
            lambda: f"({self.text(go)} * {self.number(0)})",
            lambda: f"{self.text(go)}[{self.bound()}:{self.bound()}]",
            lambda: f"{self.text(go)}[{self.number(0)}]",
            lambda: f"({self.text(go)} if {self.any(go)} else {self.text(go)})",
            lambda: f"({self.any(go)} | string)",
            lambda: f"({self.any(go)} | tojson{pick('', '(indent=2)', '(sort_keys=true)', '(ensure_ascii=true)')})",
            lambda: f"({self.text(go)} | {pick('upper', 'lower', 'capitalize', 'title', 'trim', 'reverse', 'indent(2)', 'center(9)', 'truncate(8)', 'first', 'last')})",
            lambda: f"({self.text(go)} | replace({self.text(0)}, {self.text(0)}))",
            lambda: f"({self.list(go)} | join({self.text(0)}))",
            lambda: f"{self.text(go)}.{pick('upper', 'lower', 'capitalize', 'strip', 'lstrip', 'rstrip')}()",
            lambda: f"{self.text(go)}.{pick('strip', 'lstrip', 'rstrip')}({self.text(0)})",
            lambda: f"{self.text(go)}.replace({self.text(0)}, {self.text(0)})",
            lambda: f"{self.text(go)}.split({pick('', self.text(0))})[{self.number(0)}]",
            lambda: f"('%s|{pick('%s', '%r', '%d', '%.1f', '%5s', '%03d')}' % ({self.any(go)}, {self.any(go)}))",
            lambda: f"'{{}}-{{}}'.format({self.any(go)}, {self.any(go)})",
        )()

    def number(self, depth):
        pick, go = self.pick, depth - 1
        if depth <= 0:
            return pick("0", "1", "2", "3", "-1", "-2", "n", "neg", "z", "x", "1.5", "12345678901234567", "true", "1e3", "0.1")
        return pick(
            lambda: self.number(0),
            lambda: f"({self.number(go)} {pick('+', '-', '*', '/', '//', '%')} {self.number(go)})",
            lambda: f"({self.any(go)} | {pick('length', 'int', 'float', 'round', 'abs', 'sum', 'count')})",
            lambda: f"{self.text(go)}.{pick('find', 'rfind', 'count', 'index')}({self.text(0)})",
            lambda: f"-{self.number(go)}",
            lambda: f"({self.number(go)} | round({pick('0', '1', '2')}))",
            lambda: f"({self.list(go)} | {pick('max', 'min', 'first', 'last', 'length')})",
        )()

    def list(self, depth):
        pick, go = self.pick, depth - 1
        if depth <= 0:
            return pick("list", "mixed", "words", "[]", "range(3)", "(1, 'b')", "d", "messages", "[2, 1.0, true]", "s")
        return pick(
            lambda: self.list(0),
            lambda: f"[{self.any(go)}, {self.any(go)}]",
            lambda: f"({self.list(go)} | {pick('list', 'sort', 'unique | list', 'reverse | list', 'sort(reverse=true)', 'batch(2) | list', 'slice(2) | list')})",
            lambda: f"({self.list(go)} | map('{pick('string', 'upper', 'length', 'tojson', 'int', 'trim')}') | list)",
            lambda: f"({self.list(go)} | {pick('select', 'reject')}({pick('', repr(pick('string', 'number', 'odd', 'none', 'defined', 'mapping')))}) | list)",
            lambda: f"{self.list(go)}[{self.bound()}:{self.bound()}{pick('', ':2', ':-1')}]",
            lambda: f"({self.list(go)} + {self.list(go)})",
            lambda: f"{self.text(go)}.{pick('split()', 'splitlines()', 'partition(e)', 'rsplit(none, 1)')}",
            lambda: f"(d.{pick('keys', 'values', 'items')}() | list)",
            lambda: f"(messages | map(attribute='{pick('role', 'content', 'nope')}') | list)",
        )()

    def truth(self, depth):
        pick, go = self.pick, depth - 1
        if depth <= 0:
            return pick("yes", "no", "true", "nil", "nope", "e", "z")
        return pick(
            lambda: self.truth(0),
            lambda: f"({self.any(go)} {pick('==', '!=', '<', '>=', 'in', 'not in')} {self.any(go)})",
            lambda: f"({self.number(go)} < {self.number(go)} {pick('<', '<=', '==')} {self.number(go)})",
            lambda: f"({self.any(go)} {pick('and', 'or')} {self.any(go)})",
            lambda: f"not {self.any(go)}",
            lambda: f"({self.any(go)} is {pick('', 'not ')}{pick('defined', 'none', 'string', 'number', 'sequence', 'mapping', 'iterable', 'boolean', 'integer', 'float', 'odd', 'true', 'lower', 'in list', 'divisibleby 2', 'callable')})",
            lambda: f"{self.text(go)}.{pick('startswith', 'endswith')}({self.text(0)})",
            lambda: f"{self.text(go)}.{pick('isdigit', 'isalpha', 'isspace', 'islower', 'isupper', 'isalnum')}()",
        )()

    def bound(self):
        return self.pick("", "", "0", "1", "-1", "2", "-2", "9", "n")

    def any(self, depth):
        return self.pick(self.text, self.text, self.number, self.list, self.truth, self.dict)(depth)

    def dict(self, depth):
        if depth <= 0:
            return self.pick("d", "messages[2]", "{}", "{'k': 1.0, 2: [none]}")
        return f"{{{self.pick(repr('k'), '1', 'true', 'n', 'nil', 's')}: {self.any(depth - 1)}, 'b': {self.any(depth - 1)}}}"

    def gap(self):
        return self.pick("", " ", "\n", "  ", "\n  ", " a ", "\n\n")

    def tag(self, body):
        return "{%" + self.pick("", "", "-", "+") + " " + body + " " + self.pick("", "", "-", "+") + "%}"

    def out(self, body):
        return "{{" + self.pick("", "", "-") + " " + body + " " + self.pick("", "", "-") + "}}"

    def block(self, depth):
        pick, tag, gap = self.pick, self.tag, self.gap
        if depth <= 0:
            return gap() + self.out(self.any(pick(1, 2))) + gap()
        inner = lambda: self.block(depth - 1)
        return pick(
            lambda: inner() + inner(),
            lambda: gap() + tag(f"if {self.any(1)}") + inner() + tag("else") + inner() + tag("endif") + gap(),
            lambda: tag(f"for i in {self.list(1)}{pick('', f' if {self.truth(1)}', ' if i is string')}")
            + gap() + self.out(pick("i", "loop.index", "loop.last", "i | tojson", "i ~ loop.length", "loop.nextitem", "i.role")) + inner() + tag("endfor"),
            lambda: tag(f"set v = {self.any(2)}") + gap() + self.out("v") + gap(),
            lambda: tag("set v") + inner() + tag("endset") + self.out("v | length"),
            lambda: tag(f"macro m(a, b={self.any(1)})") + gap() + self.out("a ~ b") + inner() + tag("endmacro") + self.out(f"m({self.any(1)})"),
            lambda: tag(f"set ns = namespace(c={self.number(1)})") + tag("for i in list") + tag("set ns.c = ns.c + i") + tag("endfor") + self.out("ns.c"),
            lambda: gap() + "{#" + pick("", "-") + " note " + pick("", "-") + "#}" + gap() + inner(),
            lambda: tag("filter upper") + inner() + tag("endfilter"),
            lambda: tag(f"with v = {self.any(1)}") + inner() + self.out("v") + tag("endwith"),
        )()


def rendered(template, variables=VARIABLES):
    try:
        text = _compile_jinja_template(template).render(**variables)
    except Exception as error:  # Whatever Python raises: here it must be an error, too.
        return {"template": template, "error": type(error).__name__}
    return {"template": template, "text": text}


def has_address(one):
    return re.search(r" at 0x[0-9a-f]+>", one.get("text", ""))


def snippets(count, seed):
    drawn = Drawn(seed)
    made = [one for one in map(rendered, fixed_snippets()) if not has_address(one)]
    seen = set()
    while count > 0:
        depth = drawn.pick(0, 0, 1, 2)
        template = drawn.out(drawn.any(drawn.pick(1, 2, 2, 3))) if depth == 0 else drawn.block(depth)
        one = rendered(template)
        # Addresses of objects differ from run to run; of errors a third is enough.
        if template in seen or has_address(one) or len(template + one.get("text", "")) > 300:
            continue
        if "error" in one and drawn.random.random() > 0.3:
            continue
        seen.add(template)
        made.append(one)
        count -= 1
    return made


if __name__ == "__main__":
    print(json.dumps({"variables": VARIABLES, "cases": snippets(int(sys.argv[1]), int(sys.argv[2]))}))

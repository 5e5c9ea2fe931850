"""Write the documents that are made from code and data: configuration, glossary, rules, states, pictures of the states.

    python tools/generate_docs.py [--out docs] [--check]

- `configuration.md`   from the settings models and the options of the rules
- `glossary.md`        from the message mappings, the schema and the canonical columns
- `rules.md`           from the catalogue of the rules
- `states.md`          from `codes/status_codes.csv` and our own states
- `img/states.svg`     the same as a picture

The same code and data give the same bytes. `--check` writes nothing and exits 1 if a file differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crossborder import reconcile, rules, schema, settings
from crossborder.ledger import states as own
from crossborder.messages.mapping import MessageMapping, message_mapping
from crossborder.reconcile import Status, StatusTable
from crossborder.reports import label
from crossborder.shipments import COLUMNS, FRAME_NAMES, Column
from draw_states import OURS_ZH, states_picture
from rules_page import rules_page

ROOT = Path(__file__).resolve().parents[1]
MADE = "<!-- Written by tools/generate_docs.py; change the code or data it reads, not this file. -->\n\n"


def cell(text: str) -> str:
    """Text fit for a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell(c) for c in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


# -- configuration


MEANINGS: Mapping[str, str] = {
    "Settings.profiles": "the firms whose constants fill what a file leaves empty; see below",
    "Settings.operators": "the people on shift; see below",
    "Settings.endpoints": "where messages are left and receipts picked up; see below",
    "Profile.title_zh": "name shown to people, Chinese",
    "Profile.title_en": "name shown to people, English",
    "Profile.demo": "made-up data: never files to a live endpoint, and only here do fictional exchange rates count",
    "Profile.classes": "declaration classes this firm files; add D for ordinary goods in the express channel",
    "Profile.values": "shipments column = constant; fills what the file leaves empty",
    "Profile.values_by_class": "the same for one class; wins over `values`",
    "Profile.goods_values": "goods column = constant",
    "Profile.options": "settings of the rules; see below",
    "Operator.title": "name shown to people",
    "Operator.values": "shipments column = constant, such as input_person and declarant_person; they win over the profile's",
    "Endpoint.title_zh": "name shown to people, Chinese",
    "Endpoint.title_en": "name shown to people, English",
    "Endpoint.kind": "a ledger keeps the kind it first filed to and refuses the other",
    "Endpoint.message_id_policy": "every message has an id of its own",
    "Endpoint.workers": "threads that send, each with its own connection",
    "Endpoint.timeout_seconds": "longest wait for a connection, for writing and for an answer (transport http)",
    "Endpoint.retry_seconds": "first rest after a failure; doubled each time, up to five minutes",
    "Endpoint.lease_seconds": "how long a claim on a lot of declarations holds",
    "Endpoint.poll_seconds": "rest between two looks for receipts",
    "ServiceSettings.host": "address to listen on; TLS is the reverse proxy's",
    "ServiceSettings.port": "port to listen on; 0: any free one",
    "ServiceSettings.max_body_bytes": "largest body of a request",
    "ServiceSettings.max_shipments": "most shipments in one JSON body",
    "ServiceSettings.profile": "profile under which partners' parcels are prepared; empty: the top-level one",
    "ServiceSettings.operator": "operator for partners' parcels; empty: the top-level one",
    "IntakeSettings.max_bytes": "largest file",
    "IntakeSettings.max_rows": "most rows of a file",
    "IntakeSettings.max_cell_chars": "longest cell; a longer one is a finding",
}
"""What the settings models do not say themselves."""

CONFIGURATION = """# Configuration

One file, `crossborder.toml`. It is looked for at `--config`, else at `CROSSBORDER_CONFIG`, else in the home folder
(`CROSSBORDER_HOME`, else the platform's folder for a user's data); never in the current folder. Without a file the
defaults below hold. `crossborder init` writes a file in which every key stands commented with its default;
`crossborder doctor` shows every effective value and where it comes from.

- Each key is also an environment variable, which wins over the file. Sections are joined with two underscores:
  `endpoints.hangzhou.address` is `CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS`. Lists and tables are written as JSON:
  `CROSSBORDER_ENDPOINTS__HANGZHOU__DISTRICTS='["29"]'`. Names in variables are read in lower case.
- A key nobody knows, in the file or among the variables that begin with `CROSSBORDER_`, stops the start and names the
  nearest one.
- A secret says where it is found, `{ env = "NAME" }`, `{ file = "/path" }` or `{ command = ["program", "argument"] }`,
  and is read when it is needed. A literal one stops the start.
- No address of a live port ships with the project, and none is set by default: an endpoint without `address` takes
  nothing.
- `CROSSBORDER_LANG` (`zh` or `en`) is read before any file, so that `--help` speaks it too.

"""


def configuration() -> str:
    """`docs/configuration.md`."""
    parts = [MADE, CONFIGURATION]
    for title, prefix, model, words in _sections():
        parts.append(f"## {title}\n\n{words}\n\n" if words else f"## {title}\n\n")
        parts.append(
            table(
                ("key", "type", "default", "meaning", "environment variable"),
                (_key(model, prefix, name, field) for name, field in _plain_fields(model)),
            )
        )
        parts.append("\n")
    parts += ["## `[profiles.NAME.options]`\n\n", OPTIONS_WORDS, "\n\n", _options(), "\n"]
    parts += ["## `[profiles.NAME.rules]`\n\n", RULES_WORDS, "\n\n", _rules(), "\n", EXAMPLE]
    return "".join(parts)


OPTIONS_WORDS = "Figures and rules that no law fixes. Each has a safe default; the rule that asks says so in `crossborder explain`."
RULES_WORDS = """Rules that no text of law states (`inferred` in [rules.md](rules.md)): practice, or our reading. Each may be set, for example
`EXP-13 = "note"`; unset it does what stands under default. `off`: it is not checked, and every result says so once (`not_evaluated`,
`mark`); `note`: told, and it goes on; `hold`: it waits for a person (`crossborder accept`); `reject`. A setting says what follows at
most: weaker cases of a rule stay as weak as they are. Two are never off: what the ledger or XML cannot take (a house waybill twice,
`EXP-48`; characters that XML forbids, `TXT-04`) is refused whatever is set, and a missing exchange rate (`LIM-12`) holds or goes on
marked. `crossborder explain RULE` says how to set it; an unknown rule stops the start and names the nearest.

没有法律明文的规则（推断）可在此设置：off 不检查（每份结果注明一次），note 提示，hold 待人工，reject 拒收；不设置则按默认。"""
EXAMPLE = """## An example

```toml
profile = "ourfirm"
operator = "wang"
day_starts = "06:00"

[profiles.ourfirm]
sender_id = "DXPENT0000000001"

[profiles.ourfirm.values]
operation = "ADD"
transport_mode = "5"
declarant_type = "0"
declarant_code = "3301960001"

[profiles.ourfirm.values_by_class.B]
ownership_type = "6"

[operators.wang.values]
input_person = "8900000000001"
declarant_person = "33010001"

[endpoints.hangzhou]
kind = "sandbox"
districts = ["29"]
transport = "http"
address = "http://127.0.0.1:8760/hangzhou"
token = { env = "OUR_GATEWAY_TOKEN" }
```
"""


def _sections() -> Iterator[tuple[str, str, type[BaseModel], str]]:
    yield "Top level", "", settings.Settings, ""
    named = (
        ("endpoints", settings.Endpoint, "One section per endpoint; `hangzhou` (districts 29…) and `ningbo` (31…) "
         "exist by default, without address. A declaration goes where the longest prefix of its DeclPort points. "
         "A file that names any endpoint names all of them."),
        ("profiles", settings.Profile, "The firm's own constants. `demo` is built in. A profile is checked against "
         "EXP301 and EXP311 when it is loaded."),
        ("operators", settings.Operator, "A person's numbers; they change with the shift (`--operator NAME`)."),
    )  # fmt: skip
    for key, model, words in named:
        yield f"`[{key}.NAME]`", f"{key}.NAME.", model, words
    for name, field in settings.Settings.model_fields.items():
        below: Any = field.annotation
        if _is_section(below):
            yield f"`[{name}]`", f"{name}.", below, _first_line(below)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _plain_fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not settings.Secret:
            continue
        yield name, field


def _key(model: type[BaseModel], prefix: str, name: str, field: FieldInfo) -> tuple[str, ...]:
    known = f"{model.__name__}.{name}"
    if bool(field.description) == (known in MEANINGS):
        raise SystemExit(f"{known}: give its meaning once, in the model or in MEANINGS")
    meaning = field.description or MEANINGS[known]
    variable = "CROSSBORDER_" + f"{prefix}{name}".upper().replace(".", "__")
    shown = f"`{variable}`" if _in_one_variable(field) else f"`{variable}__…`"
    return f"`{prefix}{name}`", _kind(field), _default(field), meaning, shown


def _in_one_variable(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is not dict


def _kind(field: FieldInfo) -> str:
    words = _type(field.annotation)
    limits = [
        f"{sign} {getattr(rule, attribute)}"
        for rule in field.metadata
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"))
        if getattr(rule, attribute, None) is not None
    ]
    return f"{words}, {' and '.join(limits)}" if limits else words


def _type(annotation: Any) -> str:
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in names:
        return names[annotation]
    if origin is Literal:
        return " or ".join(f"`{value}`" if value else "empty" for value in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        model = inner[1]
        return "named sections" if _is_section(model) else f"table of {_type(model)}"
    if settings.Secret in inner:
        return "text or secret" if str in inner else "secret"
    raise SystemExit(f"no words for the type {annotation!r}")


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Mapping):
        return ", ".join(f"`{name}`" for name in value) or "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(_quoted(v) for v in value)}]`"
    return "none" if value is None or value == "" else f"`{_quoted(value)}`"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _options() -> str:
    rows = [
        (f"`{o.name}`", ", ".join(f"`{c}`" for c in o.choices) or "a number above zero", f"`{o.default}`",
         o.meaning_en, o.meaning_zh)
        for o in rules.OPTIONS.values()
    ]  # fmt: skip
    rows += [
        (f"`{name}`", "`on`, `off`", "`off`", "a main goods name that is too long for the manifest is cut, with a note",
         "主要商品名称超过舱单长度时截断，并留提示")
        for name in _cut_options()
    ]  # fmt: skip
    return table(("option", "values", "default", "meaning", "含义"), rows)


def _rules() -> str:
    titles = {e.id: e for e in rules.catalogue()}
    rows = [
        (f"`{s.rule}`", ", ".join(f"`{c}`" for c in s.choices), f"`{s.default}`", titles[s.rule].title_en,
         titles[s.rule].title_zh)
        for s in rules.switches().values()
    ]  # fmt: skip
    return table(("rule", "values", "default", "what it asks", "含义"), rows)


def _cut_options() -> list[str]:
    groups = message_mapping("EXP311").groups.values()
    return sorted({s.cut for g in groups for s in g.elements.values() if s.cut})


# -- glossary


GLOSSARY = """# Glossary · 对照词汇

Element names stand in messages exactly as in the schema; our columns have plain English names; a desk knows the
Chinese label. This page pairs the three. `crossborder schema EXP301` shows lengths and filling conditions in full;
which header each column has in a partner's file is said by that partner's mapping (`docs/mapping.md`).

报文元素名、本软件列名与中文名称的对照。长度与填制条件见 `crossborder schema EXP301 --lang zh`。

*Length*: characters at most; (18,5) means 18 digits, 5 of them after the point. *Filled*: R always required, r required
under a condition, e empty under a condition, nothing: optional. ● marks personal data.

## The trade's words

| English | 中文 | meaning |
|---|---|---|
| shipment file | 预报清单 | what an operator hands in: many shipments of one or several flights |
| master waybill | 总运单 | the carrier's waybill over many parcels |
| house waybill | 分运单 | one parcel's own waybill; with master and direction the business key |
| shipment | 票 | one house waybill with its goods lines and documents |
| class A, B, C, D | A类文件、B类个人物品、C类低值货物、D类普货 | how a parcel is declared |
| declaration | 报关单 | the EXP301 of one shipment |
| manifest | 舱单 | the EXP311 of one master waybill, voyage and direction |
| message | 报文 | one XML document: envelope and one EXP3xx |
| receipt | 回执 | what comes back: EXP302 to a declaration, EXP312 to a manifest |
| batch | 批次 | one hand-in and everything that came of it |
| attempt | 一次申报 | one try to have a declaration taken: one id, one set of bytes |
| general declaration | 一般报关 | how ordinary goods are declared, outside the express flow; a parcel that fits no class goes there (`to_general`) |
| finding | 问题 | one fault, with row, column, rule and remedy |
| endpoint | 口岸端点 | where messages are left and receipts picked up |
| ledger | 台账 | the database of batches, attempts, receipts and events |
| sandbox | 模拟口岸 | our simulated port; never customs |
| released | 放行 | customs lets the parcel go |

"""


def glossary() -> str:
    """`docs/glossary.md`."""
    parts = [MADE, GLOSSARY]
    for message, words in (("EXP301", "declaration · 报关单"), ("EXP311", "manifest · 舱单")):
        parts.append(f"## {message}, the {words}\n\n")
        mapping = message_mapping(message)
        for group in schema.load_elements(message).groups:
            count = "once" if group.once else f"0 to {group.max_occurs or 'any number'}"
            rows = (_element(message, mapping, group.name, e) for e in group.elements)
            parts.append(f"### {group.name} ({group.label_zh}, {count})\n\n")
            head = ("element", "column", "中文", "meaning", "length", "filled")
            parts.append(table(head, rows) + "\n")
    parts += ["## Columns that no element of either message holds\n\n", _elsewhere()]
    return "".join(parts)


def _element(
    message: str, mapping: MessageMapping, group: str, element: schema.Element
) -> tuple[str, ...]:
    known = mapping.groups.get(group)
    columns = list(known.elements[element.name].columns()) if known and element.name in known.elements else []  # fmt: skip
    shown = ", ".join(_column(known.frame if known else "shipments", c) for c in columns)
    digits = f" ({element.total_digits},{element.fraction_digits})" if element.total_digits else ""
    length = f"{element.max_length or ''}{digits}".strip()
    return (f"`{element.name}`", shown or _given(mapping, group, element.name), element.label_zh,
            element.meaning_en, length, _filled(message, group, element.name))  # fmt: skip


def _column(frame: str, name: str) -> str:
    column = _columns()[f"{frame}.{name}"]
    return f"`{frame}.{name}`" + (" ●" if column.personal else "")


def _columns() -> dict[str, Column]:
    return {f"{frame}.{name}": c for frame in FRAME_NAMES for name, c in COLUMNS[frame].items()}


def _given(mapping: MessageMapping, group: str, element: str) -> str:
    source = mapping.groups[group].elements.get(element) if group in mapping.groups else None
    if source is None:
        return "written empty"
    if source.given == "operation":
        return "ADD or APD, by what stands there already"
    if source.count:
        return "number of lines"
    if source.sum:
        return f"sum of `{source.sum}` over the lines"
    return f"constant `{source.value}`"


def _filled(message: str, group: str, element: str) -> str:
    rows = [r for r in schema.filling(message) if (r.group, r.element) == (group, element)]
    always = {r.need for r in rows if not r.when}
    if always & {"R", "E"}:
        return "R" if "R" in always else "E"
    return ", ".join(sorted({r.need.lower() for r in rows} & {"r", "e"}, reverse=True))


def _elsewhere() -> str:
    used = {
        f"{g.frame}.{column}"
        for message in ("EXP301", "EXP311")
        for g in message_mapping(message).groups.values()
        for source in g.elements.values()
        for column in source.columns()
    }
    used.add("shipments.transit_declaration")  # part of TrafName
    rows = [
        (_column(c.frame, c.name), c.label_zh, c.meaning)
        for key, c in _columns().items()
        if key not in used
    ]
    return table(("column", "中文", "meaning"), rows)


# -- states


STATES = """# States · 状态

Every declaration and every manifest is in exactly one state. The names are part of the public interface: they are
never renamed. The upper states are ours; the lower ones are what a result code of a receipt makes of it.
`crossborder status` shows state and next step; the sums of the account (`reconcile`) are over these states.

每份报关单、每份舱单任何时刻都处于唯一的状态。前一表为本软件的状态，后两表由回执代码决定。

![States of a declaration](img/states.svg)

Rules: a platform code never moves a state that customs has set; among customs codes the later OpTime wins, on a tie
the order of the table; a code after a release is applied and raised as `reopened`; codes that contradict what was said
before move nothing and wait for a person.

"""
NEW_ATTEMPT = {"yes": "yes", "person": "after a person's decision", "no": ""}


def states() -> str:
    """`docs/states.md`."""
    ours = [
        (f"`{s}`", OURS_ZH[s], *reversed(reconcile.advice("EXP301", None, s))) for s in own.OURS
    ]
    parts = [
        MADE,
        STATES,
        "## What becomes of a parcel that is handed in\n\n",
        OUTCOMES_WORDS,
        "\n\n",
    ]
    parts.append(table(("outcome", "中文", "meaning", "含义"), (_outcome(o) for o in own.OUTCOMES)))
    parts.append("\n## Ours, before the port answers\n\n")
    parts.append(table(("state", "中文", "what to do next", "下一步"), ours))
    for message, title in (("EXP302", "a declaration · 报关单"), ("EXP312", "a manifest · 舱单")):
        parts.append(f"\n## What a receipt {message} makes of {title}\n\n")
        head = (
            "code",
            "回执",
            "meaning",
            "state",
            "final",
            "new attempt",
            "what to do next",
            "下一步",
        )
        parts.append(table(head, (_status(s) for s in StatusTable.load().of_message(message))))
    return "".join(parts)


OUTCOMES_WORDS = "One of these, kept with the batch; only what is prepared has a declaration with a state of the tables below."
OUTCOMES = {
    "unreadable": ("its rows could not be read", "所在行无法读取"),
    "rejected": (
        "a rule refuses it: correct it and hand the file in again",
        "规则拒收：更正后整份重新提交",
    ),
    "to_general": (
        "it fits none of the classes A, B, C (CLS-11): it leaves the express flow and is declared as ordinary goods; its house "
        "waybill stands on the manifest all the same",
        "不属A、B、C类（CLS-11）：退出快件流程，按一般货物报关；分运单仍列入舱单",
    ),
    "not_evaluated": (
        "a rule could not be judged: a person lets it pass (`accept`)",
        "规则未能评估：由人放过（accept）",
    ),
    "on_hold": (
        "it waits for a person, who corrects it or lets it pass (`accept`)",
        "待人工：更正，或放过（accept）",
    ),
    "already_filed": ("it is filed already, with the same content", "此前已以相同内容申报"),
    "prepared": ("its declaration is made", "已制单"),
}


def _outcome(name: str) -> tuple[str, ...]:
    en, zh = OUTCOMES[name]
    return f"`{name}`", label(name, "zh") if name != "prepared" else "已制单", en, zh


def _status(s: Status) -> tuple[str, ...]:
    state = f"`{s.state}`" if s.state else "stays as it is"
    return (f"`{s.code}`", s.label_zh, s.label_en, state, "yes" if s.terminal else "", NEW_ATTEMPT[s.fresh_attempt],
            s.next_en, s.next_zh)  # fmt: skip


# -- all of them


def documents() -> dict[str, str]:
    """Path below `docs/` → text of every generated document."""
    return {
        "configuration.md": configuration(),
        "glossary.md": glossary(),
        "rules.md": MADE + rules_page(table),
        "states.md": states(),
        "img/states.svg": states_picture(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents, or (`--check`) say which are not current."""
    parser = argparse.ArgumentParser(description="Write the documents made from code and data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    stale = []
    for name, text in documents().items():
        file = given.out / name
        if file.is_file() and file.read_bytes() == text.encode():
            continue
        stale.append(name)
        if not given.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    for name in stale:
        print(f"{name}: {'not current' if given.check else 'written'}")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

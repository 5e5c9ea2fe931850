"""Write the XSDs of one message family from its fact tables.

    python tools/generate_schemas.py [--facts schemas/facts/express.csv] [--out schemas/xsd/express]

Three tables stand side by side: `NAME.csv` (one row per element: order, occurrence, facets, label, meaning),
`NAME.types.csv` (patterns of the date types, which check the calendar) and `NAME.forms.csv` (the namespaces and the
place of the signature in each form of each message). The same tables give the same bytes.

What is written into the output folder:

- `types.xsd`             one named simple type per set of facets
- `envelope.body.xsd`     the complex type `EnvelopInfo` and the group `Signature`
- `MESSAGE.body.xsd`      the message and its groups as named complex types
- `MESSAGE.message.xsd`   the message element in its own namespace, where the envelope has another one
- `MESSAGE.FORM.xsd`      the whole document in one form

No body has a target namespace: it takes that of the file that includes it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

ROOT = Path(__file__).resolve().parents[1]
XS = "http://www.w3.org/2001/XMLSchema"
APP = "urn:crossborder:schema"
ENVELOPE = "ENVELOPE"
WRITTEN_BY = (
    "Written by tools/generate_schemas.py from the fact tables; change those, not this file."
)

Row = Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """The three fact tables of one family."""

    fields: Sequence[Row]
    types: Mapping[str, Row]
    forms: Sequence[Row]

    @classmethod
    def read(cls, path: Path) -> Facts:
        """The table at `path` and the two beside it."""
        return cls(
            _table(path),
            {row["base_type"]: row for row in _table(path.with_suffix(".types.csv"))},
            _table(path.with_suffix(".forms.csv")),
        )

    def messages(self) -> list[str]:
        """All messages, in the order of the table."""
        return list(dict.fromkeys(r["message"] for r in self.fields if r["message"] != ENVELOPE))

    def children(self, message: str, parent: str) -> list[Row]:
        """The elements below `parent`, in their order."""
        found = [r for r in self.fields if (r["message"], r["parent"]) == (message, parent)]
        return sorted(found, key=lambda r: int(r["seq"]))

    def row(self, message: str, element: str) -> Row:
        """The one row of an element whose name occurs once in its message."""
        (found,) = (r for r in self.fields if (r["message"], r["element"]) == (message, element))
        return found


def _table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def type_name(row: Row, facts: Facts) -> str:
    """The name of the simple type that an element's facets call for."""
    base, low, high = row["base_type"], row["min_length"], row["max_length"]
    if base in facts.types:
        return facts.types[base]["name"]
    if base != "string":
        raise SystemExit(f"{row['message']} {row['element']}: unknown base type {base!r}")
    if row["total_digits"]:
        total, fraction = row["total_digits"], row["fraction_digits"]
        return f"Decimal{total}_{fraction}" if fraction != "0" else f"Integer{total}"
    if row["pattern"]:
        return f"{row['parent']}.{row['element']}"
    if not high:
        return "Text" if low == "0" else f"TextMin{low}"
    if low == "0":
        return f"TextMax{high}"
    return f"Text{high}" if low == high else f"Text{low}to{high}"


def number_pattern(total: int, fraction: int) -> str:
    """What DECIMAL(total, fraction) allows, written plainly; empty stays possible."""
    decimals = rf"(\.[0-9]{{1,{fraction}}})?" if fraction else ""
    return f"([0-9]{{1,{total - fraction}}}{decimals})?"


def _documentation(indent: str, texts: Iterable[tuple[str, str]], app: str = "") -> list[str]:
    lines = [f"{indent}<xs:annotation>"]
    lines += [
        f'{indent}  <xs:documentation xml:lang="{lang}">{escape(text)}</xs:documentation>'
        for lang, text in texts
    ]
    if app:
        lines.append(f"{indent}  <xs:appinfo>{app}</xs:appinfo>")
    return [*lines, f"{indent}</xs:annotation>"]


def _about(row: Row, indent: str) -> list[str]:
    return _documentation(indent, (("zh", row["label_zh"]), ("en", row["meaning_en"])))


def _simple_type(name: str, row: Row, facts: Facts) -> list[str]:
    """One named simple type: annotation, then the facets in the order length, pattern."""
    facets: list[tuple[str, str]] = []
    base, total = row["base_type"], row["total_digits"]
    texts: list[tuple[str, str]] = []
    app = ""
    if base in facts.types:
        kind = facts.types[base]
        texts = [("zh", kind["label_zh"]), ("en", kind["meaning_en"])]
        facets = [("pattern", kind["pattern"])]
    elif total:
        fraction = row["fraction_digits"]
        texts = [("en", _said_of_digits(total, fraction))]
        app = f'<digits xmlns="{APP}" total="{total}" fraction="{fraction}"/>'
        facets = [
            ("maxLength", row["max_length"]),
            ("pattern", number_pattern(int(total), int(fraction))),
        ]
    else:
        if row["min_length"] != "0":
            facets.append(("minLength", row["min_length"]))
        if row["max_length"]:
            facets.append(("maxLength", row["max_length"]))
        if row["pattern"]:
            facets.append(("pattern", row["pattern"]))
            texts = [("en", "The interface's own type sets the length only.")]
    lines = [f'  <xs:simpleType name="{name}">']
    if texts:
        lines += _documentation("    ", texts, app)
    if not facets:
        return [*lines, '    <xs:restriction base="xs:string"/>', "  </xs:simpleType>"]
    return [
        *lines,
        '    <xs:restriction base="xs:string">',
        *(f"      <xs:{facet} value={quoteattr(value)}/>" for facet, value in facets),
        "    </xs:restriction>",
        "  </xs:simpleType>",
    ]


def _said_of_digits(total: str, fraction: str) -> str:
    after = f", at most {fraction} of them after the point" if fraction != "0" else ", no point"
    return (
        f"A number of at most {total} digits{after}; no sign, no exponent; may be empty. "
        "The interface's own type sets the length only."
    )


def _document(lines: Iterable[str], namespace: str = "") -> str:
    names = f'xmlns:xs="{XS}"'
    if namespace:
        names += f' xmlns="{namespace}" targetNamespace="{namespace}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f"<!-- {WRITTEN_BY} -->",
            f'<xs:schema {names} elementFormDefault="qualified">',
            *lines,
            "</xs:schema>",
            "",
        ]
    )


def _include(name: str) -> str:
    return f'  <xs:include schemaLocation="{name}"/>'


def types_file(facts: Facts) -> str:
    """`types.xsd`: every simple type that occurs, in alphabetical order."""
    named: dict[str, list[str]] = {}
    for row in facts.fields:
        if row["base_type"] == "complex":
            continue
        name = type_name(row, facts)
        lines = _simple_type(name, row, facts)
        if named.setdefault(name, lines) != lines:
            raise SystemExit(f"two sets of facets would be called {name}")
    return _document(line for name in sorted(named) for line in named[name])


def _occurs(cardinality: str) -> str:
    if cardinality == "1":
        return ""
    low, _, high = cardinality.partition("..")
    top = "unbounded" if high == "n" else high
    return f' minOccurs="{low}" maxOccurs="{top}"'


def _element(row: Row, kind: str, indent: str) -> list[str]:
    head = (
        f'{indent}<xs:element name="{row["element"]}" type="{kind}"{_occurs(row["cardinality"])}>'
    )
    return [head, *_about(row, indent + "  "), f"{indent}</xs:element>"]


def body_file(facts: Facts, message: str) -> str:
    """`MESSAGE.body.xsd`: a complex type for the message and one for each of its groups."""
    lines = [_include("types.xsd")]
    row = facts.row(message, message)
    waiting = [(message, row)]
    while waiting:
        name, row = waiting.pop(0)
        lines += [f'  <xs:complexType name="{name}">', *_about(row, "    "), "    <xs:sequence>"]
        for child in facts.children(message, row["element"]):
            complex_ = child["base_type"] == "complex"
            kind = f"{message}.{child['element']}" if complex_ else type_name(child, facts)
            lines += _element(child, kind, "      ")
            if complex_:
                waiting.append((kind, child))
        lines += ["    </xs:sequence>", "  </xs:complexType>"]
    return _document(lines)


def envelope_file(facts: Facts) -> str:
    """`envelope.body.xsd`: the transport data, in any order, and the two signature elements."""
    info = facts.row(ENVELOPE, "EnvelopInfo")
    lines = [_include("types.xsd"), '  <xs:complexType name="EnvelopInfo">', *_about(info, "    ")]
    lines.append("    <xs:all>")
    for child in facts.children(ENVELOPE, "EnvelopInfo"):
        lines += _element(child, type_name(child, facts), "      ")
    lines += ["    </xs:all>", "  </xs:complexType>", '  <xs:group name="Signature">']
    lines.append("    <xs:sequence>")
    for child in facts.children(ENVELOPE, "SignedData"):
        if child["base_type"] != "complex":
            lines += _element(child, type_name(child, facts), "      ")
    return _document([*lines, "    </xs:sequence>", "  </xs:group>"])


def _wrap(facts: Facts, path: Sequence[str], inner: list[str], indent: str = "  ") -> list[str]:
    """The envelope elements of `path`, each holding the next one; `inner` stands in the last."""
    row = facts.row(ENVELOPE, path[0])
    deeper = indent + "      "
    content: list[str] = []
    if path[0] == "Package":
        content += [f'{deeper}<xs:element name="EnvelopInfo" type="EnvelopInfo"/>']
    content += _wrap(facts, path[1:], inner, deeper) if len(path) > 1 else inner
    return [
        f'{indent}<xs:element name="{path[0]}">',
        *_about(row, indent + "  "),
        f"{indent}  <xs:complexType>",
        f"{indent}    <xs:sequence>",
        *content,
        f"{indent}    </xs:sequence>",
        f"{indent}  </xs:complexType>",
        f"{indent}</xs:element>",
    ]


def form_file(facts: Facts, form: Row) -> str:
    """`MESSAGE.FORM.xsd`: the envelope around the message, each in its namespace."""
    message, outside, inside = (
        form["message"],
        form["envelope_namespace"],
        form["message_namespace"],
    )
    lines = [_include("envelope.body.xsd")]
    if inside == outside:
        lines.append(_include(f"{message}.body.xsd"))
        held = f'<xs:element name="{message}" type="{message}"/>'
    else:
        lines.insert(
            0, f'  <xs:import namespace="{inside}" schemaLocation="{message}.message.xsd"/>'
        )
        held = f'<xs:element xmlns:m="{inside}" ref="m:{message}"/>'
    space = " " * 20
    data = _wrap(facts, ["Data"], [f"{space}      {held}"], space)
    signature = f'{space}<xs:group ref="Signature"/>'
    order = [signature, *data] if form["signature"] == "before" else [*data, signature]
    return _document([*lines, *_wrap(facts, ["Package", "DataInfo", "SignedData"], order)], outside)


def message_file(form: Row) -> str:
    """`MESSAGE.message.xsd`: the message element in its own namespace."""
    message = form["message"]
    return _document(
        [_include(f"{message}.body.xsd"), f'  <xs:element name="{message}" type="{message}"/>'],
        form["message_namespace"],
    )


def entry_file(message: str, forms: Sequence[Row]) -> str:
    """`MESSAGE.xsd`: takes a document in any of the message's spellings, for validators that want one file."""
    lines = [_include(f"{message}.written.xsd")]
    for form in forms:
        if form["form"] != "written" and form["envelope_namespace"]:
            place = f"{message}.{form['form']}.xsd"
            lines.insert(
                0,
                f'  <xs:import namespace="{form["envelope_namespace"]}" schemaLocation="{place}"/>',
            )
    return _document(lines)


def files(facts: Facts) -> Iterator[tuple[str, str]]:
    """Name and text of every file of the family."""
    yield "types.xsd", types_file(facts)
    yield "envelope.body.xsd", envelope_file(facts)
    for message in facts.messages():
        yield f"{message}.body.xsd", body_file(facts, message)
        yield (
            f"{message}.xsd",
            entry_file(message, [f for f in facts.forms if f["message"] == message]),
        )
    own: dict[str, str] = {}
    for form in facts.forms:
        message = form["message"]
        yield f"{message}.{form['form']}.xsd", form_file(facts, form)
        if form["message_namespace"] == form["envelope_namespace"]:
            continue
        if own.setdefault(message, form["message_namespace"]) != form["message_namespace"]:
            raise SystemExit(f"{message} stands in two namespaces beside the envelope's")
        yield f"{message}.message.xsd", message_file(form)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; `--out` is made if it does not exist, other XSDs in it are removed."""
    parser = argparse.ArgumentParser(
        description="Write the XSDs of a message family from its facts"
    )
    parser.add_argument("--facts", type=Path, default=ROOT / "schemas/facts/express.csv")
    parser.add_argument("--out", type=Path, default=ROOT / "schemas/xsd/express")
    given = parser.parse_args(arguments)
    written = dict(files(Facts.read(given.facts)))
    given.out.mkdir(parents=True, exist_ok=True)
    for stale in given.out.glob("*.xsd"):
        if stale.name not in written:
            stale.unlink()
    for name, text in written.items():
        (given.out / name).write_bytes(text.encode())
    print(f"{len(written)} files in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the compiler of simple types on an unpacked W3C XML Schema Test Suite: `python w3c_simple_types.py FOLDER`.

Every instance test is looked at whose verdict depends on simple types: the types of all its values can be told from the
schema, and libxml2 finds no fault but in values. For each folder of the suite it prints how many verdicts are right,
wrong, refused (a type was not compiled) and disputed (the suite itself marks the test as queried); then the types that
were refused, by reason. It ends with 1 if a verdict is wrong or more than a tenth of the types are refused.

Layout of the suite: test sets are XML files whose root is `testSet`, mostly called `*.testSet` or `*Meta/*.xml`; links in
them are relative to the file. Of a test's expectations that for XSD 1.0 counts.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl
from lxml import etree
from w3c_declarations import Declarations, NotSimple, Value

from crossborder.errors import UnsupportedType
from crossborder.schema.simple import compiled
from crossborder.schema.simple.documents import Documents
from crossborder.schema.simple.model import SimpleType

SUITE = "{http://www.w3.org/XML/2004/xml-schema-test-suite/}"
HREF = "{http://www.w3.org/1999/xlink}href"
VERSIONS = {"1.0", "1.0-1e", "1.0-2e", "xml-1.0-1e-4e", "Unicode_6.0.0"}
SETTLED = {"accepted", "stable", ""}
VALUE_FAULT = re.compile(
    r"SCHEMAV_CVC_(DATATYPE_VALID|FACET_VALID|[A-Z]+_VALID|TYPE_3_1_3|ATTRIBUTE_3|COMPLEX_TYPE_2_2|ELT_5_2_1)"
)
IDENTITIES = {"ID", "IDREF", "IDREFS"}
LARGEST_SHARE = 0.1


class Case(NamedTuple):
    """One instance test."""

    name: str
    schemas: tuple[Path, ...]
    instance: Path
    valid: bool
    settled: bool


@dataclass
class Report:
    """What was found, by folder of the suite."""

    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)
    types: set[tuple[str, str]] = field(default_factory=set)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Refused types among all types met."""
        return len(self.refused) / len(self.types) if self.types else 0.0


def cases(folder: Path) -> Iterator[Case]:
    """The instance tests of every test set below a folder that apply to XSD 1.0."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".testSet", ".xml") or not path.is_file():
            continue
        root = _root(path)
        if root is not None and root.tag == f"{SUITE}testSet" and _applies(root):
            for group in root.iterfind(f"{SUITE}testGroup"):
                yield from _group(path, group)


def _root(path: Path) -> etree._Element | None:
    try:
        if path.suffix != ".testSet":
            _, first = next(etree.iterparse(str(path), events=("start",), resolve_entities=False))
            if first.tag != f"{SUITE}testSet":
                return None
        return _parsed(path)
    except (etree.XMLSyntaxError, StopIteration):
        return None


def _parsed(path: Path) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    return etree.parse(str(path), parser).getroot()


def _group(path: Path, group: etree._Element) -> Iterator[Case]:
    schema = group.find(f"{SUITE}schemaTest")
    if schema is None or not (_applies(group) and _applies(schema)) or _expected(schema) != "valid":
        return
    documents = tuple(_linked(path, schema, "schemaDocument"))
    for test in group.iterfind(f"{SUITE}instanceTest"):
        expected = _expected(test)
        instances = list(_linked(path, test, "instanceDocument"))
        if _applies(test) and expected in ("valid", "invalid") and len(instances) == 1:
            settled = all(_status(node) in SETTLED for node in (schema, test))
            yield Case(test.get("name", ""), documents, instances[0], expected == "valid", settled)


def _applies(node: etree._Element) -> bool:
    tokens = node.get("version", "").split()
    return not tokens or not VERSIONS.isdisjoint(tokens)


def _expected(node: etree._Element) -> str:
    found = [e for e in node.iterfind(f"{SUITE}expected") if _applies(e)]
    return found[0].get("validity", "") if found else ""


def _status(node: etree._Element) -> str:
    current = node.find(f"{SUITE}current")
    return "" if current is None else current.get("status", "")


def _linked(path: Path, node: etree._Element, kind: str) -> Iterator[Path]:
    for link in node.iterfind(f"{SUITE}{kind}"):
        yield (path.parent / link.get(HREF, "")).resolve()


def run(folder: Path, report: Report) -> None:
    """Judges every case; those of one schema stand together."""
    schema: tuple[Path, ...] = ()
    judge: Judge | None = None
    for case in cases(folder):
        if judge is None or case.schemas != schema:
            schema, judge = case.schemas, Judge(case.schemas, report)
        name = _where(folder, case.schemas)
        try:
            outcome = judge.outcome(case)
        except NotSimple as reason:
            report.passed_over[str(reason).split(": ")[0]] += 1
            continue
        report.verdicts[name]["disputed" if not case.settled else outcome] += 1
        if outcome == "wrong" and case.settled:
            report.wrong.append(case.name)


def _where(folder: Path, schemas: Iterable[Path]) -> str:
    first = next(iter(schemas))
    inside = (
        first.relative_to(folder.resolve()) if first.is_relative_to(folder.resolve()) else first
    )
    return "/".join(inside.parent.parts[:3])


class Judge:
    """One schema: its declarations, libxml2's validator if it makes one, and the types compiled so far."""

    def __init__(self, schemas: tuple[Path, ...], report: Report) -> None:
        self.schemas = schemas
        self.report = report
        self.made: dict[int, tuple[SimpleType, bool]] = {}
        self.refusal: UnsupportedType | None = None
        try:
            self.declarations = Declarations([Documents(path) for path in schemas])
        except UnsupportedType as refusal:
            self.refusal = refusal
        try:
            self.validator = (
                etree.XMLSchema(etree.parse(str(schemas[0]))) if len(schemas) == 1 else None
            )
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError):
            self.validator = None

    def outcome(self, case: Case) -> str:
        """`right`, `wrong` or `refused`. Raises `NotSimple` if the verdict depends on something else."""
        try:
            root = _parsed(case.instance)
        except (etree.XMLSyntaxError, OSError) as error:
            raise NotSimple("an unreadable instance") from error
        self._structure(root)
        try:
            if self.refusal is not None:
                raise self.refusal
            values = list(self.declarations.values(root))
            valid = self._all_valid(values)
        except UnsupportedType as refusal:
            key = (str(self.schemas[0]), str(refusal))
            self.report.types.add(key)
            self.report.refused[key] = refusal.reason
            return "refused"
        if valid and not case.valid and any(_is_identity(value.kind) for value in values):
            raise NotSimple("identity of ID and IDREF")
        return "right" if valid == case.valid else "wrong"

    def _structure(self, root: etree._Element) -> None:
        if self.validator is None or self.validator.validate(root):
            return
        for entry in self.validator.error_log:
            if not VALUE_FAULT.match(entry.type_name):
                raise NotSimple(f"structure: {entry.type_name}")

    def _all_valid(self, values: list[Value]) -> bool:
        if not values:
            raise NotSimple("nothing to judge")
        by_type: dict[int, tuple[SimpleType, list[str]]] = {}
        for kind, text in values:
            by_type.setdefault(id(kind), (kind, []))[1].append(text)
        verdicts = []
        for kind, texts in by_type.values():
            judge = compiled(kind)
            self.report.types.add((str(self.schemas[0]), f"{kind.name}/{len(kind.steps)}"))
            frame = pl.DataFrame({"value": texts}, schema={"value": pl.String})
            verdicts.append(bool(frame.select(judge(pl.col("value")).all()).item()))
        return all(verdicts)


def _is_identity(kind: SimpleType) -> bool:
    parts = [kind, *kind.members, *([kind.item] if kind.item else [])]
    return any(
        part.name in IDENTITIES or (part.base is not None and _is_identity(part.base))
        for part in parts
    )


def show(report: Report) -> Iterator[str]:
    """The report in lines."""
    columns = ("right", "wrong", "refused", "disputed")
    yield f"{'group':<45}" + "".join(f"{name:>10}" for name in columns)
    total: Counter[str] = Counter()
    for name, found in sorted(report.verdicts.items()):
        total += found
        yield f"{name:<45}" + "".join(f"{found[column]:>10,}" for column in columns)
    yield f"{'all':<45}" + "".join(f"{total[column]:>10,}" for column in columns)
    yield f"types: {len(report.types):,}, refused {len(report.refused):,} ({report.share:.1%})"
    for reason, count in Counter(report.refused.values()).most_common():
        yield f"  refused for {reason}: {count:,}"
    for reason, count in report.passed_over.most_common():
        yield f"  passed over for {reason}: {count:,}"
    yield from (f"wrong: {name}" for name in report.wrong)


def main(arguments: list[str]) -> int:
    """Exit code: 0 right, 1 something wrong or too much refused, 2 no suite."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: w3c_simple_types.py FOLDER (of the unpacked suite)\n")
        return 2
    report = Report()
    run(Path(arguments[0]), report)
    sys.stdout.write("\n".join(show(report)) + "\n")
    if not report.verdicts:
        sys.stderr.write("no test set with instance tests was found\n")
        return 2
    return 1 if report.wrong or report.share > LARGEST_SHARE else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

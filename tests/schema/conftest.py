"""Facts and documents for the tests of the schema room. Nothing here asks the room itself."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from lxml import etree

from crossborder import resources

CAPITAL = "http://www.chinaport.gov.cn/Exp"
SMALL = "http://www.chinaport.gov.cn/exp"
MESSAGES = tuple(f"EXP{n}" for n in (301, 302, 304, 306, 307, 308, 310, 311, 312))
FORMS = ("written", "strict")


class Documents:
    """Builds instances from the fact table alone."""

    def __init__(self, facts: list[dict[str, str]]) -> None:
        self.facts = facts
        self.messages = MESSAGES
        self.forms = FORMS

    def children(self, message: str, parent: str) -> list[dict[str, str]]:
        return [r for r in self.facts if (r["message"], r["parent"]) == (message, parent)]

    def namespaces(self, message: str, form: str) -> tuple[str, str]:
        """Namespace of the envelope and of the message, by hand from the notes on the interface."""
        if form == "written" or message in ("EXP301", "EXP307"):
            return "", CAPITAL
        return SMALL, SMALL

    def value(self, row: dict[str, str], size: str) -> str:
        """The smallest or largest value the facts allow."""
        largest = size == "largest"
        fixed = {
            "message_id": ("a" * 18 + "b" * 18 + "20261123010203" + "c" * 11) if largest
            else "ab" + "20261123010203" + "c" * 11,
            "file_name": "n" * 61 + ".EXP" if largest else "n.EXP",
            "send_time": "2026-11-23T01:02:03",
        }  # fmt: skip
        if row["element"] in fixed:
            return fixed[row["element"]]
        dates = {
            "yyyyMMdd": ("10000101", "29991231"),
            "yyyyMMddHHmmss": ("10000101000000", "29991231235959"),
            "yyyyMMddHHmmsszzz": ("10000101000000-00", "29991231235959+13"),
        }
        if row["base_type"] in dates:
            return dates[row["base_type"]][largest]
        if not largest:
            return "国" * int(row["min_length"])
        if row["total_digits"]:
            total, fraction = int(row["total_digits"]), int(row["fraction_digits"])
            return "9" * (total - fraction) + (f".{'9' * fraction}" if fraction else "")
        return "𠮷" * int(row["max_length"] or 5000)

    def build(self, message: str, form: str, size: str, lists: int | None = None) -> etree._Element:
        """A whole document; `lists` is how often each repeating group stands in it."""
        outside, inside = self.namespaces(message, form)
        package = etree.Element(_tag(outside, "Package"))
        info = etree.SubElement(package, _tag(outside, "EnvelopInfo"))
        for row in self.children("ENVELOPE", "EnvelopInfo"):
            child = etree.SubElement(info, _tag(outside, row["element"]))
            child.text = message if row["element"] == "message_type" else self.value(row, size)
        signed = etree.SubElement(
            etree.SubElement(package, _tag(outside, "DataInfo")), _tag(outside, "SignedData")
        )
        order = ["Data", "HashSign", "SignerInfo"]
        if message == "EXP307":
            order = ["HashSign", "SignerInfo", "Data"]
        for name in order:
            etree.SubElement(signed, _tag(outside, name))
        data = signed.find(_tag(outside, "Data"))
        assert data is not None
        root = etree.SubElement(data, _tag(inside, message), nsmap={None: inside})
        self._fill(root, message, message, inside, size, lists)
        return package

    def _fill(
        self, node: etree._Element, message: str, parent: str, space: str, size: str,
        lists: int | None,
    ) -> None:  # fmt: skip
        for row in self.children(message, parent):
            for _ in range(self._times(row, size, lists)):
                child = etree.SubElement(node, _tag(space, row["element"]))
                if row["base_type"] == "complex":
                    self._fill(child, message, row["element"], space, size, lists)
                else:
                    child.text = self.value(row, size)

    def _times(self, row: dict[str, str], size: str, lists: int | None) -> int:
        low, _, high = row["cardinality"].partition("..")
        if not high:
            return 1
        if lists is not None:
            return lists
        if size == "smallest":
            return int(low)
        return 30 if high == "n" else int(high)


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


@pytest.fixture(scope="session")
def facts() -> list[dict[str, str]]:
    """The rows of the fact table, all as text."""
    with resources.path("schemas/facts/express.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def documents(facts: list[dict[str, str]]) -> Documents:
    return Documents(facts)


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    """The script that writes the XSDs."""
    path = Path(__file__).resolve().parents[2] / "tools" / "generate_schemas.py"
    spec = importlib.util.spec_from_file_location("generate_schemas", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module

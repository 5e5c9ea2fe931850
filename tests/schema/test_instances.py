"""The XSDs accept and refuse what the facts say: instances built from the fact table, judged by libxml2."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import xmlschema
from lxml import etree

from crossborder import schema

from .conftest import FORMS, MESSAGES, Documents

EVERY = [(message, form) for message in MESSAGES for form in FORMS]


def local(node: etree._Element) -> str:
    return etree.QName(node).localname


@pytest.mark.parametrize(("message", "form"), EVERY)
@pytest.mark.parametrize("size", ["smallest", "largest"])
def test_smallest_and_largest_are_accepted(
    documents: Documents, message: str, form: str, size: str
) -> None:
    judge = schema.validator(message, form)
    judge.assertValid(documents.build(message, form, size))


@pytest.mark.parametrize(("message", "form"), EVERY)
def test_envelope_in_any_order_and_prefixes_are_accepted(
    documents: Documents, message: str, form: str
) -> None:
    document = documents.build(message, form, "smallest")
    info = document[0]
    info[:] = reversed(info)
    outside, _ = documents.namespaces(message, form)
    judge = schema.validator(message, form)
    judge.assertValid(document)
    text = etree.tostring(document)
    if outside:
        text = text.replace(b"ns0:", b"any:").replace(b"xmlns:ns0", b"xmlns:any")
    judge.assertValid(etree.fromstring(text))


def too_long(documents: Documents, message: str) -> Iterator[tuple[str, str, str]]:
    """Group, element and a value that is one character (or one digit) too long."""
    for owner in ("ENVELOPE", message):
        for row in documents.facts:
            if row["message"] != owner or not row["max_length"]:
                continue
            value = documents.value(row, "largest")
            if row["element"] == "message_type":
                value = message
            yield row["parent"], row["element"], value + ("9" if row["total_digits"] else "x")
            if row["total_digits"]:
                yield row["parent"], row["element"], "9" + value


@pytest.mark.parametrize(("message", "form"), EVERY)
def test_one_character_too_many_is_refused(documents: Documents, message: str, form: str) -> None:
    judge = schema.validator(message, form)
    document = documents.build(message, form, "smallest", lists=1)
    judge.assertValid(document)
    places = {
        (local(n.getparent()), local(n)): n for n in document.iter() if n.getparent() is not None
    }
    cases = list(too_long(documents, message))
    assert len(cases) > 10
    for group, element, value in cases:
        node = places[group, element]
        before, node.text = node.text, value
        assert not judge.validate(document), (group, element)
        node.text = before
    judge.assertValid(document)


def test_as_many_strings_as_the_interface_has(facts: list[dict[str, str]]) -> None:
    """318 strings with a greatest length were counted on the interface's own schema set."""
    strings = [r for r in facts if r["base_type"] == "string" and r["max_length"]]
    assert len([r for r in strings if r["message"] != "ENVELOPE"]) == 318


@pytest.mark.parametrize(("message", "form"), EVERY)
def test_every_element_is_needed_and_none_is_added(
    documents: Documents, message: str, form: str
) -> None:
    judge = schema.validator(message, form)
    document = documents.build(message, form, "smallest", lists=2)
    judge.assertValid(document)
    optional = {r["element"] for r in documents.facts if r["cardinality"] == "0..n"}
    optional |= {r["element"] for r in documents.facts if r["cardinality"] == "0..20"}
    removed = 0
    for node in list(document.iter()):
        parent = node.getparent()
        if parent is None:
            continue
        at = parent.index(node)
        parent.remove(node)
        repeated = any(local(n) == local(node) for n in parent)
        allowed = repeated or (len(node) > 0 and local(node) in optional)
        assert judge.validate(document) == allowed, local(node)
        removed += not allowed
        parent.insert(at, node)
        etree.SubElement(node, etree.QName(node).text + "X")
        assert not judge.validate(document), f"{local(node)} takes a stranger"
        del node[-1]
    judge.assertValid(document)
    assert removed >= 10


@pytest.mark.parametrize("message", ["EXP301", "EXP304"])
@pytest.mark.parametrize("form", FORMS)
def test_a_line_too_many_is_refused(documents: Documents, message: str, form: str) -> None:
    judge = schema.validator(message, form)
    document = documents.build(message, form, "smallest", lists=20)
    judge.assertValid(document)
    line = next(n for n in document.iter() if local(n) == "EntryList")
    line.addnext(copy.deepcopy(line))
    assert not judge.validate(document)


@pytest.mark.parametrize("message", ["EXP306", "EXP311"])
def test_a_list_that_must_not_be_empty(documents: Documents, message: str) -> None:
    document = documents.build(message, "written", "smallest", lists=0)
    assert not schema.validator(message).validate(document)


@pytest.mark.parametrize(("message", "form"), EVERY)
def test_order_is_fixed(documents: Documents, message: str, form: str) -> None:
    judge = schema.validator(message, form)
    document = documents.build(message, form, "smallest", lists=1)
    root = next(n for n in document.iter() if local(n) == message)
    group = root if len(root[0]) == 0 else root[0]
    group[:2] = [group[1], group[0]]
    assert not judge.validate(document)


@pytest.mark.parametrize(
    "day", ["20250229", "21000229", "20241301", "20240431", "20240100", "20240000", "09991231",
            "30000101", "2024-01-1", "", "２０２４０１０１", "20240101\n", " 20240101"],
)  # fmt: skip
def test_impossible_dates_are_refused(documents: Documents, day: str) -> None:
    times = {8: "", 14: "000000", 17: "000000+08"}
    for message in MESSAGES:
        judge = schema.validator(message)
        document = documents.build(message, "written", "smallest", lists=1)
        for row in documents.facts:
            if row["message"] != message or not row["base_type"].startswith("yyyy"):
                continue
            node = next(
                n for n in document.iter()
                if local(n) == row["element"] and local(n.getparent()) == row["parent"]
            )  # fmt: skip
            rest = times[int(row["max_length"])]
            before, node.text = node.text, day + rest
            assert not judge.validate(document), (message, row["element"], node.text)
            node.text = "20240229" + rest
            judge.assertValid(document)
            node.text = before


@pytest.mark.parametrize("message", MESSAGES)
def test_namespaces_are_kept_apart(documents: Documents, message: str) -> None:
    """A document of one form is not one of the other, unless the interface itself writes it so."""
    same = message in ("EXP301", "EXP307")
    written = documents.build(message, "written", "smallest", lists=1)
    strict = documents.build(message, "strict", "smallest", lists=1)
    assert schema.validator(message, "strict").validate(written) is same
    assert schema.validator(message, "written").validate(strict) is same
    bare = copy.deepcopy(written)
    for node in bare.iter():
        node.tag = local(node)
    for form in FORMS:
        assert not schema.validator(message, form).validate(bare)


def test_signature_stands_first_in_agreements_only(documents: Documents) -> None:
    for message in MESSAGES:
        document = documents.build(message, "written", "smallest", lists=1)
        signed = document[1][0]
        signed[:] = [*signed[1:], signed[0]] if message != "EXP307" else [signed[2], *signed[:2]]
        assert not schema.validator(message).validate(document)


@pytest.mark.parametrize(("message", "form"), EVERY)
def test_a_second_processor_agrees(documents: Documents, message: str, form: str) -> None:
    """`xmlschema` reads the includes without target namespace as libxml2 does."""
    judge = xmlschema.XMLSchema(str(schema.xsd_path(message, form)))
    for size in ("smallest", "largest"):
        assert judge.is_valid(documents.build(message, form, size))
    document = documents.build(message, form, "smallest", lists=1)
    root = next(n for n in document.iter() if local(n) == message)
    last = [n for n in root.iter() if len(n) == 0][-1]
    last.getparent().remove(last)
    assert not judge.is_valid(document)
    assert not schema.validator(message, form).validate(document)

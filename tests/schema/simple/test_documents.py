"""Documents of one schema: include and import inside the schema's folder, nothing outside it, no entity, no end of patience."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crossborder.errors import UnsupportedType
from crossborder.schema import compile_simple_type

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def schema(inside: str, attributes: str = "") -> str:
    return f"<xs:schema {XS} {attributes}>{inside}</xs:schema>"


def short(name: str, base: str = "xs:string", longest: int = 3) -> str:
    return (
        f'<xs:simpleType name="{name}"><xs:restriction base="{base}"><xs:maxLength value="{longest}"/>'
        "</xs:restriction></xs:simpleType>"
    )


def write(folder: Path, **files: str) -> Path:
    """Files by name, `__` for a folder; the path of `main.xsd`."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".xsd")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "main.xsd"


def verdicts(path: Path, name: str, *values: str) -> list[bool]:
    frame = pl.DataFrame({"v": values})
    return frame.select(compile_simple_type(path, name)(pl.col("v"))).to_series().to_list()


def refused(path: Path, name: str) -> str:
    with pytest.raises(UnsupportedType) as raised:
        compile_simple_type(path, name)
    return raised.value.reason


def test_include_takes_the_namespace_of_the_one_that_includes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main=schema('<xs:include schemaLocation="parts/a.xsd"/>' + short("t", "n:a", 2), 'targetNamespace="urn:n" xmlns:n="urn:n"'),
        parts__a=schema('<xs:include schemaLocation="b.xsd"/><xs:include schemaLocation="../main.xsd"/>' + short("a", "n:b"),
                        'targetNamespace="urn:n" xmlns:n="urn:n"'),
        parts__b=schema(short("b", "c", 4) + short("c", longest=5)),
    )  # fmt: skip
    assert verdicts(path, "{urn:n}t", "ab", "abc") == [True, False]
    assert verdicts(path, "{urn:n}b", "abcd", "abcde") == [True, False]
    assert refused(path, "t") == "unknown-type"


def test_import_of_another_namespace_and_of_none(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main=schema('<xs:import namespace="urn:o" schemaLocation="other.xsd"/><xs:import schemaLocation="none.xsd"/>'
                    + short("t", "o:a", 2) + short("u", "p", 2), 'targetNamespace="urn:n" xmlns:o="urn:o"'),
        other=schema(short("a"), 'targetNamespace="urn:o"'),
        none=schema(short("p")),
    )  # fmt: skip
    assert verdicts(path, "{urn:n}t", "ab", "abc") == [True, False]
    assert verdicts(path, "{urn:n}u", "ab", "abc") == [True, False]
    assert verdicts(path, "{urn:o}a", "abc") == [True]
    assert verdicts(path, "p", "abc", "abcd") == [True, False]


@pytest.mark.parametrize(
    "location",
    ["../out.xsd", "/etc/hostname", "http://127.0.0.1/must-not-resolve.xsd", "file:///etc/hostname", "nowhere.xsd", "link.xsd", "\\\\host\\a.xsd"],
)  # fmt: skip
def test_nothing_outside_the_folder_is_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "in"
    path = write(
        folder,
        main=schema(f'<xs:include schemaLocation="{location}"/>' + short("t") + short("u", "a")),
    )
    write(tmp_path, out=schema(short("a")))
    (folder / "link.xsd").symlink_to(tmp_path / "out.xsd")
    assert verdicts(path, "t", "abc", "abcd") == [True, False]
    assert refused(path, "u") == "outside"


def test_what_is_imported_must_be_of_that_namespace(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main=schema('<xs:import namespace="urn:o" schemaLocation="other.xsd"/>' + short("t")),
        other=schema(short("a"), 'targetNamespace="urn:p"'),
    )
    assert refused(path, "t") == "invalid"


def test_a_namespace_must_be_imported_to_be_used(tmp_path: Path) -> None:
    assert (
        refused(write(tmp_path, main=schema(short("t", "o:a"), 'xmlns:o="urn:o"')), "t")
        == "invalid"
    )


@pytest.mark.parametrize(
    "inside",
    [short("t") + short("t"), '<xs:include/>' + short("t"), '<other xmlns="urn:x"/>' + short("t")],
)  # fmt: skip
def test_not_a_schema_to_rely_on(tmp_path: Path, inside: str) -> None:
    assert refused(write(tmp_path, main=schema(inside)), "t") == "invalid"


def test_redefined_types_are_refused_and_what_is_made_of_them(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main=schema(f'<xs:redefine schemaLocation="a.xsd">{short("a", "a", 2)}</xs:redefine>' + short("t", "a", 1) + short("u", "b", 1)),
        a=schema(short("a") + short("b")),
    )  # fmt: skip
    assert refused(path, "t") == "redefine"
    assert verdicts(path, "u", "a", "ab") == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "", "no XML", "<xs:schema>", "<a/>",
        f'<!DOCTYPE s [<!ENTITY e "3">]><xs:schema {XS}>{short("t")}</xs:schema>',
        f'<!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/hostname">]><xs:schema {XS}>{short("t")}&e;</xs:schema>',
        '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + f']><xs:schema {XS}><xs:annotation id="&i;"/>{short("t")}</xs:schema>',
        f"<xs:schema {XS}>" + "<xs:annotation>" * 300 + "</xs:annotation>" * 300 + short("t") + "</xs:schema>",
    ],
)  # fmt: skip
def test_what_is_no_document_to_read(tmp_path: Path, text: str) -> None:
    assert refused(write(tmp_path, main=text), "t") == "document"


def test_no_file_and_a_file_too_large(tmp_path: Path) -> None:
    assert refused(tmp_path / "main.xsd", "t") == "document"
    assert refused(tmp_path, "t") == "document"
    path = write(tmp_path, main=schema(short("t")) + " " * 20_000_000)
    assert refused(path, "t") == "document"


def test_a_doctype_without_entities_does_no_harm(tmp_path: Path) -> None:
    text = f'<!DOCTYPE xs:schema SYSTEM "XMLSchema.dtd">{schema(short("t"))}'
    assert verdicts(write(tmp_path, main=text), "t", "abc") == [True]


def test_a_chain_of_includes_is_bounded(tmp_path: Path) -> None:
    chain = {f"c{n}": schema(f'<xs:include schemaLocation="c{n + 1}.xsd"/>') for n in range(300)}
    path = write(
        tmp_path, main=schema('<xs:include schemaLocation="c0.xsd"/>' + short("t")), **chain
    )
    assert refused(path, "t") == "nesting"

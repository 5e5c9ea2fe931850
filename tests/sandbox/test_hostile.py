"""Whatever arrives, reading and judging end in an answer and never in an accident."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossborder.errors import InputError
from crossborder.sandbox import judge, rules301, rules311
from crossborder.sandbox.endings import ending_of, normalise
from crossborder.sandbox.reading import Document, read

from .builder import HEAD_301, HEAD_311, IMPORT_B, LINE_301, LINE_311, LINE_B, declaration, manifest

GOOD = [declaration().body, manifest(["DEMO1", "DEMO2"]).body]
calm = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
value = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["0", "1", "142", "A", "B", "C", "I", "E", "9" * 30, "-1", "1e9", "NaN", "０"]),
)


@given(st.binary(max_size=200))
@calm
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read(body)
    except InputError as refusal:
        said = refusal.text("zh"), refusal.text("en")
    else:
        return
    assert all(said)
    assert said[0] != said[1]


@given(
    st.sampled_from(GOOD),
    st.integers(0, 3000),
    st.integers(0, 40),
    st.one_of(st.binary(max_size=8), st.sampled_from([b"<", b"</x>", b"&", b"<![CDATA[", b"]]>"])),
)
@calm
def test_a_damaged_message_is_refused_or_judged(body: bytes, at: int, cut: int, put: bytes) -> None:
    damaged = body[:at] + put + body[at + cut :]
    try:
        incoming = read(damaged)
    except InputError:
        return
    for fault in judge.judge(incoming):
        assert fault.element
        assert fault.zh != fault.en


def records(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(names), value, max_size=20)


@given(records(HEAD_301), st.lists(records(LINE_301), max_size=3))
@calm
def test_the_rules_for_declarations_bear_anything(
    head: dict[str, str], lines: list[dict[str, str]]
) -> None:
    message = Document("EXP301", IMPORT_B | head, tuple(LINE_B | line for line in lines), ({},))
    found = rules301.faults(message)
    assert 1 <= len(found) <= 20
    rules301.faults(Document("EXP301", head, tuple(lines), ()))


@given(records(HEAD_311), st.lists(records(LINE_311), max_size=3))
@calm
def test_the_rules_for_manifests_bear_anything(
    head: dict[str, str], lines: list[dict[str, str]]
) -> None:
    assert len(rules311.faults(Document("EXP311", head, tuple(lines), ()))) <= 20


@given(st.text(max_size=20))
@calm
def test_a_key_holds_no_blank_and_no_hyphen(text: str) -> None:
    key = normalise(f"-{text} \u3000\u2013")
    assert not any(c.isspace() or c == "-" for c in key)
    assert normalise(f" {text}-") == key
    ending_of(text, 0, {"05"})

"""What to do next with a declaration or manifest, in Chinese and English."""

from __future__ import annotations

from crossborder.reconcile.status_table import StatusTable

RECEIPT_OF = {"EXP301": "EXP302", "EXP311": "EXP312"}
"""Which receipt answers which message."""

_OURS: dict[str, tuple[str, str]] = {
    "prepared": ("已制单，未申报：用 submit 申报", "Prepared, not filed: file it with submit"),
    "suspended": (
        "已挂起：查明原因后用 resume 恢复或 void 作废",
        "Suspended: find out why; then resume it, or void it",
    ),
    "voided": ("已作废：可重新提交", "Voided: it may be handed in again"),
    "awaiting_manifest": (
        "等待舱单：该分运单入库成功后自动发送",
        "Waits for the manifest: it goes as soon as customs has stored its house waybill",
    ),
    "queued": ("已排队，等待发送", "Queued, about to be sent"),
    "sending": ("发送中", "Being sent"),
    "sent": ("已送达，等待回执", "With the endpoint: wait for the first receipt"),
    "not_received": (
        "对方确未收到：将以同一报文重发",
        "Certainly not received: the same message goes again",
    ),
    "unknown": (
        "去向不明：等待查询或回执，或人工核实后用 resolve 处置；切勿另行申报",
        "Fate unknown: wait for the look-up or a receipt, or find out and use resolve; do not file it "
        "any other way",
    ),
}


_MARKS: dict[str, tuple[str, str]] = {
    "payload_damaged": (
        "存储的报文已损坏，请从备份恢复主文件夹 payload/ 下的文件，再运行 submit",
        "its stored bytes are damaged: restore the files under payload/ of the home folder from a backup, then submit again",
    ),
    "payload_erased": (
        "存储的报文已销毁，不能再发送；如仍须申报，请重新提交", "its stored bytes were erased and can never be sent; if it must be filed, hand it in again",
    ),
    "house_refused": (
        "舱单未收该分运单，请按回执更正后整份再交",
        "its manifest was refused, wholly or this house waybill: correct what the receipt names and hand the file in again",
    ),
    "other_digest": (
        "口岸以同一编号存有不同内容，请与口岸核实，切勿另行申报",
        "the endpoint holds other content under its id: ask there, do not file it any other way",
    ),
    "contradictory": (
        "回执前后矛盾，请与海关核实",
        "receipts contradict each other: ask customs which holds",
    ),
    "older_stands": (
        "同一票较早的一次申报仍然有效，本次请勿再发，请与海关核实",
        "an earlier declaration of the same parcel stands after all: ask customs before this one goes",
    ),
    "stands_after_all": (
        "曾视为终结的申报仍然有效，而其后又有一次申报，请与海关核实",
        "it stands after all, although a later attempt was made: ask customs which holds",
    ),
    "reopened": (
        "放行之后又有变化，请与海关核实", "customs came back to it after its release: ask what is wanted",
    ),
}  # fmt: skip


def mark(name: str) -> tuple[str, str]:
    """(zh, en): what a mark on an attempt means and what to do; empty for one that has no words."""
    return _MARKS.get(name, ("", ""))


def advice(
    message_type: str, last_code: str | None, state: str, table: StatusTable | None = None
) -> tuple[str, str]:
    """(zh, en): the next step for an attempt of `message_type` in `state`, `last_code` its last result code."""
    status = (table or StatusTable.load()).get(RECEIPT_OF.get(message_type, ""), last_code or "")
    if status is not None and status.state == state:
        return status.next_zh, status.next_en
    if state == "platform_failed":
        return (
            "端点拒收：更正后作为新的一次申报重新提交",
            "The endpoint declined it: repair it and hand it in again as a new attempt",
        )
    return _OURS.get(state, ("", ""))

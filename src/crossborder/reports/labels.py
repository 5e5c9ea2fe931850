"""Chinese and English words for the names that stand in the ledger and in findings. Names stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: dict[str, tuple[str, str]] = {
    # consequences of findings
    "reject": ("拒收", "reject"),
    "hold": ("待人工", "on hold"),
    "mark": ("已标注", "marked"),
    "note": ("提示", "note"),
    # outcomes of a hand-in, and lines of the account
    "handed_in": ("交入", "handed in"),
    "unreadable": ("无法读取", "unreadable"),
    "rejected": ("校验未通过", "rejected"),
    "not_evaluated": ("未能评估", "not evaluated"),
    "on_hold": ("待人工处理", "on hold"),
    "already_filed": ("此前已申报", "already filed"),
    "prepared": ("已制单未发送", "prepared"),
    "suspended_or_voided": ("挂起或作废", "suspended or voided"),
    "in_flight": ("在途", "in flight"),
    "refused": ("被退回", "refused"),
    "released": ("已放行", "released"),
    "other_final": ("其他终结", "other final"),
    # states
    "suspended": ("已挂起", "suspended"),
    "voided": ("已作废", "voided"),
    "awaiting_manifest": ("等待舱单", "awaiting manifest"),
    "queued": ("已排队", "queued"),
    "sending": ("发送中", "sending"),
    "sent": ("已送达", "sent"),
    "not_received": ("确未收到", "not received"),
    "unknown": ("去向不明", "unknown"),
    "stored": ("中心已入库", "stored"),
    "platform_failed": ("平台未接收", "not taken by the platform"),
    "forwarded": ("已发往海关", "forwarded"),
    "accepted": ("海关已入库", "accepted"),
    "sent_back": ("退单", "sent back"),
    "transferred": ("转普货报关", "to ordinary cargo"),
    "manual_review": ("人工审核", "manual review"),
    "papers_requested": ("须交纸面单据", "papers requested"),
    "inspection": ("查验", "inspection"),
    "detained": ("扣留", "detained"),
    "confiscated": ("没收", "confiscated"),
    "to_be_amended": ("改单", "to be amended"),
    "deleted": ("删单", "deleted"),
    "review_passed": ("审核通过", "review passed"),
    "pending_other": ("其他待处理", "pending, other"),
    "reclass": ("须改报类别", "other class"),
    "amendment_after_inspection": ("查验后改单", "amendment after inspection"),
    "returned_abroad": ("退运", "returned abroad"),
    "destroyed": ("销毁", "destroyed"),
    "rectification": ("整改", "rectification"),
    "quarantine": ("检疫处理", "quarantine"),
    "in_force": ("已生效", "in force"),
    "not_approved": ("未批准", "not approved"),
    "ended_early": ("提前终止", "ended early"),
    # what a person must look at
    "not_manifested": ("未列入舱单", "on no manifest"),
    "no_answer": ("超时无回执", "no answer"),
    "not_submitted": ("已制单未申报", "prepared, not filed"),
    "manifest_damaged": ("舱单报文损坏", "damaged manifests"),
    "manifest_suspended": ("舱单挂起", "suspended manifests"),
    "manifest_unknown": ("舱单去向不明", "manifests of unknown fate"),
    "manifest_refused": ("舱单被退回", "refused manifests"),
    "manifest_not_submitted": ("所需舱单未申报", "manifest not filed yet"),
    "unreadable_receipt": ("回执无法读取", "unreadable receipt"),
    "unmatched_receipt": ("回执无对应", "unmatched receipt"),
    "contradictory_receipt": ("回执矛盾", "contradictory receipt"),
    "unknown_code_receipt": ("回执代码未知", "unknown receipt code"),
    "other_digest": ("对方存有不同内容", "other content there"),
    "reopened": ("放行后重开", "reopened"),
    "contradictory": ("回执前后矛盾", "contradictory receipts"),
    "house_refused": ("舱单未收该分运单", "house refused in the manifest"),
    "damaged": ("报文已损坏", "damaged bytes"),
    "recording": ("记录中", "recording"),
    "sealed": ("已封存", "sealed"),
    "discarded": ("已放弃", "discarded"),
}  # fmt: skip


def outcomes(counts: Mapping[str, int], lang: str) -> str:
    """What became of the shipments of a hand-in, in words: those that were filed since are `prepared` too."""
    words = {"prepared": ("已制单", "prepared")}
    return ("，" if lang == "zh" else ", ").join(
        f"{words.get(name, LABELS.get(name, (name, name)))[lang != 'zh']} {count:,}"
        for name, count in counts.items()
        if count
    )


def label(name: str, lang: str) -> str:
    """The word for a name; the name itself where there is none."""
    zh, en = LABELS.get(name, (name, name))
    return zh if lang == "zh" else en

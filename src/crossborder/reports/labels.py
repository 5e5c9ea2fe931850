"""Chinese and English words for the names that stand in the ledger and in findings. Names stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: dict[str, tuple[str, str]] = {
    # consequences of findings
    "reject": ("拒收", "reject"),
    "transfer": ("转一般报关", "general declaration"),
    "hold": ("待人工", "on hold"),
    "mark": ("已标注", "marked"),
    "note": ("提示", "note"),
    # outcomes of a hand-in, and lines of the account
    "handed_in": ("交入", "handed in"),
    "unreadable": ("无法读取", "unreadable"),
    "valid": ("通过", "valid"),
    "rejected": ("校验未通过", "rejected"),
    "not_evaluated": ("未能评估", "not evaluated"),
    "on_hold": ("待人工处理", "on hold"),
    "to_general": ("转一般报关", "general declaration"),
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
    "manifest_voided": ("舱单作废", "voided manifests"),
    "manifest_unknown": ("舱单去向不明", "manifests of unknown fate"),
    "manifest_refused": ("舱单被退回", "refused manifests"),
    "manifest_not_submitted": ("所需舱单未申报", "manifest not filed yet"),
    "unreadable_receipt": ("回执无法读取", "unreadable receipt"),
    "unmatched_receipt": ("回执无对应", "unmatched receipt"),
    "contradictory_receipt": ("回执矛盾", "contradictory receipt"),
    "unknown_code_receipt": ("回执代码未知", "unknown receipt code"),
    # what does not agree
    "lost": ("口岸没有收到", "never received"),
    "arrived_twice": ("口岸收到多次", "arrived more than once"),
    "listed_twice": ("列入多份舱单", "listed on several manifests"),
    "filed_nowhere": ("计为已申报而未申报", "counted as filed, filed nowhere"),
    "received_unrecorded": ("口岸已收而台账未记", "received, but not recorded"),
    "digest_differs": ("收发内容不同", "other content received"),
    "payload_damaged": ("存储的报文损坏", "damaged stored bytes"),
    "receipt_changed": ("存储的回执被改动", "changed receipt"),
    "shipments_missing": ("分运单缺少", "missing shipments"),
    "rows_differ": ("行数不符", "row counts differ"),
    "counts_differ": ("封存时的数目不符", "sealed counts differ"),
    "attempt_missing": ("报关单缺少", "missing declaration"),
    "document_left": ("待人工报文未清", "document of a held one left"),
    "attempt_without_shipment": ("报关单没有货物", "declaration without its shipment"),
    "state_without_receipt": ("状态没有回执依据", "state without a receipt"),
    "state_differs": ("状态与回执不符", "state differs from receipts"),
    "state_impossible": ("记录与状态不符", "impossible state"),
    "history_differs": ("状态与历史不符", "state differs from history"),
    "awaits_no_manifest": ("等待的舱单不存在", "awaits no manifest"),
    "manifest_empty": ("舱单没有分运单", "empty manifest"),
    "receipt_line_loose": ("回执行没有归属", "loose receipt line"),
    "receipt_silent": ("回执没有内容", "silent receipt"),
    "receipt_doubled": ("同一回执存了两次", "doubled receipt"),
    "not_ours": ("非本台账发出", "not sent by this ledger"),
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

"""The page that goes with an exported audit trail: what it is, and how to check it without this program."""

from __future__ import annotations

README = """\
# Audit trail of a crossborder ledger · 跨境申报台账审计记录

`entries.jsonl`  one entry per line, oldest first · 每行一条记录，按先后排列
`head.json`      number and digest of the last entry · 末条编号与摘要（链头）
`verify.py`      the procedure below, 40 lines, standard library only · 下述步骤的脚本，只用标准库

## Procedure · 核验步骤

1. Take a line of `entries.jsonl` (UTF-8). It ends with `,"prev":"…","digest":"…"}`. What stands before that, followed by
   `}`, is the entry as it was written. Parse nothing anew: the bytes count.
   取一行，去掉末尾的 `,"prev":"…","digest":"…"}` 再补 `}`，即为原始记录；须按原字节计算。
2. SHA-256 over `prev` (64 characters) followed by the entry must be `digest`.
   对 `prev`（64 个字符）接原始记录计算 SHA-256，应等于 `digest`。
3. `prev` of an entry is `digest` of the entry whose `id` is one less; of entry 1 it is 64 zeros.
   每条的 `prev` 等于前一编号的 `digest`；第 1 条的 `prev` 为 64 个零。
4. If `head.json` says `"whole": true`: `id` goes up by one from 1, and the last entry is the head.
   `"whole": true` 时编号从 1 连续递增，末条即链头。
5. The last `digest`s, one after another, have the SHA-256 `list`, and there are `entries` of them.
   全部 `digest` 依次相接，其 SHA-256 等于 `list`，条数等于 `entries`。

`python verify.py` does this. `python verify.py 1234:9f86…` also asks whether a head that you kept from an earlier export
is still in the trail.

## What it proves, and what not · 能证明什么

No entry was edited, left out, put in or moved since the head was made. It cannot show that nobody has written the whole
trail and its head anew: **keep the line `NUMBER:DIGEST` of each export elsewhere** (on paper, in a mail), and ask for it next
time. An entry `chained` says that those before it were only chained at that moment.
自链头形成以来，没有记录被改动、删除、插入或调换。若有人连同链头重写整条链，单凭本文件无法发现：请把每次导出的“编号:摘要”
另行保存（纸面或邮件），下次核验时给出。`chained` 一条表示其前的记录是在那一刻才入链的。

An export of some batches (`"whole": false`) shows that these entries are whole; that none of the ledger is missing, only
a whole export shows.
只导出部分批次时（`"whole": false`）只能证明所列记录未被改动；是否有缺失须看完整导出。

## What an entry says · 记录内容

`at` the moment (China time), `who` the person, process or endpoint, `verb` what was done, `batch_id`, `attempt_id`,
`from_state`, `to_state`, and `detail`. Consignees, consignors, their numbers, addresses and goods stand in none of them;
waybills neither: an attempt's number leads to its waybill in the ledger (`crossborder status`).
记录中没有收发件人、证件号、地址或货物，也没有运单号；由申报编号（attempt_id）可在台账中查到运单。
"""

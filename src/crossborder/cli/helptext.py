"""What `--help` says of every command: one line, what it does, examples, exit codes; Chinese and English."""

from __future__ import annotations

from typing import NamedTuple

Pair = tuple[str, str]

ABOUT: Pair = (
    "跨境快件申报：预报清单 → 校验 → 制单 → 申报 → 收回执 → 对账。只有 submit 会发送；每票包裹任何时刻都有且只有一个去处。",
    "Express declarations for China's single window: shipment file → check → prepare → submit → receive → "
    "reconcile. Only submit sends; at every instant each parcel is in exactly one place.",
)
EXITS: Pair = (
    "0 一切正常或仅有提示；1 有事需要处理；2 未能执行，未作改动。",
    "0 all good, or warnings only; 1 something needs attention; 2 could not run, nothing changed.",
)


class Help(NamedTuple):
    """One command: `line` in the list of commands, `body` above its options, `exits` what 0, 1 and 2 mean here."""

    line: Pair
    body: Pair
    examples: tuple[str, ...]
    exits: Pair = EXITS


_SET_UP: Pair = (
    "0 已完成；2 未能执行，未作改动。",
    "0 done; 2 could not run, nothing changed.",
)
_FOUND: Pair = (
    "0 找到；1 没有找到；2 未能执行。",
    "0 found; 1 nothing found; 2 could not run.",
)

_RULED: Pair = (
    "0 已完成；1 有报文未能处置（逐份说明）；2 未能执行，未作改动。",
    "0 done; 1 some messages were left alone, each with the reason; 2 could not run, nothing changed.",
)

HELPS: dict[str, Help] = {
    "demo": Help(
        ("演示：离线跑完整流程", "the whole flow against the sandbox, offline"),
        (
            "用虚构数据跑完整流程：两份清单制成报文，分送两个模拟口岸（http 与文件夹），收回执，"
            "更正后重交，最后给出总账，并与模拟口岸收到的逐条核对。在自己的文件夹中进行，不会触及正式口岸。",
            "Two made-up files become XML, go to two simulated endpoints (http and folder), come back as receipts; a "
            "corrected file is handed in again; then the account is closed and compared with what the sandbox says it "
            "received. Everything happens in a folder of its own; nothing can reach a live endpoint.",
        ),
        ("crossborder demo", "crossborder demo --shipments 2000 --folder ./try"),
        (
            "0 账平且与模拟口岸一致；1 有差异；2 未能执行。",
            "0 the account adds up and the sandbox agrees; 1 a difference; 2 could not run.",
        ),
    ),
    "init": Help(
        ("初始化：写出带说明的设置文件", "write the commented settings file"),
        (
            "写出 crossborder.toml：每个设置项都带含义和默认值。不附带任何正式口岸地址。",
            "Writes crossborder.toml, in which every key stands with its meaning and default. No live address is in it.",
        ),
        ("crossborder init", "crossborder init -o ./crossborder.toml"),
        _SET_UP,
    ),
    "doctor": Help(
        ("自检：设置、文件夹、台账、时钟", "show every effective value and try what they name"),
        (
            "显示每个生效的设置及其来源，并试用主文件夹、磁盘、时钟、企业档案、台账；--connect 时逐个试连口岸。",
            "Shows every effective value with its origin and tries home folder, disk, clock, profiles and ledger; with "
            "--connect also each endpoint's address.",
        ),
        ("crossborder doctor", "crossborder doctor --connect"),
        ("0 全部正常；1 有一项不行；2 未能执行。", "0 all good; 1 something failed; 2 could not run."),
    ),
    "check": Help(
        ("校验：只看问题，不存不发", "check a file: findings only, nothing stored"),
        (
            "读入预报清单并校验：按规则列出问题，严重的在前，每条带数量、处理办法和三个例子。"
            "可读 CSV、XLSX、XLS、XLSM、Parquet、JSON、NDJSON。什么都不保存，什么都不发送。",
            "Reads a shipment file and shows what is wrong: by rule, worst first, with count, remedy and three examples. "
            "Reads CSV, XLSX, XLS, XLSM, Parquet, JSON and NDJSON. Nothing is stored, nothing is sent.",
        ),
        (
            "crossborder check today.xlsx --profile ourfirm",
            "crossborder check today.xlsx --annotate marked.xlsx",
            "crossborder check today.csv --findings all.csv --only-rejected to-correct.csv",
        ),
        (
            "0 全部通过（可有提示）；1 有未通过、未能评估或待人工的分运单；2 文件无法读取。",
            "0 every shipment is valid (notes allowed); 1 some are rejected, not evaluated or on hold; 2 the file cannot be read.",
        ),
    ),
    "prepare": Help(
        ("制单：校验、组报、入账，不发送", "check, compose, record the batch; nothing leaves the house"),
        (
            "校验后生成报关单和舱单报文，记入台账成为一个批次。同一文件可以重复交入："
            "内容相同且有效的计为“此前已申报”，被退回的成为新的一次申报。什么都不发送。",
            "Checks, composes declarations and manifests and records them as a batch. Handing the same file in again is "
            "normal: what is live with the same content counts as already filed, what was refused becomes a new attempt. "
            "Nothing is sent.",
        ),
        (
            "crossborder prepare today.xlsx --profile ourfirm --operator wang",
            "crossborder prepare today.xlsx -o ./xml --layout bundle",
        ),
        (
            "0 全部制单或此前已申报；1 有分运单需要更正或人工处理；2 未能执行，未作改动。",
            "0 all prepared or already filed; 1 some need correcting or a person; 2 could not run, nothing changed.",
        ),
    ),
    "submit": Help(
        ("申报：发送已制单的批次", "file what is prepared"),
        (
            "不带批次号：只列出待申报的批次，什么都不发送。带批次号：先显示口岸、是否正式、申报单位和数量，"
            "确认后发送舱单；舱单回执收到后再发送报关单。去向不明的绝不盲目重发。",
            "Without BATCH it lists what waits and sends nothing. With BATCH it shows endpoint, sandbox or live, declarant "
            "and counts, asks, sends the manifests and, as their receipts come in, the declarations. What is unknown is "
            "never sent again blindly.",
        ),
        ("crossborder submit", "crossborder submit 20261123-07", "crossborder submit 20261123-07 --yes"),
        (
            "0 全部送达；1 有未送达、去向不明、被拒或等待舱单的；2 未能执行或未确认，未发送。",
            "0 everything arrived; 1 something is unknown, declined, not sent or waits for its manifest; "
            "2 could not run or not confirmed, nothing was sent.",
        ),
    ),
    "receive": Help(
        ("收回执：取回或导入回执", "fetch or import receipts"),
        (
            "从各口岸取回回执，或导入文件、文件夹：先原样保存，再读取、匹配、更新状态。重复导入没有影响。",
            "Fetches receipts from every endpoint, or imports files and folders: stored raw first, then read, matched and "
            "applied. Importing the same file twice does no harm.",
        ),
        ("crossborder receive", "crossborder receive --follow 600", "crossborder receive ./from-client/*.xml"),
        (
            "0 全部处理；1 有回执无法读取、匹配，或口岸无法连接；2 未能执行。",
            "0 all applied; 1 a receipt cannot be read or matched, or an endpoint cannot be reached; 2 could not run.",
        ),
    ),
    "reconcile": Help(
        ("对账：证明每票每行去向唯一", "prove that every parcel is in exactly one place"),
        (
            "核对文件、台账、发件箱与口岸，列出每一处差异，不作任何改动。总账同时给出票数和行数。",
            "Compares files, ledger, outbox and endpoints and lists each difference; changes nothing. The account counts "
            "shipments and rows side by side.",
        ),
        ("crossborder reconcile", "crossborder reconcile --batch 20261123-07", "crossborder reconcile --date 2026-11-23"),
        (
            "0 没有差异；1 有差异；2 未能执行（例如口岸无法查询）。",
            "0 no difference; 1 differences; 2 could not run (an endpoint cannot be asked).",
        ),
    ),
    "status": Help(
        ("查询：去向、时间线、报文原文", "where things stand; the story of one parcel"),
        (
            "不带单号：给出总账和未列入舱单的分运单。带分运单号或总运单号：给出每次申报的状态、下一步、时间线和回执；--xml 显示报文原文。",
            "Without a waybill: the account, headed by what stands on no manifest. With house or master waybills: each "
            "attempt with its state, what to do next, time line and receipts; --xml shows the exact bytes.",
        ),
        ("crossborder status", "crossborder status HX1001 --xml", "crossborder status --state unknown"),
        ("0 找到；1 有单号不在台账；2 未能执行。", "0 found; 1 a waybill is not in the ledger; 2 could not run."),
    ),
    "batches": Help(
        ("批次：列出批次", "the batches of a day, or the latest"),
        ("列出批次：编号、文件、是否已申报、数量。", "Lists batches: id, file, whether filed, counts."),
        ("crossborder batches", "crossborder batches --date 2026-11-23"),
        _SET_UP,
    ),
    "report": Help(
        ("日报：HTML、XLSX、JSON", "the day as HTML, XLSX or JSON"),
        (
            "一天（默认今天，中国时间）或若干批次的日报：总账、需要人工处理的事项、各总运单、各规则的问题。格式由扩展名决定。",
            "The day (default: today, China time) or some batches: account, what a person must look at, master waybills, "
            "findings by rule. The suffix of the file chooses the format.",
        ),
        ("crossborder report", "crossborder report --date 2026-11-23 -o day.xlsx"),
        ("0 已写出，无待办；1 已写出，有事需要处理；2 未能执行。", "0 written, nothing waits; 1 written, something needs a person; 2 could not run."),
    ),
    "resolve": Help(
        ("处置：人工认定去向不明的报关单", "decide an unknown, with a reason"),
        (
            "由人认定去向不明的报文究竟如何，须写明依据，记入台账：received 口岸已收到；not-received 口岸或导入客户端确认没有收到，"
            "之后会以同一报文重发；declined 口岸或海关收到但拒绝，该次申报就此终结，可更正后重新制单。拿不准就不要处置。"
            "file-again 用于另一种情形：海关已终结（删单、企业申请退单、改报其他类别）而由人决定能否重新申报的，决定之后单号方可再用。",
            "A person decides what became of what is unknown, and says how they know; it goes into the ledger. received: the "
            "port has it. not-received: only when the port or the import client has shown that nothing arrived; the same bytes "
            "are then sent again. declined: it arrived and was refused; that try is over and may be handed in corrected. If you "
            "are not sure, leave it unknown. file-again is for another case: customs has ended it (deleted, returned at your "
            "request, to be declared in another class) and it is a person's to decide whether the parcel is filed again; only then "
            "is its key free.",
        ),
        (
            'crossborder resolve HX1001 --as received --reason "seen in the client\'s SentBox"',
            'crossborder resolve HX1001 --as not-received --reason "port help desk, call of 14:05" --dry-run',
            'crossborder resolve HX1002 --as file-again --reason "deleted by mistake, customs agrees"',
        ),
        _SET_UP,
    ),
    "suspend": Help(
        ("挂起：尚未发出的先不发", "keep what waits from being sent"),
        (
            "挂起尚未发出的报文，直到 resume；正在发送和已经发出的不动，并逐份说明。与正在运行的 submit 同时进行也安全：一份报文要么被"
            "发送进程取走，要么被挂起。安全提示：挂起不是撤单，已发出的不会因此撤回；挂起舱单，等它的报关单也不会发出。",
            "Suspends messages that have not left, until resume; what is being sent or has left is left alone, each with the "
            "reason. Safe beside a running submit: a message is either taken by a sender or suspended, never both. Mind: to "
            "suspend is not to withdraw, nothing comes back; with a manifest, the declarations that wait for it wait too.",
        ),
        (
            'crossborder suspend HX1001 --reason "customs asks for papers first" --dry-run',
            'crossborder suspend --batch 20261123-07 --reason "wrong flight"',
        ),
        _RULED,
    ),
    "resume": Help(
        ("恢复：挂起的从原处继续", "let what was suspended go on where it was"),
        (
            "让挂起的报文从原处继续：同一编号、同一报文。本命令本身不发送，由 submit 或服务照常发送。安全提示：报文仍损坏的、同一单号"
            "先前的申报仍然有效的，不会恢复。",
            "Lets suspended messages go on where they were, with the same id and the same bytes. It sends nothing itself: submit or "
            "the service does, as before. Mind: what is still damaged, or would be a second declaration of a parcel whose "
            "first one stands, is not resumed.",
        ),
        ('crossborder resume HX1001 --reason "papers handed in"', 'crossborder resume --batch 20261123-07 --reason "flight confirmed"'),
        _RULED,
    ),
    "void": Help(
        ("作废：一个字节都未发出的才可作废", "give up what has not left"),
        (
            "作废尚未发出的报文：此后绝不会发出，单号可以重新制单。安全提示：只要可能已有一个字节发出（正在发送、去向不明、已发出）就不能作废；"
            "作废不可撤销。作废报关单，舱单上仍列有该分运单；作废舱单，其分运单不再列于任何舱单，等待中的报关单须重新 prepare 同一文件生成"
            "新舱单后才会发出。",
            "Gives up messages that have not left: they never go, and their keys are free for a new hand-in. Mind: what may have "
            "left by a single byte (being sent, unknown, sent) cannot be voided, and there is no way back. A voided "
            "declaration's house stays on its manifest. The houses of a voided manifest stand on none: declarations that wait "
            "go only after the same file was handed in again, which makes a new manifest.",
        ),
        (
            'crossborder void HX1001 --reason "parcel did not fly" --dry-run',
            'crossborder void --master 999-12345675 --reason "flight cancelled"',
        ),
        _RULED,
    ),
    "audit": Help(
        ("审计：证明台账历史未被改动", "prove that the history was not touched"),
        (
            "台账的每一次状态变化、每一个人工处置都是一条记录，按先后以摘要相连：改一个字节、删一条、换两条的次序，verify 都会指出位置。"
            "export 写出可离线核验的文件。",
            "Every change of state and every decision is an entry, each linked by digest to the one before: verify names the "
            "place of any that was edited, deleted or moved. export writes what an auditor checks offline.",
        ),
        ("crossborder audit verify", "crossborder audit export -o ./audit-2026-11"),
        (
            "0 完好；1 有改动、缺失或不符；2 未能执行。",
            "0 whole; 1 something was edited, is missing or differs; 2 could not run.",
        ),
    ),
    "audit verify": Help(
        ("核验全部记录、区块和现状", "verify every entry, every block and every present state"),
        (
            "逐条核对整条链和链头，再核对各批次登记的区块、每份申报的现状与其最后一条记录是否相符。不作任何改动。"
            "能发现改动、删除、插入、调换和被截断的链尾；若有人连同链头把整条链重写，只有另行保存的链头能发现：用 --since 给出。",
            "Goes through the whole chain and its head, then compares what each block recorded and where each message stands "
            "with its last entry. Changes nothing. It finds edits, gaps, insertions, reorderings and a tail that was cut off. "
            "Whoever writes the whole chain and its head anew is found only by a head that was kept elsewhere: name it with --since.",
        ),
        (
            "crossborder audit verify",
            "crossborder audit verify --since ./audit-2026-10/head.json",
        ),
        (
            "0 完好；1 有改动、缺失或不符；2 未能执行。",
            "0 whole; 1 something was edited, is missing or differs; 2 could not run.",
        ),
    ),
    "audit export": Help(
        ("导出审计记录，可离线核验", "write the history for an auditor, to be checked offline"),
        (
            "写出 entries.jsonl（每行一条记录）、head.json（链头）、README.md（核验步骤）和只用 Python 标准库的 verify.py。"
            "不含收发件人、证件号、地址、货物和运单号。请把给出的“编号:摘要”另行保存，下次用 --since 核验。",
            "Writes entries.jsonl (one entry per line), head.json, README.md (the procedure) and verify.py, which needs only "
            "Python's standard library. No person, number of a person, address, goods or waybill is in it. Keep the "
            "NUMBER:DIGEST that it tells somewhere else: next time, verify --since asks for it.",
        ),
        ("crossborder audit export -o ./audit-2026-11", "crossborder audit export --batch 20261123-07 -o ./audit-07"),
        _SET_UP,
    ),
    "accept": Help(
        ("放过：因某条规则待人工的票予以放行", "let pass what waits for a rule, with a reason"),
        (
            "由人认定：本批次因某条规则待人工或未能评估的分运单可以申报，须写明依据，记入台账。只因已放过的规则而等待的票转为已制单，"
            "报文即录入时所制，随后用 submit 申报；还因其他规则等待的票不动，并说明是哪些规则。拒收的规则不能放过。重复执行无妨。",
            "A person decides that the parcels of a batch that wait for a rule, or that it could not judge, may be declared, and "
            "says why; it goes into the ledger. Parcels that wait for accepted rules only become prepared, with the document made "
            "when they were recorded, and are then filed with submit; those that other rules hold stay, and the answer names the "
            "rules. A rule that rejects cannot be accepted. Accepting twice is harmless.",
        ),
        (
            'crossborder accept LIM-12 --batch 20261123-07 --reason "rates of the bank, looked at" --dry-run',
            'crossborder accept CLS-17 --batch 20261123-07 --waybill HX1001 --reason "family of four, seen the order"',
        ),
        (
            "0 都已放过；1 有票仍因其他规则等待；2 未能执行，未作改动。",
            "0 all of them passed; 1 some still wait for something else; 2 could not run, nothing changed.",
        ),
    ),
    "explain": Help(
        ("查规则：法源、日期、例子", "a rule: law, dates, certainty, examples"),
        (
            "显示一条规则：含义、适用、后果、法源、生效日期、可信度、处理办法，以及一个通过和一个不通过的例子。",
            "Shows a rule: meaning, whom it concerns, consequence, law, dates, certainty, remedy, and one passing and one "
            "failing example.",
        ),
        ("crossborder explain LIM-02", "crossborder explain --all"),
        _FOUND,
    ),
    "replay": Help(
        ("回放：换一个规则包会有哪些不同", "which declarations would change under another rule pack"),
        (
            "把同一批分运单按两个规则包各校验一遍，列出结论或类别不同的分运单，以及起作用的规则。规则包以其首日命名，"
            "不给 --pack 则列出全部。不改动任何东西。--batch、--date 只能重新校验已制单的分运单；当时被拒的请给原文件。",
            "Judges the same shipments under two rule packs and lists those whose verdict or class differs, with the rules that "
            "make the difference. A pack is named by its first day; without --pack all are listed. Changes nothing. --batch and "
            "--date judge again what was composed; for what was refused then hand in the FILE.",
        ),
        (
            "crossborder replay",
            "crossborder replay today.xlsx --pack 2024-11-30 --pack 2024-12-01 -o changes.xlsx",
            "crossborder replay --batch 20261123-07 --pack 2022-03-01 --pack 2024-12-01",
        ),
        ("0 没有不同；1 有不同；2 未能执行。", "0 nothing differs; 1 something does; 2 could not run."),
    ),
    "codes": Help(
        ("查代码、导入代码表与汇率", "look up codes; import tables and exchange rates"),
        (
            "按代码、中文或英文名称查代码表；导入新的代码表或海关汇率。",
            "Searches a code table by code, Chinese or English name; imports tables and customs exchange rates.",
        ),
        ("crossborder codes countries 美国", "crossborder codes list", "crossborder codes import exchange_rates rates.csv --from 2026-11-01"),
        _FOUND,
    ),
    "codes find": Help(
        ("按代码或名称查找", "search a table by code or name"),
        (
            "crossborder codes TABLE QUERY 是同一命令的简写。",
            "`crossborder codes TABLE QUERY` is the same, shorter.",
        ),
        ("crossborder codes find currencies USD", "crossborder codes countries 美国"),
        _FOUND,
    ),
    "codes import": Help(
        ("导入代码表或海关汇率", "replace a table, or import a month's exchange rates"),
        (
            "自某日起替换一个代码表；exchange_rates 的列为 currency,rate（每一单位外币合人民币），可另有 month 列（yyyyMM）。",
            "Replaces a table from a day on. For exchange_rates the columns are currency,rate (CNY for one unit) and "
            "perhaps month (yyyyMM).",
        ),
        ("crossborder codes import exchange_rates rates.csv --from 2026-11-01",),
        _SET_UP,
    ),
    "codes list": Help(
        ("有哪些代码表", "which tables there are"),
        (
            "列出代码表、行数和完整性：不完整的表里查不到，绝不算错。",
            "Lists tables, rows and coverage: a miss in an incomplete table is never a fault.",
        ),
        ("crossborder codes list",),
        _SET_UP,
    ),
    "schema": Help(
        ("查报文：元素、长度、填制条件", "a message: elements, lengths, filling conditions"),
        ("不带报文名：列出各报文。", "Without a message: lists the messages."),
        ("crossborder schema EXP301", "crossborder schema EXP301 --element GrossWt"),
        _FOUND,
    ),
    "tax": Help(
        ("查税：逐项算出税额和依据", "what each line and parcel pays, and why"),
        (
            "按报关类别逐项计税：B类行邮税，C类关税、消费税、增值税估算；--as ecommerce 按跨境电商零售进口估算。每项给出规则、"
            "计税基数、税率、税额；给出运单号时写出算式。税表、税率和汇率按申报日期，起征额按进出口日期。缺税号、汇率或税则时为“未能评估”，"
            "绝不当作零。什么都不保存，什么都不发送。",
            "Works out the tax of each line by its class: postal-articles tax for class B, an estimate of duty, consumption "
            "tax and VAT for class C; --as ecommerce asks what imports would pay as retail e-commerce. Each line shows rule, "
            "base, rate and amount; name a waybill to see its sums written out. Tables and rates go by the day of "
            "declaration, the amount below which nothing is collected by the day of movement. Where a number, an exchange "
            "rate or the tariff is missing, a line is not evaluated, never zero. Nothing is stored, nothing is sent.",
        ),
        (
            "crossborder tax today.xlsx --profile ourfirm",
            "crossborder tax today.xlsx HX1001",
            "crossborder tax today.csv --declared-on 2024-11-30 -o tax.xlsx",
        ),
        (
            "0 每票都已算出；1 有未能评估的分运单；2 未能执行。",
            "0 every shipment was evaluated; 1 some could not be evaluated; 2 could not run.",
        ),
    ),
    "sample": Help(
        ("样例：生成一天的预报清单", "compose a sample file"),
        (
            "生成一份可信的预报清单，人名、号码、地址全部虚构；同样的参数和日期（--on，默认今天）得到同样的文件。--dirty 是有误分运单的比例，每票一种错误。",
            "Composes a believable day's shipment file. Nobody in it is real; the same arguments and day (--on, today if not said) give the same file. "
            "--dirty is the share of shipments with a fault, one kind each.",
        ),
        ("crossborder sample -o today.csv --shipments 2000 --dirty 0.05 --dirt-report dirt.jsonl --rates-out rates.csv",),
        _SET_UP,
    ),
    "sandbox": Help(
        ("模拟口岸（并非海关）", "run the simulated port; it is not customs"),
        (
            "运行模拟口岸：两个端点，http 与文件夹两种通道。启动后输出一行 JSON 给出各地址；Ctrl-C 结束。"
            "分运单号的特殊结尾可以指定回执，见 docs/sandbox.md。",
            "Runs both endpoints over http and folders. One JSON line with the addresses is printed when it is ready; "
            "Ctrl-C ends it. Endings of the house waybill force any status, see docs/sandbox.md.",
        ),
        ("crossborder sandbox --folder ./sandbox --port 8760", "crossborder sandbox --folder ./sandbox --speed 0 --faults lost_answers=0.1"),
        ("0 正常结束；1 运行中出过问题；2 未能启动。", "0 ended in order; 1 there was trouble; 2 could not start."),
    ),
    "serve": Help(
        ("服务：合作方 HTTP 接口", "the HTTP service for partners"),
        (
            "运行合作方接口（扩展包 [server]）：接收包裹、给出批次和状态；本进程内有一个申报线程和一个回执线程。SIGTERM 或 Ctrl-C 正常结束。",
            "Runs the service (extra [server]): takes parcels, tells batches and states; one filing worker and one receipt "
            "poller live in its process. SIGTERM or Ctrl-C ends it cleanly.",
        ),
        ("crossborder serve", "crossborder serve --host 0.0.0.0 --port 8750"),
        ("0 正常结束；2 未能启动。", "0 ended in order; 2 could not start."),
    ),
    "mapping": Help(
        ("对照表：起草、试读", "partner mappings: draft one, see how rows are read"),
        (
            "对照表说明合作方的列如何对应到规范列。起草后请逐行核对。",
            "A mapping says how a partner's columns become canonical ones. Look a draft over before using it.",
        ),
        ("crossborder mapping draft theirs.xlsx -o theirs.toml", "crossborder mapping test theirs.xlsx --mapping theirs.toml"),
        _SET_UP,
    ),
    "mapping draft": Help(
        ("由表头起草对照表", "draft a mapping from a file's header"),
        (
            "认得出的列写成对照，其余列为注释；缺少的必需列也会注明。",
            "Columns that are recognised are matched, the others become comments; required ones that are missing are named.",
        ),
        ("crossborder mapping draft theirs.xlsx -o theirs.toml",),
        _SET_UP,
    ),
    "mapping test": Help(
        ("显示各行将如何读入", "show how the rows of a file will be read"),
        (
            "显示前几行：规范列 ← 来源列，以及读入后的值。",
            "Shows the first rows: canonical column ← source column, and the value as it will be.",
        ),
        ("crossborder mapping test theirs.xlsx --mapping theirs.toml --rows 2",),
        _SET_UP,
    ),
    "erase": Help(
        ("销毁到期批次的个人信息", "destroy the personal data of old batches"),
        (
            "销毁批次的数据密钥：其报文、校验结果和只与其相关的回执原文从此无人可读，无法恢复；行数、摘要和经过仍在，总账照常。"
            "不写批次：所有超过保存期且每份报关单都已了结的批次。--force 只用于指明的批次，并须写明原因。"
            "备份中的旧密钥须另行处理，见 docs/personal-data.md。",
            "Destroys the data keys of batches: nobody can read their documents, findings, and the raw receipts that answer "
            "only them, ever again. Rows, digests and history stay, and the account closes as before. Without BATCH: all "
            "batches older than the retention time of which every declaration is settled. --force is for named batches "
            "and needs a reason. Old keys in backups are another matter: docs/personal-data.md.",
        ),
        ("crossborder erase --dry-run", "crossborder erase --yes", "crossborder erase 20261123-07 --force --reason \"the partner asked\""),
        (
            "0 已完成，或没有到期的；1 有批次未能销毁；2 未能执行，未作改动。",
            "0 done, or nothing is due; 1 some batch was not erased; 2 could not run, nothing changed.",
        ),
    ),
    "keys": Help(
        ("合作方密钥、台账密钥", "keys of partners, and of the ledger"),
        (
            "合作方密钥只在新增时显示一次，台账中只存摘要。ring 与 rotate 管理加密台账的密钥。",
            "A partner's key is shown once, when it is made; the ledger keeps only its digest. `ring` and `rotate` are about "
            "the keys that encrypt the ledger.",
        ),
        ("crossborder keys add shop-one", "crossborder keys list", "crossborder keys revoke shop-one", "crossborder keys ring"),
        _SET_UP,
    ),
    "keys add": Help(
        ("新增密钥（只显示一次）", "make a key; it is shown once"),
        ("密钥写到标准输出，请立即保存。", "The key goes to standard output; keep it at once."),
        ("crossborder keys add shop-one",),
        _SET_UP,
    ),
    "keys list": Help(
        ("列出密钥名称", "names of keys"),
        ("只列名称和日期，不含密钥。", "Names and dates only, never the keys."),
        ("crossborder keys list",),
        _SET_UP,
    ),
    "keys revoke": Help(
        ("吊销密钥", "revoke a key"),
        ("立即生效。", "It counts no longer, at once."),
        ("crossborder keys revoke shop-one",),
        _SET_UP,
    ),
    "keys ring": Help(
        ("台账加密所用的密钥（只列名称）", "keys that encrypt the ledger, by name"),
        ("每个密钥封装了多少个数据密钥，哪个是当前密钥；不显示密钥本身。", "How many data keys each wraps, and which is current; never the keys."),
        ("crossborder keys ring",),
        _SET_UP,
    ),
    "keys rotate": Help(
        ("更换台账密钥", "change the key that encrypts the ledger"),
        (
            "用设置 ledger.key 指定的密钥重新封装所有数据密钥；使用密钥文件时，在其中新增一个并移除旧的。已加密的内容不变。",
            "Wraps every data key by the key that ledger.key names; with a key file, by a new key in it, and takes the old one "
            "out. What is encrypted stays as it is.",
        ),
        ("crossborder keys rotate",),
        _SET_UP,
    ),
}  # fmt: skip

SECTIONS: tuple[tuple[Pair, tuple[str, ...]], ...] = (
    (("一天六条", "the desk's day"), ("check", "prepare", "submit", "receive", "reconcile", "report")),
    (("查询", "look"), ("status", "batches", "audit")),
    (("处置", "decide"), ("accept", "resolve", "suspend", "resume", "void", "erase")),
    (("查规则、代码、报文", "look things up"), ("explain", "replay", "codes", "schema", "tax")),
    (("设置", "set up"), ("init", "doctor", "mapping", "keys", "serve")),
    (("试用", "try it"), ("demo", "sample", "sandbox")),
)  # fmt: skip
"""The commands in the order of the main help page."""

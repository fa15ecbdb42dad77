//! The same words in Chinese. A test holds that no code lacks them.

use super::texts::Text;
use crate::cli::Exit;

/// The code, what it means, what a person can do.
const COMPLAINTS: &[(&str, &str, &str)] = &[
    ("too-large", "文件超过了工作流允许的大小", "请确认文件是否正确；如果正确，请拆分成几个文件"),
    (
        "encoding",
        "文件不是 UTF-8 文本，或含有 YAML 禁止的字符",
        "请保存为 UTF-8；用编辑器的“显示不可见字符”可以找到这些字符",
    ),
    ("empty", "文件没有内容，或只有注释", "请从 workflows/ 目录中的文件开始修改"),
    (
        "syntax",
        "文本不符合 YAML 语法",
        "请查看所指位置及其上一行：缩进、缺少的 `:` 或空格、没有闭合的引号或括号",
    ),
    (
        "unsupported-yaml",
        "使用了工作流不支持的 YAML 特性：锚点、别名、标签、合并键或多个文档",
        "请在使用处直接写出取值，一个文件只写一个工作流",
    ),
    (
        "duplicate-key",
        "同一个映射中某个键出现了两次，无法判断以哪个为准",
        "请删除其中一个；提示中标出了两处位置",
    ),
    (
        "unknown-key",
        "该位置没有这个键；未知的键不会被忽略，因为忽略会让人误以为它已生效",
        "请使用建议的键，或提示中列出的其他键",
    ),
    ("missing-key", "缺少必填的键", "请补上它；提示中给出了写法"),
    (
        "wrong-type",
        "取值类型不对，例如应为文本处写了列表，应为数字处写了文本",
        "请按提示中的写法修改；加引号可以把数字变成文本",
    ),
    ("bad-value", "取值类型正确，但这个值不能用", "请使用提示中列出的值"),
    (
        "version",
        "缺少 `version`（语言版本），或版本未知",
        "请写 `version: 1`；更高版本的文件需要更新的 pitstop",
    ),
    ("conflict", "两个键互相排斥，或同一内容写了两次", "请只保留其中一个"),
    (
        "not-supported",
        "语言中有这个键，但当前版本还不支持",
        "请删除它，或按提示中的办法处理；以后的版本可能会支持",
    ),
    (
        "param",
        "参数未知、未使用、格式错误或没有值",
        "请在 `params` 下声明，以 `${{ params.NAME }}` 引用，并用 --set NAME=VALUE 赋值",
    ),
    (
        "secret",
        "密码等敏感信息写在了文件里，能读文件的人都能看到；这里不再显示",
        "请从文件中删除并更换它，改由 `env`、`file`、`command`、`prompt` 或 `generate` 提供",
    ),
    ("file", "工作流引用的文件无法读取，或内容不符合要求", "请检查文件名（相对于工作流所在目录）和文件内容"),
];

/// The code, what it means, what a person can do.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("not-found", "该账号在此地域下没有这个 ID 的实例", "请核对 ID、地域和凭证所属账号：pitstop doctor"),
    (
        "power",
        "实例既不是运行中（RUNNING）也不是已关机（STOPPED），无法确定关机的后果",
        "如果正在变化，请等待；如果在回收站或救援模式中，请先恢复；否则将它移出工作流",
    ),
    ("restricted", "实例受到腾讯云限制：已过期或因安全原因被隔离", "请先在控制台续费或处理安全问题"),
    ("isolated", "实例因欠费、到期或人工操作被隔离", "请先在控制台结清欠费或续费"),
    (
        "stopped-without-charge",
        "实例以关机不收费（STOP_CHARGING）方式关机，除开机外不接受任何操作",
        "请先开机；运行后即可关机并更改",
    ),
    (
        "charging-stops",
        "`stop.charging: stop` 会以关机不收费方式关机，之后实例不接受任何更改",
        "请删除 `charging: stop`，或用另一个不含更改的工作流来关机",
    ),
    ("operating", "实例上有其他操作正在进行", "请等该操作结束后重新生成计划"),
    (
        "local-disk",
        "实例带有本地盘，只有云硬盘实例可以调整配置",
        "请将它移出本次调整配置，或新建一台所需规格的实例",
    ),
    ("dedicated-host", "实例位于专用宿主机上，不能调整配置", "请将它移出本次调整配置"),
    ("spot", "实例是竞价实例，不能调整配置", "请用所需规格的新实例替换它"),
    ("type-not-offered", "这台实例不能调整为该规格", "请选择可以调整到的规格；计划中给出了最接近的"),
    ("gpu-family", "实例带有 GPU 或 FPGA，而目标规格属于其他实例族", "请选择同一实例族的规格"),
    (
        "no-such-shape",
        "实例所属的实例族没有这种核数和内存的规格",
        "请选择计划中列出的规格，或直接写明实例规格",
    ),
    ("sold-out", "该规格在实例所在的可用区已售罄", "请选择其他规格，或稍后再试；库存几小时内就会变化"),
    ("downgrade-quota", "包年包月实例的降配次数有限，现已用完", "请保持现有规格，或更改计费模式"),
    (
        "too-many-public-ips",
        "实例的公网 IP 数量超过了目标规格的上限",
        "请先解绑公网 IP，或选择核数更多的规格",
    ),
    (
        "resize-refused",
        "询价被拒绝；询价时会做与调整配置相同的检查",
        "请查询返回的错误码：pitstop explain CODE",
    ),
    (
        "windows-takes-no-keys",
        "实例运行 Windows，不支持绑定 SSH 密钥对",
        "请将它移出 `load-ssh-key`，或改为设置密码",
    ),
    (
        "key-not-found",
        "该账号在此地域下没有这个密钥对",
        "请核对密钥对的 ID 或名称；也可以用 `public-key-file` 导入",
    ),
    (
        "password",
        "新密码不符合这台实例的密码规则",
        "请使用 8 至 30 个字符（Windows 为 12 至 30 个），至少包含 a-z、A-Z、0-9、特殊字符中的三类，或让 pitstop 生成",
    ),
    (
        "scaling-group",
        "实例属于伸缩组，关机后会被伸缩组替换或重装",
        "请先在伸缩组中将它设为备用状态，或移出伸缩组",
    ),
    ("repair-task", "实例上有进行中或待授权的维修任务", "请等维修结束，或在控制台授权维修"),
    ("release-timer", "实例已设置定时销毁", "如需保留实例，请取消定时销毁；否则将它移出工作流"),
    ("own-machine", "pitstop 自身运行在这台实例上，关机后无法再把它开机", "请在另一台机器上运行 pitstop"),
];

/// The code, what it means, what a person can do.
const WARNINGS: &[(&str, &str, &str)] = &[
    (
        "load-balancer",
        "负载均衡正在向实例转发请求，在它发现实例关机之前客户端会收到错误",
        "执行前请将权重设为 0，并为监听器开启健康检查",
    ),
    ("keys-dropped", "现在绑定的密钥将失效，因为绑定时会全部替换", "如需保留，请加上 `keep-existing: true`"),
    ("password-login-off", "绑定密钥会禁用密码登录", "请确认有人持有对应的私钥"),
    ("password-login-on", "虽然已绑定密钥，重置密码会重新开启密码登录", "如果只允许密钥登录，请去掉重置密码"),
    ("low-stock", "该规格库存不多：从计划到调整配置之间可能售罄", "请尽快执行，或选择其他规格"),
    (
        "other-family",
        "新规格属于其他实例族：处理器、网络和软件许可可能不同",
        "请先在一台实例上确认操作系统可以启动",
    ),
    (
        "prepaid",
        "包年包月实例：升配立即扣费，降配只退还部分费用",
        "请确认余额足够，并确认计划中的价格符合预期",
    ),
    (
        "scaling-not-checked",
        "无法得知实例是否属于伸缩组；伸缩组会销毁或重装关机的实例",
        "请授予 as:DescribeAutoScalingInstances 权限（pitstop policy FILE），或确认它不属于任何伸缩组",
    ),
    (
        "stops-charging",
        "关机不收费会释放 CPU、内存和普通公网 IP，下次开机可能失败",
        "请删除 `charging: stop`，或先绑定弹性公网 IP",
    ),
    (
        "hard-stop",
        "`mode: hard` 会直接断电：内存中的数据可能丢失",
        "除非操作系统已无响应，请使用 `mode: soft`",
    ),
    (
        "may-hard-stop",
        "`mode: soft-first` 在操作系统 5 分钟内没有关机时会断电",
        "如果绝不能断电，请使用 `mode: soft`",
    ),
    (
        "passed-over",
        "`prefer` 中排在前面的规格无法使用，因此选用了下一个",
        "请确认选用的规格满足要求；计划中说明了跳过的原因",
    ),
    (
        "not-rolled-back",
        "`on-failure: roll-back` 只恢复原来的规格，不恢复原来的密码和密钥",
        "请保管好原来的密码和密钥，或在单独的执行中做这些更改",
    ),
    ("will-start", "实例现在已关机，完成后将会开机", "如需保持关机，请使用 `start: as-found`"),
    ("stays-stopped", "实例现在运行中，完成后将保持关机", "如需恢复运行，请使用 `start: as-found`"),
];

/// What becomes of an instance after most failures.
const BACK: &str = "不再对它做更改，按 `on-failure` 和 `start` 的设定恢复；计为失败（退出码 6）";

/// The code, what it means, what Pitstop does, what a person can do.
const FAILURES: &[(&str, &str, &str, &str)] = &[
    (
        "drifted",
        "实例与计划确认时的状态不一致",
        "不做任何操作：未经确认的事情不会执行",
        "请查明是谁做了更改，然后重新生成计划并执行",
    ),
    (
        "refused",
        "云端明确拒绝了请求，或请求始终没有送达",
        BACK,
        "请用 pitstop explain CODE 查询错误码，解决后重新执行：已完成的更改不会重复",
    ),
    (
        "operation",
        "云端接受了请求，但操作以失败告终",
        BACK,
        "请在 pitstop show RUN 中查看云端返回的信息，并向腾讯云提供请求 ID",
    ),
    (
        "timed-out",
        "操作没有在规定时间内结束；操作系统不响应时，正常关机会一直等待",
        "绝不强制关机：继续观察直到状态稳定，然后按 `start` 的设定恢复",
        "请检查操作系统，调大 `stop.timeout`；如果可以断电，请使用 `mode: soft-first`",
    ),
    ("no-effect", "操作报告已完成，但没有看到应有的变化", BACK, "请在控制台查看实例，并向腾讯云提供请求 ID"),
    (
        "interference",
        "执行期间有其他人对实例做了开机、关机或更改",
        "保留对方的结果，不会再次关机，并计为失败",
        "请查明是谁或什么程序，然后重新执行",
    ),
    (
        "dead-end",
        "实例所处的状态无法通过 pitstop 的任何请求恢复",
        "保持现状；需要人工处理（退出码 8）",
        "请在控制台查看",
    ),
    (
        "cut-short",
        "在它完成之前，失败的实例数已超过 `max-failures`",
        BACK,
        "请先处理失败的实例，再重新执行未完成的部分",
    ),
    (
        "over-budget",
        "`downtime-budget` 中剩余的时间不够完成其余更改",
        "跳过这些更改并按时开机；计为失败（退出码 6）",
        "请调大 `downtime-budget`，或减少一次关机中的更改",
    ),
    (
        "rolled-back",
        "实例在新规格下不正常，已恢复原来的规格",
        "已调整回原规格，并按 `start` 的设定恢复；计为失败（退出码 6）",
        "请在 pitstop show RUN 中查看原因，并先在一台实例上试用该规格",
    ),
    (
        "not-rolled-back",
        "实例在新规格下不正常，且无法恢复原来的规格",
        "保留现有规格，按 `start` 的设定恢复",
        "请在 pitstop show RUN 中查看原因；原规格可能已售罄，可以稍后再试",
    ),
    ("gone", "云端已查不到这台实例", "不再对它发送请求，并计为失败", "请查明是谁销毁了它，并将它移出工作流"),
    (
        "check",
        "实例正在运行，但工作流中的某项检查没有按时通过",
        "让它继续运行，计为失败（退出码 6），失败数不超过 `max-failures` 时才开始新的实例",
        "请检查实例上的服务；如果只是需要更长时间，请调大检查的 `timeout`",
    ),
];

/// The code, what it means, what Pitstop does, what a person can do.
const VERDICTS: &[(&str, &str, &str, &str)] = &[
    ("done", "一切按计划完成", "报告结果", "无需处理"),
    ("unchanged", "实例原本就符合要求", "没有将它关机", "无需处理"),
    (
        "not-begun",
        "实例没有被触碰",
        "说明原因：pitstop explain 以各自的名称列出这些原因",
        "请处理原因后重新执行",
    ),
    (
        "failed",
        "出现问题；实例的运行状态符合工作流的要求，或没有被触碰",
        "说明问题并列出请求 ID（退出码 6）",
        "用 pitstop show RUN 查看经过；解决原因后重新执行：已完成的更改不会重复",
    ),
    (
        "stranded",
        "实例的运行状态不符合工作流的要求，pitstop 也无法使其符合",
        "已重试数分钟；给出一条可以恢复的命令（退出码 8）",
        "请运行该命令，然后查看实例",
    ),
];

/// The code, what it means, what Pitstop does, what a person can do.
const NOT_BEGUN: &[(&str, &str, &str, &str)] = &[
    (
        "too-many-failures",
        "失败的实例数超过了 `rollout.max-failures`，因此不再关闭其他实例",
        "让它保持原样，并完成已经开始的实例",
        "请先处理失败的实例，再重新执行：已完成的更改不会重复",
    ),
    (
        "canary-failed",
        "灰度实例失败：灰度实例最先执行，用来判断其余实例能否继续",
        "无论 `max-failures` 如何设置，都让它保持原样，并完成已经开始的实例",
        "请用 pitstop show RUN 查看灰度实例失败的原因，再重新执行：已完成的更改不会重复",
    ),
    (
        "declined",
        "灰度实例完成后询问是否继续，回答为“否”",
        "让它保持原样，并完成已经开始的实例",
        "需要继续时请重新执行：已完成的更改不会重复",
    ),
    (
        "key-not-imported",
        "需要绑定的密钥对导入失败，因此没有关闭任何实例",
        "在触碰实例之前结束执行",
        "请用 pitstop explain CODE 查询错误码；该密钥可能已以其他名称存在",
    ),
    (
        "ordered",
        "在这台实例开始之前，执行已被要求结束（Ctrl-C、SIGTERM）",
        "恢复已停机的实例，不再开始新的操作（退出码 7）",
        "用 pitstop resume RUN 继续",
    ),
    (
        "abandoned",
        "执行在发出任何请求之前就已结束，并已关闭",
        "释放它持有的实例，其他执行可以使用",
        "请重新执行",
    ),
];

fn of_three(table: &[(&str, &'static str, &'static str)], code: &str, does: &'static str) -> Option<Text> {
    table.iter().find(|(own, ..)| *own == code).map(|(_, means, mend)| (*means, does, *mend))
}

fn of_four(table: &[(&str, &'static str, &'static str, &'static str)], code: &str) -> Option<Text> {
    table.iter().find(|(own, ..)| *own == code).map(|(_, means, does, mend)| (*means, *does, *mend))
}

pub(super) fn complaint(code: &str) -> Option<Text> {
    of_three(COMPLAINTS, code, "拒绝该文件，一次列出所有问题（退出码 3）；不会访问云端")
}

pub(super) fn refusal(code: &str) -> Option<Text> {
    of_three(REFUSALS, code, "不关闭任何实例：计划被拒绝（退出码 4）；加上 --skip-refused 则执行其余实例")
}

pub(super) fn warning(code: &str) -> Option<Text> {
    of_three(WARNINGS, code, "在请求确认之前显示在计划中，确认后继续执行")
}

pub(super) fn failure(code: &str) -> Option<Text> {
    of_four(FAILURES, code)
}

pub(super) fn verdict(code: &str) -> Option<Text> {
    of_four(VERDICTS, code)
}

pub(super) fn not_begun(code: &str) -> Option<Text> {
    of_four(NOT_BEGUN, code)
}

pub(super) fn exit(exit: Exit) -> Text {
    match exit {
        Exit::Well => ("一切正常，包括无需执行任何操作的情况", "没有其他动作", "无需处理"),
        Exit::Bug => (
            "pitstop 自身的缺陷",
            "说明出错的位置；执行记录没有损坏",
            "请附上输出内容报告问题；未完成的执行可用 pitstop resume 继续",
        ),
        Exit::Usage => ("命令行有误", "不做任何操作", "请阅读提示，或查看 pitstop COMMAND --help"),
        Exit::InvalidWorkflow => {
            ("工作流无效", "一次列出所有问题；不会访问云端", "请修改所列位置，然后运行 pitstop check FILE")
        }
        Exit::NotApproved => (
            "计划被拒绝或未经确认；没有实例被关机",
            "不关闭任何实例",
            "请在 pitstop plan FILE 中查看原因；用 --skip-refused 跳过被拒绝的实例，或用 --yes 确认",
        ),
        Exit::CouldNotBegin => (
            "无法开始或继续执行（凭证、网络、锁、磁盘）；没有做任何操作",
            "不关闭任何实例",
            "请用 pitstop doctor 查明缺少什么",
        ),
        Exit::Failures => (
            "执行已结束，但有失败",
            "已使每台实例的运行状态符合工作流的要求",
            "用 pitstop show RUN 查看失败原因，解决后重新执行",
        ),
        Exit::Interrupted => ("执行被中断，可以继续", "执行记录保存在日志中", "请运行 pitstop resume 继续"),
        Exit::NeedsPerson => (
            "有实例的状态不符合要求：需要人工处理",
            "指出实例，并给出一条可以恢复的命令",
            "请立即运行该命令；pitstop show RUN 会再次显示它",
        ),
    }
}

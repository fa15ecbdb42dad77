//! The vendor's codes in Chinese: each group of codes is known by its English meaning, of which a test holds that none is
//! missing here.

use crate::cloud::ErrorKind;

/// The English meaning of a group of codes or of a class, what it means in Chinese, what a person can do about a code
/// of the group. A class alone is mended by its kind.
const MEANINGS: &[(&str, &str, &str)] = &[
    (
        "too many calls of this action in a second",
        "每秒调用该接口的次数过多",
        "如果自行恢复则无需处理；同一账号的其他程序共用频率上限，请减少同时运行的程序",
    ),
    ("a failure inside the cloud", "云端内部故障", "请重试；如果持续出现，请向腾讯云提供请求 ID"),
    (
        "the order system failed; look for an unpaid or a paid order before trying again",
        "订单系统故障；重试之前请先查看是否有未支付或已支付的订单",
        "请在控制台查看订单：支付或取消未完成的订单，然后重试",
    ),
    (
        "another operation on the instance has not ended",
        "实例上的另一个操作尚未结束",
        "请等它结束；控制台会显示是哪个操作",
    ),
    (
        "the instance is in operation or in a special state, or does not support this",
        "实例正在操作中或处于特殊状态，或不支持此操作",
        "请在控制台查看实例：如果有操作在进行请等待，否则将它移出工作流",
    ),
    (
        "the instance is in another power state than this call needs, or has reached its goal",
        "实例的运行状态不满足此请求的要求，或已达到目标状态",
        "如果自行恢复则无需处理；否则请查明还有谁在对实例开关机",
    ),
    (
        "the instance is isolated and waits for destruction in the recycle bin",
        "实例已被隔离，在回收站中等待销毁",
        "请在控制台续费或从回收站恢复，或将它移出工作流",
    ),
    (
        "the instance is frozen or blocked by the vendor, which needs a ticket",
        "实例被腾讯云冻结或封禁，需要提交工单",
        "请提交工单，在此之前将它移出工作流",
    ),
    (
        "the instance is broken for good, or its creation or reinstallation failed",
        "实例已损坏，或创建、重装失败",
        "请在控制台重装或替换它，并将它移出工作流",
    ),
    ("the instance is being destroyed, or was", "实例正在销毁或已销毁", "请将它移出工作流"),
    (
        "the instance is in rescue mode, which has to be left first",
        "实例处于救援模式，需要先退出",
        "请在控制台退出救援模式，然后重新执行",
    ),
    (
        "the instance was stopped without charging, and accepts nothing but a start",
        "实例以关机不收费方式关机，除开机外不接受任何操作",
        "请先开机；运行后即可关机并更改",
    ),
    (
        "there is no such instance, key, zone or region in this account",
        "该账号下没有这个实例、密钥对、可用区或地域",
        "请核对 ID、地域和凭证所属账号",
    ),
    (
        "the password is against the vendor's rules",
        "密码不符合腾讯云的规则",
        "请使用 8 至 30 个字符（Windows 为 12 至 30 个），至少包含 a-z、A-Z、0-9、特殊字符中的三类，且不以 `/` 开头",
    ),
    (
        "Windows instances take no SSH keys",
        "Windows 实例不支持绑定 SSH 密钥对",
        "请将 Windows 实例移出 `load-ssh-key`",
    ),
    (
        "this site or version of the API does not offer the action",
        "该站点或该版本的 API 不提供此接口",
        "如果计划中已注明则无需处理，只是跳过这项检查；否则请检查 --endpoint",
    ),
    (
        "a value in the call is wrong",
        "请求中的某个参数值有误",
        "请检查工作流中的取值；如果都正确，则是 pitstop 的缺陷，请附上请求 ID 报告",
    ),
    (
        "the disks of this instance do not allow it",
        "这台实例的磁盘不支持此操作",
        "请将它移出本次调整配置，或先迁移到云硬盘",
    ),
    (
        "this instance can't become one of that family",
        "这台实例不能调整为该实例族的规格",
        "请选择 `pitstop plan` 中可选的规格，最好属于同一实例族",
    ),
    ("the type is not sold in this zone", "该可用区不出售这种规格", "请选择其他规格；计划中列出了可选的规格"),
    (
        "the instance was bought under terms that forbid it for now",
        "实例的购买条款目前不允许此操作",
        "请等活动期限结束，或将它移出工作流",
    ),
    (
        "another product manages the instance",
        "实例由其他产品管理",
        "请通过该产品（例如 EMR）更改，并将它移出工作流",
    ),
    (
        "the dedicated host can't carry it",
        "专用宿主机无法承载该规格",
        "请选择宿主机支持的规格，或将它移出工作流",
    ),
    (
        "a release timer is set: the instance is going to be destroyed",
        "已设置定时销毁：实例将被销毁",
        "如需保留实例，请取消定时销毁；否则将它移出工作流",
    ),
    ("this kind of instance does not support it", "这类实例不支持此操作", "请将它移出这项更改"),
    (
        "the target type carries fewer addresses, network interfaces or less bandwidth",
        "目标规格支持的公网 IP、弹性网卡或带宽较少",
        "请先解绑公网 IP 或弹性网卡，或选择更大的规格",
    ),
    (
        "a quota of the account or the region is used up",
        "账号或地域的配额已用完",
        "请在控制台提升配额，或释放不用的资源",
    ),
    (
        "the vendor's rule of one snapshot in 24 hours",
        "距上次创建快照不足 24 小时（腾讯云的快照规则）",
        "请等距上次快照满 24 小时后重新执行",
    ),
    (
        "the SSH key can't be imported as it is",
        "无法按现在的内容导入密钥对",
        "请使用 OpenSSH 格式的 RSA 公钥，且账号下尚无此密钥；名称最多 25 个字符，仅限字母、数字和下划线",
    ),
    ("sold out", "已售罄", "请选择其他规格，或换个时间再试"),
    (
        "the balance does not cover it, or an order is unpaid",
        "账户余额不足，或有未支付的订单",
        "请充值，或支付、取消未完成的订单",
    ),
    (
        "the account may not pay for this, or the price can't be worked out",
        "账号没有支付权限，或无法计算价格",
        "请申请支付权限：pitstop policy FILE --prepaid 会给出所需策略",
    ),
    (
        "the secret id or key is wrong",
        "SecretId 或 SecretKey 有误",
        "请检查凭证的来源，并确认 SecretId 与 SecretKey 是一对",
    ),
    (
        "this machine's clock is more than five minutes off",
        "本机时间与标准时间相差超过五分钟",
        "请校准时间，例如 `timedatectl set-ntp true`",
    ),
    ("the temporary credentials have expired", "临时凭证已过期", "请重新登录，或更新发放凭证的服务"),
    (
        "the account asks for a second factor, which no program can pass",
        "账号要求二次验证（MFA），程序无法通过",
        "请为该身份关闭操作保护，或使用没有操作保护的身份",
    ),
    (
        "the access policy does not allow it",
        "访问策略不允许此操作",
        "请为该身份关联 `pitstop policy FILE` 输出的策略",
    ),
    (
        "the address that the call came from is not allowed",
        "发起请求的 IP 不在允许范围内",
        "请将本机公网 IP 加入允许列表，或在允许的机器上运行",
    ),
    ("too many calls", "调用过于频繁", ""),
    ("the credentials were refused", "凭证被拒绝", ""),
    ("too little is left", "资源不足", ""),
    ("there is no such thing in this account", "该账号下没有此资源", ""),
    ("another operation has not ended", "另一个操作尚未结束", ""),
    ("the account can't pay for it", "账户无法支付", ""),
    ("the SSH key can't be used as it is", "该密钥对不能直接使用", ""),
    ("the instance's state does not allow it", "实例当前的状态不允许此操作", ""),
    ("the region does not offer it", "该地域不提供此功能", ""),
    ("a limit of the account or the type is reached", "已达到账号或规格的上限", ""),
    ("the cloud gave up on it", "云端未能完成操作", ""),
    ("the cloud refuses it for now", "云端暂时拒绝此操作", ""),
    ("something else uses it", "资源正被占用", ""),
    ("the cloud can't do it for now", "云端暂时无法完成此操作", ""),
    ("a value in the call is missing", "请求中缺少某个参数", ""),
    ("a code that this version does not know", "当前版本不认识的错误码", ""),
];

/// What codes of this English meaning mean, and what to do about them; empty parts if nothing is told.
pub(super) fn meaning(english: &str) -> (&'static str, &'static str) {
    let found = MEANINGS.iter().find(|(own, ..)| *own == english);
    found.map(|(_, means, mend)| (*means, *mend)).unwrap_or_default()
}

/// What a person can look at besides.
pub(super) fn doctor(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Auth => "；pitstop doctor 会检查凭证、时间和权限",
        ErrorKind::Identity => "；pitstop doctor 会显示凭证所属账号",
        ErrorKind::Throttled
        | ErrorKind::Server
        | ErrorKind::Network
        | ErrorKind::Busy
        | ErrorKind::Power
        | ErrorKind::State
        | ErrorKind::Argument
        | ErrorKind::Never
        | ErrorKind::Operator
        | ErrorKind::Capacity
        | ErrorKind::Money => "",
    }
}

/// What mends the call itself, as the client tries once.
pub(super) fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "AuthFailure.TokenFailure"
        | "AuthFailure.SecretIdNotFound"
        | "UnauthorizedOperation.InvalidToken" => Some("重新查找凭证并重发一次请求；仍不成功则计为被拒绝"),
        "AuthFailure.SignatureExpire" => Some("此后以云端时间为准，并重发一次请求"),
        _ => None,
    }
}

/// What the client and the engine do about such a failure.
pub(super) fn does(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Throttled => "等待后重发请求；其间不再发送该接口的请求",
        ErrorKind::Server => "只读请求直接重试；更改类请求先查看实例，确认没有留下痕迹才重发",
        ErrorKind::Network => "只读请求或确定没有发出的请求直接重试；否则先查看实例",
        ErrorKind::Busy => "查看实例，等操作结束后重发请求",
        ErrorKind::Power => "查看实例后重新判断，因为可能已达到目标状态",
        ErrorKind::Capacity => "如果事先得知，则拒绝计划；如果在执行中得知，则以现有规格恢复实例",
        ErrorKind::Auth => {
            "生成计划时，注明无法做的检查或拒绝计划；执行中则放弃更改，并在数分钟内设法恢复实例"
        }
        ErrorKind::State | ErrorKind::Operator | ErrorKind::Money => {
            "不重复请求：放弃更改，在数分钟内设法恢复实例，并计为失败"
        }
        ErrorKind::Identity | ErrorKind::Argument | ErrorKind::Never => {
            "不重复请求：放弃更改，以现有状态恢复实例，并计为失败"
        }
    }
}

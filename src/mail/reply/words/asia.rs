//! The languages of Asia and Africa's north (mail.md 6.2).

use super::{EMPTY, Locale};

pub(super) const LOCALES: &[Locale] = &[
    // ar
    Locale {
        prefixes: &["في", "بتاريخ"],
        verbs: &["كتابة", "كتب", "كتبت"],
        from: &["من"],
        date: &["أرسلت", "التاريخ", "تاريخ الإرسال", "تم الإرسال"],
        to: &["إلى"],
        cc: &["نسخة"],
        subject: &["الموضوع", "موضوع"],
        forward: &["رسالة معاد توجيهها"],
        original: &["الرسالة الأصلية"],
        mobile: &[("أرسلت من", ""), ("مُرسل من", "")],
        ..EMPTY
    },
    // fa
    Locale {
        prefixes: &["در", "در تاریخ"],
        verbs: &["نوشت"],
        from: &["از"],
        date: &["تاریخ"],
        to: &["به"],
        subject: &["موضوع"],
        ..EMPTY
    },
    // he
    Locale {
        prefixes: &["בתאריך"],
        verbs: &["כתב", "כתבה", "מאת"],
        from: &["מאת"],
        date: &["נשלח", "תאריך"],
        to: &["אל"],
        cc: &["עותק"],
        subject: &["נושא"],
        forward: &["הודעה שהועברה"],
        original: &["הודעה מקורית"],
        mobile: &[("נשלח", "")],
        ..EMPTY
    },
    // id, ms
    Locale {
        prefixes: &["pada"],
        verbs: &["menulis"],
        from: &["dari"],
        date: &["dikirim", "tanggal"],
        to: &["kepada"],
        subject: &["perihal", "subjek"],
        forward: &["pesan terusan"],
        original: &["pesan asli"],
        mobile: &[("dikirim dari", "")],
        ..EMPTY
    },
    // ja
    Locale {
        verbs: &["のメール", "のメッセージ", "書きました", "書いた"],
        from: &["差出人", "送信元", "送信者"],
        date: &["日付", "日時", "送信日時"],
        to: &["宛先", "送信先"],
        cc: &["cc"],
        subject: &["件名"],
        other: &["添付ファイル", "重要度"],
        forward: &["メッセージを転送", "転送されたメッセージ:", "転送メッセージ"],
        original: &["オリジナルメッセージ", "元のメッセージ", "元のメール"],
        mobile: &[("", "から送信"), ("", "から送信しました"), ("outlook for", "を入手")],
        ..EMPTY
    },
    // ko
    Locale {
        verbs: &["님이 작성", "쓴 글", "작성"],
        from: &["보낸 사람", "보낸사람"],
        date: &["날짜", "보낸 날짜", "보낸 시간", "보낸날짜"],
        to: &["받는 사람", "받는사람"],
        cc: &["참조"],
        subject: &["제목"],
        other: &["중요도", "첨부 파일"],
        forward: &["전달된 메시지", "전달된 메시지:"],
        original: &["원본 메시지", "원본 메일", "원본 이메일"],
        mobile: &[("", "용 outlook 다운로드"), ("나의", "에서 보냄"), ("내", "에서 보냄")],
        ..EMPTY
    },
    // th
    Locale {
        prefixes: &["ในวันที่", "เมื่อ"],
        verbs: &["เขียน", "เขียนว่า"],
        from: &["จาก"],
        date: &["วันที่", "ส่ง"],
        to: &["ถึง"],
        subject: &["เรื่อง"],
        ..EMPTY
    },
    // vi
    Locale {
        prefixes: &["lúc", "vào"],
        verbs: &["viết"],
        from: &["người gửi", "từ"],
        date: &["gửi", "ngày", "đã gửi"],
        to: &["tới", "đến"],
        subject: &["chủ đề"],
        forward: &["bắt đầu thư được chuyển tiếp:", "thư được chuyển tiếp"],
        original: &["thư gốc", "tin nhắn gốc"],
        mobile: &[("được gửi từ", ""), ("tải outlook cho", ""), ("đã gửi từ", "")],
        ..EMPTY
    },
    // zh
    Locale {
        prefixes: &["于", "在", "於"],
        verbs: &["写道", "寫道"],
        from: &["发件人", "发送人", "寄件人", "寄件者"],
        date: &["发送日期", "发送时间", "寄件日期", "日期", "時間", "傳送時間", "时间"],
        to: &["收件人", "收件者"],
        cc: &["副本", "抄送"],
        subject: &["主旨", "主题", "主題"],
        other: &["重要性", "附件"],
        forward: &[
            "下面是被转发的邮件:",
            "开始转发的邮件:",
            "转发邮件",
            "转发邮件信息",
            "转发的邮件",
            "轉寄的郵件",
            "開始轉寄郵件:",
        ],
        original: &["原始邮件", "原始郵件", "原始訊息", "原邮件信息", "回复的原邮件", "回复邮件"],
        mobile: &[
            ("从我的", "发送"),
            ("從我的", "傳送"),
            ("发自我的", ""),
            ("发自", ""),
            ("取得", ""),
            ("寄自我的", ""),
            ("获取", ""),
        ],
        ..EMPTY
    },
];

//! Texts of one and two bytes a character: Big5-HKSCS or GB18030 by how common the characters are
//! that they would give, everything else by `chardetng`.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK};

/// Characters that make up a third of any Chinese text, and those of forms, addresses
/// and names.
const COMMON: &str = "的一是不了人我在有他這为為之大来來以個个中上們们到說说國国和地也子時时道出而\
    要於于就下得可你年生自會会那後后能對对著着事其里裡所去行過过家十用發发天如然作方成者多日都三小軍军\
    二無无同麼么經经法當当起與与好看學学進进種种將将還还分此心前面又定見见只主沒没公從从由及本或請请\
    銀银行客戶户號号碼码身份證证電电話话址姓名先生女士小姐香港九龍龙新界區区路街道樓楼座室月\
    帳账款項项員员貴贵書书內内資资料聯联絡络郵邮陳陈李張张黃黄王林吳吴劉刘何梁鄭郑\
    文明華华偉伟強强志俊傑杰嘉詩诗慧敏玲麗丽芳芬娟英珍美儀仪欣怡思穎颖婷雅雯靜静浩軒轩宇\
    健康樂乐安寧宁輝辉榮荣德仁義义勇武雄鳳凤蘭兰梅玉珠寶宝金春秋雪雲云海江山森梓博澤泽涵\
    辰逸曦永立洪建平東东祥福祿禄壽寿趙赵錢钱孫孙周馮冯衛卫蔣蒋沈韓韩楊杨朱許许呂吕施孔曹\
    嚴严戚謝谢鄒邹潘葛范彭魯鲁韋韦馬马俞任袁柳鮑鲍史唐費费廉岑薛雷賀贺倪湯汤羅罗畢毕郝鄔\
    邬殷常傅余元卜顧顾孟尹蕭萧姚邵毛葉叶蔡曾賴赖鍾钟譚谭廖徐胡郭高";
/// Malformed sequences in a text that is taken for Chinese, per thousand characters.
const MALFORMED_PER_MILLE_MAX: usize = 10;
/// What one character says, on average, in a text that is Chinese.
const SCORE_MIN: i64 = 1;

/// The encoding that the sample most probably has; none when it is no text.
pub(crate) fn guess(sample: &[u8], whole: bool) -> Option<&'static Encoding> {
    let big5 = score(BIG5, sample, whole);
    let gb18030 = score(GB18030, sample, whole);
    match (big5, gb18030) {
        (Some(big5), Some(gb)) => return Some(if big5 >= gb { BIG5 } else { GB18030 }),
        (Some(_), None) => return Some(BIG5),
        (None, Some(_)) => return Some(GB18030),
        (None, None) => {}
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, whole);
    let found = detector.guess(None, Utf8Detection::Deny);
    let found = if found == GBK { GB18030 } else { found };
    let (text, broken) = found.decode_without_bom_handling(sample);
    let damaged = text.chars().filter(|c| *c == '\u{fffd}').count();
    (!broken || damaged * 1_000 <= text.len() * MALFORMED_PER_MILLE_MAX).then_some(found)
}

/// How much the sample reads as Chinese in this encoding: per hundred characters that are not
/// ASCII. None when it does not.
fn score(encoding: &'static Encoding, sample: &[u8], whole: bool) -> Option<i64> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(sample.len() * 3 + 64);
    let _ = decoder.decode_to_string(sample, &mut text, whole);
    let (mut wide, mut malformed) = (0i64, 0usize);
    // What daily use has weighs more than what only a wrong reading would give.
    let mut points = 2 * frequent(encoding, sample);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        wide += 1;
        malformed += usize::from(c == '\u{fffd}');
        points += match c {
            '\u{fffd}' => -20,
            c if COMMON.contains(c) => 2,
            '\u{3000}'..='\u{3011}' | '\u{ff01}'..='\u{ff5e}' => 2,
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{2fa1f}' => -1,
            _ => -2,
        };
    }
    let chinese = wide > 0
        && malformed * 1_000 <= text.len() * MALFORMED_PER_MILLE_MAX
        && points >= wide * SCORE_MIN;
    chinese.then(|| points * 100 / wide)
}

/// Characters in the rows of daily use: the first plane of Big5, the first level of GB 2312.
fn frequent(encoding: &'static Encoding, sample: &[u8]) -> i64 {
    let big5 = encoding == BIG5;
    let (mut count, mut bytes) = (0, sample.iter());
    while let Some(lead) = bytes.next() {
        if *lead < 0x81 {
            continue;
        }
        match bytes.next() {
            Some(trail) if !big5 && trail.is_ascii_digit() => {
                bytes.nth(1);
            }
            Some(_) if big5 && (0xa4..=0xc6).contains(lead) => count += 1,
            Some(trail) if !big5 && (0xb0..=0xd7).contains(lead) && *trail >= 0xa1 => count += 1,
            _ => {}
        }
    }
    count
}

//! Work of a fixed amount, for counting instructions: a table, a log and two letters, scanned.
//!
//! `cargo xtask counts` runs it under callgrind; counts do not depend on the machine's mood.

/// Lines of each sort of text.
const LINES: u32 = 1_500;

fn text() -> String {
    let mut text = String::from("id,name,identity_card,amount,hash\n");
    for n in 0..LINES {
        let hash = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        text += &format!("{n},陳大文,A123456(3),{}.{:02},{hash:016x}\n", n * 37, n % 100);
        text += &format!("2026-11-22T08:{:02}:00Z INFO request={hash:x} took {n} ms\n", n % 60);
        text += "Dear Ms Chan, the card 4111 1111 1111 1111 was sent to Flat 3, 12/F, Central.\n";
        text += "敬啟者：閣下的身份證號碼為 E364912(5)，電話 9123 4567，謹此通知。\n";
    }
    text
}

fn main() {
    let text = text();
    if std::env::args().nth(1).as_deref() == Some("scan") {
        assert!(!detect::scan(text.as_bytes()).is_empty());
    }
}

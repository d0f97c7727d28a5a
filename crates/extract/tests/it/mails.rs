//! Messages with what is attached to them, and mailboxes.

use crate::archives::{CARD, zipped};
use crate::support::{count, look, look_within, part, total, troubles};
use detect::Kind;
use encoding_rs::BIG5;
use extract::{Format, Limits, TroubleKind};

pub(crate) fn message(attached: &[u8]) -> Vec<u8> {
    let mut bytes = b"From: =?utf-8?B?6Zmz5aSn5paH?= <chan@example.com>\r\nTo: b@example.org\r\n\
        Subject: HKID E364912(5)\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n\
        --x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        HKID A123=\r\n456(3)\r\n\
        --x\r\nContent-Type: text/html\r\n\r\n<p>card <b>4111 1111</b> 1111 1111</p>\r\n\
        --x\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=\"a.zip\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    bytes.extend_from_slice(base64(attached).as_bytes());
    bytes.extend_from_slice(b"\r\n--x--\r\n");
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let chunks = bytes.chunks(3).map(|three| {
        let sum = three.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        let sign = |place: usize| match place > three.len() {
            true => '=',
            false => char::from(LETTERS[(sum >> (18 - 6 * place) & 63) as usize]),
        };
        [0, 1, 2, 3].map(sign).iter().collect::<String>()
    });
    chunks.collect::<Vec<_>>().concat()
}

#[test]
fn a_message_is_read_with_its_head_and_what_is_attached() {
    let found = look(&message(&zipped(&[("a.txt", CARD)])), "m.eml");
    assert_eq!(found.format, Format::Mail, "{found:#?}");
    let own = part(&found, &[]);
    assert_eq!(count(own, Kind::HongKongIdentityCard), 2);
    assert_eq!(count(own, Kind::PaymentCard), 1);
    assert_eq!(count(own, Kind::Email), 2);
    assert_eq!(count(part(&found, &["a.zip", "a.txt"]), Kind::HongKongIdentityCard), 1);
}

#[test]
fn a_message_in_big5_that_does_not_say_so_is_read() {
    let text = "敬啟者：客戶陳大文先生現居於香港西營盤德輔道西718號太平樓36樓D室。\r\n";
    let mut bytes = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\n\r\n".to_vec();
    bytes.extend_from_slice(&BIG5.encode(text).0);
    let found = look(&bytes, "m");
    assert_eq!((found.format, total(&found, Kind::Address)), (Format::Mail, 1));
}

#[test]
fn an_encrypted_message_is_called_so() {
    let bytes = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
        Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CA\r\n";
    assert_eq!(troubles(&look(bytes, "m.eml")), [TroubleKind::Protected]);
}

#[test]
fn a_mailbox_is_cut_into_its_messages_wherever_pieces_end() {
    let one = |i: u32| {
        format!(
            "From a@example.com Sat Jan  3 01:05:34 2026\nFrom: a@example.com\nSubject: x\n\n\
            HKID A123456(3)\nFrom here on it is text\n{}\n\n",
            "x".repeat(i as usize % 999)
        )
    };
    let text: String = (0..500).map(one).collect();
    let found = look(text.as_bytes(), "mbox");
    assert_eq!(found.format, Format::Mbox);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 500);
    assert_eq!(found.parts[499].path, ["message 500"]);

    // A message that is too long is passed over, and the next one is read.
    let long = format!("{}{}\n\n{}", one(0), "y".repeat(300_000), one(1));
    let limits = Limits { held_bytes_max: 100_000, ..Limits::default() };
    let found = look_within(long.as_bytes(), "mbox", &limits);
    assert_eq!(troubles(&found), [TroubleKind::TooLarge]);
    assert_eq!(found.parts[0].path, ["message 2"]);
}

//! A worker that was taken over: it enters the same sandbox as the real one, and then does what the
//! name of its object says. The tests of the server's side and of the sandbox run it; it is no part
//! of the product.

use discover::work::{Bounds, ObjectFile, Told, serve};
use extract::{Coverage, Format, Inspection};
use std::io::{Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let named = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place.checked_add(1)?)?.parse::<u64>().ok()
    };
    if arguments.iter().any(|argument| argument == "babble") {
        return babble(&arguments);
    }
    let bounds = Bounds {
        memory_bytes: named("--memory-bytes").unwrap_or(0),
        cpu_seconds: named("--cpu-seconds").unwrap_or(0),
    };
    match serve(
        bounds,
        |_| Some(()),
        |object, hint, (), tell| act(object, hint, &mut |bytes| tell(Told::Bytes(bytes))),
    ) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Never enters a sandbox, never speaks the protocol: says on the socket what it was told to.
fn babble(arguments: &[String]) -> ExitCode {
    let socket = std::io::stdin();
    for word in arguments.iter().skip_while(|word| *word != "babble").skip(1) {
        let bytes: Vec<u8> = match word.as_str() {
            "nothing" => Vec::new(),
            "garbage" => b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            "huge" => b"LRWK\x01\x02\0\0\xff\xff\xff\xff".to_vec(),
            "ready" => framed(br#"{"ready":{"landlock_abi":7,"user":null}}"#),
            "finished" => framed(FINISHED),
            "refused" => framed(br#"{"refused":"because"}"#),
            "wait" => {
                let _ = std::io::stdin().read(&mut [0; 1]);
                Vec::new()
            }
            _ => break,
        };
        if rustix::io::write(&socket, &bytes).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

const FINISHED: &[u8] = br#"{"finished":{"format":"text","bytes":1,"text_bytes":1,
    "coverage":"whole","parts":[],"troubles":[]}}"#;

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [b"LRWK\x01\x02\0\0".as_slice(), &length.to_be_bytes(), body].concat()
}

fn act(mut object: ObjectFile, hint: &str, progress: &mut dyn FnMut(u64)) -> Inspection {
    let mut bytes = 0;
    match hint {
        "read" => {
            let mut content = Vec::new();
            if object.read_to_end(&mut content).is_ok() {
                bytes = content.len() as u64;
            }
        }
        "progress" => (1..=10).for_each(|step| progress(step * 8 * 1024 * 1024)),
        "open" => drop(std::fs::File::open("/etc/hostname")),
        "list" => drop(std::fs::read_dir("/")),
        "attributes" => drop(std::fs::metadata("/etc/hostname")),
        "connect" => drop(std::net::TcpStream::connect("127.0.0.1:9")),
        "datagram" => drop(std::net::UdpSocket::bind("127.0.0.1:0")),
        "socket" => drop(std::os::unix::net::UnixStream::pair()),
        "start" => drop(std::process::Command::new("/bin/true").spawn()),
        "thread" => drop(std::thread::Builder::new().spawn(|| {})),
        "signal" => drop(
            rustix::process::getppid()
                .map(|parent| rustix::process::kill_process(parent, rustix::process::Signal::TERM)),
        ),
        "limits" => drop(rustix::process::setrlimit(
            rustix::process::Resource::Nofile,
            rustix::process::Rlimit { current: Some(4), maximum: Some(4) },
        )),
        "another-output" => drop(std::io::stderr().write(b"x")),
        "memory" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 1024 * 1024]);
                std::hint::black_box(&hoard);
            }
        }
        "loop" => loop {
            bytes = std::hint::black_box(bytes).wrapping_add(1);
        },
        "leave" => std::process::exit(0),
        _ => std::process::abort(),
    }
    Inspection {
        format: Format::Text,
        bytes,
        text_bytes: bytes,
        coverage: Coverage::Whole,
        parts: Vec::new(),
        troubles: Vec::new(),
    }
}

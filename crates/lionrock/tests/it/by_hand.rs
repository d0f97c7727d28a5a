//! Acts by hand on the folder of a stopped server: broken glass, an older database put back.

use crate::commanding::{House, field};
use crate::whole::{Scratch, first_link};
use lionrock::clock::SystemClock;
use lionrock::serve::{Extras, Server};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

fn lionrock(scratch: &Scratch, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lionrock"));
    command.args(words).arg("--data").arg(scratch.0.join("data"));
    command.arg("--seal-key-file").arg(scratch.0.join("seal.key"));
    tokio::task::block_in_place(|| command.output().unwrap())
}

fn told(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn code(output: &Output) -> i32 {
    assert!(output.stdout.is_empty());
    output.status.code().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_administrator_is_let_in_by_whoever_holds_the_seal() {
    let house = House::new("glass").await;
    let admin = house.seat("administrator");
    admin.enrols(&first_link(&house.scratch));
    let glass = [
        "break-glass",
        "--person",
        "administrator",
        "--role",
        "identity-administrator",
        "--custodian",
        "Custodian A",
        "--reason",
        "the telephone is at the bottom of the harbour",
        "--json",
    ];
    // Never beside a running server.
    assert_eq!(code(&lionrock(&house.scratch, &glass)), 6);
    let House { scratch, server, clock } = house;
    server.stop().await;
    let nobody = glass.map(|word| if word == "administrator" { "nobody" } else { word });
    assert_eq!(code(&lionrock(&scratch, &nobody)), 5);
    let said = told(&lionrock(&scratch, &glass));
    let link = std::fs::read_to_string(field(&said, "link_file")).unwrap();

    let server = Server::start(scratch.config(), clock.clone(), Extras::default()).await.unwrap();
    let house = House { scratch, server, clock };
    let old = house.seat("administrator");
    assert_eq!(old.refused(&["people", "list"]).0, 4, "every session has ended");
    let back = house.seat("back");
    back.enrols(&link);
    back.told(&["people", "list"]);
    for action in ["system.break-glass-begun", "access.break-glass"] {
        let found = back.told(&["log", "query", "--action", action, "--limit", "1"]);
        let text = found.to_string();
        assert!(text.contains("bottom of the harbour") && text.contains("Custodian A"), "{text}");
    }
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_custodians_must_come_where_the_configuration_wants_them() {
    let scratch = Scratch::new("custodians");
    let clock = Arc::new(SystemClock);
    let server = Server::start(scratch.config(), clock, Extras::default()).await.unwrap();
    server.stop().await;
    let config = scratch.0.join("lionrock.toml");
    std::fs::write(&config, "[seal]\ntwo-custodians = true\n").unwrap();
    let config = config.to_str().unwrap();
    let glass = |custodians: &[&str]| {
        let mut words = vec![
            "break-glass",
            "--config",
            config,
            "--person",
            "administrator",
            "--role",
            "identity-administrator",
            "--reason",
            "lost",
        ];
        words.extend(custodians.iter().flat_map(|name| ["--custodian", *name]));
        let output = lionrock(&scratch, &words);
        (code(&output), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(glass(&["A"]).0, 2);
    assert_eq!(glass(&["A", "A"]).0, 2);
    // Nobody has enrolled: the first link is the way in.
    let (code, reason) = glass(&["A", "B"]);
    assert!(code == 6 && reason.contains("first administrator's link"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_is_refused_until_two_people_accept_the_rollback_by_name() {
    let house = House::new("rollback").await;
    let admin = house.seat("administrator");
    let seed = admin.enrols(&first_link(&house.scratch));
    admin.told(&["domains", "create", "--name", "before"]);
    let data = house.scratch.0.join("data");
    let (store, older) = (data.join("store"), house.scratch.0.join("older"));
    let house = restarted(house, || copy(&store, &older)).await;
    let admin = house.seat("administrator");
    admin.told(&["domains", "create", "--name", "lost"]);
    let known = admin.told(&["log", "query", "--limit", "1"]);
    let known = known["items"][0]["position"].as_u64().unwrap();
    let House { scratch, server, clock } = house;
    server.stop().await;

    // An older database takes the place of the newer one.
    std::fs::remove_dir_all(&store).unwrap();
    copy(&older, &store);
    let serve = lionrock(&scratch, &["serve", "--listen", "127.0.0.1:0"]);
    let refusal = String::from_utf8(serve.stderr.clone()).unwrap();
    assert_eq!(serve.status.code(), Some(1), "{refusal}");
    assert!(refusal.contains("an older database was put in place"), "{refusal}");
    let size = refusal.split("the anchor at ").nth(1).unwrap();
    let size: String = size.chars().take_while(char::is_ascii_digit).collect();
    assert!(size.parse::<u64>().unwrap() > known);

    let accept = |size: &str, who: &[&str]| {
        let mut words =
            vec!["accept-rollback", "--known-size", size, "--reason", "disk lost", "--json"];
        words.extend(who.iter().flat_map(|name| ["--accepted-by", *name]));
        lionrock(&scratch, &words)
    };
    assert_eq!(code(&accept(&size, &["A"])), 2);
    assert_eq!(code(&accept("7", &["A", "B"])), 6);
    let start = || Server::start(scratch.config(), clock.clone(), Extras::default());
    assert!(start().await.is_err(), "a refused acceptance changes nothing");
    let said = told(&accept(&size, &["A", "B"]));
    assert!(field(&said, "origin").ends_with("/r2"), "{said}");
    assert_eq!(code(&accept(&size, &["A", "B"])), 6, "there is nothing to accept any more");

    let server = start().await.unwrap();
    let house = House { scratch, server, clock };
    // The command was run under the machine's clock: by it the session of the test is over.
    house.clock.advance_millis(60_000);
    let admin = house.seat("administrator");
    admin.signs_in("administrator", &seed);
    let domains = admin.told(&["domains", "list"]).to_string();
    assert!(domains.contains("before") && !domains.contains("lost"));
    let found = admin.told(&["log", "query", "--action", "log.rollback-accepted"]);
    let text = found.to_string();
    assert!(text.contains("disk lost") && text.contains(&size), "{text}");
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    house.server.stop().await;
}

/// Stops the server, does something to its folder, and starts it again.
async fn restarted(house: House, meanwhile: impl FnOnce()) -> House {
    let House { scratch, server, clock } = house;
    server.stop().await;
    meanwhile();
    let server = Server::start(scratch.config(), clock.clone(), Extras::default()).await.unwrap();
    House { scratch, server, clock }
}

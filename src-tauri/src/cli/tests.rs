//! The command line as typed.

use clap::{CommandFactory as _, Parser as _};

use super::args::Cli;

const ID: &str = "0198c0de-0000-7000-8000-000000000000";

fn exit_of(words: &str) -> Option<i32> {
    Cli::try_parse_from(std::iter::once("creel").chain(words.split(' '))).err().map(|error| error.exit_code())
}

#[test]
fn the_definition_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn what_the_contract_writes_is_understood() {
    let lines = [
        "serve",
        "serve --data-dir d --ingress 0.0.0.0:0 --admin 127.0.0.1:0 --public-url https://x.example --trusted-proxy \
         10.0.0.0/8 --trusted-proxy ::1 --max-body-bytes 0 --rate-limit-endpoint 0 --rate-limit-ip 0 --keep-rows 0 \
         --keep-bytes 0 --keep-days 0",
        "serve --admin [::1]:4101",
        "listen --to http://localhost:3000/x",
        "listen --to http://localhost:3000 --provider github --secret-file - --name a",
        "endpoints list",
        "endpoints create a",
        "endpoints create --name a --provider github --to http://127.0.0.1:1 --to http://127.0.0.1:2",
        "endpoints show a",
        "endpoints delete a",
        "deliveries list --limit 500 --status failed --signature-status invalid --before 9 --after 1 --q x",
        "--json deliveries list --json",
        &format!("deliveries show {ID}"),
        &format!("deliveries body {ID} --arrival 2 --output f"),
        &format!("replay {ID} {ID} --to http://127.0.0.1:1 --resign --force"),
        "sign --provider github --secret-file f --body-file b --now -5",
        "verify --provider generic --scheme s --header N:V --header N:V --url u --method PUT --now 1 --options-file o",
        "sign --provider discord --throwaway --keep f --body-file b --body-out c",
        "send --provider github --event github.push --to http://localhost:3000",
        "send --provider x --to http://localhost:3000 --throwaway --keep f --scheme s --body-file b -H N:V --url u",
        "send --provider x --to http://localhost:3000 --unsigned --allow-non-loopback --now 5 --options-file o",
        "send --provider x --list",
        "providers",
        "providers list",
        "providers show github",
        "doctor --json",
    ];
    for line in lines {
        let words = line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert_eq!(exit_of(&words), None, "{line}");
    }
}

#[test]
fn what_is_wrong_is_a_usage_error() {
    let lines = [
        "",
        "swerve",
        "serve --admin 0.0.0.0:4101",
        "serve --admin 192.168.0.1:4101",
        "serve --admin localhost:4101",
        "serve --ingress 4100",
        "serve --public-url hooks.example.com",
        "serve --trusted-proxy 10.0.0.0/33",
        "serve --keep-rows -1",
        "serve --secret x",
        "listen",
        "listen --to localhost:3000",
        "listen --to ftp://localhost",
        "endpoints create",
        "endpoints create a --name b",
        "endpoints create a --when-target-down hold",
        "endpoints create a --body-policy xml",
        "deliveries list --limit 0",
        "deliveries list --limit 501",
        "deliveries list --status lost",
        "deliveries show nonsense",
        "deliveries show ../endpoints",
        "replay",
        "replay nonsense",
        "sign",
        "sign --provider generic --keep f",
        "send",
        "send --provider generic",
        "send --provider generic --to localhost:3000",
        "send --provider generic --to http://localhost --throwaway --secret-file f",
        "send --provider generic --to http://localhost --throwaway --unsigned",
        "send --provider generic --to http://localhost --list",
        "verify --provider generic --header no-colon",
        "verify --provider generic --secret hunter2",
    ];
    for line in lines {
        assert_eq!(exit_of(line), Some(2), "{line}");
    }
}

#[test]
fn commands_of_later_versions_are_known_and_run_nothing() {
    for line in ["export --format har", "import f"] {
        let cli = Cli::try_parse_from(std::iter::once("creel").chain(line.split(' '))).unwrap();
        let error = super::run(cli, &super::Console::new(true)).unwrap_err();
        assert_eq!(error.exit().code(), 2, "{line}");
        assert!(error.to_string().contains("not available in this version"), "{error}");
    }
}

#[test]
fn every_command_has_examples_in_its_help() {
    fn check(command: &clap::Command, path: &str) {
        if !command.is_hide_set() && command.get_name() != "help" {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "`{path}` shows no example");
            assert!(command.get_about().is_some(), "`{path}` says nothing about itself");
        }
        for child in command.get_subcommands() {
            check(child, &format!("{path} {}", child.get_name()));
        }
    }
    check(&Cli::command(), "creel");
}

#[test]
fn no_option_takes_a_secret_as_its_value() {
    fn check(command: &clap::Command) {
        for argument in command.get_arguments() {
            let name = argument.get_long().unwrap_or_default();
            assert!(!name.contains("secret") || name.ends_with("-file"), "--{name}");
            assert!(!name.contains("token"), "--{name}");
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn a_usage_error_for_programs_names_what_is_missing() {
    let error = Cli::try_parse_from(["creel", "listen", "--json"]).unwrap_err();
    let message = super::first_paragraph(&error.render().to_string());
    assert_eq!(message, "the following required arguments were not provided: --to <URL>");
}

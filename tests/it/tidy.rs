//! The architecture's rules, checked on the sources: who may name whom, how long a file may be, what every file begins with.

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a module may name; nothing points up, and adapters never meet (DESIGN section 1).
const ARROWS: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("signature", &["domain"]),
    ("store", &["domain"]),
    ("relay", &["domain"]),
    ("tunnel", &["domain"]),
    ("app", &["store", "relay", "tunnel", "signature", "domain"]),
    ("ingress", &["app", "domain"]),
    ("api", &["app", "domain"]),
    ("run_file", &["store", "domain"]),
    ("client", &["app", "run_file", "domain"]),
    ("cli", &["client", "engine", "run_file", "app", "store", "signature", "domain"]),
    ("engine", &["ingress", "api", "run_file", "app", "store", "relay", "tunnel", "signature", "domain"]),
    ("desktop", &["engine", "app", "tunnel", "domain"]),
    ("main", &["cli", "tunnel"]),
];

/// A crate, and the only modules that may name it.
const VENDORS: [(&str, &[&str]); 8] = [
    ("rusqlite", &["store"]),
    ("rusqlite_migration", &["store"]),
    ("tauri", &["desktop", "desktop_main"]),
    ("tauri_plugin_shell", &["desktop"]),
    ("hyper::client", &["relay", "client"]),
    ("hyper_util::client", &["relay", "client"]),
    ("axum", &["api", "ingress"]),
    ("clap", &["cli", "desktop", "desktop_main"]),
];

/// Longest file in lines; generated ones excepted.
const FILE_LINES_MAX: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["node_modules", "dist", "generated", "target", "gen"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    let found = files("src-tauri/src", &[".rs"]);
    assert!(found.len() > 20, "the sources are elsewhere");
    found
}

/// The top-level module that a source file belongs to.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src-tauri/src")).expect("a source");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Whether a file holds tests alone: by its name, or because its parent declares it for tests.
fn is_for_tests(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(path);
    let parents = [folder.join("mod.rs"), folder.with_extension("rs")];
    let declared = parents.iter().filter_map(|parent| fs::read_to_string(parent).ok()).any(|text| {
        let lines: Vec<&str> = text.lines().collect();
        lines
            .windows(2)
            .any(|pair| pair[0].starts_with("#[cfg(") && pair[0].contains("test") && pair[1] == format!("mod {stem};"))
    });
    declared || stem.ends_with("tests") || path.components().any(|part| part.as_os_str() == "tests")
}

/// The program without its unit tests and comments.
fn program(path: &Path) -> String {
    if is_for_tests(path) {
        return String::new();
    }
    let text = fs::read_to_string(path).expect("a source");
    without_tests_and_comments(&text)
}

fn without_tests_and_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let is_tests = line.starts_with("#[cfg(test)]") && lines.peek().is_some_and(|next| next.starts_with("mod "));
        // A module of tests stands at the end of its file; one in a file of its own is a single line.
        if is_tests && lines.peek().is_some_and(|next| next.ends_with('{')) {
            break;
        }
        if !line.trim_start().starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The names right behind `prefix`, those in braces included: `crate::{a, b::c}` names `a` and `b`.
fn named_behind(text: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || character == '_' || character == ':') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_names_of_group(group)),
            None => names.push(leading_name(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

fn first_names_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut at_start) = (0, Vec::new(), true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            _ if at_start && !character.is_whitespace() => {
                names.push(leading_name(&group[at..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn forbidden_arrows(module: &str, text: &str) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{module} has no place in the layers")];
    };
    let mut named = named_behind(text, "crate::");
    named.extend(named_behind(text, "creel::"));
    named.retain(|name| name != module && !allowed.contains(&name.as_str()));
    named.retain(|name| ARROWS.iter().any(|(known, _)| known == name));
    named.into_iter().map(|name| format!("{module} names {name}")).collect()
}

#[test]
fn dependencies_point_one_way_and_adapters_never_meet() {
    let mut wrong = Vec::new();
    for path in sources() {
        let module = module_of(&path);
        if ["lib", "desktop_main"].contains(&module.as_str()) {
            continue;
        }
        let found = forbidden_arrows(&module, &program(&path));
        wrong.extend(found.into_iter().map(|arrow| format!("{}: {arrow}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_arrows_would_be_noticed() {
    assert_eq!(forbidden_arrows("store", "use crate::app::App;"), ["store names app"]);
    assert_eq!(forbidden_arrows("api", "use crate::{app::{x, y},\n ingress::z, domain};"), ["api names ingress"]);
    assert_eq!(forbidden_arrows("cli", "let a = crate::api::guard();"), ["cli names api"]);
    assert_eq!(forbidden_arrows("relay", "use crate::domain::{Endpoint, Headers};"), [""; 0]);
    assert_eq!(forbidden_arrows("invented", "").len(), 1);
    let tested = "use crate::app::A;\n// crate::cli\n#[cfg(test)]\nmod tests {\n use crate::api::B;\n}\n";
    assert_eq!(forbidden_arrows("cli", &without_tests_and_comments(tested)), [""; 0]);
}

/// Whether a path such as `hyper::client` or a crate's name stands in the text as a word.
fn names_vendor(text: &str, vendor: &str) -> bool {
    let (krate, inner) = vendor.split_once("::").unwrap_or((vendor, ""));
    if inner.is_empty() {
        let path = format!("{krate}::");
        return !named_behind(text, &path).is_empty() || text.contains(&format!("use {krate};"));
    }
    named_behind(text, &format!("{krate}::")).iter().any(|name| name == inner)
}

#[test]
fn each_vendor_is_named_in_one_place() {
    let mut wrong = Vec::new();
    for path in sources() {
        let (module, text) = (module_of(&path), program(&path));
        for (vendor, places) in VENDORS {
            if names_vendor(&text, vendor) && !places.contains(&module.as_str()) {
                wrong.push(format!("{} names {vendor}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(names_vendor("use rusqlite::{Connection, params};", "rusqlite"));
    assert!(names_vendor("use hyper::{client::conn, body};", "hyper::client"));
    assert!(!names_vendor("use hyper::server::conn;", "hyper::client"));
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let mut all = sources();
    all.extend(files("tests", &[".rs"]));
    all.extend(files("xtask", &[".rs"]));
    all.extend(files("ui/src", &[".ts", ".svelte", ".css"]));
    all.extend(files("ui/e2e", &[".ts"]));
    let lines = |path: &PathBuf| fs::read_to_string(path).expect("a source").lines().count();
    let long: Vec<String> = all
        .iter()
        .filter(|path| lines(path) > FILE_LINES_MAX)
        .map(|path| format!("{} has {} lines", path.display(), lines(path)))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let mut all = sources();
    all.extend(files("tests/it", &[".rs"]));
    all.extend(files("xtask", &[".rs"]));
    let silent: Vec<String> = all
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| !fs::read_to_string(path).expect("a source").starts_with("//!"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "without a first `//!`: {}", silent.join("\n"));
}

#[test]
fn nothing_outside_tests_panics_on_purpose_or_is_left_for_later() {
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat()];
    let panics = [".unwrap()", ".expect(\"", "panic!(", "todo!(", "unimplemented!("];
    let mut wrong = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("a source");
        for mark in marks.iter().filter(|mark| text.contains(mark.as_str())) {
            wrong.push(format!("{}: {mark}", path.display()));
        }
        let program = program(&path);
        for panic in panics.iter().filter(|panic| program.contains(**panic)) {
            wrong.push(format!("{}: {panic}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_say_what_a_thing_is() {
    let vague = ["Manager", "Helper", "Util", "Service", "Processor"];
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let mut wrong = Vec::new();
    for path in sources() {
        for line in program(&path).lines() {
            let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let declared = declared.trim_start_matches("pub(super) ");
            let Some(name) = kinds.iter().find_map(|kind| declared.strip_prefix(kind)).map(leading_name) else {
                continue;
            };
            if vague.iter().any(|word| name.contains(word)) {
                wrong.push(format!("{}: {name}", path.display()));
            }
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if ["common", "misc", "util", "utils", "helpers"].contains(&stem.as_str()) {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The tests that the index names: `file::test`, or `src: test` for one beside the code.
fn named_in_index(index: &str) -> Vec<(String, String)> {
    let doc: String = index.lines().filter_map(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join(" ");
    let quoted = doc.split('`').skip(1).step_by(2);
    let pairs = quoted.filter_map(|name| name.split_once("::").or_else(|| name.split_once(": ")));
    pairs.map(|(file, test)| (file.to_owned(), test.to_owned())).collect()
}

#[test]
fn the_index_names_only_tests_that_exist() {
    let named = named_in_index(include_str!("main.rs"));
    assert!(named.len() > 80, "{}", named.len());
    let unit_tests: String = sources().iter().map(|path| fs::read_to_string(path).expect("a source")).collect();
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(file, test)| {
            let path = root().join("tests/it").join(format!("{file}.rs"));
            let text = if file == "src" { Ok(unit_tests.clone()) } else { fs::read_to_string(path) };
            !text.is_ok_and(|text| {
                text.contains(&format!("#[test]\nfn {test}(")) || text.contains(&format!("    fn {test}("))
            })
        })
        .map(|(file, test)| format!("{file}::{test}"))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

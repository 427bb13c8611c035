//! Every provider's transcript, read as a run reads it, however its bytes are split: its table finds the URL and knows when
//! the tunnel stands. `tests/it/tunnel_transcripts.rs` has a program play them.

use std::path::Path;

use serde_json::Value;

use super::lines::LineSplitter;
use super::output_rules::{Meaning, OutputReader};
use super::provider::TunnelProvider;
use super::{TunnelCatalogue, template};
use crate::domain::TunnelStream;

/// What the transcripts come to: the URL, unless the user gives it or the program's own address tells it.
const EXPECTED: [(&str, Option<&str>); 13] = [
    ("bore", Some("http://127.0.0.1:20302")),
    ("cloudflared", Some("https://proud-words-here-now.trycloudflare.com")),
    ("cloudflared-named", None),
    ("devtunnel", Some("https://abc123-4100.euw.devtunnels.ms")),
    ("frp", None),
    ("localhostrun", Some("https://abc123.lhr.life")),
    ("localtunnel", Some("https://brave-cat-12.loca.lt")),
    ("ngrok", Some("https://name.ngrok-free.app")),
    ("pinggy", Some("https://rnabc-1-2-3-4.a.free.pinggy.link")),
    ("serveo", Some("https://abc.serveo.net")),
    ("ssh", Some("http://h:35207")),
    ("tailscale", Some("https://laptop.tail1234.ts.net")),
    ("zrok", Some("https://abc.share.zrok.io")),
];

/// URL and readiness that a table finds in a transcript, whose bytes come in pieces of this size.
fn played(provider: &TunnelProvider, steps: &[Value], size: usize) -> (Option<String>, bool) {
    let mut reader = OutputReader::new(provider.rules.iter().cloned());
    let (mut stdout, mut stderr) = (LineSplitter::default(), LineSplitter::default());
    let (mut url, mut ready) = (None, false);
    for step in steps {
        for (name, stream) in [("out", TunnelStream::Stdout), ("err", TunnelStream::Stderr)] {
            let Some(text) = step.get(name).and_then(Value::as_str) else { continue };
            let splitter = if stream == TunnelStream::Stdout { &mut stdout } else { &mut stderr };
            for line in text.as_bytes().chunks(size).flat_map(|piece| splitter.take(piece)) {
                let Some(found) = reader.read(stream, &line) else { continue };
                let group = |name: &str| found.groups.get(name).cloned();
                match found.means {
                    Meaning::Url => {
                        url = found.url.as_deref().and_then(|url| template::fill(url, group)).or_else(|| group("url"));
                    }
                    Meaning::Port => url = template::fill("http://h:{port}", group),
                    Meaning::Ready => ready = true,
                    other => panic!("{}: {line} means {other:?}", provider.slug),
                }
            }
        }
    }
    (url, ready)
}

#[test]
fn the_transcript_of_every_provider_makes_a_tunnel_that_stands() {
    let catalogue = TunnelCatalogue::embedded().unwrap();
    assert_eq!(EXPECTED.len() + 1, catalogue.iter().count(), "all but the custom command have a transcript");
    for (slug, expected) in EXPECTED {
        let provider = catalogue.get(slug).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/tunnels/{slug}.jsonl"));
        let text = std::fs::read_to_string(path).unwrap();
        let steps: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let about = steps[0]["about"].as_str().unwrap().replace("second-hand", "second_hand");
        assert!(about.starts_with(&format!("{}: ", provider.evidence)), "{slug}: {about}");
        let tells_ready = provider.rules.iter().any(|rule| rule.means == Meaning::Ready);
        for size in [1, 7, 4096] {
            let (url, ready) = played(provider, &steps, size);
            assert_eq!(url.as_deref().map(|url| url.trim_end_matches('/')), expected, "{slug} in pieces of {size}");
            assert_eq!(ready, tells_ready, "{slug} in pieces of {size}");
        }
    }
}

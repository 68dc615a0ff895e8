// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests: what is written is what others read.

use std::io::Write;
use std::process::Stdio;

use ansible_module::Tool;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::*;

fn as_json(node: &Yaml) -> Value {
    match node {
        Yaml::Text(text) => json!(text),
        Yaml::Number(number) => json!(number),
        Yaml::Plain(word) => serde_json::from_str(word).unwrap(),
        Yaml::Bool(flag) => json!(flag),
        Yaml::List(items) => items.iter().map(as_json).collect(),
        Yaml::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), as_json(value))).collect(),
    }
}

/// Texts that YAML readers are known to stumble over, beside arbitrary ones.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        prop::sample::select(vec![
            "yes",
            "no",
            "~",
            "null",
            "0644",
            "1e3",
            "0x1f",
            "12:30:00",
            "2026-11-22",
            "- a",
            "a: b",
            "#x",
            "a #b",
            "'",
            "\"",
            "\\",
            "''",
            "%u",
            "@a",
            "`",
            "|",
            ">",
            "&a",
            "*a",
            "!x",
            "{a}",
            "[a",
            " a",
            "a ",
            "\t",
            "\u{85}",
            "\u{feff}",
            "\u{2028}",
            "\u{7f}",
            "\u{1f600}",
            "größe",
            "a\nb\n",
            "---",
            "...",
            "",
        ])
        .prop_map(str::to_owned),
    ]
}

fn root() -> impl Strategy<Value = Yaml> {
    let leaf = prop_oneof![
        text().prop_map(Yaml::Text),
        any::<u32>().prop_map(Yaml::Number),
        any::<bool>().prop_map(Yaml::Bool)
    ];
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        let map = prop::collection::btree_map(text(), inner.clone(), 0..4);
        let flat = inner.prop_filter("no list in a list", |node| !matches!(node, Yaml::List(_)));
        prop_oneof![
            prop::collection::vec(flat, 0..4).prop_map(Yaml::List),
            map.prop_map(|entries| Yaml::Map(entries.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(text(), node, 0..5)
        .prop_map(|entries| Yaml::Map(entries.into_iter().collect()))
}

/// Gives one document a line, as JSON strings, to Python's reader; returns what it read. Debian's own Python, for which
/// the test runner has installed python3-yaml.
fn read_by_python(documents: &[String]) -> Vec<Value> {
    let script =
        "import json, sys, yaml\nfor line in sys.stdin: print(json.dumps(yaml.safe_load(json.loads(line))))";
    let mut python = Tool::find("/usr/bin/python3")
        .unwrap()
        .command()
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = documents.iter().map(|text| json!(text).to_string() + "\n").collect();
    let mut stdin = python.take_stdin().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let finished = python.finish().unwrap();
    writer.join().unwrap();
    assert!(finished.status.success(), "python3-yaml is needed here: {}", finished.stderr);
    finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn python_reads_what_was_meant() {
    let mut runner = TestRunner::default();
    let trees: Vec<Yaml> = (0..1000).map(|_| root().new_tree(&mut runner).unwrap().current()).collect();
    let documents: Vec<String> = trees.iter().map(|tree| document(tree, Reader::Full).unwrap()).collect();
    let read = read_by_python(&documents);
    assert_eq!(read.len(), trees.len());
    for ((tree, text), read) in trees.iter().zip(&documents).zip(read) {
        assert_eq!(as_json(tree), read, "{text}");
    }
}

#[test]
fn both_readers_agree_where_the_lesser_one_is_served() {
    let mut runner = TestRunner::default();
    let mut texts: Vec<String> = (0..500).map(|_| text().new_tree(&mut runner).unwrap().current()).collect();
    texts.push("command=\"echo\" ssh-rsa AAAA".to_owned());
    texts.push("it's".to_owned());
    let served: Vec<(String, String)> = texts
        .into_iter()
        .filter_map(|text| {
            let tree = Yaml::Map(vec![("a".to_owned(), Yaml::Text(text.clone()))]);
            Some((document(&tree, Reader::WithoutEscapes).ok()?, text))
        })
        .collect();
    assert!(served.len() > 50, "{}", served.len());
    let documents: Vec<String> = served.iter().map(|(document, _)| document.clone()).collect();
    for ((document, text), read) in served.iter().zip(read_by_python(&documents)) {
        assert_eq!(read, json!({"a": text}));
        // No escape of any kind: between the quotes is the text itself.
        assert!(
            *document == format!("a: '{text}'\n") || *document == format!("a: \"{text}\"\n"),
            "{document}"
        );
    }
}

#[test]
fn what_the_lesser_reader_cannot_take_is_refused() {
    let cases = [
        ("a\nb", "writing key: nuageinit 14.1 reads printable ASCII on one line only; found something else"),
        ("größe", "writing key: nuageinit 14.1 reads printable ASCII on one line only; found something else"),
        (
            "it's \"it\"",
            "writing key: nuageinit 14.1 reads no text that has a single quote together with a double quote or a backslash; leave one of them out",
        ),
        (
            "'\\",
            "writing key: nuageinit 14.1 reads no text that has a single quote together with a double quote or a backslash; leave one of them out",
        ),
    ];
    for (text, message) in cases {
        let tree = Yaml::map([("key", Some(Yaml::Text(text.to_owned())))]);
        assert_eq!(document(&tree, Reader::WithoutEscapes).unwrap_err().to_string(), message);
    }
}

#[test]
fn the_style_is_plain_blocks() {
    let tree = Yaml::map([
        (
            "users",
            Some(Yaml::List(vec![Yaml::map([
                ("name", Some(Yaml::Text("a".into()))),
                ("keys", Some(Yaml::texts(["k"]))),
            ])])),
        ),
        ("on", Some(Yaml::Bool(true))),
        ("none", None),
        ("empty", Some(Yaml::List(Vec::new()))),
    ]);
    assert_eq!(
        document(&tree, Reader::Full).unwrap(),
        "users:\n  - name: 'a'\n    keys:\n      - 'k'\n'on': true\nempty: []\n"
    );
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! The disk of a guest on another host, which comes over standard input as the other program sends it.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use test_support::{module, with};

use crate::support::Lab;

impl Lab {
    /// What the program on the guest's host sends: the stream in its frames, and its reply.
    fn sent(&self) -> Vec<u8> {
        let options =
            json!({"path": self.disk(), "state": "captured", "_ansible_module_name": "volume_stream"});
        let mut sender: Command = module(&test_support::program!("volume_stream"));
        let mut child = sender.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(options.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let reply = output.stdout.windows(5).rposition(|bytes| bytes == b"\0\0\0\0{").unwrap() + 4;
        assert_eq!(serde_json::from_slice::<Value>(&output.stdout[reply..]).unwrap()["changed"], false);
        output.stdout[..reply].to_vec()
    }

    fn received(&self, options: &Value, sent: &[u8]) -> Value {
        // As Ansible's end of it does: arguments in the first line.
        let mut program = Command::new(test_support::program!("bhyve_catalog"));
        program.arg("+").env("TMPDIR", self.at("tmp"));
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{options}\n").as_bytes()).unwrap();
        // One that refuses reads no further.
        let _ = stdin.write_all(sent);
        drop(stdin);
        test_support::reply(child)
    }

    fn captured(&self) -> Value {
        with(self.publish("1"), json!({"source": "/volumes/web1.raw", "source_host": "hv1"}))
    }
}

#[test]
fn a_disk_becomes_an_image_once() {
    let lab = Lab::new();
    let (options, sent) = (lab.captured(), lab.sent());
    let check = lab.check(&options);
    assert_eq!(
        (&check["changed"], &check["catalogue"]["images"]),
        (&json!(true), &json!(["demo-1"])),
        "{check}"
    );
    assert!(check["diff"]["after"].as_str().unwrap().contains("image_captured_from: hv1:/volumes/web1.raw"));
    assert!(lab.files().is_empty());
    let reply = lab.received(&options, &sent);
    assert_eq!(reply["changed"], true, "{reply}");
    let catalogue = lab.read();
    let image = &catalogue.images[0];
    assert_eq!(image.facts.captured_from.as_deref(), Some("hv1:/volumes/web1.raw"));
    // What the host would receive is the disk.
    let (stream, disk) = (lab.stream_of(image), lab.at("replayed.raw"));
    let file = fs::File::create(&disk).unwrap();
    zfs_stream::replay(&stream[..], &file, zfs_stream::Expect::default()).unwrap();
    assert!(fs::read(&disk).unwrap() == fs::read(lab.disk()).unwrap());

    // By its name it is known, whatever the guest has written since; nothing has to be sent.
    for again in [lab.run(&options), lab.check(&options)] {
        assert_eq!((&again["changed"], &again["failed"]), (&json!(false), &Value::Null), "{again}");
    }
    let other = with(options.clone(), json!({"source": "/volumes/web2.raw"}));
    assert_eq!(
        lab.refusal(&other),
        "image demo-1 is in the catalogue with image_captured_from hv1:/volumes/web1.raw, this run has \
         hv1:/volumes/web2.raw; a published image never changes: choose another version, or withdraw it first with state=absent"
    );
}

#[test]
fn what_was_cut_or_is_no_stream_is_not_published() {
    let lab = Lab::new();
    let (options, sent) = (lab.captured(), lab.sent());
    let cuts = [0, 3, 700, sent.len() / 2, sent.len() - 4, sent.len() - 1];
    for (sent, error) in cuts.map(|at| (sent[..at].to_vec(), "the stream was cut")).into_iter().chain([
        (b"\0\0\0\x04data\0\0\0\0".to_vec(), "verifying the stream"),
        (b"{\"failed\": true}".to_vec(), "no frame of a stream"),
    ]) {
        let reply = lab.received(&options, &sent);
        let said = test_support::refusal(&reply);
        assert!(
            said.starts_with("looking at source hv1:/volumes/web1.raw: ") && said.contains(error),
            "{}: {said}",
            sent.len()
        );
        assert!(lab.files().is_empty());
    }
}

#[test]
fn what_is_for_files_is_refused() {
    let lab = Lab::new();
    for more in
        [json!({"format": "stream"}), json!({"source_checksum": "/sums"}), json!({"parent": "demo-0"})]
    {
        let said = lab.refusal(&with(lab.captured(), more));
        assert!(said.starts_with("option source_host excludes format, source_checksum and parent"), "{said}");
    }
}

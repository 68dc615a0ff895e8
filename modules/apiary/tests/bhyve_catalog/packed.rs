// SPDX-License-Identifier: GPL-3.0-or-later

//! Images from disks in every form, made by the programs that people make them with.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use test_support::with;

use crate::support::{Lab, stream};

/// What qemu-img makes, and how.
const FORMS: [(&str, &str); 11] = [
    ("a.qcow2", "-O qcow2 -c"),
    ("b.qcow2", "-O qcow2 -o compat=0.10"),
    ("c.qcow2", "-O qcow2 -o extended_l2=on,cluster_size=128k"),
    ("d.vmdk", "-O vmdk"),
    ("e.vmdk", "-O vmdk -o subformat=streamOptimized"),
    ("f.vhd", "-O vpc -o force_size=on"),
    ("g.vhd", "-O vpc -o force_size=on,subformat=fixed"),
    ("h.vhdx", "-O vhdx"),
    ("i.vhdx", "-O vhdx -o subformat=fixed"),
    ("j.vdi", "-O vdi"),
    ("k.vdi", "-O vdi -o static=on"),
];

/// Runs a line of bash in the lab's folder, which must succeed.
fn shell(lab: &Lab, line: &str) {
    let output = Command::new("bash").arg("-ec").arg(line).current_dir(lab.folder.path()).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Publishes a file of the lab's folder.
fn publish(lab: &Lab, name: &str) -> Value {
    lab.run(&with(lab.publish("1"), json!({"source": lab.at(name)})))
}

/// What is said of a file of the lab's folder that is not published.
fn refusal(lab: &Lab, name: &str) -> String {
    let message = lab.refusal(&with(lab.publish("2"), json!({"source": lab.at(name)})));
    message.strip_prefix(&format!("looking at source LAB/{name}: ")).unwrap().to_owned()
}

fn cut(lab: &Lab, name: &str, bytes: u64) -> String {
    let content = fs::read(lab.at(name)).unwrap();
    let cut = format!("cut-{name}");
    fs::write(lab.at(&cut), &content[..content.len() - usize::try_from(bytes).unwrap()]).unwrap();
    cut
}

/// A disk of whole cylinders, as some forms have nothing else, with data up to its end.
fn lab() -> Lab {
    let lab = Lab::new();
    let disk = File::options().write(true).open(lab.disk()).unwrap();
    disk.write_all_at(&[1; 4096], (4 << 20) - 4096).unwrap();
    lab.changed(&lab.publish("1"));
    lab
}

#[test]
fn compressed_disks_are_the_same_image() {
    let lab = lab();
    for (name, line) in [
        ("a.xz", "xz -c disk.raw >a.xz"),
        ("b.xz", "xz -9 -c disk.raw >b.xz"),
        ("c.xz", "(head -c 1M disk.raw | xz; tail -c +1048577 disk.raw | xz; head -c 8 /dev/zero) >c.xz"),
        ("d.gz", "gzip -c disk.raw >d.gz"),
        ("e.gz", "(head -c 1M disk.raw | gzip; tail -c +1048577 disk.raw | gzip) >e.gz"),
        ("f.bz2", "(head -c 1M disk.raw | bzip2; tail -c +1048577 disk.raw | bzip2) >f.bz2"),
        ("g.zst", "zstd -q --ultra -22 --long=27 -c disk.raw >g.zst"),
        ("h.zst", "pzstd -q -c disk.raw >h.zst"),
        ("i", "zstd -q -c disk.raw >i"),
        ("j.zst", r"(printf '\x50\x2a\x4d\x18\x04\x00\x00\x00abcd'; zstd -q -c disk.raw) >j.zst"),
        ("k.qcow2.xz", "qemu-img convert -O qcow2 disk.raw k; xz -c k >k.qcow2.xz"),
    ] {
        shell(&lab, line);
        let reply = publish(&lab, name);
        assert_eq!(reply["changed"], false, "{name}: {reply}");
        let message = refusal(&lab, &cut(&lab, name, 9));
        assert!(
            message.ends_with(" data: they end in the middle; the download was cut short, fetch it again"),
            "{message}"
        );
    }
    assert!(fs::read_dir(lab.at("tmp")).unwrap().next().is_none());
}

#[test]
fn a_raw_disk_may_begin_with_anything_where_it_is_called_one() {
    let lab = Lab::new();
    shell(&lab, "gzip -c disk.raw >disk; cp disk disk.gz");
    let length = |name: &str| {
        let options = with(lab.publish("1"), json!({"source": lab.at(name), "format": "raw"}));
        lab.check(&options)["image"]["volsize"].clone()
    };
    assert_eq!(length("disk"), fs::metadata(lab.at("disk")).unwrap().len().next_multiple_of(64 << 10));
    // Its name says that it is packed.
    assert_eq!(length("disk.gz"), 4 << 20);
}

#[test]
fn a_compressed_stream_is_one_where_it_is_called_so() {
    let lab = Lab::new();
    let source = lab.at("packed.zst");
    shell(&lab, &format!("pzstd -q -c {} >packed.zst", stream("tiny-plain.zfs").display()));
    let message = lab.refusal(&with(lab.publish("1"), json!({"source": source})));
    assert!(message.contains("begins like a ZFS send stream"), "{message}");
    let reply = lab.triad(&with(lab.publish("1"), json!({"source": source, "format": "stream"})));
    assert_eq!(reply["image"]["guid"], "7119270074782723516");
}

#[test]
fn disks_of_other_machines_are_the_same_image() {
    let lab = lab();
    for (name, options) in FORMS {
        shell(&lab, &format!("qemu-img convert -f raw {options} disk.raw {name}"));
        let reply = publish(&lab, name);
        assert_eq!((&reply["changed"], &reply["warnings"]), (&json!(false), &Value::Null), "{name}: {reply}");
        let format =
            ["qcow2", "vmdk", "vhd", "vhdx", "vdi"].into_iter().find(|it| name.ends_with(&format!(".{it}")));
        assert!(!lab.changed(&with(lab.publish("1"), json!({"source": lab.at(name), "format": format}))));
    }
    let other = lab.refusal(&with(lab.publish("2"), json!({"source": lab.at("j.vdi"), "format": "qcow2"})));
    assert!(other.ends_with(
        " is a VDI disk, and option format says qcow2: leave that option out, or set it to what the source is"
    ));
}

/// Each form, cut at ten places: refused or warned of, unless nothing of the disk was in what is missing.
#[test]
fn no_disk_that_was_cut_passes_unnoticed() {
    let lab = lab();
    let mut unnoticed = Vec::new();
    for (name, options) in FORMS {
        // In large blocks, the disk's own end is far from that of the file.
        let options = options.replace("vhdx", "vhdx -o block_size=1M");
        shell(&lab, &format!("qemu-img convert -f raw {options} disk.raw {name}"));
        let whole = fs::read(lab.at(name)).unwrap();
        let at = |tenths: usize| whole.len() * tenths / 10;
        for length in (1..9).map(at).chain([whole.len() - 512, whole.len() - 1]) {
            let source = lab.at(&format!("cut-{name}"));
            fs::write(&source, &whole[..length]).unwrap();
            let check = |version| lab.check(&with(lab.publish(version), json!({"source": source})));
            let reply = check("2");
            let said = format!("{}{}", reply["msg"], reply["warnings"]);
            let is_told =
                ["cut short", "damaged", "larger disk"].into_iter().any(|words| said.contains(words));
            if !is_told && check("1")["changed"] != false {
                unnoticed.push(format!("{name} of {} cut to {length}: {said}", whole.len()));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

/// What its name says a disk is, it may not seem to be because its end is missing.
#[test]
fn a_disk_is_raw_that_is_called_so_or_not_called_otherwise() {
    let lab = lab();
    shell(&lab, "cp disk.raw x.VHD; xz -c disk.raw >x.vdi.xz; cp disk.raw x-flat.vmdk");
    for name in ["x.VHD", "x.vdi.xz"] {
        let message = refusal(&lab, name);
        assert!(message.ends_with("was cut short, fetch it again, or set format to raw"), "{message}");
    }
    let raw = with(lab.publish("1"), json!({"source": lab.at("x.VHD"), "format": "raw"}));
    assert!(!lab.changed(&raw));
    assert_eq!(publish(&lab, "x-flat.vmdk")["changed"], false);
}

#[test]
fn a_cluster_that_is_cut_is_told() {
    let lab = Lab::new();
    shell(
        &lab,
        "truncate -s 64K x; head -c 64K /dev/urandom >>x; qemu-img convert -f raw -O qcow2 x x.qcow2",
    );
    let reply = publish(&lab, &cut(&lab, "x.qcow2", 512));
    let warning = reply["warnings"][0].as_str().unwrap();
    assert!(warning.ends_with(
        "cut-x.qcow2 ends 512 bytes before the end of its last cluster: look whether it was cut short"
    ));
    let message = refusal(&lab, &cut(&lab, "x.qcow2", 7));
    assert!(
        message.ends_with("7 bytes of its last cluster are missing: it was cut short, fetch it again"),
        "{message}"
    );
}

#[test]
fn an_ova_is_its_one_disk() {
    let lab = lab();
    shell(
        &lab,
        "qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw d.vmdk; echo '<Envelope/>' >d.ovf
         echo \"SHA256(d.vmdk)= $(sha256sum <d.vmdk | cut -c-64)\" >d.mf; tar -cf one.ova d.ovf d.mf d.vmdk
         gzip -k d.vmdk; tar -cf packed.ova d.ovf d.vmdk.gz; gzip -kc one.ova >one.ova.gz
         echo \"SHA256(d.vmdk)= $(sha256sum <d.ovf | cut -c-64)\" >d.mf; tar -cf sum.ova d.ovf d.mf d.vmdk
         cp d.vmdk e.vmdk; tar -cf two.ova d.ovf d.vmdk e.vmdk; tar -cf none.ova d.ovf; tar -cf other.tar d.vmdk
         tar --format=v7 -cf old.tar d.vmdk",
    );
    for name in ["one.ova", "packed.ova", "one.ova.gz"] {
        assert_eq!(publish(&lab, name)["changed"], false, "{name}");
    }
    for (name, expected) in [
        ("sum.ova", "the download is damaged, fetch it again"),
        (
            "two.ova",
            "it is an OVA with the disks d.vmdk, e.vmdk, expected one disk: unpack it with tar, and publish each by itself",
        ),
        (
            "none.ova",
            "it is an OVA with no disk, expected one disk: unpack it with tar, and publish each by itself",
        ),
        ("other.tar", "there is no description (.ovf) in it; unpack it, and name the disk that was in it"),
        ("old.tar", "there is no description (.ovf) in it; unpack it, and name the disk that was in it"),
        (&cut(&lab, "one.ova", 40_000), "before the end of it: it was cut short"),
    ] {
        let message = refusal(&lab, name);
        assert!(message.ends_with(expected), "{name}: {message}");
    }
}

#[test]
fn disks_that_are_not_taken_are_named() {
    let lab = lab();
    let convert = "qemu-img convert -f raw disk.raw";
    let secret = "--object secret,id=s,data=x";
    for (line, expected) in [
        (format!("{convert} -O qed x"), "is a QED disk"),
        (format!("{convert} -O qcow x"), "is a qcow disk of version 1"),
        (format!("{convert} -O parallels x"), "is a Parallels disk"),
        (format!("{convert} {secret} -o key-secret=s -O luks x"), "is an encrypted disk (LUKS)"),
        (
            format!("{convert} {secret} -o encrypt.format=luks,encrypt.key-secret=s -O qcow2 x"),
            "is encrypted",
        ),
        (format!("{convert} -O vmdk -o subformat=monolithicFlat x"), "is a descriptor of a VMDK disk"),
        (
            format!("{convert} -O vmdk -o subformat=twoGbMaxExtentSparse y.vmdk; mv y-s001.vmdk x"),
            "is one of the files of a VMDK disk",
        ),
        ("qemu-img create -q -f vmdk -b d.vmdk -F vmdk x".to_owned(), "takes data from another file"),
        ("lz4 -q -c disk.raw >x".to_owned(), "is lz4 data"),
        ("xz --format=lzma -c disk.raw >x".to_owned(), "is lzma data"),
        ("python3 -m zipfile -c x disk.raw".to_owned(), "is a zip archive"),
        ("echo '<!doctype html><title>Log in</title>' >x".to_owned(), "is a web page"),
    ] {
        shell(&lab, &format!("rm -f x; [ -e d.vmdk ] || {convert} -O vmdk d.vmdk; {line}"));
        let message = refusal(&lab, "x");
        assert!(message.contains(expected), "{line}: {message}");
    }
}

#[test]
fn a_disk_that_does_not_fit_its_partitions_is_told() {
    let lab = Lab::new();
    let disk = File::options().write(true).open(lab.disk()).unwrap();
    disk.write_all_at(b"EFI PART", 512).unwrap();
    disk.write_all_at(&((8u64 << 20) / 512 - 1).to_le_bytes(), 512 + 32).unwrap();
    drop(disk);
    shell(&lab, "zstd -q disk.raw");
    for name in ["disk.raw", "disk.raw.zst"] {
        let warnings =
            lab.check(&with(lab.publish("1"), json!({"source": lab.at(name)})))["warnings"].clone();
        let warning = warnings[0].as_str().unwrap().to_owned();
        assert!(warning.contains("speaks of a disk of 8388608 bytes, and it has 4194304"), "{warning}");
    }
}

/// On a system without /proc nobody can tell.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_somebody_writes_to_is_told() {
    let lab = Lab::new();
    let guest = File::options().write(true).open(lab.disk()).unwrap();
    let options = lab.publish("1");
    let warnings = lab.check(&options)["warnings"].clone();
    assert!(warnings[0].as_str().unwrap().contains("disk.raw is open for writing in process "), "{warnings}");
    drop(guest);
    assert_eq!(lab.check(&options)["warnings"], Value::Null);
}

/// What a run that is killed leaves of its unpacking goes with the next one.
#[test]
fn nothing_unpacked_stays() {
    let lab = lab();
    shell(&lab, "xz -k disk.raw; head -c 200 disk.raw.xz >bad.xz");
    let left = || -> Vec<PathBuf> {
        let entries = fs::read_dir(lab.catalogue()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.display().to_string().contains(".staged-")).collect()
    };
    publish(&lab, "disk.raw.xz");
    refusal(&lab, "bad.xz");
    assert_eq!(left(), Vec::<PathBuf>::new());
}

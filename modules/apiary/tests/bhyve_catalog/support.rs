// SPDX-License-Identifier: GPL-3.0-or-later

//! A folder with a disk, a key and a catalogue, and the program run on it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use image_catalog::archive::PackageArchive;
use image_catalog::catalogue::Catalogue;
use image_catalog::meta::Meta;
use image_catalog::package::Package;
use image_catalog::signature::{KeyType, PrivateKey, Signing, Trust, create_key, load_key};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{fixture, module, reply, stand_in, with};

pub struct Lab {
    pub folder: TempDir,
    tools: Option<PathBuf>,
}

pub fn stream(name: &str) -> PathBuf {
    fixture("streams").join(name)
}

impl Lab {
    pub fn new() -> Self {
        // In memory where that is to be had: each run syncs what it writes, and there are hundreds of runs.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let lab = Self { folder: folder.unwrap(), tools: None };
        fs::create_dir(lab.at("tmp")).unwrap();
        create_key(&lab.key(), &PrivateKey::generate(KeyType::Eddsa).unwrap()).unwrap();
        let disk = File::create(lab.disk()).unwrap();
        disk.set_len(4 << 20).unwrap();
        disk.write_all_at(&(0..300_000u32).map(|i| ((i * 7) >> 3) as u8).collect::<Vec<_>>(), 100_000)
            .unwrap();
        disk.write_all_at(&[0x55, 0xaa], 510).unwrap();
        lab
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn key(&self) -> PathBuf {
        self.at("catalogue.key")
    }

    pub fn disk(&self) -> PathBuf {
        self.at("disk.raw")
    }

    pub fn catalogue(&self) -> PathBuf {
        self.at("catalogue")
    }

    /// Puts a script in front of everything else in PATH.
    pub fn with_tool(mut self, name: &str, script: &str) -> Self {
        let tools = self.at("bin");
        stand_in(&tools.join(name), script);
        self.tools = Some(tools);
        self
    }

    /// Options that publish `demo-VERSION` from the disk.
    pub fn publish(&self, version: &str) -> Value {
        json!({
            "path": self.catalogue(), "name": "demo", "version": version, "source": self.disk(), "os": "none",
            "requirements": {"memory": "64M", "loader": "uefi"}, "signing_key": self.key(),
        })
    }

    pub fn options(&self, more: Value) -> Value {
        with(json!({"path": self.catalogue(), "signing_key": self.key()}), more)
    }

    pub fn start(&self, options: &Value) -> Child {
        test_support::start(&mut self.program(), options)
    }

    pub fn program(&self) -> Command {
        let mut program = module(&test_support::program!("bhyve_catalog"));
        program.env("PATH", self.path()).env("TMPDIR", self.at("tmp"));
        program
    }

    fn path(&self) -> OsString {
        let system = std::env::var_os("PATH").unwrap();
        let folders = self.tools.clone().into_iter().chain(std::env::split_paths(&system));
        std::env::join_paths(folders).unwrap()
    }

    pub fn run(&self, options: &Value) -> Value {
        reply(self.start(options))
    }

    pub fn check(&self, options: &Value) -> Value {
        self.run(&with(options.clone(), json!({"_ansible_check_mode": true, "_ansible_diff": true})))
    }

    /// Runs what must succeed and says whether it changed anything.
    pub fn changed(&self, options: &Value) -> bool {
        let reply = self.run(options);
        assert_eq!(reply["failed"], Value::Null, "{reply}");
        reply["changed"].as_bool().unwrap()
    }

    /// Runs what must fail, and gives the message without the folder's random name.
    pub fn refusal(&self, options: &Value) -> String {
        test_support::refusal(&self.run(options)).replace(self.folder.path().to_str().unwrap(), "LAB")
    }

    /// Check, run, run: changed, changed, unchanged, and nothing written by the check.
    pub fn triad(&self, options: &Value) -> Value {
        let before = self.files();
        let check = self.check(options);
        assert_eq!(check["changed"], true, "{check}");
        assert_eq!(self.files(), before);
        let run = self.run(&with(options.clone(), json!({"_ansible_diff": true})));
        assert_eq!(run["changed"], true, "{run}");
        assert_eq!(check["diff"], run["diff"]);
        let after = self.files();
        assert_eq!(self.run(options)["changed"], false);
        assert_eq!(self.check(options)["changed"], false);
        assert_eq!(self.files(), after);
        run
    }

    pub fn trust(&self) -> Trust {
        Signing::Pubkey(load_key(&self.key()).unwrap()).trust().unwrap().unwrap()
    }

    /// The catalogue as a client reads it, from both archives.
    pub fn read(&self) -> Catalogue {
        let folder = self.catalogue();
        let sources = Meta::parse(&fs::read(folder.join("meta.conf")).unwrap()).unwrap().sources().unwrap();
        let [data, lines] = sources.map(|source| {
            Catalogue::read(File::open(folder.join(&source.path)).unwrap(), &source, &self.trust()).unwrap()
        });
        assert_eq!(names(&data), names(&lines));
        data
    }

    pub fn images(&self) -> Vec<String> {
        names(&self.read())
    }

    /// The stream in a package, verified as a client verifies it.
    pub fn stream_of(&self, package: &Package) -> Vec<u8> {
        let mut check = package.check(File::open(self.catalogue().join(&package.path)).unwrap());
        let mut archive = PackageArchive::open(&mut check).unwrap();
        let mut stream = Vec::new();
        archive.read_to_end(&mut stream).unwrap();
        archive.finish().unwrap();
        check.finish().unwrap();
        stream
    }

    /// Every file below the catalogue's folder with its size, without the lock.
    pub fn files(&self) -> Vec<(String, u64)> {
        let mut files = Vec::new();
        let mut folders = vec![self.catalogue()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => {
                        files.push((entry.path().display().to_string(), entry.metadata().unwrap().len()))
                    }
                }
            }
        }
        files.retain(|(path, _)| !path.ends_with("/.lock"));
        files.sort();
        files
    }
}

pub fn names(catalogue: &Catalogue) -> Vec<String> {
    let mut names: Vec<_> = catalogue.images.iter().map(|image| image.id.to_string()).collect();
    names.sort();
    names
}

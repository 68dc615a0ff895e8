//! The programs that are in this one, by name.

use std::process::ExitCode;

use ansible_module::Arguments;
use anyhow::Result;

/// One program of the collection.
pub struct Program {
    /// Its name, which is that of its module if it is one.
    pub name: &'static str,
    /// Runs it with the words of this process's command line.
    pub main: fn() -> ExitCode,
    /// Runs it as a module, with arguments that have been read.
    pub module: Option<fn(Result<Arguments>) -> ExitCode>,
}

macro_rules! module {
    ($name:ident leaving by $leave:path) => {
        Program {
            name: stringify!($name),
            main: || $leave(ansible_module::run($name::module)),
            module: Some(|arguments| $leave(ansible_module::answer(arguments, $name::module))),
        }
    };
    ($name:ident) => {
        module!($name, || ansible_module::run($name::module))
    };
    ($name:ident, $main:expr) => {
        Program {
            name: stringify!($name),
            main: $main,
            module: Some(|arguments| ansible_module::answer(arguments, $name::module)),
        }
    };
}

/// Every program that this one was built with.
pub const ALL: &[Program] = &[
    #[cfg(feature = "static")]
    module!(bhyve_catalog),
    #[cfg(feature = "static")]
    module!(bhyve_catalog_key),
    #[cfg(feature = "static")]
    module!(bhyve_catalog_mirror),
    #[cfg(feature = "static")]
    Program { name: "bhyve_catalog_server", main: bhyve_catalog_server::main, module: None },
    #[cfg(feature = "static")]
    module!(bhyve_image),
    #[cfg(feature = "static")]
    module!(bhyve_image_info),
    #[cfg(feature = "static")]
    module!(guest_seed),
    #[cfg(feature = "libvirt")]
    module!(libvirt_domain leaving by libvirt_domain::patience::leave),
    #[cfg(feature = "libvirt")]
    module!(libvirt_domain_info leaving by libvirt_domain::patience::leave),
    #[cfg(feature = "static")]
    module!(ntpd_check, ntpd_check::main),
    #[cfg(feature = "static")]
    module!(zfs_receive),
];

/// The program called `name`.
pub fn named(name: &str) -> Option<&'static Program> {
    ALL.iter().find(|program| program.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::ALL;

    #[test]
    fn every_program_of_the_tree_is_inside() {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let of_the_tree: BTreeSet<_> = fs::read_dir(modules)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("src/main.rs").exists())
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| name != "apiary")
            .collect();
        let inside: BTreeSet<_> = ALL.iter().map(|program| program.name.to_owned()).collect();
        assert_eq!(inside, of_the_tree);
    }
}

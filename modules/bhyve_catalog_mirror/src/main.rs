//! `bhyve_catalog_mirror`: keeps a copy of another catalogue, and copies only what has changed there.

fn main() -> std::process::ExitCode {
    ansible_module::run(bhyve_catalog_mirror::module)
}

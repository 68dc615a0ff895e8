//! `bhyve_catalog_key`: makes the key that signs a catalogue.

fn main() -> std::process::ExitCode {
    ansible_module::run(bhyve_catalog_key::module)
}

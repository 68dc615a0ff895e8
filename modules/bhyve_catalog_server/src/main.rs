//! `bhyve_catalog_server FOLDER`: serves a catalogue to its clients over ssh.

fn main() -> std::process::ExitCode {
    bhyve_catalog_server::main()
}

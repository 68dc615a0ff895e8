//! `bhyve_catalog`: publishes virtual-machine images in a signed catalogue, and withdraws them.

fn main() -> std::process::ExitCode {
    ansible_module::run(bhyve_catalog::module)
}

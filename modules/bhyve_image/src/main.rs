//! `bhyve_image`: sees to it that images are in the host's store, or are not.

fn main() -> std::process::ExitCode {
    ansible_module::run(bhyve_image::module)
}

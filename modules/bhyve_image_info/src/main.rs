//! `bhyve_image_info`: lists a catalogue, the host's store and its golden volumes.

fn main() -> std::process::ExitCode {
    ansible_module::run(bhyve_image_info::module)
}

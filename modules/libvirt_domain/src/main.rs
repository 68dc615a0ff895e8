//! `libvirt_domain`: defines, starts, stops and removes a libvirt domain, and waits until its guest answers.

fn main() -> std::process::ExitCode {
    ansible_module::run(libvirt_domain::module)
}

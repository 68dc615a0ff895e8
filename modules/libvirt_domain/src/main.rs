//! `libvirt_domain`: defines, starts, stops and removes a libvirt domain, and waits until its guest answers.

fn main() {
    libvirt_domain::patience::leave(ansible_module::run(libvirt_domain::module))
}

//! `libvirt_domain_info`: tells what domains a libvirt host has and how they are.

fn main() {
    libvirt_domain::patience::leave(ansible_module::run(libvirt_domain_info::module))
}

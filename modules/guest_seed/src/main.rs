//! `guest_seed`: writes the small disk that gives a guest its name, network and keys at first boot.

fn main() -> std::process::ExitCode {
    ansible_module::run(guest_seed::module)
}

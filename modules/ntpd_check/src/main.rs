//! `ntpd_check`: Ansible module and monitoring check for OpenNTPD and chrony.

fn main() -> std::process::ExitCode {
    ntpd_check::main()
}

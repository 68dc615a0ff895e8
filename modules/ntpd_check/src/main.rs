//! Ansible module and monitoring check for OpenNTPD and chrony.

use std::process::ExitCode;

use ntpd_check::{cli, session};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let by_ansible =
        args.first().is_some_and(|first| first == "-" || !first.to_string_lossy().starts_with('-'));
    if by_ansible { ansible_module::run(session::module) } else { cli::main(args) }
}

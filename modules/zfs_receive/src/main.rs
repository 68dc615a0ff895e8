//! `zfs_receive`: turns an image into volumes.

fn main() -> std::process::ExitCode {
    ansible_module::run(zfs_receive::module)
}

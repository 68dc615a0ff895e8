//! What every module program shares: the module protocol, commands, locks, progress.

//! Is this clock right, and if not, why? Reads OpenNTPD and chrony, judges, and repairs on request.

pub mod chrony;
pub mod cli;
pub mod daemon;
pub mod failure;
pub mod judge;
pub mod leap;
pub mod ntpctl;
pub mod observe;
pub mod outputs;
pub mod params;
pub mod probe;
pub mod repair;
pub mod report;
pub mod service;
pub mod session;
pub mod state;
pub mod vet;

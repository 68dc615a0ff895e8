// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the crate `virt` does not ask of a domain, each with a connection of its own so that no pointer is passed about.

use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::ptr::null_mut;

use crate::bindings::{
    VIR_ERR_NO_SUPPORT, virConnectClose, virConnectOpen, virConnectPtr, virDomainCheckpointFree,
    virDomainCheckpointGetName, virDomainCheckpointPtr, virDomainFree, virDomainListAllCheckpoints,
    virDomainLookupByUUIDString, virDomainManagedSaveGetXMLDesc, virDomainPtr,
};
use crate::virGetLastError;

/// What a domain's saved memory runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Saved {
    /// This XML, without passwords.
    Definition(String),
    /// There is no such memory, or none that libvirt can read.
    Nothing,
    /// The driver, or the library, cannot tell.
    Unknown,
}

/// Asks for it.
pub fn saved_definition(uri: &str, uuid: &str) -> Saved {
    let Some(domain) = Domain::find(uri, uuid) else { return Saved::Nothing };
    // SAFETY: a live domain; the text is ours, is copied and then freed. The error is read before the next call.
    unsafe {
        let text: *mut c_char = virDomainManagedSaveGetXMLDesc(domain.domain, 0);
        if text.is_null() {
            let error = virGetLastError();
            let unknown = !error.is_null() && (*error).code as u32 == VIR_ERR_NO_SUPPORT;
            return if unknown { Saved::Unknown } else { Saved::Nothing };
        }
        let xml = CStr::from_ptr(text).to_string_lossy().into_owned();
        libc::free(text.cast());
        Saved::Definition(xml)
    }
}

/// The names of a domain's checkpoints; none where the driver, or the library, has no such thing.
pub fn checkpoints(uri: &str, uuid: &str) -> Vec<String> {
    let Some(domain) = Domain::find(uri, uuid) else { return Vec::new() };
    let mut list: *mut virDomainCheckpointPtr = null_mut();
    // SAFETY: a live domain; the list and what is in it are ours, a name belongs to its checkpoint and is copied before that is freed.
    unsafe {
        let number = virDomainListAllCheckpoints(domain.domain, &raw mut list, 0);
        let number = usize::try_from(number).unwrap_or(0);
        let mut names = Vec::new();
        for index in 0..number {
            let checkpoint = *list.add(index);
            let name = virDomainCheckpointGetName(checkpoint);
            if !name.is_null() {
                names.push(CStr::from_ptr(name).to_string_lossy().into_owned());
            }
            virDomainCheckpointFree(checkpoint);
        }
        if !list.is_null() {
            libc::free(list.cast());
        }
        names
    }
}

/// A domain and its connection, freed in that order.
struct Domain {
    connection: virConnectPtr,
    domain: virDomainPtr,
}

impl Domain {
    fn find(uri: &str, uuid: &str) -> Option<Self> {
        let (uri, uuid) = (CString::new(uri).ok()?, CString::new(uuid).ok()?);
        // SAFETY: valid C strings; what is null is not used further.
        unsafe {
            let connection = virConnectOpen(uri.as_ptr());
            if connection.is_null() {
                return None;
            }
            let domain = virDomainLookupByUUIDString(connection, uuid.as_ptr());
            if domain.is_null() {
                virConnectClose(connection);
                return None;
            }
            Some(Self { connection, domain })
        }
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        // SAFETY: both are live, and nobody else has them.
        unsafe {
            virDomainFree(self.domain);
            virConnectClose(self.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_none() {
        let (uri, uuid) = ("test:///default", "6695eb01-f6a4-8304-79aa-97f2502e193f");
        assert!(Domain::find(uri, uuid).is_some());
        assert_eq!(saved_definition(uri, uuid), Saved::Unknown);
        assert_eq!(checkpoints(uri, uuid), Vec::<String>::new());
        assert_eq!(saved_definition(uri, "nosuch"), Saved::Nothing);
        assert_eq!(checkpoints("nosuch:///", uuid), Vec::<String>::new());
    }
}

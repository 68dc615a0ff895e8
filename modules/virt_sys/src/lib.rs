// SPDX-License-Identifier: LGPL-2.1-or-later

//! The bindings of virt-sys 0.3.2 (LGPL-2.1-or-later, see COPYING), with libvirt opened when its first function is called.
//!
//! Same names and signatures as virt-sys, so that the crate `virt` uses it unchanged. A missing library, or a function that
//! an old library lacks, is an ordinary libvirt error: the function returns its failure value and [`virGetLastError`] tells
//! why. `virConnectAuthPtrDefault`, the only datum, is not carried. No libvirt is needed to build.

mod domains;
mod library;

#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals, missing_docs)]
#[allow(clippy::all)]
mod bindings {
    pub type _virTypedParameterValue = _virTypedParameter__bindgen_ty_1;

    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;
pub use domains::{Saved, checkpoints, saved_definition};
pub use library::last_call;

/// The calling thread's last error: ours when the last function called could not be found, libvirt's otherwise.
/// Valid until this thread calls the next function, as in libvirt.
///
/// # Safety
/// The pointer must not be used after the next call.
#[allow(non_snake_case)]
pub unsafe fn virGetLastError() -> virErrorPtr {
    // SAFETY: no arguments; libvirt makes its thread-local error on first use.
    library::not_found().unwrap_or_else(|| unsafe { bindings::virGetLastError() })
}

/// Ends the process without the exit handlers of libvirt and of the libraries below it: they take apart what a thread that
/// is still in a call works with. What was written before has to be flushed.
pub fn leave(status: u8) -> ! {
    // SAFETY: no arguments to get wrong; it does not return, so nothing is used afterwards.
    unsafe { libc::_exit(status.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_function_of_libvirt_is_found_and_called() {
        let mut version = 0;
        // SAFETY: the pointer is to a live integer; null means no driver is asked.
        let result = unsafe { virGetVersion(&mut version, std::ptr::null(), std::ptr::null_mut()) };
        assert_eq!(result, 0);
        assert!(version >= 6_000_000, "{version}");
    }

    #[test]
    fn an_error_of_libvirt_itself_is_passed_on() {
        // SAFETY: valid C strings and a live connection; the error is read before the next call.
        let (domain, code, message) = unsafe {
            virSetErrorFunc(std::ptr::null_mut(), Some(ignore));
            let connection = virConnectOpen(c"test:///default".as_ptr());
            assert!(!connection.is_null());
            let domain = virDomainLookupByName(connection, c"nosuch".as_ptr());
            let error = virGetLastError();
            let message = CStr::from_ptr((*error).message).to_string_lossy().into_owned();
            (domain, (*error).code as u32, message)
        };
        assert!(domain.is_null());
        assert_eq!((code, message.as_str()), (VIR_ERR_NO_DOMAIN, "Domain not found"));
    }

    extern "C" fn ignore(_data: *mut std::os::raw::c_void, _error: virErrorPtr) {}
}

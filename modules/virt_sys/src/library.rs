// SPDX-License-Identifier: LGPL-2.1-or-later

//! Libraries opened on first use, their symbols, and the error that stands for what could not be found.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::os::raw::{c_int, c_uint, c_ulonglong, c_void};
use std::ptr::null_mut;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::bindings::{
    _virError, VIR_ERR_ERROR, VIR_ERR_NO_CONNECT, VIR_ERR_NO_SUPPORT, VIR_FROM_NONE, virErrorNumber,
    virErrorPtr,
};

/// FreeBSD's linker finds /usr/local/lib only after ldconfig has run; the full name works without.
pub(crate) static LIBVIRT: Library = Library::new(&[c"libvirt.so.0", c"/usr/local/lib/libvirt.so.0"]);
pub(crate) static LIBVIRT_QEMU: Library =
    Library::new(&[c"libvirt-qemu.so.0", c"/usr/local/lib/libvirt-qemu.so.0"]);

/// A shared library, opened once for the life of the process.
pub(crate) struct Library {
    names: &'static [&'static CStr],
    handle: OnceLock<Result<Address, String>>,
}

/// An address inside a library that is never closed.
#[derive(Clone, Copy)]
struct Address(*mut c_void);

// SAFETY: the address is only read, and what it points at is never unmapped.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Library {
    const fn new(names: &'static [&'static CStr]) -> Self {
        Self { names, handle: OnceLock::new() }
    }

    fn open(&self) -> Result<Address, String> {
        let mut reason = String::new();
        for name in self.names {
            // SAFETY: a valid C string; libvirt's constructors take no arguments and start nothing.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            if !handle.is_null() {
                return Ok(Address(handle));
            }
            // The first name gives the plain reason; the others are only further places.
            if reason.is_empty() {
                reason = last_loader_error();
            }
        }
        Err(reason)
    }

    fn handle(&self) -> Result<Address, &str> {
        match self.handle.get_or_init(|| self.open()) {
            Ok(handle) => Ok(*handle),
            Err(reason) => Err(reason),
        }
    }
}

fn last_loader_error() -> String {
    // SAFETY: the text belongs to the loader and is copied before this thread calls it again.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            return "unknown reason".to_string();
        }
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}

/// One function of a library.
pub(crate) struct Symbol {
    library: &'static Library,
    name: &'static CStr,
    address: OnceLock<Address>,
}

impl Symbol {
    pub(crate) const fn new(library: &'static Library, name: &'static CStr) -> Self {
        Self { library, name, address: OnceLock::new() }
    }

    /// Where the function is; `None` leaves the reason in [`not_found`].
    pub(crate) fn address(&self) -> Option<*mut c_void> {
        forget();
        note_call(self.name);
        if let Some(found) = self.address.get() {
            return Some(found.0);
        }
        let handle = match self.library.handle() {
            Ok(handle) => handle,
            Err(reason) => {
                remember(VIR_ERR_NO_CONNECT, format!("the libvirt library could not be loaded: {reason}"));
                return None;
            }
        };
        // SAFETY: an open handle and a valid C string.
        let address = unsafe { libc::dlsym(handle.0, self.name.as_ptr()) };
        if address.is_null() {
            let name = self.name.to_string_lossy();
            remember(
                VIR_ERR_NO_SUPPORT,
                format!("this version of the libvirt library has no function {name}"),
            );
            return None;
        }
        Some(self.address.get_or_init(|| Address(address)).0)
    }
}

static LAST_CALL: Mutex<(u64, &CStr)> = Mutex::new((0, c"nothing yet"));

fn note_call(name: &'static CStr) {
    let mut last = LAST_CALL.lock().unwrap_or_else(PoisonError::into_inner);
    *last = (last.0 + 1, name);
}

/// How many functions this process has called so far, and the name of the last one, whether it has returned or not.
pub fn last_call() -> (u64, &'static CStr) {
    *LAST_CALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a libvirt function of this result type returns when it has failed.
pub(crate) trait Failed {
    const FAILED: Self;
}

macro_rules! failed {
    ($($kind:ty => $value:expr),+ $(,)?) => { $(impl Failed for $kind { const FAILED: Self = $value; })+ };
}

failed! {
    () => (),
    c_int => -1,
    // virDomainGetID
    c_uint => c_uint::MAX,
    // virDomainGetMaxMemory, virNodeGetFreeMemory
    c_ulonglong => 0,
}

impl<T> Failed for *mut T {
    const FAILED: Self = null_mut();
}

impl<T> Failed for *const T {
    const FAILED: Self = std::ptr::null();
}

struct NotFound {
    error: Box<_virError>,
    _message: CString,
}

thread_local! {
    static NOT_FOUND: RefCell<Option<NotFound>> = const { RefCell::new(None) };
}

fn remember(code: virErrorNumber, message: String) {
    let message = CString::new(message.replace('\0', " ")).unwrap_or_default();
    let error = Box::new(_virError {
        code: code as c_int,
        domain: VIR_FROM_NONE as c_int,
        message: message.as_ptr().cast_mut(),
        level: VIR_ERR_ERROR,
        conn: null_mut(),
        dom: null_mut(),
        str1: null_mut(),
        str2: null_mut(),
        str3: null_mut(),
        int1: 0,
        int2: 0,
        net: null_mut(),
    });
    NOT_FOUND.set(Some(NotFound { error, _message: message }));
}

fn forget() {
    NOT_FOUND.set(None);
}

/// The error of this thread's last call, if its function could not be found.
pub(crate) fn not_found() -> Option<virErrorPtr> {
    NOT_FOUND.with_borrow_mut(|error| error.as_mut().map(|error| &raw mut *error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    static ABSENT: Library = Library::new(&[c"libnosuchthing.so.0", c"/nowhere/libnosuchthing.so.0"]);

    fn message() -> (c_int, String) {
        let error = not_found().expect("an error was left");
        // SAFETY: the error and its text live until the next call in this thread.
        unsafe { ((*error).code, CStr::from_ptr((*error).message).to_string_lossy().into_owned()) }
    }

    #[test]
    fn a_missing_library_is_an_error_with_the_loader_s_reason() {
        let symbol = Symbol::new(&ABSENT, c"virInitialize");
        assert_eq!(symbol.address(), None);
        let (code, text) = message();
        assert_eq!(code, VIR_ERR_NO_CONNECT as c_int);
        assert_eq!(
            text,
            "the libvirt library could not be loaded: libnosuchthing.so.0: cannot open shared object file: \
             No such file or directory"
        );
    }

    #[test]
    fn a_missing_function_is_an_error_that_names_it() {
        let symbol = Symbol::new(&LIBVIRT, c"virNoSuchFunction");
        assert_eq!(symbol.address(), None);
        let expected = "this version of the libvirt library has no function virNoSuchFunction";
        assert_eq!(message(), (VIR_ERR_NO_SUPPORT as c_int, expected.to_string()));
    }

    #[test]
    fn the_next_call_that_succeeds_forgets_the_error() {
        assert_eq!(Symbol::new(&ABSENT, c"virInitialize").address(), None);
        assert!(Symbol::new(&LIBVIRT, c"virInitialize").address().is_some());
        assert_eq!(not_found(), None);
    }
}

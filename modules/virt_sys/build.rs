// SPDX-License-Identifier: LGPL-2.1-or-later

//! Turns every `extern "C"` declaration of virt-sys's bindings into a function that looks its symbol up on first use.
//! bindgen lays the file out with prettyplease, so a declaration always has the same shape; anything else stops the build.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

/// Opens and closes one declaration in bindgen's output.
const OPENING: &str = "extern \"C\" {\n";
const CLOSING: &str = "\n}\n";

/// The only datum among the declarations; there is no way to bind a `static` late, and nothing here needs it.
const DATUM: &str = "    pub static mut virConnectAuthPtrDefault";

fn main() -> Result<(), Box<dyn Error>> {
    let bindings = fs::read_to_string("bindgen/bindings.rs")?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("bindings.rs"), look_up_late(&bindings)?)?;
    Ok(())
}

fn look_up_late(bindings: &str) -> Result<String, Box<dyn Error>> {
    let mut late = String::with_capacity(bindings.len() * 2);
    let mut rest = bindings;
    while let Some(start) = rest.find(OPENING) {
        let (before, from) = rest.split_at(start);
        late.push_str(before);
        let body = &from[OPENING.len()..];
        let end = body.find(CLOSING).ok_or("a declaration is not closed")?;
        if !body.starts_with(DATUM) {
            Declaration::parse(&body[..end])?.write(&mut late)?;
        }
        rest = &body[end + CLOSING.len()..];
    }
    late.push_str(rest);
    Ok(late)
}

/// `pub fn NAME(ARGUMENT: TYPE, ...) -> RESULT;`
struct Declaration<'a> {
    name: &'a str,
    arguments: Vec<(&'a str, &'a str)>,
    result: &'a str,
}

impl<'a> Declaration<'a> {
    fn parse(text: &'a str) -> Result<Self, Box<dyn Error>> {
        let unknown = || format!("not a function declaration: {text}");
        let text = text.trim();
        let rest =
            text.strip_prefix("pub fn ").and_then(|rest| rest.strip_suffix(';')).ok_or_else(unknown)?;
        let (name, rest) = rest.split_once('(').ok_or_else(unknown)?;
        let (arguments, result) = rest.rsplit_once(')').ok_or_else(unknown)?;
        if arguments.contains('(') {
            return Err(unknown().into());
        }
        let arguments = arguments
            .split(',')
            .map(str::trim)
            .filter(|argument| !argument.is_empty())
            .map(|argument| argument.split_once(": ").ok_or_else(unknown))
            .collect::<Result<_, _>>()?;
        let result = result.trim().strip_prefix("-> ").unwrap_or("()");
        Ok(Self { name, arguments, result })
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let list = |item: fn(&(&str, &str)) -> String| {
            self.arguments.iter().map(item).collect::<Vec<_>>().join(", ")
        };
        let (name, result) = (self.name, self.result);
        let library = if name.contains("DomainQemu") { "LIBVIRT_QEMU" } else { "LIBVIRT" };
        writeln!(
            out,
            "pub unsafe fn {name}({}) -> {result} {{",
            list(|(name, kind)| format!("{name}: {kind}"))
        )?;
        let kinds = list(|(_, kind)| (*kind).to_string());
        writeln!(out, "    type Function = unsafe extern \"C\" fn({kinds}) -> {result};")?;
        writeln!(out, "    static SYMBOL: crate::library::Symbol =")?;
        writeln!(out, "        crate::library::Symbol::new(&crate::library::{library}, c\"{name}\");")?;
        writeln!(out, "    match SYMBOL.address() {{")?;
        // The symbol has this very signature in libvirt's headers, from which bindgen made the declaration.
        let names = list(|(name, _)| (*name).to_string());
        writeln!(out, "        Some(address) => unsafe {{")?;
        writeln!(
            out,
            "            ::std::mem::transmute::<*mut ::std::os::raw::c_void, Function>(address)({names})"
        )?;
        writeln!(out, "        }},")?;
        writeln!(out, "        None => crate::library::Failed::FAILED,\n    }}\n}}")
    }
}

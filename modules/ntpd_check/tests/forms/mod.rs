// SPDX-License-Identifier: GPL-3.0-or-later

//! What terminals, mail programs, trackers and tools do to a text.

/// One report with everything that no captured one has.
pub const SENSORS: &str =
    "1/2 peers valid, 1/2 sensors valid, constraint offset -1s (2 errors), clock synced, stratum 1

peer
   wt tl st  next  poll          offset       delay      jitter
2001:db8::1 from pool pool.example.org
 * 10 10  2 1503s 1648s  -12345678.901ms 12345.678ms    -0.000ms
not resolved ntp.example.org
    1  2  -    0s    0s             ---- peer not valid ----

sensor
   wt gd st  next  poll          offset  correction
nmea0  GPS
 *  1  1  0    9s   15s         0.123ms    70.000ms
udcf0  DCFa
    1  0  0    0s   15s         - sensor not valid -
";

/// What makes a form of a text.
type Change = fn(&str) -> Vec<u8>;

/// All of them, with a name.
pub const ALL: &[(&str, Change)] = &[
    ("as printed", |text| text.into()),
    ("indented", |text| each(text, |line| format!("      {line}"))),
    ("indented by tabs", |text| each(text, |line| format!("\t{line}"))),
    ("without indentation", |text| each(text, |line| line.trim_start().to_owned())),
    ("one blank between words", |text| {
        each(text, |line| line.split_whitespace().collect::<Vec<_>>().join(" "))
    }),
    ("tabs between words", |text| each(text, |line| line.split_whitespace().collect::<Vec<_>>().join("\t"))),
    ("no-break spaces", |text| text.replace(' ', "\u{a0}").into()),
    ("every other blank a no-break space", |text| text.replace("  ", " \u{a0}").into()),
    ("blanks of many widths", |text| text.replace("  ", "\u{2003}\u{2009}").replace(' ', "\u{202f}").into()),
    ("no-break spaces of Latin-1", |text| {
        text.bytes().map(|byte| if byte == b' ' { 0xa0 } else { byte }).collect()
    }),
    ("no-break spaces in the wrong code page", |text| text.replace(' ', "\u{c2}\u{a0}").into()),
    ("blanks without width", |text| text.replace('\n', "\u{200b}\n\u{200b}").into()),
    ("line ends of Windows", |text| text.replace('\n', "\r\n").into()),
    ("line ends of old Macs", |text| text.replace('\n', "\r").into()),
    ("a byte order mark", |text| format!("\u{feff}{text}").into()),
    ("UTF-16, little end first", |text| utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
    ("UTF-16, big end first", |text| utf16(&format!("\u{feff}{text}"), u16::to_be_bytes)),
    ("UTF-16 without its mark", |text| utf16(text, u16::to_le_bytes)),
    ("UTF-16, big end first, without its mark", |text| utf16(&text.replace('\n', "\r\n"), u16::to_be_bytes)),
    ("quoted", |text| each(text, |line| format!("> {line}"))),
    ("quoted twice", |text| each(text, |line| format!(">> {line}"))),
    ("quoted twice, with blanks", |text| each(text, |line| format!("> > {line}"))),
    ("quoted with bars", |text| each(text, |line| format!("| {line}"))),
    ("quoted in HTML", |text| each(text, |line| format!("&gt; {}", line.replace(' ', "&nbsp;")))),
    ("fenced", |text| format!("```\n{text}```\n").into()),
    ("fenced with a language", |text| format!("~~~ console\n{text}~~~\n").into()),
    ("in quotes", |text| format!("\"{}\"", text.trim_end()).into()),
    ("in typographic quotes", |text| format!("\u{201c}{}\u{201d}", text.trim_end()).into()),
    ("in backquotes line by line", |text| each(text, |line| format!("`{line}`"))),
    ("preformatted", |text| format!("<pre><code class=\"x\">{text}</code></pre>").into()),
    ("HTML with breaks", |text| {
        format!("<p>{}</p>", text.replace(' ', "&#160;").replace('\n', "<br/>\n")).into()
    }),
    ("HTML with breaks alone", |text| text.replace('\n', "<br>").into()),
    ("HTML twice escaped", |text| text.replace(' ', "&amp;nbsp;").into()),
    ("a table of HTML", |text| each(text, |line| cells(line, "<tr><td>", "</td><td>", "</td></tr>"))),
    ("a table of Markdown", |text| each(text, |line| cells(line, "| ", " | ", " |"))),
    ("a table with commas", |text| each(text, |line| cells(line, "", ",", ""))),
    ("a table with semicolons", |text| each(text, |line| cells(line, "", ";", ""))),
    ("bold in Markdown", |text| each(text, bold)),
    ("escaped for Markdown", |text| text.replace('*', "\\*").replace('_', "\\_").into()),
    ("typographic dashes", |text| {
        text.replace("----", "\u{2014}\u{2014}")
            .replace('-', "\u{2212}")
            .replace("\u{2212}dnssec", "-dnssec")
            .into()
    }),
    ("en dashes", |text| text.replace(" -", " \u{2013}").into()),
    ("bullets instead of stars", |text| text.replace(" * ", " \u{2022} ").into()),
    ("colours", |text| each(text, |line| format!("\u{1b}[1;32m{line}\u{1b}[0m\u{1b}[K"))),
    ("colours within", |text| text.replace("ms", "\u{1b}[31mms\u{1b}[m").into()),
    ("colours spelt out", |text| each(text, |line| format!("^[[32m{line}^[[0m"))),
    ("a title for the window", |text| {
        format!("\u{1b}]0;root@hv1: ~\u{7}root@hv1:~# ntpctl -s all\n{text}").into()
    }),
    ("blanks by moving the cursor", |text| text.replace("  ", "\u{1b}[2C").into()),
    ("a typing error that was rubbed out", |text| {
        text.replace("peers", "peeers\u{8}\u{8}rs").replace("peeers\u{8}\u{8}rs", "peex\u{8}rs").into()
    }),
    ("cat -A", |text| each(text, |line| format!("{line}$"))),
    ("cat -n", |text| numbered(text, |number, line| format!("{number:6}\t{line}"))),
    ("numbers with colons", |text| numbered(text, |number, line| format!("{number}: {line}"))),
    ("grep -n", |text| numbered(text, |number, line| format!("{number}:{line}"))),
    ("grep with a file", |text| numbered(text, |number, line| format!("ntp.txt:{number}:{line}"))),
    ("an editor's margin", |text| numbered(text, |number, line| format!("{number:3} | {line}"))),
    ("ts", |text| each(text, |line| format!("Nov 28 18:31:23 {line}"))),
    ("ts -s", |text| each(text, |line| format!("00:00:01 {line}"))),
    ("times of ISO 8601", |text| each(text, |line| format!("2026-11-28T18:31:23.123456+00:00 {line}"))),
    ("times in brackets", |text| each(text, |line| format!("[2026-11-28 18:31:23] {line}"))),
    ("times in seconds", |text| each(text, |line| format!("[ 1234.567890] {line}"))),
    ("the journal", |text| each(text, |line| format!("Nov 28 18:31:23 hv1 check-clock[4711]: {line}"))),
    ("syslog with a priority", |text| each(text, |line| format!("<30>Nov 28 18:31:23 hv1 check: {line}"))),
    ("a container's log", |text| each(text, |line| format!("clock-1  | {line}"))),
    ("a host before each line", |text| each(text, |line| format!("hv1: {line}"))),
    ("an address before each line", |text| each(text, |line| format!("198.51.100.7: {line}"))),
    ("a level before each line", |text| each(text, |line| format!("INFO - {line}"))),
    ("the frame of a terminal", |text| framed(text, "\u{2502}")),
    ("a frame of bars", |text| framed(text, "|")),
    ("two panes of tmux", |text| {
        each(text, |line| {
            format!("{line:<75}\u{2502}  inet 198.51.100.9/24 brd 198.51.100.255")
                .replace("inet 198.51.100.9/24 brd 198.51.100.255", "load average: 0.01")
        })
    }),
    ("comments of a script", |text| each(text, |line| format!("# {line}"))),
    ("comments of C", |text| {
        each(text, |line| format!(" * {line}").replace(" *  *", " * *").replacen(" * ", " // ", 1))
    }),
    ("lines of a diff", |text| each(text, |line| format!("+{line}"))),
    ("a prompt before", |text| format!("root@hv1:~ # ntpctl -s all\n{text}").into()),
    ("prompts before and behind", |text| {
        format!("[root@hv1 ~]# ntpctl -s all\n{text}[root@hv1 ~]# \n").into()
    }),
    ("a prompt of BSD", |text| format!("hv1# ntpctl -s all\n{text}hv1# ").into()),
    ("ssh", |text| format!("$ ssh root@hv1 sudo ntpctl -s all\n{text}Connection to hv1 closed.\n").into()),
    ("banners", |text| format!("{LOGIN}root@hv1:~# ntpctl -s all\n{text}root@hv1:~# exit\nlogout\n").into()),
    ("sudo's lecture", |text| format!("{LECTURE}{text}").into()),
    ("sudo's question", |text| format!("[sudo] password for joe: \n{text}").into()),
    ("sudo's question on the same line", |text| format!("[sudo] password for joe: {text}").into()),
    ("script", |text| {
        format!("Script started on 2026-11-28 18:31:23+00:00 [TERM=\"xterm\"]\r\n\u{1b}[?2004hroot@hv1:~# ntpctl -s all\r\n\u{1b}[?2004l\r{}\u{1b}[?2004hroot@hv1:~# \r\nScript done\r\n", text.replace('\n', "\r\n")).into()
    }),
    ("watch", |text| {
        format!("Every 2.0s: ntpctl -s all          hv1: Sat Nov 28 18:31:23 2026\n\n{text}").into()
    }),
    ("a question around it", |text| {
        format!(
            "Hi,\n\nour clock is a second off, but ntpd says it is synced:\n\n{text}\nAny idea?\n-- \nJoe\n"
        )
        .into()
    }),
    ("ansible", |text| format!("hv1 | CHANGED | rc=0 >>\n{text}").into()),
    ("ansible's list of lines", |text| json_lines(text)),
    ("ansible's JSON", |text| {
        format!("ok: [hv1] => {{\n    \"clock.stdout\": \"{}\"\n}}\n", text.trim_end().replace('\n', "\\n"))
            .into()
    }),
    ("JSON with escapes", |text| {
        format!("{{\"stdout\":\"{}\"}}", text.replace(' ', "\\u00a0").replace('\n', "\\r\\n")).into()
    }),
    ("quoted-printable", |text| quoted_printable(text)),
    ("wrapped at 72 columns", |text| wrapped(text, 72, "")),
    ("wrapped at 60 columns", |text| wrapped(text, 60, "")),
    ("wrapped at 40 columns and quoted", |text| wrapped(text, 40, "> ")),
    ("double-spaced", |text| text.replace('\n', "\n\n").into()),
    ("without empty lines", |text| text.replace("\n\n", "\n").into()),
    ("without blanks at line ends", |text| each(text, |line| line.trim_end().to_owned())),
    ("padded to the width of a terminal", |text| each(text, |line| format!("{line:<80}"))),
    ("in one line", |text| text.replace('\n', " ").into()),
    ("without titles and headers", |text| without(text)),
    ("upper-case headers", |text| text.replace("   wt tl st  next  poll", "   WT TL ST  NEXT  POLL").into()),
    ("units apart", |text| text.replace("ms", " ms").replace("jitter ms", "jitterms").into()),
    ("decimal commas", |text| each(text, |line| replaced(line, |word| word.replace('.', ",")))),
    ("without milliseconds' unit", |text| {
        each(text, |line| replaced(line, |word| word.strip_suffix("ms").unwrap_or(word).to_owned()))
    }),
    ("without any unit", |text| each(text, |line| unitless(line, |word| word.strip_suffix("ms")))),
    ("without seconds' unit", |text| each(text, |line| unitless(line, |_| None))),
    ("no-break spaces as question marks", |text| text.replace("  ", " ?").into()),
    ("no-break spaces as entities without an end", |text| text.replace("  ", " &nbsp").into()),
    ("escapes of Python", |text| {
        let lines: Vec<_> = text.lines().map(|line| format!("'{}'", line.replace("  ", "\\xa0 "))).collect();
        format!("[{}]", lines.join(", ")).into()
    }),
    ("blanks that an editor shows", |text| text.replace(' ', "\u{b7}").into()),
    ("two commands", |text| text.replacen("\npeer\n", "\n$ ntpctl -s peers\npeer\n", 1).into()),
];

const LOGIN: &str = "Welcome to hv1\n\n  System load: 0.08    Processes: 112\n  Memory usage: 12%    IPv4 address: 198.51.100.7\n\n \
                     * Documentation: https://help.example.org\n\nLast login: Sat Nov 28 18:00:00 2026 from 198.51.100.200\n";

const LECTURE: &str = "\nWe trust you have received the usual lecture from the local System\nAdministrator. It usually boils down \
                       to these three things:\n\n    #1) Respect the privacy of others.\n    #2) Think before you type.\n    #3) With \
                       great power comes great responsibility.\n\n[sudo] password for joe: \n";

fn each(text: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    text.lines().map(|line| change(line) + "\n").collect::<String>().into()
}

fn numbered(text: &str, change: impl Fn(usize, &str) -> String) -> Vec<u8> {
    text.lines().enumerate().map(|(index, line)| change(index + 1, line) + "\n").collect::<String>().into()
}

fn cells(line: &str, before: &str, between: &str, after: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    if words.is_empty() { String::new() } else { format!("{before}{}{after}", words.join(between)) }
}

/// A row with its figures in another form; other lines as they are.
fn replaced(line: &str, form: fn(&str) -> String) -> String {
    let figure = |word: &str| word.ends_with("ms") && word.contains('.');
    let words = line.split_inclusive(' ').map(|word| {
        let bare = word.trim_end();
        if line.starts_with(' ') && figure(bare) { word.replace(bare, &form(bare)) } else { word.to_owned() }
    });
    words.collect()
}

/// A row without the unit of `next` and `poll`, and without what `figure` takes away; other lines as they are.
fn unitless(line: &str, figure: fn(&str) -> Option<&str>) -> String {
    let whole = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let seconds = |word| str::strip_suffix(word, "s").filter(|bare| whole(bare));
    let words = line.split(' ').map(|word| figure(word).or_else(|| seconds(word)).unwrap_or(word));
    if line.starts_with(' ') { words.collect::<Vec<_>>().join(" ") } else { line.to_owned() }
}

fn bold(line: &str) -> String {
    let star =
        line.split_whitespace().map(|word| if word == "*" { word.to_owned() } else { format!("**{word}**") });
    star.collect::<Vec<_>>().join(" ")
}

fn framed(text: &str, side: &str) -> Vec<u8> {
    let mut framed = format!("+{}+\n", "-".repeat(74)).into_bytes();
    framed.extend(each(text, |line| format!("{side} {line:<72} {side}")));
    framed.extend(format!("+{}+\n", "-".repeat(74)).bytes());
    framed
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

fn json_lines(text: &str) -> Vec<u8> {
    let lines: Vec<_> = text.lines().map(|line| format!("        \"{line}\"")).collect();
    format!("ok: [hv1] => {{\n    \"clock.stdout_lines\": [\n{}\n    ]\n}}\n", lines.join(",\n")).into()
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let plain = text.replace("  ", "=C2=A0 ");
    let mut mail = String::new();
    for line in plain.lines() {
        // A soft line break, but not within an escape.
        let middle = line.char_indices().nth(line.chars().count() / 2).map_or(0, |(at, _)| at);
        let at = line[..middle].rfind(' ').unwrap_or(0);
        mail += &format!("{}=\n{}\n", &line[..at], &line[at..]);
    }
    mail.into()
}

fn wrapped(text: &str, width: usize, quote: &str) -> Vec<u8> {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut rest = line.to_owned();
        while rest.len() > width
            && let Some(at) = rest[..width].rfind(' ').filter(|&at| !rest[..at].trim().is_empty())
        {
            wrapped += &format!("{quote}{}\n", &rest[..at]);
            rest = rest[at..].trim_start().to_owned();
        }
        wrapped += &format!("{quote}{rest}\n");
    }
    wrapped.into()
}

fn without(text: &str) -> Vec<u8> {
    let keeps = |line: &&str| !["peer", "sensor"].contains(line) && !line.trim_start().starts_with("wt ");
    text.lines().filter(keeps).map(|line| format!("{line}\n")).collect::<String>().into()
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! A seed as a person may see it: the documents without their secrets.

use crate::cloud_config::RENDERED;
use crate::documents::Documents;

/// Keys of rendered user data whose values are not shown. Each of them is on a line of its own.
const SECRET: [&str; 4] = ["passwd", "hashed_passwd", "password", "content"];

/// The secrets met so far: a person sees their numbers, and so whether one has changed. A digest would let short ones be guessed.
#[derive(Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The text of a seed for a difference.
    pub fn seed(&mut self, documents: &Documents, mode: u32) -> String {
        let mut out = format!("mode: {mode:04o}\n");
        for (name, text) in documents.all() {
            out.push_str(&format!("[{name}]\n"));
            if name == "user-data" {
                out.push_str(&self.user_data(text));
            } else {
                out.push_str(text);
            }
        }
        out
    }

    fn user_data(&mut self, text: &str) -> String {
        if text.lines().nth(1) != Some(RENDERED) {
            return self.hidden(text) + "\n";
        }
        text.lines().map(|line| self.masked(line) + "\n").collect()
    }

    fn masked(&mut self, line: &str) -> String {
        let (before, value) = line.split_once(": ").unwrap_or((line, ""));
        let key = before.trim_start().trim_start_matches("- ");
        if SECRET.contains(&key) { format!("{before}: {}", self.hidden(value)) } else { line.to_owned() }
    }

    fn hidden(&mut self, secret: &str) -> String {
        let known = self.0.iter().position(|known| known == secret);
        let number = known.unwrap_or_else(|| {
            self.0.push(secret.to_owned());
            self.0.len() - 1
        });
        format!("(not shown: text {}, {} bytes)", number + 1, secret.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(user_data: &str) -> Documents {
        Documents {
            meta_data: "instance-id: 'i'\n".into(),
            user_data: user_data.into(),
            network_config: None,
        }
    }

    #[test]
    fn secrets_are_numbered_and_nothing_else_is_hidden() {
        let text = format!(
            "#cloud-config\n{RENDERED}\nusers:\n  - name: 'a'\n    passwd: '$6$one'\n  - hashed_passwd: '$6$two'\nchpasswd:\n  users:\n    - password: '$6$one'\nwrite_files:\n  - content: '$6$one'\n"
        );
        let mut secrets = Secrets::default();
        assert_eq!(
            secrets.seed(&seed(&text), 0o600),
            "mode: 0600\n[meta-data]\ninstance-id: 'i'\n[user-data]\n#cloud-config\n# Rendered by apiary.bhyve.guest_seed.\n\
             users:\n  - name: 'a'\n    passwd: (not shown: text 1, 8 bytes)\n  - hashed_passwd: (not shown: text 2, 8 bytes)\nchpasswd:\n  users:\n    - password: (not shown: text 1, 8 bytes)\n\
             write_files:\n  - content: (not shown: text 1, 8 bytes)\n"
        );
        let changed = text.replace("$6$two", "$6$six");
        assert!(
            secrets
                .seed(&seed(&changed), 0o600)
                .contains("  - hashed_passwd: (not shown: text 3, 8 bytes)\n")
        );
    }

    #[test]
    fn user_data_of_others_is_hidden_whole() {
        let raw = "#cloud-config\nchpasswd: {list: [root:secret]}\n";
        assert_eq!(
            Secrets::default().seed(&seed(raw), 0o644),
            "mode: 0644\n[meta-data]\ninstance-id: 'i'\n[user-data]\n(not shown: text 1, 46 bytes)\n"
        );
    }
}

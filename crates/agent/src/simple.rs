//! Commands that need no shell.
//!
//! A run's command is the shell's to understand. But a command that is only words, such as `python3 train.py --fast`,
//! means the same to everyone, and without a shell in between it starts in half the time: the shell would do nothing
//! but look for the program and become it. What is in any doubt is left to the shell, errors included.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Words that mean something of their own to a shell, be it dash or bash. `true` and `false` are not among them: they
/// are programs as well, and the same.
const SHELL_WORDS: &[&str] = &[
    ".",
    ":",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "case",
    "cd",
    "chdir",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "do",
    "done",
    "echo",
    "elif",
    "else",
    "enable",
    "esac",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "fi",
    "for",
    "function",
    "getopts",
    "hash",
    "help",
    "history",
    "if",
    "in",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "select",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "then",
    "time",
    "times",
    "trap",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "until",
    "wait",
    "while",
];

/// The words of a command that is nothing but words; `None` when it takes a shell to understand it.
pub(crate) fn words(command: &str) -> Option<Vec<&str>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-+,:@%".contains(&byte);
    let command = command.trim_matches([' ', '\t', '\n']);
    let program = command.split([' ', '\t']).next()?;
    // An assignment before the program is the shell's affair; after it, `=` is a letter like others.
    if program.is_empty() || !program.bytes().all(plain) || SHELL_WORDS.contains(&program) {
        return None;
    }
    let is_simple = command.bytes().all(|byte| plain(byte) || matches!(byte, b' ' | b'\t' | b'='));
    is_simple.then(|| command.split([' ', '\t']).filter(|word| !word.is_empty()).collect())
}

/// The program that a word names, looked for as a shell would; `None` when that is for the shell to say.
pub(crate) fn program(word: &str, path: &OsStr) -> Option<PathBuf> {
    if word.contains('/') {
        return word.starts_with('/').then(|| PathBuf::from(word));
    }
    for folder in std::env::split_paths(path) {
        if !folder.is_absolute() {
            return None;
        }
        let candidate = folder.join(word);
        if is_executable(&candidate) {
            return Some(candidate);
        }
    }
    None
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_only_words() {
        for (command, expected) in [
            ("true", "true"),
            ("  /usr/bin/python3\t-u  train.py \n", "/usr/bin/python3|-u|train.py"),
            ("convert a.png -quality 80% b:c,d+e@f_g --x=1", "convert|a.png|-quality|80%|b:c,d+e@f_g|--x=1"),
            ("dd if=a of=b", "dd|if=a|of=b"),
        ] {
            assert_eq!(words(command).map(|words| words.join("|")).as_deref(), Some(expected), "{command}");
        }
    }

    #[test]
    fn what_is_left_to_the_shell() {
        for command in [
            "", " ", "A=1 b", "A=1", "a;b", "a\nb", "a|b", "a&", "a>b", "a<b", "a $B", "a `b`", "a 'b'", "a \"b\"",
            "a *", "a b?", "a [b]", "a {b,c}", "~/a", "a ~", "a \\b", "a #b", "!a", "(a)", "a é", "a\0", "a ^b",
            "cd /", "echo a", "exit 3", ". a", "exec a", "time a", "if", "a\rb",
        ] {
            assert_eq!(words(command), None, "{command}");
        }
    }

    #[test]
    fn where_a_program_is() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        for bin in [&first, &second] {
            fs::create_dir_all(bin.join("folder")).unwrap();
            fs::write(bin.join("tool"), "").unwrap();
        }
        fs::set_permissions(second.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::join_paths([&first, &second]).unwrap();
        assert_eq!(program("tool", &path), Some(second.join("tool")));
        assert_eq!(program("folder", &path), None);
        assert_eq!(program("missing", &path), None);
        assert_eq!(program("/any/where", &path), Some("/any/where".into()));
        assert_eq!(program("./here", &path), None);
        assert_eq!(program("tool", OsStr::new("bin:/usr/bin")), None, "depends on where it is asked");
        assert_eq!(program("tool", OsStr::new("")), None);
    }
}

//! A task's `Application`: its command or commands, the package they come in, the container they run in.

use kernel::limits::{
    COMMAND_BYTES, CONTAINER_OPTION_BYTES, PULL_PAUSE_S, PULL_RETRIES, REGISTRY_BYTES, TASK_COMMANDS,
};
use kernel::setup::{Container, Package, Secret};

use super::check::{self, COMBINATION, VALUE};
use super::{Site, storage};
use crate::api3::ApiError;
use crate::fields::Reader;

/// What a task runs.
pub(super) struct Application {
    /// For `/bin/sh -c`.
    pub(super) command: String,
    pub(super) package: Option<Package>,
    pub(super) container: Option<Container>,
}

pub(super) fn application(application: &Reader<'_>, site: &Site<'_>) -> Result<Application, ApiError> {
    let packed = check::one_of(application, "DeliveryForm", &[("LOCAL", false), ("PACKAGE", true)])?;
    // Tencent's own samples leave it out.
    let package = package(application, packed.unwrap_or(false), site)?;
    let container = application.object("Docker", container)?;
    Ok(Application { command: command(application)?, package, container })
}

fn package(application: &Reader<'_>, packed: bool, site: &Site<'_>) -> Result<Option<Package>, ApiError> {
    let Some(path) = application.string("PackagePath")?.filter(|path| !path.is_empty()) else {
        if packed {
            let reason = "required with DeliveryForm PACKAGE, but missing";
            return Err(application.refuse("PackagePath", "MissingParameter", reason));
        }
        return Ok(None);
    };
    if !packed {
        let reason = "has no effect with DeliveryForm LOCAL; use PACKAGE, or leave it out";
        return Err(application.refuse("PackagePath", COMBINATION, reason));
    }
    storage::package(application, "PackagePath", &path, site).map(Some)
}

fn command(application: &Reader<'_>) -> Result<String, ApiError> {
    let one = application.string("Command")?;
    let several = application.has("Commands");
    let commands = application.objects("Commands", |line| {
        let command = line.required_string("Command")?;
        check_command(line, &command)?;
        Ok(command)
    })?;
    match one {
        Some(_) if several => Err(application.refuse("Commands", COMBINATION, "exclusive with Command")),
        Some(command) => check_command(application, &command).map(|()| command),
        None if !several => application.required("Command", None),
        None if commands.is_empty() => {
            Err(application.refuse("Commands", "MissingParameter", "at least one command is required"))
        }
        None => {
            check::count(application, "Commands", commands.len(), TASK_COMMANDS)?;
            let command = one_after_another(&commands);
            if command.len() > COMMAND_BYTES {
                let reason = format!("the commands together have more than {COMMAND_BYTES} bytes");
                return Err(application.refuse("Commands", VALUE, reason));
            }
            Ok(command)
        }
    }
}

fn check_command(reader: &Reader<'_>, command: &str) -> Result<(), ApiError> {
    let problem = if command.is_empty() {
        "must not be empty".to_owned()
    } else if command.len() > COMMAND_BYTES {
        format!("has {} bytes, and at most {COMMAND_BYTES} are allowed", command.len())
    } else if command.contains('\0') {
        "has a NUL character, which no command line can carry".to_owned()
    } else {
        return Ok(());
    };
    Err(reader.refuse("Command", VALUE, problem))
}

/// `Commands`, as one command: every instance runs them one after another in one shell, and the first that fails
/// ends the run with its status.
///
/// Tencent only says that such a list is for "tightly coupled" tasks. One command a rank would be another reading;
/// but a list has no other length than `TaskInstanceNum` tells already, all its instances would have to start
/// together, which no other field asks for, and ranks can tell themselves apart by `BATCH_TASK_INSTANCE_INDEX`. Steps
/// that build on one another are what a list of commands is everywhere else. One shell, so that `cd` and `export`
/// hold for the next; `eval`, so that no quote or comment of one reaches into another.
fn one_after_another(commands: &[String]) -> String {
    let step = |command: &String| {
        let quoted = command.replace('\'', r"'\''");
        format!("eval '{quoted}'\ncase $? in 0) ;; *) exit $? ;; esac\n")
    };
    commands.iter().map(step).collect()
}

fn container(docker: &Reader<'_>) -> Result<Container, ApiError> {
    let word = |key: &str| {
        let text = docker.string(key)?.unwrap_or_default();
        check_word(docker, key, &text).map(|()| text)
    };
    let image = docker.required("Image", Some(word("Image")?).filter(|image| !image.is_empty()))?;
    let server = word("Server")?;
    let user = word("User")?;
    let password = docker.string("Password")?.unwrap_or_default();
    if password.len() > REGISTRY_BYTES || password.contains(['\n', '\r', '\0']) {
        let reason = format!("must have at most {REGISTRY_BYTES} bytes, and no line ends");
        return Err(docker.refuse("Password", VALUE, reason));
    }
    let login = match (user.is_empty(), password.is_empty()) {
        (true, true) => None,
        (false, false) => Some((user, Secret(password))),
        (true, false) => return Err(docker.refuse("User", COMBINATION, "required with Password")),
        (false, true) => return Err(docker.refuse("Password", COMBINATION, "required with User")),
    };
    let number = |key: &str, most: u64| {
        let number = check::up_to(docker, key, most, VALUE)?.unwrap_or(0);
        Ok(u32::try_from(number).expect("limited to less"))
    };
    Ok(Container {
        image,
        server,
        login,
        pull_retries: number("MaxRetryCount", PULL_RETRIES)?,
        pull_pause_s: number("DelayOnRetry", PULL_PAUSE_S)?,
        options: options(docker)?,
    })
}

/// A name that stands on a command line by itself: it must not be taken for an option.
fn check_word(docker: &Reader<'_>, key: &str, word: &str) -> Result<(), ApiError> {
    let plain = |c: char| c.is_ascii_graphic();
    if word.len() <= REGISTRY_BYTES && word.chars().all(plain) && !word.starts_with('-') {
        return Ok(());
    }
    let reason = format!("must have at most {REGISTRY_BYTES} visible ASCII characters, and not begin with `-`");
    Err(docker.refuse(key, VALUE, reason))
}

/// `DockerRunOption`, split into words as a shell would; nothing else of a shell happens to it.
fn options(docker: &Reader<'_>) -> Result<Vec<String>, ApiError> {
    let Some(text) = docker.string("DockerRunOption")? else { return Ok(Vec::new()) };
    if text.len() > CONTAINER_OPTION_BYTES || text.contains('\0') {
        let reason = format!("must have at most {CONTAINER_OPTION_BYTES} bytes, and no NUL character");
        return Err(docker.refuse("DockerRunOption", VALUE, reason));
    }
    let words = shell_words::split(&text)
        .map_err(|error| docker.refuse("DockerRunOption", VALUE, format!("cannot be split into words: {error}")))?;
    // What decides whether the container is found, ended and waited for again is not the task's to change.
    let kept = ["--name", "--rm", "--cidfile", "--detach", "--restart", "--sig-proxy"];
    let is_kept = |word: &String| kept.contains(&word.split('=').next().unwrap_or_default()) || is_detaching(word);
    match words.iter().find(|word| is_kept(word)) {
        Some(word) => {
            let reason = format!("`{word}` is set by the run itself");
            Err(docker.refuse("DockerRunOption", VALUE, reason))
        }
        None => Ok(words),
    }
}

/// Whether a word of short options has `-d` among them: `-d`, `-itd`, but not `-edebug`.
fn is_detaching(word: &str) -> bool {
    let mut letters = word.strip_prefix('-').unwrap_or_default().trim_start_matches(['i', 't', 'P', 'q']).chars();
    !word.starts_with("--") && letters.next() == Some('d')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detaching_is_seen_among_short_options() {
        for (word, is) in [
            ("-d", true),
            ("-itd", true),
            ("-dit", true),
            ("-edebug", false),
            ("--dns", false),
            ("d", false),
            ("-", false),
        ] {
            assert_eq!(is_detaching(word), is, "{word}");
        }
    }

    #[test]
    fn commands_become_one_that_a_shell_stops_in() {
        let commands = ["cd 'a b'".to_owned(), "false # no".to_owned()];
        let stop = "case $? in 0) ;; *) exit $? ;; esac\n";
        let expected = format!("eval 'cd '\\''a b'\\'''\n{stop}eval 'false # no'\n{stop}");
        assert_eq!(one_after_another(&commands), expected);
    }
}

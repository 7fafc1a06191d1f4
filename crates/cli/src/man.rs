//! `herald man`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use crate::args::Cli;
use crate::failure::Failure;
use crate::file::FileError;
use crate::output::Output;

/// Write the manual's pages, one for each verb, into a folder
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Man {
    /// The folder; made if it is missing
    folder: PathBuf,
}

const MORE: &str = "\
For instance: herald man ~/.local/share/man/man1, then man herald-job-submit";

impl Man {
    /// Writes the pages.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FileError::Write { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        let mut count = 0;
        for (name, text) in pages()? {
            let path = self.folder.join(name);
            fs::write(&path, text).map_err(failed(&path))?;
            count += 1;
        }
        Output::standard(false).say(format_args!("{count} pages in {}", self.folder.display()));
        Ok(())
    }
}

/// The pages, each with its file's name.
fn pages() -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut pages = Vec::new();
    let mut command = Cli::command();
    command.build();
    add(&command, "herald", &mut pages)?;
    Ok(pages)
}

fn add(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_owned()).render(&mut text)?;
    pages.push((format!("{name}.1"), text));
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    verbs.into_iter().try_for_each(|verb| add(verb, &format!("{name}-{}", verb.get_name()), pages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_page() {
        let pages = pages().unwrap();
        let of = |name: &str| pages.iter().find(|(page, _)| page == name).map(|(_, text)| text.clone());
        let submit = String::from_utf8(of("herald-job-submit.1").unwrap()).unwrap();
        assert!(submit.contains("Submit a job and print its id") && submit.contains("\\-\\-wait"), "{submit}");
        assert!(of("herald.1").is_some() && of("herald-agent-step.1").is_none());
        assert!(pages.len() > 60, "{}", pages.len());
    }
}

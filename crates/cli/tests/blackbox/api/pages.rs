//! The pages of `docs/api/`: one for each action of the registry, with its fields, the session's example and its
//! errors. They are written from the code; this test fails when they differ from it. `HERALD_WRITE_DOCS=1` writes
//! them anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use server::api::Listed;

use super::reference::{self, Effect, Field, Reference};
use super::session::{self, Exchange};
use super::{codes, examples};

#[test]
fn the_pages_of_the_api_are_those_of_the_registry() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api");
    let wanted = pages();
    if std::env::var_os("HERALD_WRITE_DOCS").is_some() {
        for (path, text) in &wanted {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().expect("in a folder")).expect("the folder is made");
            fs::write(file, text).expect("the page is written");
        }
    }
    for (path, text) in &wanted {
        let found = fs::read_to_string(folder.join(path)).unwrap_or_default();
        assert_eq!(&found, text, "docs/api/{path} is not what the code says; HERALD_WRITE_DOCS=1 writes it anew");
    }
    let found: Vec<PathBuf> = files(&folder);
    let strangers: Vec<&PathBuf> =
        found.iter().filter(|path| !wanted.contains_key(&path.display().to_string())).collect();
    assert!(strangers.is_empty(), "pages of no action: {strangers:?}");
}

/// All pages, by their paths below `docs/api`.
fn pages() -> BTreeMap<String, String> {
    let batch = reference::batch();
    let listed: Vec<Listed> = server::api::actions().collect();
    let mut pages: BTreeMap<String, String> = listed.iter().map(|one| (path(one), page(&batch, one))).collect();
    pages.insert("README.md".to_owned(), index(&listed));
    pages.insert("batch/types.md".to_owned(), types(&batch));
    pages
}

/// Where an action's page is.
fn path(listed: &Listed) -> String {
    format!("{}/{}.md", listed.product.replace(' ', "-"), listed.action)
}

fn index(listed: &[Listed]) -> String {
    let mut text = "# API\n\nEvery action that the server answers, by product. The pages are written from the code, \
        and their examples from a session that a test runs.\n"
        .to_owned();
    let mut product = "";
    for one in listed {
        if one.product != product {
            product = one.product;
            let _ = write!(text, "\n## {} {}\n\n| action | what it does |\n|---|---|\n", one.product, one.version);
        }
        let _ = writeln!(text, "| [{}]({}) | {} |", one.action, path(one), one.help);
    }
    text
}

fn page(batch: &Reference, listed: &Listed) -> String {
    let product = format!("{} {}", listed.product, listed.version);
    let mut text = format!("# {}\n\n{} Product: `{}`.\n", listed.action, listed.help, product.trim());
    if listed.product == "batch" {
        table(&mut text, batch, "Parameters", batch.request(listed.action), true);
        table(&mut text, batch, "Reply", batch.reply(listed.action), false);
    }
    for exchange in session::exchanges().iter().filter(|exchange| exchange.shown && is_of(exchange, listed)) {
        example(&mut text, exchange);
    }
    if listed.product == "batch" {
        errors(&mut text, batch, listed.action);
    }
    text
}

fn is_of(exchange: &Exchange, listed: &Listed) -> bool {
    let product = if listed.product == "cmq v2" { "v2" } else { listed.product };
    exchange.product == product && exchange.action == listed.action
}

fn table<'a>(
    text: &mut String,
    batch: &Reference,
    title: &str,
    fields: impl Iterator<Item = &'a Field>,
    request: bool,
) {
    let rows: Vec<String> = fields.map(|field| row(batch, field, request)).collect();
    if rows.is_empty() {
        let _ = write!(text, "\n## {title}\n\nNothing of its own.\n");
        return;
    }
    let _ = write!(text, "\n## {title}\n\n| field | type | | meaning |\n|---|---|---|---|\n{}\n", rows.join("\n"));
}

fn row(batch: &Reference, field: &Field, request: bool) -> String {
    let kind = field.element().unwrap_or(field.kind);
    let shown = match (batch.data_type(kind).next().is_some(), field.element()) {
        (true, None) => format!("[{kind}](types.md#{})", kind.to_lowercase()),
        (true, Some(_)) => format!("list of [{kind}](types.md#{})", kind.to_lowercase()),
        (false, None) => kind.to_owned(),
        (false, Some(_)) => format!("list of {kind}"),
    };
    let note = match (field.effect, field.required, field.nullable) {
        (Effect::Stored, ..) => "stored, without effect",
        (Effect::Refused, ..) => "refused",
        (Effect::Output, ..) => "in replies only",
        (_, true, _) if request => "required",
        (_, _, true) => "or null",
        _ => "",
    };
    format!("| {} | {shown} | {note} | {} |", field.name, field.meaning.replace('|', "\\|"))
}

fn example(text: &mut String, exchange: &Exchange) {
    let show = |value| serde_json::to_string_pretty(&examples::redacted(value)).expect("JSON");
    let (request, reply) = (show(&exchange.request), show(&exchange.reply));
    let _ = write!(text, "\n## Example\n\n```json\n{request}\n```\n\nis answered with\n\n```json\n{reply}\n```\n");
}

fn errors(text: &mut String, batch: &Reference, action: &str) {
    let arises = |code: &str| !codes::CANNOT_ARISE.iter().any(|(excused, _)| *excused == code);
    let rows: Vec<String> = batch
        .codes
        .iter()
        .filter(|code| code.actions.contains(&action) && arises(code.code))
        .map(|code| format!("| `{}` | {} |", code.code, code.condition))
        .collect();
    if !rows.is_empty() {
        let _ = write!(
            text,
            "\n## Errors\n\nBeside those of every action (signature, missing or unknown parameters, wrong types):\n\n\
             | code | when |\n|---|---|\n{}\n",
            rows.join("\n")
        );
    }
}

fn types(batch: &Reference) -> String {
    let mut text = "# Data types of batch 2017-03-12\n\nA field that is *stored, without effect* has no meaning on \
        machines of one's own (disks, networks, prices): it is checked for its type, kept, and shown again.\n"
        .to_owned();
    for name in batch.data_types() {
        table(&mut text, batch, name, batch.data_type(name), true);
    }
    text
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).expect("below it").to_path_buf());
            }
        }
    }
    found
}

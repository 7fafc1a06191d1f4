//! The one place that prints. Data goes to standard output, talk to standard error.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use serde_json::Value;

use crate::failure::{Failure, chain};
use crate::table::Table;

/// Where a verb's data and talk go.
pub(crate) struct Output {
    data: Box<dyn Write + Send>,
    json: bool,
    width: Option<u16>,
}

impl Output {
    /// Standard output and standard error.
    pub(crate) fn standard(json: bool) -> Self {
        let terminal = console::Term::stdout();
        let width = terminal.is_term().then(|| terminal.size_checked()).flatten().map(|(_, columns)| columns);
        Self { data: Box::new(BufWriter::new(io::stdout())), json, width }
    }

    /// Whether data are to be printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One line of data.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        Ok(writeln!(self.data, "{text}")?)
    }

    /// Data as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.data.write_all(bytes)?)
    }

    /// A JSON document.
    pub(crate) fn json(&mut self, document: &Value) -> Result<(), Failure> {
        self.line(format_args!("{document:#}"))
    }

    /// A table, as wide as the terminal at most. One without rows prints nothing.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        self.bytes(table.render(self.width).as_bytes())
    }

    /// What was printed so far is on its way. To be called before waiting.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.data.flush()?)
    }

    /// Tells the user something that is not data.
    pub(crate) fn say(&self, text: impl Display) {
        talk(format_args!("{text}"));
    }
}

/// Tells why a verb failed, and what to type next.
pub(crate) fn complain(failure: &Failure) {
    if failure.exit_status() == 0 {
        return;
    }
    talk(format_args!("error: {}", chain(failure)));
    if let Some(hint) = failure.hint() {
        talk(format_args!("hint: {hint}"));
    }
}

/// Talk is a courtesy: that nobody can hear it is no failure.
fn talk(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
pub(crate) mod testing {
    //! Output into memory.

    use std::sync::{Arc, Mutex, PoisonError};

    use super::{Output, Write, io};

    /// Printed text.
    #[derive(Clone, Default)]
    pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        /// An output that prints on this paper.
        pub(crate) fn output(&self) -> Output {
            Output { data: Box::new(self.clone()), json: false, width: None }
        }

        /// What is on it.
        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8(bytes.clone()).expect("the program prints UTF-8")
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

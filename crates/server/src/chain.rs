//! An error with all its causes, in one line.

use std::error::Error;
use std::fmt;

/// Shows an error and what caused it: `failed to listen: address in use`.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to sing")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn causes_follow() {
        let error = Outer(std::fmt::Error);
        assert_eq!(Chain(&error).to_string(), format!("failed to sing: {}", std::fmt::Error));
    }
}

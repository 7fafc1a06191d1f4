//! What the nouns of the command line (`herald job`, `herald topic` ...) have in common.

/// Declares a noun: its verbs, each a type that is its flags and has `async fn run(self, &mut Context)`.
macro_rules! noun {
    ($(#[$attribute:meta])* $noun:ident: $($verb:ident),* $(,)?) => {
        $(#[$attribute])*
        #[derive(clap::Args)]
        pub(crate) struct $noun {
            #[command(subcommand)]
            verb: Verb,
            #[command(flatten)]
            connection: crate::client::Connection,
        }

        #[derive(clap::Subcommand)]
        enum Verb {
            $($verb($verb),)*
        }

        impl $noun {
            /// Does what the verb asks for.
            pub(crate) async fn run(self) -> Result<(), crate::failure::Failure> {
                let mut cx = crate::context::Context::new(self.connection);
                match self.verb {
                    $(Verb::$verb(verb) => verb.run(&mut cx).await?,)*
                }
                cx.out.flush()
            }
        }
    };
}

pub(crate) use noun;

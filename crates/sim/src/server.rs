//! Servers on one store: each a ledger and a clock of its own.
//!
//! They know of each other by the store alone. One that commits after another has is overtaken: it loads what there is and
//! decides anew.

use kernel::decide::Settings;
use kernel::mistake::Mistakes;
use kernel::time::{Clock, Timestamp};
use store::ledger::Ledger;

use crate::audit;
use crate::faults::{Connection, Faulty, Weather};
use crate::sabotage::Sabotage;
use crate::world::words;

/// A server.
pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    clock: Clock,
    /// How far its machine's clock is ahead of the real time, in milliseconds: somebody may set it.
    pub(crate) ahead_ms: i64,
}

impl Server {
    /// Starts a server, as often as the weather has it, on a machine whose clock is so far ahead.
    pub(crate) fn start(
        store: &Connection,
        weather: &Weather,
        sabotage: Option<Sabotage>,
        ahead_ms: i64,
        real: Timestamp,
    ) -> Result<Self, String> {
        let mistakes = Mistakes::of(sabotage.and_then(Sabotage::mistake));
        let settings =
            Settings { retry_pause_s: 2, lost_retries: 1, node_places: Some(12), mistakes, ..Settings::default() };
        let mut last = String::new();
        for _ in 0..100 {
            let store = Faulty { inner: store.clone(), sabotage, weather: weather.clone() };
            match Ledger::open(Box::new(store), settings.clone(), Box::new(audit::text)) {
                Ok(ledger) => {
                    let mut clock = Clock::new();
                    clock.read(running_ms(real), ledger.state().now());
                    return Ok(Self { ledger, clock, ahead_ms });
                }
                Err(error) => last = words(error),
            }
        }
        Err(last)
    }

    /// The time by its clock at a real moment.
    pub(crate) fn time(&mut self, real: Timestamp) -> Timestamp {
        self.clock.read(running_ms(real), Timestamp(real.0 + self.ahead_ms))
    }
}

/// What a clock that nobody sets shows at a real moment.
fn running_ms(real: Timestamp) -> u64 {
    real.since_ms(Timestamp(0))
}

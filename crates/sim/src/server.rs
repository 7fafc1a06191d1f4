//! Servers on one store: each a ledger and a clock of its own.
//!
//! They know of each other by the store alone. One that commits after another has is overtaken: it loads what there is and
//! decides anew.

use kernel::decide::Settings;
use kernel::time::Timestamp;
use store::ledger::Ledger;

use crate::audit;
use crate::faults::{Connection, Faulty, Weather};
use crate::sabotage::Sabotage;
use crate::world::words;

/// A server.
pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
}

impl Server {
    /// Starts a server, as often as the weather has it; `clock` is its machine's.
    pub(crate) fn start(
        store: &Connection,
        weather: &Weather,
        sabotage: Option<Sabotage>,
        clock: Clock,
        real: Timestamp,
    ) -> Result<Self, String> {
        let settings = Settings { retry_pause_s: 2, lost_retries: 1, node_places: Some(12), ..Settings::default() };
        let mut last = String::new();
        for _ in 0..100 {
            let store = Faulty { inner: store.clone(), sabotage, weather: weather.clone() };
            match Ledger::open(Box::new(store), settings.clone(), Box::new(audit::text)) {
                Ok(ledger) => {
                    let mut clock = Clock { anchor: None, ..clock };
                    clock.go_on_from(ledger.state().now(), real);
                    return Ok(Self { ledger, clock });
                }
                Err(error) => last = words(error),
            }
        }
        Err(last)
    }
}

/// A clock as a server's process reads it: that of its machine, which somebody may set, but never going back.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    /// How far the machine's clock is ahead of the real time, in milliseconds.
    pub(crate) ahead_ms: i64,
    /// A real moment, and the time that it was by this clock.
    anchor: Option<(Timestamp, Timestamp)>,
}

impl Clock {
    /// The time by it at a real moment.
    pub(crate) fn read(&mut self, real: Timestamp) -> Timestamp {
        self.go_on_from(Timestamp(real.0 + self.ahead_ms), real)
    }

    /// Goes on from `then`, if it is not later already.
    fn go_on_from(&mut self, then: Timestamp, real: Timestamp) -> Timestamp {
        let running = self.anchor.map_or(then, |(at, time)| Timestamp(time.0 + (real.0 - at.0)));
        if then >= running {
            self.anchor = Some((real, then));
        }
        then.max(running)
    }
}

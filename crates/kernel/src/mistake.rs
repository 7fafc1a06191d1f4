//! Mistakes that decisions make on purpose, to show that the simulation would find them.
//!
//! Without the feature `mistakes`, which only the simulation asks for, there are none to be made.

/// A mistake in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// A task begins as soon as one of those before it has ended.
    BeginEarly,
    /// A node is given more than it has room for.
    Overfill,
    /// What a node that comes back runs still is taken for lost, and given to another.
    GiveTwice,
    /// An event is numbered as if there had been one before it that there was not.
    SkipSequence,
    /// A message is not copied into the queue of a subscription.
    SkipCopy,
    /// A message is said to be deleted, and is not.
    DeleteNothing,
    /// A ClientToken that was used is taken for a new one.
    IgnoreToken,
    /// A subscription is said to be gone, and is not.
    KeepSubscription,
    /// What a silent machine of somebody's runs is taken for lost, and given to another.
    GiveSilent,
    /// A replay into a queue leaves messages out.
    SkipReplayedCopy,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::BeginEarly,
        Self::Overfill,
        Self::GiveTwice,
        Self::SkipSequence,
        Self::SkipCopy,
        Self::DeleteNothing,
        Self::IgnoreToken,
        Self::KeepSubscription,
        Self::GiveSilent,
        Self::SkipReplayedCopy,
    ];
}

/// What decisions do wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mistakes {
    #[cfg(feature = "mistakes")]
    made: Option<Mistake>,
}

impl Mistakes {
    /// Nothing.
    pub const NONE: Self = Self {
        #[cfg(feature = "mistakes")]
        made: None,
    };

    /// One mistake, or none.
    #[cfg(feature = "mistakes")]
    #[must_use]
    pub const fn of(made: Option<Mistake>) -> Self {
        Self { made }
    }

    /// Whether this one is to be made.
    #[cfg(feature = "mistakes")]
    pub(crate) fn include(self, mistake: Mistake) -> bool {
        self.made == Some(mistake)
    }

    /// Whether this one is to be made: it is not.
    #[cfg(not(feature = "mistakes"))]
    pub(crate) const fn include(self, _: Mistake) -> bool {
        false
    }
}

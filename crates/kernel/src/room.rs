//! What is not taken when there is no room left to keep it.

use crate::command::Command;

impl Command {
    /// What is asked, whoever has called for it.
    #[must_use]
    pub fn asked(&self) -> &Self {
        if let Self::Called(_, command) = self { command } else { self }
    }

    /// Whether it adds something that stays: it is not taken when there is no room left. What ends, removes or only
    /// moves something is, and what is being dealt with goes on.
    #[must_use]
    pub fn needs_room(&self) -> bool {
        matches!(
            self.asked(),
            Self::SubmitJob { .. }
                | Self::RetryJobs(_)
                | Self::CreateTemplate(_)
                | Self::CreateEnv { .. }
                | Self::JoinMachine { .. }
                | Self::AttachMachines { .. }
                | Self::NodeReports(..)
                | Self::TakeSamples(..)
                | Self::CreateTopic { .. }
                | Self::Publish { .. }
                | Self::Subscribe(_)
                | Self::StartReplay(_)
                | Self::CopyReplay { .. }
                | Self::FanOut { .. }
                | Self::CreateQueue { .. }
                | Self::RewindQueue { .. }
                | Self::Send { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frees_room_needs_none() {
        let name = || "q".to_owned();
        assert!(Command::Send { queue: name(), bodies: Vec::new(), delay_s: 0 }.needs_room());
        for free in [
            Command::DeleteQueue { name: name() },
            Command::DeleteMessages { queue: name(), handles: Vec::new() },
            Command::Receive { queue: name(), max: 1 },
            Command::Tick,
        ] {
            assert!(!free.needs_room(), "{free:?}");
        }
    }
}

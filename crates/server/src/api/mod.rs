//! What clients call.

use crate::App;

/// Takes every request that nothing else takes.
pub fn router(app: App) -> axum::Router {
    axum::Router::new().with_state(app)
}

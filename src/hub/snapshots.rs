//! Snapshots: asked of the archive once for everybody who wants the same one at the same position.

#[derive(Default)]
pub struct Snapshots {}

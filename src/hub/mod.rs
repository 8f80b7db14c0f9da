//! The hub: the one actor that knows who listens, and the only door between the journal and the screens.

use actix::prelude::*;

pub mod backlog;
pub mod messages;

use crate::archive::{Archive, ArchiveError, Ask, Query};
use crate::protocol::StatsShape;
pub use messages::*;

/// The central actor.
pub struct UmblerHub {
    archive: Addr<Archive>,
}

impl Actor for UmblerHub {
    type Context = Context<Self>;
}

impl<Q: Query> Handler<Ask<Q>> for UmblerHub {
    type Result = ResponseFuture<Result<Q::Answer, ArchiveError>>;

    fn handle(&mut self, ask: Ask<Q>, _: &mut Self::Context) -> Self::Result {
        let answer = self.archive.send(ask);
        Box::pin(async move { answer.await.unwrap_or(Err(ArchiveError::Busy)) })
    }
}

impl Handler<GetStats> for UmblerHub {
    type Result = MessageResult<GetStats>;

    fn handle(&mut self, _: GetStats, _: &mut Self::Context) -> Self::Result {
        MessageResult(StatsShape::new(&crate::domain::Stats::default(), 0))
    }
}

impl Handler<Ingest> for UmblerHub {
    type Result = ResponseFuture<Result<Ack, IngestError>>;

    fn handle(&mut self, _: Ingest, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(IngestError::Stopping) })
    }
}

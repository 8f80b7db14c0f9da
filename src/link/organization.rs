//! About which organization the API is asked: the one of the settings, else the only one of the token's owner.

use super::LinkSettings;
use super::fault::LinkError;
use crate::umbler::api::{Dialect, Me, RequestBuilder};

/// The organization, once it is known. It is looked for again when the token is replaced.
#[derive(Debug, Clone)]
pub struct AskedOrganization {
    dialect: Dialect,
    setting: Option<String>,
    /// The builder of requests, and how often the token had been replaced when the organization was found.
    found: Option<(RequestBuilder, u64)>,
}

impl AskedOrganization {
    pub fn new(settings: &LinkSettings) -> Self {
        Self { dialect: settings.dialect.clone(), setting: settings.organization.clone(), found: None }
    }

    /// The builder of requests about the organization. `replacements` is how often the token was replaced, and `ask` asks who it
    /// belongs to, which is needed where no setting names the organization.
    ///
    /// # Errors
    ///
    /// Those of `ask`, and [`LinkError::Undecided`] where the owner does not belong to exactly one organization.
    pub fn requests(
        &mut self,
        replacements: u64,
        ask: impl FnOnce() -> Result<Me, LinkError>,
    ) -> Result<RequestBuilder, LinkError> {
        if let Some((requests, _)) = self.found.as_ref().filter(|(_, then)| *then == replacements) {
            return Ok(requests.clone());
        }
        let organization = match &self.setting {
            Some(organization) => organization.clone(),
            None => match &ask()?.organizations[..] {
                [(organization, _)] => organization.clone(),
                several => return Err(LinkError::Undecided(several.len())),
            },
        };
        let requests = RequestBuilder { dialect: self.dialect.clone(), organization };
        self.found = Some((requests.clone(), replacements));
        Ok(requests)
    }

    /// The builder of requests, if the organization is known already.
    pub fn known(&self) -> Option<&RequestBuilder> {
        self.found.as_ref().map(|(requests, _)| requests)
    }
}

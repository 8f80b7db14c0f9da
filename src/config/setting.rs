//! What is said of a setting, beside how its text is read.

/// One setting, as flags and documents show it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable, and the entry in `.env`.
    pub name: &'static str,
    /// The value where nothing is set; `None`: unset.
    pub default: Option<&'static str>,
    /// True for a secret. It is set by a variable or `NAME_FILE` only, because flags are visible in process
    /// lists.
    pub secret: bool,
    /// What the setting does, in a sentence or two.
    pub meaning: &'static str,
}

impl Setting {
    /// The flag of `serve`; `None` for secrets.
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.name.to_ascii_lowercase().replace('_', "-"))
    }
}

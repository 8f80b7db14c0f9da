//! The text of each setting, and where it came from.

use std::collections::BTreeMap;
use std::path::Path;

use super::ConfigError;
use super::dot_env;
use super::setting::Setting;

/// The file of settings in the working folder.
const DOT_ENV: &str = ".env";

/// Where the value of a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueSource {
    Flag,
    Environment,
    /// The file that `NAME_FILE` names.
    File,
    DotEnv,
    /// It is not set, so the default is used.
    Default,
}

impl ValueSource {
    /// The source in words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::DotEnv => ".env",
            Self::Default => "default",
        }
    }
}

/// The text of every setting.
#[derive(Debug, Clone)]
pub struct Values {
    /// All settings there are.
    table: &'static [Setting],
    given: BTreeMap<&'static str, (String, ValueSource)>,
}

impl Values {
    /// Collects the values from flags, by the names of their settings, from the environment, files and `.env`.
    pub(super) fn read(
        table: &'static [Setting],
        flags: &BTreeMap<&'static str, String>,
    ) -> Result<Self, ConfigError> {
        let dot_env = read_dot_env(Path::new(DOT_ENV))?;
        let mut given = BTreeMap::new();
        let mut problems = Vec::new();
        for setting in table {
            match value(setting, flags.get(setting.name), &dot_env) {
                Ok(Some(value)) => drop(given.insert(setting.name, value)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self { table, given }) } else { Err(ConfigError::Wrong(problems)) }
    }

    /// Values that are given in code, for tests.
    #[cfg(test)]
    pub(super) fn given(table: &'static [Setting], given: &[(&'static str, &str)]) -> Self {
        let given = given
            .iter()
            .map(|(name, text)| (*name, ((*text).to_owned(), ValueSource::Environment)))
            .collect();
        Self { table, given }
    }

    /// The text of a setting, or its default where nothing was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        let default = || self.table.iter().find(|setting| setting.name == name)?.default;
        self.given.get(name).map(|(text, _)| text.as_str()).or_else(default)
    }

    /// Where the value of a setting came from.
    pub fn origin(&self, name: &str) -> ValueSource {
        self.given.get(name).map_or(ValueSource::Default, |(_, origin)| *origin)
    }
}

/// A setting's text and where it came from. A flag wins over the environment, which wins over a secret's file and over `.env`.
/// Blank text counts as unset.
fn value(
    setting: &'static Setting,
    flag: Option<&String>,
    dot_env: &BTreeMap<String, String>,
) -> Result<Option<(String, ValueSource)>, String> {
    let unless_blank =
        |text: Option<String>, origin| text.filter(|text| !text.trim().is_empty()).map(|text| (text, origin));
    let file_name = format!("{}_FILE", setting.name);
    if let Some(direct) = unless_blank(flag.cloned(), ValueSource::Flag)
        .or_else(|| unless_blank(environment(setting.name), ValueSource::Environment))
    {
        return Ok(Some(direct));
    }
    let file = environment(&file_name).or_else(|| dot_env.get(&file_name).cloned());
    if let Some(path) = file.filter(|path| setting.secret && !path.trim().is_empty()) {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{file_name}: {path} cannot be read: {error}"))?;
        let text = dot_env::without_mark(&text).trim_end_matches(['\r', '\n']).to_owned();
        return unless_blank(Some(text), ValueSource::File)
            .map(Some)
            .ok_or_else(|| format!("{file_name}: {path} is empty"));
    }
    Ok(unless_blank(dot_env.get(setting.name).cloned(), ValueSource::DotEnv))
}

/// A variable of the environment. One that is not Unicode counts as unset.
#[expect(clippy::disallowed_methods, reason = "config is the one room that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn read_dot_env(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let failed = |reason: String| ConfigError::DotEnv { path: path.display().to_string(), reason };
    match std::fs::read(path) {
        Ok(file) => dot_env::parse(&file).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(error.to_string())),
    }
}

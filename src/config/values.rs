//! The text of each setting, and where it came from.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};

use super::ConfigError;
use super::dot_env;
use super::table::{Setting, TABLE};

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

/// The flags of `serve`: one for each setting that is not a secret.
#[derive(Debug, Clone, Default)]
pub struct ServeArgs(BTreeMap<&'static str, String>);

impl clap::FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |setting: &'static Setting| {
            let flag = setting.flag()?;
            Some((setting.name, matches.get_one::<String>(&flag)?.clone()))
        };
        Ok(Self(TABLE.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for ServeArgs {
    fn augment_args(command: Command) -> Command {
        let flags = TABLE.iter().filter_map(|setting| {
            let flag = setting.flag()?;
            let default = setting.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
            let help = format!("{} [env: {}]{default}", setting.meaning, setting.name);
            Some(Arg::new(flag.clone()).long(flag).value_name(setting.name).help(help))
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The text of every setting.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<&'static str, (String, ValueSource)>);

impl Values {
    /// Collects the values from flags, the environment, files and `.env`.
    pub fn collect(args: &ServeArgs) -> Result<Self, ConfigError> {
        let dot_env = read_dot_env(Path::new(DOT_ENV))?;
        let mut values = BTreeMap::new();
        let mut problems = Vec::new();
        for setting in TABLE {
            match value(setting, args, &dot_env) {
                Ok(Some(value)) => drop(values.insert(setting.name, value)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self(values)) } else { Err(ConfigError::Wrong(problems)) }
    }

    /// Values that are given in code, for tests.
    pub fn of(given: &[(&'static str, &str)]) -> Self {
        Self(
            given
                .iter()
                .map(|(name, text)| (*name, ((*text).to_owned(), ValueSource::Environment)))
                .collect(),
        )
    }

    /// The text of a setting, or its default where nothing was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        let default = || super::table::find(name).and_then(|setting| setting.default);
        self.0.get(name).map(|(text, _)| text.as_str()).or_else(default)
    }

    /// Where the value of a setting came from.
    pub fn origin(&self, name: &str) -> ValueSource {
        self.0.get(name).map_or(ValueSource::Default, |(_, origin)| *origin)
    }
}

/// A setting's text and where it came from. A flag wins over the environment, which wins over a secret's file and over `.env`.
/// Blank text counts as unset.
fn value(
    setting: &'static Setting,
    args: &ServeArgs,
    dot_env: &BTreeMap<String, String>,
) -> Result<Option<(String, ValueSource)>, String> {
    let unless_blank =
        |text: Option<String>, origin| text.filter(|text| !text.trim().is_empty()).map(|text| (text, origin));
    let file_name = format!("{}_FILE", setting.name);
    if let Some(direct) = unless_blank(args.0.get(setting.name).cloned(), ValueSource::Flag)
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

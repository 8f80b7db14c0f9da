//! The flags of `serve`, made from the table of settings.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Command};

use super::ConfigError;
use super::setting::Setting;
use super::table::TABLE;
use super::values::Values;

/// The flags of `serve`: one for each setting that is not a secret.
#[derive(Debug, Clone, Default)]
pub struct ServeArgs(BTreeMap<&'static str, String>);

impl Values {
    /// Collects the values from flags, the environment, files and `.env`.
    pub fn collect(args: &ServeArgs) -> Result<Self, ConfigError> {
        Self::read(TABLE, &args.0)
    }

    /// Values that are given in code, for tests.
    #[cfg(test)]
    pub fn of(given: &[(&'static str, &str)]) -> Self {
        Self::given(TABLE, given)
    }
}

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

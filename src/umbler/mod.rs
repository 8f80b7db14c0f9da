//! The only place that knows the JSON of the provider.

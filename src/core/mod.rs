//! The core: who is there, what each status says, who follows it.

mod settings;

pub use settings::CoreSettings;

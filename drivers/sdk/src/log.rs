//! Log lines of a module: a macro for each level, whose message is only made when it would be seen.

/// Writes a log line of the level that is named, with a message as of `format!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __line {
    ($level:ident, $context:expr, $($message:tt)+) => {
        $context.log($crate::LogLevel::$level, || ::std::format!($($message)+))
    };
}

/// Logs every step: `trace!(self.context, "-> {bytes:?}")`.
#[macro_export]
macro_rules! trace {
    ($($line:tt)+) => { $crate::__line!(Trace, $($line)+) };
}

/// Logs what an engineer wants to see while looking: `debug!(self.context, "-> power {state}")`.
#[macro_export]
macro_rules! debug {
    ($($line:tt)+) => { $crate::__line!(Debug, $($line)+) };
}

/// Logs what is normal and worth keeping: `info!(self.context, "the picture is there")`.
#[macro_export]
macro_rules! info {
    ($($line:tt)+) => { $crate::__line!(Info, $($line)+) };
}

/// Logs what is normal and significant: `notice!(self.context, "the lamp was replaced")`.
#[macro_export]
macro_rules! notice {
    ($($line:tt)+) => { $crate::__line!(Notice, $($line)+) };
}

/// Logs what may go wrong: `warn!(self.context, "the fan is slow")`.
#[macro_export]
macro_rules! warn {
    ($($line:tt)+) => { $crate::__line!(Warn, $($line)+) };
}

/// Logs what went wrong: `error!(self.context, "{error}")`.
#[macro_export]
macro_rules! error {
    ($($line:tt)+) => { $crate::__line!(Error, $($line)+) };
}

/// Logs that the module cannot go on: `fatal!(self.context, "the lamp has burst")`.
#[macro_export]
macro_rules! fatal {
    ($($line:tt)+) => { $crate::__line!(Fatal, $($line)+) };
}

//! Every bound of expressions: what it protects, what happens when it is hit, why this number.
//!
//! Whoever writes an expression may be a stranger, and each of them costs at most this much, whatever it says.

/// The longest expression, and the longest text of a building file with expressions in it. Bounds the time to read one; a longer one is refused. People write a line or two.
pub(super) const SOURCE_MAX_BYTES: usize = 4 * 1024;

/// The longest template. Bounds the time to read one; a longer one is refused. A dashboard's card with many conditions has some kilobytes.
pub(super) const TEMPLATE_MAX_BYTES: usize = 16 * 1024;

/// The longest name that is compared with others to find the one that may be meant. Bounds the time of an error; a longer one gets no suggestion.
pub(super) const NAME_MAX_BYTES: usize = 64;

/// How deeply a source may nest, and how many operators of it may depend on each other. Protects the stack: reading and evaluating call themselves once per level.
/// A sum of a hundred terms fits, and two megabytes of stack hold several times as many levels, unoptimised too. A bracket counts as two.
pub(super) const NESTING_MAX: usize = 100;

/// How deeply the lists and objects of a value are opened. Protects the stack; what lies deeper passes through as it is. Devices nest four or five levels.
pub(super) const VALUE_DEPTH_MAX: usize = 64;

/// All variables of one evaluation together. Bounds what an expression can multiply; more is refused. A webhook's body has some kilobytes.
pub(super) const INPUT_MAX_BYTES: usize = 64 * 1024;

/// The largest result. Protects whoever gets it; a larger one is refused before it is made. The same as what may go in.
pub(super) const OUTPUT_MAX_BYTES: usize = 64 * 1024;

/// All texts, lists and objects that one evaluation makes, those included that it drops on the way. Protects memory from `a ~ a` and `a * n`; the next one is refused before it is made.
/// Sixteen results of full size: templates that filter a list several times stay far below.
pub(super) const MADE_MAX_BYTES: usize = 1024 * 1024;

/// What an item of a list counts in bytes, beside what is in it: the size of a value.
pub(super) const ITEM_BYTES: usize = 32;

/// Steps of one evaluation: a node of the source, an item that is visited, 64 bytes that are looked through. Bounds the time, to a fraction of a second; past it the evaluation ends with an error.
pub(super) const STEPS_MAX: usize = 100_000;

/// How many bytes can be looked through or copied in one step.
pub(super) const BYTES_PER_STEP: usize = 64;

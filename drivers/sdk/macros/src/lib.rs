//! The `driver` attribute.

use proc_macro::TokenStream;

/// Makes the public async methods of an `impl` block callable.
#[proc_macro_attribute]
pub fn driver(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}

//! The attributes of `driver-sdk`; authors read about them there.
//!
//! `driver` takes two steps, one file each: `parse` understands an `impl` block and says what is wrong with it, `expand` writes the code.
//! `settings` and `interface` have a file each.
//! All work on `proc_macro2` tokens, so the tests need no compiler.

mod expand;
mod interface;
mod parse;
mod settings;

use proc_macro2::TokenStream;

/// Makes the public async methods of an `impl` block callable by clients and describes them.
///
/// See the documentation of `driver-sdk`.
#[proc_macro_attribute]
pub fn driver(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    driver_tokens(options.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a struct or an enum readable from a module's settings, with a schema.
///
/// See the documentation of `driver-sdk`.
#[proc_macro_attribute]
pub fn settings(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    settings::expand(options.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a trait an interface that drivers implement.
///
/// See the documentation of `driver-sdk`.
#[proc_macro_attribute]
pub fn interface(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    interface::expand(&options.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn driver_tokens(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    Ok(expand::expand(&parse::Driver::parse(options, item)?))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    /// The messages for this block, all mistakes at once.
    fn mistakes(options: TokenStream, item: TokenStream) -> Vec<String> {
        match driver_tokens(options, item) {
            Ok(tokens) => panic!("the block was taken: {tokens}"),
            Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
        }
    }

    #[track_caller]
    fn check_options(options: TokenStream, expect: &[&str]) {
        let block =
            quote! { impl Lamp { async fn start(context: Context) -> Result<Self, Error> {} } };
        assert_eq!(mistakes(options, block), expect);
    }

    /// Checks the mistakes of a block with these methods beside a correct `start`.
    #[track_caller]
    fn check_methods(methods: TokenStream, expect: &[&str]) {
        let block = quote! {
            impl Lamp {
                async fn start(context: Context) -> Result<Self, Error> {}
                #methods
            }
        };
        assert_eq!(
            mistakes(quote! { id = "lamp", name = "Lamp" }, block),
            expect
        );
    }

    #[test]
    fn the_options_are_checked() {
        check_options(
            quote! { name = "Lamp" },
            &["`driver` needs an id: `#[driver(id = \"…\", name = \"…\")]`"],
        );
        check_options(
            quote! { id = "lamp" },
            &["`driver` needs a module name: `#[driver(id = \"…\", name = \"…\")]`"],
        );
        check_options(
            quote! { id = "lamp", name = "Lamp", port = 1 },
            &["unknown option: `driver` takes `id`, `name`, `implements` and `uri`"],
        );
        check_options(
            quote! { id = "lamp", id = "lamp", name = "Lamp" },
            &["this option is given twice"],
        );
        check_options(
            quote! { id = "", name = "Lamp" },
            &["a name has 1 to 512 bytes and no control characters"],
        );
    }

    #[test]
    fn a_block_needs_a_start() {
        let options = quote! { id = "lamp", name = "Lamp" };
        let expect = "a driver needs `async fn start(context: Context) -> Result<Self, Error>`, \
            with `settings: Settings` behind the context if it takes settings";
        let block = quote! { impl Lamp {} };
        assert_eq!(mistakes(options.clone(), block), [expect]);
        for start in [
            quote! { fn start(context: Context) -> Result<Self, Error> {} },
            quote! { async fn start() -> Result<Self, Error> {} },
            quote! { async fn start(&self, context: Context) -> Result<Self, Error> {} },
            quote! { async fn start(context: Context, a: A, b: B) -> Result<Self, Error> {} },
            quote! { async fn start(context: Context) {} },
        ] {
            let block = quote! { impl Lamp { #start } };
            assert_eq!(mistakes(options.clone(), block), [expect]);
        }
    }

    #[test]
    fn a_stop_takes_no_arguments_and_gives_nothing() {
        for stop in [
            quote! { fn stop(&self) {} },
            quote! { async fn stop(self) {} },
            quote! { async fn stop(&self, hard: bool) {} },
            quote! { async fn stop(&self) -> bool {} },
        ] {
            check_methods(stop, &["`stop` is `async fn stop(&self)`"]);
        }
    }

    #[test]
    fn settings_can_change_where_there_are_some() {
        let expect = "`settings_changed` is `async fn settings_changed(&self, settings: Settings) -> Result<(), Error>`, \
             with the settings of `start`";
        for changed in [
            quote! { fn settings_changed(&self, settings: Settings) -> Result<(), Error> {} },
            quote! { async fn settings_changed(settings: Settings) -> Result<(), Error> {} },
            quote! { async fn settings_changed(&self) -> Result<(), Error> {} },
        ] {
            let block = quote! {
                impl Lamp {
                    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {}
                    #changed
                }
            };
            assert_eq!(
                mistakes(quote! { id = "lamp", name = "Lamp" }, block),
                [expect]
            );
        }
        let right = quote! {
            async fn settings_changed(&self, settings: Settings) -> Result<(), Error> {}
        };
        check_methods(right, &[expect]);
    }

    #[test]
    fn an_address_has_one_rule() {
        let expect = "expected `uri(needed, \"tcp\", …)`: `needed`, `optional` or `default = \"tcp://…\"`, \
             and the schemes that the address may begin with, any if there are none";
        for uri in [
            quote! { uri },
            quote! { uri() },
            quote! { uri("tcp") },
            quote! { uri(needed, optional) },
            quote! { uri(always) },
            quote! { uri(needed, 4352) },
            quote! { uri(default = 4352) },
        ] {
            check_options(quote! { id = "lamp", name = "Lamp", #uri }, &[expect]);
        }
    }

    #[track_caller]
    fn check_settings(options: TokenStream, item: TokenStream, expect: &[&str]) {
        match settings::expand(options, item) {
            Ok(tokens) => panic!("the item was taken: {tokens}"),
            Err(error) => {
                let told: Vec<String> = error.into_iter().map(|it| it.to_string()).collect();
                assert_eq!(told, expect);
            }
        }
    }

    #[test]
    fn settings_are_a_struct_of_plain_fields() {
        let none = TokenStream::new();
        let shape = "settings are a struct with named fields, or an enum for one of their values";
        for item in [
            quote! { struct Settings(u8); },
            quote! { struct Settings; },
            quote! { fn settings() {} },
        ] {
            check_settings(none.clone(), item, &[shape]);
        }
        check_settings(
            none.clone(),
            quote! { struct Settings<T> { port: T } },
            &["settings have no generics: the building file could not choose them"],
        );
        check_settings(
            none,
            quote! { struct Settings { #[serde(rename = "p")] port: u8, #[default(1)] #[default(2)] unit: u8 } },
            &[
                "a setting is called like its field and read as its type; \
                 give it a type of its own for another form, and `#[default(…)]` where it may be left out",
                "this setting has two defaults",
            ],
        );
        check_settings(
            quote! { closed },
            quote! { struct Settings { port: u8 } },
            &[
                "unknown option: `settings` takes `open`, which leaves keys that no field has to others",
            ],
        );
    }

    #[test]
    fn only_an_inherent_block_of_a_plain_type_can_be_a_driver() {
        let options = quote! { id = "lamp", name = "Lamp" };
        assert_eq!(
            mistakes(options.clone(), quote! { impl Switch for Lamp {} }),
            ["a driver is an `impl` block of its own type, not of a trait"]
        );
        assert_eq!(
            mistakes(options.clone(), quote! { impl<T> Lamp<T> {} }),
            ["a driver's type has no generics: a host could not choose them"]
        );
        assert_eq!(
            mistakes(options, quote! { struct Lamp; }),
            ["expected `impl`"]
        );
    }

    #[test]
    fn what_clients_call_is_async_and_borrows_the_driver() {
        let expect = "what clients call is `pub async fn name(&self, …)`; without `pub` it is the driver's own";
        check_methods(quote! { pub fn dim(&self) {} }, &[expect]);
        check_methods(quote! { pub async fn dim() {} }, &[expect]);
        check_methods(quote! { pub async fn dim(self) {} }, &[expect]);
        check_methods(quote! { pub async fn dim(&mut self) {} }, &[expect]);
        check_methods(quote! { pub async fn dim(self: Arc<Self>) {} }, &[expect]);
    }

    #[test]
    fn arguments_are_plain_names_of_owned_types() {
        check_methods(
            quote! { pub async fn dim<T>(&self, level: T) {} },
            &["what clients call has no generics: they could not choose them"],
        );
        check_methods(
            quote! { pub async fn dim(&self, level: impl Into<f64>) {} },
            &["what clients call has no generics: they could not choose them"],
        );
        check_methods(
            quote! { pub async fn dim(&self, (from, to): (u8, u8)) {} },
            &["an argument is a plain name: clients can give it by this name"],
        );
        check_methods(
            quote! { pub async fn dim(&self, _: u8) {} },
            &["an argument is a plain name: clients can give it by this name"],
        );
        check_methods(
            quote! { pub async fn dim(&self, level: &str) {} },
            &["an argument is an owned value, such as `String`: it is read from the client's JSON"],
        );
    }

    #[test]
    fn the_helper_attributes_are_checked() {
        check_methods(
            quote! { #[admin] #[support] pub async fn reset(&self) {} },
            &["the clearance is given twice"],
        );
        check_methods(
            quote! { #[admin] fn reset(&self) {} },
            &["only what clients call has this attribute"],
        );
        check_methods(
            quote! { #[name = "power?"] pub async fn is_on(&self) {} },
            &["expected `#[name(\"…\")]`"],
        );
        check_methods(
            quote! { pub async fn dim(&self, #[default] level: u8) {} },
            &["expected `#[default(…)]`"],
        );
        check_methods(
            quote! { pub async fn dim(&self, #[default(1)] #[default(2)] level: u8) {} },
            &["this argument has two defaults"],
        );
    }

    #[test]
    fn work_by_the_clock_has_one_shape_and_one_clock() {
        let shape = "what is done by the clock is `async fn name(&self)`";
        check_methods(quote! { #[every(1 s)] fn poll(&self) {} }, &[shape]);
        check_methods(
            quote! { #[every(1 s)] async fn poll(&self, hard: bool) {} },
            &[shape],
        );
        check_methods(quote! { #[at(self.moment)] async fn poll() {} }, &[shape]);
        check_methods(quote! { #[every(1 s)] async fn stop(&self) {} }, &[shape]);
        check_methods(
            quote! { #[every(1 s)] #[at(self.moment)] async fn poll(&self) {} },
            &["a method is done by one clock; write another that calls it"],
        );
    }

    #[test]
    fn when_work_is_done_is_checked() {
        let every = "expected `#[every(60 s)]` with one of ms, s, min and h, or an expression such as `self.poll_seconds`";
        for period in [
            quote! { every },
            quote! { every() },
            quote! { every(60) },
            quote! { every(60 days) },
            quote! { every("60 s") },
            quote! { every(60 s, 2) },
        ] {
            check_methods(quote! { #[#period] async fn poll(&self) {} }, &[every]);
        }
        let cron = "expected `#[cron(\"0 8 * * 1-5\", timezone = \"Europe/Berlin\")]`";
        for pattern in [
            quote! { cron },
            quote! { cron("0 8 * * *") },
            quote! { cron("0 8 * * *", zone = "Europe/Berlin") },
            quote! { cron("0 8 * * *", timezone = "Europe/Berlin", 3) },
        ] {
            check_methods(quote! { #[#pattern] async fn poll(&self) {} }, &[cron]);
        }
        let at = "expected `#[at(self.moment)]` with a `jiff::Timestamp`, or an `Option` of one";
        check_methods(quote! { #[at] async fn poll(&self) {} }, &[at]);
    }

    #[test]
    fn a_period_is_a_number_with_its_unit_or_an_expression() {
        for (period, expect) in [
            (quote! { 60 s }, "from_secs_f64 (60f64)"),
            (quote! { 250ms }, "from_secs_f64 (0.25f64)"),
            (quote! { 1.5 min }, "from_secs_f64 (90f64)"),
            (quote! { 2h }, "from_secs_f64 (7200f64)"),
            (quote! { self.period }, "schedule . every (self . period"),
        ] {
            let block = quote! {
                impl Lamp {
                    async fn start(context: Context) -> Result<Self, Error> {}
                    #[every(#period)]
                    async fn poll(&self) {}
                }
            };
            let options = quote! { id = "lamp", name = "Lamp" };
            let tokens = driver_tokens(options, block).unwrap().to_string();
            assert!(tokens.contains(expect), "{expect}: {tokens}");
        }
    }

    #[test]
    fn an_interface_is_a_trait_of_async_methods() {
        let check = |item: TokenStream, expect: &str| {
            let error = interface::expand(&TokenStream::new(), item).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        let shape = "what clients call is `async fn name(&self, …)`";
        check(quote! { trait Shiny { fn shine(&self); } }, shape);
        check(quote! { trait Shiny { async fn shine(); } }, shape);
        check(
            quote! { trait Shiny<T> { async fn shine(&self); } },
            "an interface has no generics; give it an associated type",
        );
        check(quote! { struct Shiny; }, "expected `trait`");
        let options = quote! { name = "Shiny" };
        let error = interface::expand(&options, quote! { trait Shiny {} }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`interface` takes one option, `callable`"
        );
    }

    #[test]
    fn two_functions_have_two_names() {
        check_methods(
            quote! { pub async fn dim(&self) {} #[name("dim")] pub async fn shade(&self) {} },
            &["another function is called `dim` already"],
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        check_methods(
            quote! { pub fn dim(&self) {} pub async fn shade<T>(&self) {} },
            &[
                "what clients call is `pub async fn name(&self, …)`; without `pub` it is the driver's own",
                "what clients call has no generics: they could not choose them",
            ],
        );
    }

    #[test]
    fn the_authors_block_stays_as_it_was_without_the_helper_attributes() {
        let block = quote! {
            impl Lamp {
                async fn start(context: Context) -> Result<Self, Error> {}
                #[admin]
                #[name("dim!")]
                pub async fn dim(&self, #[default(1)] level: u8) {}
                fn own(&self, level: &str) {}
            }
        };
        let tokens = driver_tokens(quote! { id = "lamp", name = "Lamp" }, block).unwrap();
        let text = tokens.to_string();
        assert!(
            text.contains("pub async fn dim (& self , level : u8) { }"),
            "{text}"
        );
        assert!(
            text.contains("fn own (& self , level : & str) { }"),
            "{text}"
        );
        assert!(!text.contains("# [admin]"), "{text}");
        assert!(!text.contains("# [default"), "{text}");
    }
}

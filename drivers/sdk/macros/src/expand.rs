//! Writes the code of a driver: its `DEFINITION`, and the `Instance` that finds a function and reads its arguments.
//!
//! What can be an ordinary generic function lives in `driver_sdk::__private`, so that the generated code stays short.
//! Local names have mixed-site hygiene: a default written by the author cannot see them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{ImplItem, ImplItemFn, Path, Token, Visibility, parse_quote};

use crate::parse::{
    Driver, Function, Implements, Parameter, Presence, StatusConst, UriOption, UriPresence, When,
    Work,
};

impl Driver {
    /// The interfaces that the driver has as traits.
    fn traits(&self) -> impl Iterator<Item = &Path> {
        let implements = self.options.implements.iter();
        implements.filter_map(|it| match it {
            Implements::Trait(path) => Some(path),
            Implements::Name(_) => None,
        })
    }
}

pub(crate) fn expand(driver: &Driver) -> TokenStream {
    let block = author_block(driver);
    let definition = definition(driver);
    let instance = instance(driver);
    quote_spanned! {Span::mixed_site()=> #block #definition #instance }
}

/// The author's block. What a host calls is async even when it has nothing to wait for, so that lint is off.
fn author_block(driver: &Driver) -> TokenStream {
    let mut block = driver.block.clone();
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item
            && is_called_by_host(driver, method)
        {
            method
                .attrs
                .push(parse_quote!(#[allow(clippy::unused_async)]));
        }
    }
    block.into_token_stream()
}

fn is_called_by_host(driver: &Driver, method: &ImplItemFn) -> bool {
    matches!(method.vis, Visibility::Public(_))
        || driver
            .work
            .iter()
            .any(|work| work.method == method.sig.ident)
        || ["start", "stop", "settings_changed"]
            .iter()
            .any(|name| method.sig.ident == name)
}

fn definition(driver: &Driver) -> TokenStream {
    let ty = &driver.block.self_ty;
    let (id, name) = (&driver.options.id, &driver.options.name);
    let description = &driver.description;
    let named = driver.options.implements.iter().filter_map(|it| match it {
        Implements::Name(name) => Some(name),
        Implements::Trait(_) => None,
    });
    let interfaces = driver.traits().map(|path| {
        quote_spanned! {Span::mixed_site().located_at(path.span())=>
            <Self as #path>::__describe(&mut interface);
        }
    });
    let statuses = driver.statuses.iter().map(describe_status);
    let functions = driver.functions.iter().map(describe_function);
    let uri = uri(driver.options.uri.as_ref());
    let settings = match &driver.settings {
        Some(settings) => settings.to_token_stream(),
        None => quote_spanned! {Span::mixed_site()=> ::driver_sdk::__private::NoSettings },
    };
    let on_change = match driver.has_settings_changed {
        true => quote_spanned! {Span::mixed_site()=> Tell },
        false => quote_spanned! {Span::mixed_site()=> Restart },
    };
    let start = start(driver);
    let schedule = schedule(driver);
    quote_spanned! {Span::mixed_site()=>
        impl #ty {
            /// What a host needs in order to run this driver.
            pub const DEFINITION: ::driver_sdk::Definition = ::driver_sdk::Definition {
                id: #id,
                module_name: #name,
                description: #description,
                interface: || {
                    let mut interface = ::driver_sdk::__private::interface(&[#(#named),*]);
                    {
                        let interface = &mut interface;
                        let _described = &*interface;
                        #(#statuses)*
                        #(#functions)*
                    }
                    #(#interfaces)*
                    interface
                },
                configuration: ::driver_sdk::__private::configuration::<#settings>(
                    #uri,
                    ::driver_sdk::OnChange::#on_change,
                ),
                start: |context| #start,
            };

            #schedule
        }
    }
}

fn uri(option: Option<&UriOption>) -> TokenStream {
    let Some(UriOption { presence, schemes }) = option else {
        return quote_spanned! {Span::mixed_site()=> ::driver_sdk::UriRule::NEVER };
    };
    let presence = match presence {
        UriPresence::Optional => quote_spanned! {Span::mixed_site()=> Optional },
        UriPresence::Default(uri) => quote_spanned! {Span::mixed_site()=> Default(#uri) },
        UriPresence::Needed => quote_spanned! {Span::mixed_site()=> Needed },
    };
    quote_spanned! {Span::mixed_site()=>
        ::driver_sdk::UriRule {
            presence: ::driver_sdk::UriPresence::#presence,
            schemes: &[#(#schemes),*],
        }
    }
}

/// The expression that starts an instance; its span is the settings' type, where "is no settings" belongs.
fn start(driver: &Driver) -> TokenStream {
    let uri = uri(driver.options.uri.as_ref());
    match &driver.settings {
        None => quote_spanned! {Span::mixed_site()=>
            ::driver_sdk::__private::start(
                context,
                #uri,
                |context| Self::start(context),
                Self::__schedule,
            )
        },
        Some(settings) => quote_spanned! {Span::mixed_site().located_at(settings.span())=>
            ::driver_sdk::__private::start_with::<#settings, _, _>(
                context,
                #uri,
                |context, settings| Self::start(context, settings),
                Self::__schedule,
            )
        },
    }
}

/// The method that starts what an instance does by the clock. Its receiver is the author's, whose expressions speak of it.
fn schedule(driver: &Driver) -> TokenStream {
    let receiver = Token![self](Span::call_site());
    let work = driver.work.iter().map(|work| {
        let Work {
            conditions,
            method,
            when,
        } = work;
        let turn = quote_spanned! {Span::mixed_site().located_at(method.span())=>
            |instance| ::std::boxed::Box::pin(async move {
                let done = ::driver_sdk::IntoOutcome::into_outcome(Self::#method(&instance).await);
                done.map(::std::mem::drop)
            })
        };
        let start = match when {
            When::Every(period) => quote_spanned! {Span::mixed_site().located_at(period.span())=>
                schedule.every(#period, #turn);
            },
            When::At(moment) => quote_spanned! {Span::mixed_site().located_at(moment.span())=>
                schedule.at(#moment, #turn);
            },
            When::Cron { pattern, zone } => {
                quote_spanned! {Span::mixed_site().located_at(zone.span())=>
                    schedule.cron(#pattern, #zone, #turn)?;
                }
            }
        };
        quote_spanned! {Span::mixed_site()=> #(#conditions)* { #start } }
    });
    quote_spanned! {Span::mixed_site()=>
        fn __schedule(
            &#receiver,
            schedule: &::driver_sdk::__private::Schedule<Self>,
        ) -> ::std::result::Result<(), ::driver_sdk::Error> {
            let _without_work = schedule;
            #(#work)*
            ::std::result::Result::Ok(())
        }
    }
}

/// The statement that describes one status.
pub(crate) fn describe_status(status: &StatusConst) -> TokenStream {
    let StatusConst {
        conditions,
        ident,
        description,
    } = status;
    quote_spanned! {Span::mixed_site().located_at(ident.span())=>
        #(#conditions)*
        ::driver_sdk::__private::describe_status(interface, &Self::#ident, #description);
    }
}

/// The statement that describes one function.
pub(crate) fn describe_function(function: &Function) -> TokenStream {
    let Function {
        conditions,
        name,
        description,
        clearance,
        ..
    } = function;
    let parameters = function.parameters.iter().map(parameter);
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        ::driver_sdk::__private::describe(
            interface,
            #name,
            #description,
            ::driver_sdk::Clearance::#clearance,
            [#(#parameters),*],
        );
    }
}

/// The expression that describes one parameter; its span is the type's, where "has no schema" belongs.
fn parameter(parameter: &Parameter) -> TokenStream {
    let Parameter { name, ty, .. } = parameter;
    let sent = parameter.sent_type();
    let span = Span::mixed_site().located_at(ty.span());
    match &parameter.presence {
        Presence::Required => quote_spanned! {span=>
            ::driver_sdk::__private::required::<#sent>(#name)
        },
        Presence::Optional(_) => quote_spanned! {span=>
            ::driver_sdk::__private::optional::<#sent>(#name)
        },
        Presence::Default(value) => {
            let value = quote_spanned! {span.located_at(value.span())=> &#value };
            quote_spanned! {span=>
                ::driver_sdk::__private::defaulted::<#sent, #ty>(#name, #value)
            }
        }
    }
}

fn instance(driver: &Driver) -> TokenStream {
    let ty = &driver.block.self_ty;
    let arms = driver.functions.iter().map(arm);
    let interfaces = driver.traits().map(|path| {
        quote_spanned! {Span::mixed_site().located_at(path.span())=>
            let arguments = match <Self as #path>::__call(
                ::std::sync::Arc::clone(&self),
                function,
                arguments,
            ) {
                ::std::result::Result::Ok(calling) => return calling,
                ::std::result::Result::Err(arguments) => arguments,
            };
        }
    });
    let settings_changed = driver.has_settings_changed.then(|| {
        quote_spanned! {Span::mixed_site()=>
            fn settings_changed(
                self: ::std::sync::Arc<Self>,
                settings: &::driver_sdk::JsonText,
            ) -> ::std::option::Option<::driver_sdk::__private::Changing> {
                let settings = ::driver_sdk::__private::settings(settings);
                ::std::option::Option::Some(::std::boxed::Box::pin(async move {
                    Self::settings_changed(&self, settings?).await
                }))
            }
        }
    });
    let stop = driver
        .has_stop
        .then(|| quote_spanned! {Span::mixed_site()=> Self::stop(&self).await });
    quote_spanned! {Span::mixed_site()=>
        impl ::driver_sdk::Instance for #ty {
            fn call(
                self: ::std::sync::Arc<Self>,
                function: &::driver_sdk::FunctionName,
                arguments: &::driver_sdk::JsonText,
            ) -> ::driver_sdk::Calling {
                let arguments = ::driver_sdk::__private::Arguments::new(function, arguments);
                match function.as_str() {
                    #(#arms)*
                    _ => {
                        #(#interfaces)*
                        arguments.refuse_function()
                    }
                }
            }

            #settings_changed

            fn stop(self: ::std::sync::Arc<Self>) -> ::driver_sdk::BoxFuture<'static, ()> {
                ::std::boxed::Box::pin(async move { #stop })
            }
        }
    }
}

/// The arm that calls one function.
fn arm(function: &Function) -> TokenStream {
    let Function {
        conditions,
        method,
        name,
        ..
    } = function;
    let call = call(function);
    quote_spanned! {Span::mixed_site().located_at(method.span())=>
        #(#conditions)*
        #name => #call,
    }
}

/// The expression that calls one function. One without parameters takes whatever is sent, so it reads nothing.
pub(crate) fn call(function: &Function) -> TokenStream {
    let Function {
        method,
        output,
        parameters,
        ..
    } = function;
    let idents: Vec<_> = parameters.iter().map(|it| &it.ident).collect();
    let names = parameters.iter().map(|it| &it.name);
    let values = parameters.iter().map(read);
    let read = (!parameters.is_empty()).then(|| {
        quote_spanned! {Span::mixed_site()=>
            let (#(#idents,)*) = arguments.read([#(#names),*], |given| {
                ::std::result::Result::Ok((#(#values,)*))
            })?;
        }
    });
    // What is wrong with the method's result or its future is shown at the method.
    let call = quote_spanned! {Span::mixed_site().located_at(*output)=>
        ::driver_sdk::IntoOutcome::into_outcome(Self::#method(&self, #(#idents),*).await)
    };
    quote_spanned! {Span::mixed_site().located_at(method.span())=>
        ::std::boxed::Box::pin(async move { #read #call })
    }
}

/// The expression that reads one argument; its span is the type's, where "cannot be read from JSON" belongs.
fn read(parameter: &Parameter) -> TokenStream {
    let ty = &parameter.ty;
    let span = Span::mixed_site().located_at(ty.span());
    match &parameter.presence {
        Presence::Required => quote_spanned! {span=> given.required::<#ty>()? },
        Presence::Optional(_) => quote_spanned! {span=>
            given.or::<#ty>(|| ::std::option::Option::None)?
        },
        Presence::Default(value) => quote_spanned! {span=> given.or::<#ty>(|| #value)? },
    }
}

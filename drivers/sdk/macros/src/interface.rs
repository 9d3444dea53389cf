//! The `interface` attribute: a trait whose functions and statuses go into the interface of each driver that implements it.
//!
//! Its async methods become ones whose futures may move between threads, and two hidden methods join them: one describes, one calls.
//! The option `callable` implements it for `ModuleRef` too, by calls of another module.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Error, FnArg, ItemTrait, Result, ReturnType, Token, TraitItem, TraitItemFn,
    parse_quote,
};

use crate::expand::{call, describe_function, describe_status};
use crate::parse::{Function, Mistakes, StatusConst, is_shared_reference};

const CALLABLE_SHAPE: &str = "what clients call is `async fn name(&self, …)`";
const OPTIONS: &str = "`interface` takes one option, `callable`";
const NOT_CALLABLE: &str = "a callable interface has methods that return a `Result` with a value to be read, and statuses with a name";
const NO_GENERICS: &str = "an interface has no generics; give it an associated type";

pub(crate) fn expand(options: &TokenStream, item: TokenStream) -> Result<TokenStream> {
    let is_callable = match &*options.to_string() {
        "" => false,
        "callable" => true,
        _ => return Err(Error::new_spanned(options, OPTIONS)),
    };
    let mut item: ItemTrait = syn::parse2(item)?;
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, NO_GENERICS));
    }
    let mut mistakes = Mistakes::default();
    let (mut functions, mut statuses, mut remote) = (Vec::new(), Vec::new(), Vec::new());
    for member in &mut item.items {
        let is_filled_in = matches!(member, TraitItem::Fn(_))
            || matches!(member, TraitItem::Const(constant) if constant.default.is_some());
        if is_callable && !is_filled_in {
            mistakes.note(Err::<(), _>(Error::new_spanned(&*member, NOT_CALLABLE)));
        }
        if let TraitItem::Fn(method) = member {
            let output = method.sig.output.clone();
            if let Some(function) = mistakes.note(take(method)) {
                remote.push(calling_remotely(&function, &output));
                functions.push(function);
            }
        } else if let TraitItem::Const(constant) = member {
            statuses.extend(StatusConst::of(
                &constant.attrs,
                &constant.ident,
                &constant.ty,
            ));
        }
    }
    mistakes.into_result()?;

    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    item.items.push(describing(&item, &functions, &statuses));
    item.items.push(calling(&functions));
    let remote = is_callable.then(|| {
        let name = &item.ident;
        quote_spanned! {Span::mixed_site()=>
            impl #name for ::driver_sdk::ModuleRef {
                #(#remote)*
            }
        }
    });
    Ok(quote! { #item #remote })
}

/// The method that calls one function of another module.
fn calling_remotely(function: &Function, output: &ReturnType) -> TokenStream {
    let Function {
        conditions,
        method,
        name,
        parameters,
        ..
    } = function;
    let idents: Vec<_> = parameters
        .iter()
        .map(|parameter| &parameter.ident)
        .collect();
    let types = parameters.iter().map(|parameter| &parameter.ty);
    let receiver = Token![self](Span::mixed_site());
    quote_spanned! {Span::mixed_site().located_at(method.span())=>
        #(#conditions)*
        async fn #method(&#receiver #(, #idents: #types)*) #output {
            let arguments = (#(#idents,)*);
            ::driver_sdk::__private::answered(#receiver.call(#name, arguments).await)
        }
    }
}

/// Reads a method, and makes its future one that may move between threads.
fn take(method: &mut TraitItemFn) -> Result<Function> {
    let is_callable =
        method.sig.asyncness.is_some() && method.sig.receiver().is_some_and(is_shared_reference);
    if !is_callable {
        return Err(Error::new_spanned(&method.sig, CALLABLE_SHAPE));
    }
    let function = Function::take(&mut method.attrs, &mut method.sig)?;
    let output = match &method.sig.output {
        ReturnType::Default => quote! { () },
        ReturnType::Type(_, ty) => quote! { #ty },
    };
    method.sig.asyncness = None;
    method.sig.output =
        parse_quote!(-> impl ::core::future::Future<Output = #output> + ::core::marker::Send);
    if let Some(body) = &method.default {
        let moved = method.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Some(&input.pat),
            FnArg::Receiver(_) => None,
        });
        let moved = moved.map(|pat| quote! { let #pat = #pat; });
        method.default = Some(parse_quote!({ async move { #(#moved)* #body } }));
    }
    Ok(function)
}

fn describing(item: &ItemTrait, functions: &[Function], statuses: &[StatusConst]) -> TraitItem {
    let name = item.ident.to_string();
    let functions = functions.iter().map(describe_function);
    let statuses = statuses.iter().map(describe_status);
    let hidden = hidden();
    syn::parse2(quote_spanned! {Span::mixed_site()=>
        #hidden
        fn __describe(interface: &mut ::driver_sdk::Interface)
        where
            Self: ::core::marker::Sized,
        {
            interface.implements.push(::std::borrow::ToOwned::to_owned(#name));
            #(#statuses)*
            #(#functions)*
        }
    })
    .expect("it is a method")
}

fn calling(functions: &[Function]) -> TraitItem {
    let arms = functions.iter().map(|function| {
        let Function {
            conditions,
            method,
            name,
            ..
        } = function;
        let call = call(function);
        quote_spanned! {Span::mixed_site().located_at(method.span())=>
            #(#conditions)*
            #name => ::std::result::Result::Ok(#call),
        }
    });
    let hidden = hidden();
    syn::parse2(quote_spanned! {Span::mixed_site()=>
        #hidden
        fn __call(
            self: ::std::sync::Arc<Self>,
            function: &::driver_sdk::FunctionName,
            arguments: ::driver_sdk::__private::Arguments,
        ) -> ::std::result::Result<::driver_sdk::Calling, ::driver_sdk::__private::Arguments>
        where
            Self: ::core::marker::Sized,
        {
            match function.as_str() {
                #(#arms)*
                _ => ::std::result::Result::Err(arguments),
            }
        }
    })
    .expect("it is a method")
}

fn hidden() -> Attribute {
    parse_quote!(#[doc(hidden)])
}

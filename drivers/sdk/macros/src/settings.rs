//! The `settings` attribute: a struct or an enum that is read from a module's settings, with its schema.
//!
//! It writes the derives that an author would write by hand, and for a struct the list of its fields, by which each can be checked on its own.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, Field, Fields, Item, ItemEnum, ItemStruct, Meta, Result, Type};

use crate::parse::{Mistakes, inside_option, take_helper};

const SHAPE: &str = "settings are a struct with named fields, or an enum for one of their values";
const NO_GENERICS: &str = "settings have no generics: the building file could not choose them";
const OWN_SERDE: &str = "a setting is called like its field and read as its type; \
    give it a type of its own for another form, and `#[default(…)]` where it may be left out";
const UNKNOWN_OPTION: &str =
    "unknown option: `settings` takes `open`, which leaves keys that no field has to others";

/// How a field stands for a key that is left out.
enum Presence {
    Needed,
    Optional,
    Default(Expr),
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let is_open = is_open(options)?;
    let item: Item = syn::parse2(item)?;
    if let Item::Struct(item) = item {
        return expand_struct(item, is_open);
    }
    if let (Item::Enum(item), false) = (&item, is_open) {
        return Ok(expand_enum(item));
    }
    Err(Error::new_spanned(item, SHAPE))
}

fn is_open(options: TokenStream) -> Result<bool> {
    if options.is_empty() {
        return Ok(false);
    }
    let option: Meta = syn::parse2(options)?;
    match option.path().is_ident("open") && option.require_path_only().is_ok() {
        true => Ok(true),
        false => Err(Error::new_spanned(option, UNKNOWN_OPTION)),
    }
}

fn expand_struct(mut item: ItemStruct, is_open: bool) -> Result<TokenStream> {
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, NO_GENERICS));
    }
    let name = item.ident.clone();
    let Fields::Named(fields) = &mut item.fields else {
        return Err(Error::new_spanned(&name, SHAPE));
    };
    let mut mistakes = Mistakes::default();
    let (mut list, mut defaults) = (Vec::new(), Vec::new());
    for field in &mut fields.named {
        if let Some(presence) = mistakes.note(take_presence(field)) {
            list.push(listed(field, &presence));
            if let Presence::Default(value) = presence {
                defaults.push(default(&name, field, &value));
            }
        }
    }
    mistakes.into_result()?;
    let strict = (!is_open).then(|| quote! { #[serde(deny_unknown_fields)] });
    let derives = derives();
    Ok(quote_spanned! {Span::mixed_site()=>
        #derives
        #strict
        #item

        #[automatically_derived]
        impl #name { #(#defaults)* }

        #[automatically_derived]
        impl ::driver_sdk::Settings for #name {
            const FIELDS: &'static [::driver_sdk::__private::Field] = &[#(#list),*];
            const OPEN: bool = #is_open;
        }
    })
}

/// The names of an enum are written as all names in a building file are.
fn expand_enum(item: &ItemEnum) -> TokenStream {
    let derives = derives();
    let is_serde = |attribute: &Attribute| attribute.path().is_ident("serde");
    let names =
        (!item.attrs.iter().any(is_serde)).then(|| quote! { #[serde(rename_all = "snake_case")] });
    quote! { #derives #names #item }
}

fn derives() -> TokenStream {
    quote! {
        #[derive(::driver_sdk::serde::Deserialize, ::driver_sdk::schemars::JsonSchema)]
        #[serde(crate = "::driver_sdk::serde")]
        #[schemars(crate = "::driver_sdk::schemars")]
    }
}

/// Takes `#[default(…)]` off a field and says the same to `serde`.
fn take_presence(field: &mut Field) -> Result<Presence> {
    let is_serde = |attribute: &&Attribute| attribute.path().is_ident("serde");
    if let Some(attribute) = field.attrs.iter().find(is_serde) {
        return Err(Error::new_spanned(attribute, OWN_SERDE));
    }
    match take_helper(&mut field.attrs, "default").as_slice() {
        [] => match inside_option(&field.ty) {
            Some(_) => Ok(Presence::Optional),
            None => Ok(Presence::Needed),
        },
        [attribute] => match &attribute.meta {
            Meta::Path(_) => {
                field.attrs.push(syn::parse_quote!(#[serde(default)]));
                Ok(Presence::Optional)
            }
            Meta::List(list) => list.parse_args().map(Presence::Default),
            meta @ Meta::NameValue(_) => Err(Error::new_spanned(
                meta,
                "expected `#[default(…)]`, or `#[default]` for the type's own",
            )),
        },
        [.., twice] => Err(Error::new_spanned(twice, "this setting has two defaults")),
    }
}

/// The entry of a field in the list; its span is the type's, where "cannot be read" belongs.
fn listed(field: &Field, presence: &Presence) -> TokenStream {
    let ty: &Type = &field.ty;
    let name = field.ident.as_ref().map(|ident| ident.unraw().to_string());
    let span = Span::mixed_site().located_at(ty.span());
    match presence {
        Presence::Needed => quote_spanned! {span=>
            ::driver_sdk::__private::Field::needed::<#ty>(#name)
        },
        Presence::Optional | Presence::Default(_) => quote_spanned! {span=>
            ::driver_sdk::__private::Field::optional::<#ty>(#name)
        },
    }
}

/// The function that makes a field's default, which `serde` calls by its path.
fn default(owner: &syn::Ident, field: &mut Field, value: &Expr) -> TokenStream {
    let name = field.ident.as_ref().map(|ident| ident.unraw().to_string());
    let function = format_ident!("__default_{}", name.unwrap_or_default());
    let path = format!("{owner}::{function}");
    field
        .attrs
        .push(syn::parse_quote!(#[serde(default = #path)]));
    let ty = field.ty.to_token_stream();
    quote_spanned! {Span::mixed_site().located_at(value.span())=>
        fn #function() -> #ty { #value }
    }
}

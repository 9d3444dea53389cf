//! Reads the `impl` block of a driver into what the expansion needs, and says what is wrong with it.
//!
//! Every mistake of a block is reported at once, each at the tokens that are wrong.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Ident, ImplItem, ImplItemFn, ItemImpl, Lit,
    LitStr, Meta, Pat, Path, PathArguments, Receiver, Result, ReturnType, Signature, Token, Type,
    Visibility,
};

const NEEDS_START: &str = "a driver needs `async fn start(context: Context) -> Result<Self, Error>`, \
    with `settings: Settings` behind the context if it takes settings";
const SETTINGS_CHANGED_SHAPE: &str = "`settings_changed` is `async fn settings_changed(&self, settings: Settings) -> Result<(), Error>`, \
     with the settings of `start`";
const URI_SHAPE: &str = "expected `uri(needed, \"tcp\", …)`: `needed`, `optional` or `default = \"tcp://…\"`, \
    and the schemes that the address may begin with, any if there are none";
const STOP_SHAPE: &str = "`stop` is `async fn stop(&self)`";
const CALLABLE_SHAPE: &str =
    "what clients call is `pub async fn name(&self, …)`; without `pub` it is the driver's own";
const WORK_SHAPE: &str = "what is done by the clock is `async fn name(&self)`";
const TWO_SCHEDULES: &str = "a method is done by one clock; write another that calls it";
const EVERY_SHAPE: &str = "expected `#[every(60 s)]` with one of ms, s, min and h, or an expression such as `self.poll_seconds`";
const AT_SHAPE: &str =
    "expected `#[at(self.moment)]` with a `jiff::Timestamp`, or an `Option` of one";
const CRON_SHAPE: &str = "expected `#[cron(\"0 8 * * 1-5\", timezone = \"Europe/Berlin\")]`";
/// The attributes of what is done by the clock.
const SCHEDULES: &[&str] = &["every", "at", "cron"];
/// What a host calls by itself.
const LIFE: &[&str] = &["start", "stop", "settings_changed"];
const NO_GENERICS: &str = "what clients call has no generics: they could not choose them";
const PLAIN_NAME: &str = "an argument is a plain name: clients can give it by this name";
const OWNED_VALUE: &str =
    "an argument is an owned value, such as `String`: it is read from the client's JSON";

/// What the attribute and its block say.
pub(crate) struct Driver {
    pub(crate) options: Options,
    pub(crate) description: String,
    /// The block as the compiler shall see it: without the helper attributes.
    pub(crate) block: ItemImpl,
    pub(crate) functions: Vec<Function>,
    pub(crate) statuses: Vec<StatusConst>,
    /// What an instance does by the clock.
    pub(crate) work: Vec<Work>,
    /// The type of the settings that `start` takes.
    pub(crate) settings: Option<Type>,
    pub(crate) has_stop: bool,
    pub(crate) has_settings_changed: bool,
}

/// The options of the attribute.
pub(crate) struct Options {
    pub(crate) id: LitStr,
    pub(crate) name: LitStr,
    pub(crate) implements: Vec<Implements>,
    pub(crate) uri: Option<UriOption>,
}

/// What the driver says of the address of its device.
pub(crate) struct UriOption {
    pub(crate) presence: UriPresence,
    pub(crate) schemes: Vec<LitStr>,
}

/// Whether a module has an address.
pub(crate) enum UriPresence {
    Optional,
    Default(LitStr),
    Needed,
}

/// An interface that the driver has.
pub(crate) enum Implements {
    /// A trait, whose functions are its.
    Trait(Path),
    /// A name alone.
    Name(LitStr),
}

impl Parse for Implements {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.peek(LitStr) {
            true => input.parse().map(Self::Name),
            false => input.parse().map(Self::Trait),
        }
    }
}

/// A constant of the block that is a status.
pub(crate) struct StatusConst {
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) description: String,
}

impl StatusConst {
    /// A constant whose type is written as `Status<…>`.
    pub(crate) fn of(attributes: &[Attribute], ident: &Ident, ty: &Type) -> Option<Self> {
        let Type::Path(path) = ty else { return None };
        let is_status = path.path.segments.last()?.ident == "Status";
        is_status.then(|| Self {
            conditions: conditions(attributes),
            ident: ident.clone(),
            description: description(attributes),
        })
    }
}

/// A method that is done by the clock.
pub(crate) struct Work {
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) method: Ident,
    pub(crate) when: When,
}

/// When a method is done. The expressions may speak of `self`.
pub(crate) enum When {
    Every(TokenStream),
    At(Expr),
    Cron { pattern: Expr, zone: Expr },
}

/// A method that clients call.
pub(crate) struct Function {
    /// `#[cfg]`s of the method, which hold for all that speaks of it.
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) method: Ident,
    pub(crate) name: String,
    pub(crate) description: String,
    /// The variant of `Clearance`.
    pub(crate) clearance: Ident,
    pub(crate) parameters: Vec<Parameter>,
    /// Where the method says what it returns.
    pub(crate) output: Span,
}

/// A parameter of such a method.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    /// The name for calls with named arguments.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) presence: Presence,
}

/// What stands in for an absent argument.
pub(crate) enum Presence {
    /// Nothing: the argument must be there.
    Required,
    /// `None`. Holds the type inside the option, which is what clients send.
    Optional(Type),
    /// The value of an expression.
    Default(Expr),
}

impl Driver {
    pub(crate) fn parse(options: TokenStream, item: TokenStream) -> Result<Self> {
        let options = Options::parse.parse2(options)?;
        let mut block: ItemImpl = syn::parse2(item)?;
        if let Some((_, of_trait, _)) = &block.trait_ {
            return Err(Error::new_spanned(
                of_trait,
                "a driver is an `impl` block of its own type, not of a trait",
            ));
        }
        if !block.generics.params.is_empty() {
            return Err(Error::new_spanned(
                &block.generics,
                "a driver's type has no generics: a host could not choose them",
            ));
        }

        let mut mistakes = Mistakes::default();
        let (mut functions, mut statuses, mut work) = (Vec::new(), Vec::new(), Vec::new());
        let (mut has_start, mut has_stop) = (false, false);
        let (mut settings, mut changed) = (None, None);
        for item in &mut block.items {
            if let ImplItem::Const(constant) = item {
                statuses.extend(StatusConst::of(
                    &constant.attrs,
                    &constant.ident,
                    &constant.ty,
                ));
            }
            let ImplItem::Fn(method) = item else { continue };
            let is_life = LIFE.iter().any(|name| method.sig.ident == name);
            if !is_life {
                work.extend(mistakes.note(Work::take(method)).flatten());
            }
            if method.sig.ident == "start" {
                has_start = true;
                settings = mistakes.note(check_start(method)).flatten();
            } else if method.sig.ident == "settings_changed" {
                mistakes.note(check_settings_changed(method));
                changed = Some(method.sig.clone());
            } else if method.sig.ident == "stop" {
                has_stop = true;
                mistakes.note(check_stop(method));
            } else if matches!(method.vis, Visibility::Public(_)) {
                functions.extend(mistakes.note(take_callable(method)));
            } else {
                mistakes.note(refuse_helpers(method));
            }
        }
        if !has_start {
            mistakes.note::<()>(Err(Error::new_spanned(&block.self_ty, NEEDS_START)));
        }
        if let (None, Some(changed), true) = (&settings, &changed, has_start) {
            let shape = Error::new_spanned(changed, SETTINGS_CHANGED_SHAPE);
            mistakes.note::<()>(Err(shape));
        }
        mistakes.note(check_names(&functions));
        mistakes.into_result()?;

        Ok(Self {
            options,
            description: description(&block.attrs),
            block,
            functions,
            statuses,
            work,
            settings,
            has_stop,
            has_settings_changed: changed.is_some(),
        })
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut id, mut name, mut implements, mut uri) = (None, None, None, None);
        for option in Punctuated::<Meta, Token![,]>::parse_terminated(input)? {
            let twice = if option.path().is_ident("id") {
                id.replace(checked_name(value(&option)?)?).is_some()
            } else if option.path().is_ident("name") {
                name.replace(checked_name(value(&option)?)?).is_some()
            } else if option.path().is_ident("implements") {
                let list = option
                    .require_list()?
                    .parse_args_with(Punctuated::<Implements, Token![,]>::parse_terminated)?;
                implements.replace(list.into_iter().collect()).is_some()
            } else if option.path().is_ident("uri") {
                uri.replace(UriOption::take(&option)?).is_some()
            } else {
                return Err(Error::new_spanned(
                    option,
                    "unknown option: `driver` takes `id`, `name`, `implements` and `uri`",
                ));
            };
            if twice {
                return Err(Error::new_spanned(option, "this option is given twice"));
            }
        }
        let missing = |what| {
            let message = format!("`driver` needs {what}: `#[driver(id = \"…\", name = \"…\")]`");
            Error::new(Span::call_site(), message)
        };
        Ok(Self {
            id: id.ok_or_else(|| missing("an id"))?,
            name: name.ok_or_else(|| missing("a module name"))?,
            implements: implements.unwrap_or_default(),
            uri,
        })
    }
}

impl UriOption {
    fn take(option: &Meta) -> Result<Self> {
        let shape = |tokens: &dyn ToTokens| Error::new_spanned(tokens, URI_SHAPE);
        let Meta::List(list) = option else {
            return Err(shape(option));
        };
        let items = list.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
        let (mut presence, mut schemes) = (None, Vec::new());
        for item in &items {
            let is_first = if let Expr::Lit(literal) = item
                && let Lit::Str(scheme) = &literal.lit
            {
                schemes.push(scheme.clone());
                true
            } else if is_word(item, "needed") {
                presence.replace(UriPresence::Needed).is_none()
            } else if is_word(item, "optional") {
                presence.replace(UriPresence::Optional).is_none()
            } else if let Expr::Assign(assign) = item
                && is_word(&assign.left, "default")
            {
                let uri = syn::parse2(assign.right.to_token_stream());
                let uri = uri.map_err(|_| shape(item))?;
                presence.replace(UriPresence::Default(uri)).is_none()
            } else {
                false
            };
            if !is_first {
                return Err(shape(item));
            }
        }
        let presence = presence.ok_or_else(|| shape(option))?;
        Ok(Self { presence, schemes })
    }
}

fn is_word(expression: &Expr, word: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.path.is_ident(word))
}

impl Work {
    /// Takes `#[every(…)]`, `#[at(…)]` or `#[cron(…)]` off a method.
    fn take(method: &mut ImplItemFn) -> Result<Option<Self>> {
        let mut taken = Vec::new();
        for name in SCHEDULES {
            taken.extend(take_helper(&mut method.attrs, name));
        }
        let attribute = match taken.as_slice() {
            [] => return Ok(None),
            [attribute] => attribute,
            [.., twice] => return Err(Error::new_spanned(twice, TWO_SCHEDULES)),
        };
        let signature = &method.sig;
        let is_work = signature.asyncness.is_some()
            && signature.receiver().is_some_and(is_shared_reference)
            && signature.inputs.len() == 1;
        if !is_work {
            return Err(Error::new_spanned(signature, WORK_SHAPE));
        }
        Ok(Some(Self {
            conditions: conditions(&method.attrs),
            method: signature.ident.clone(),
            when: When::of(attribute)?,
        }))
    }
}

impl When {
    fn of(attribute: &Attribute) -> Result<Self> {
        if attribute.path().is_ident("every") {
            let shape = |_| Error::new_spanned(attribute, EVERY_SHAPE);
            let Period(period) = attribute.parse_args().map_err(shape)?;
            return Ok(Self::Every(period));
        }
        if attribute.path().is_ident("at") {
            let shape = |_| Error::new_spanned(attribute, AT_SHAPE);
            return attribute.parse_args().map(Self::At).map_err(shape);
        }
        let shape = || Error::new_spanned(attribute, CRON_SHAPE);
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let mut items = attribute
            .parse_args_with(parser)
            .map_err(|_| shape())?
            .into_iter();
        match (items.next(), items.next(), items.next()) {
            (Some(pattern), Some(Expr::Assign(zone)), None) if is_word(&zone.left, "timezone") => {
                let zone = *zone.right;
                Ok(Self::Cron { pattern, zone })
            }
            _ => Err(shape()),
        }
    }
}

/// A period: a number with its unit, `60 s`, or an expression.
struct Period(TokenStream);

impl Parse for Period {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(Lit) {
            let period: Expr = input.parse()?;
            return Ok(Self(period.into_token_stream()));
        }
        let literal: Lit = input.parse()?;
        let (digits, suffix) = if let Lit::Int(number) = &literal {
            (number.base10_digits(), number.suffix())
        } else if let Lit::Float(number) = &literal {
            (number.base10_digits(), number.suffix())
        } else {
            return Err(Error::new_spanned(literal, EVERY_SHAPE));
        };
        let unit = match suffix {
            "" => input.parse::<Ident>()?.to_string(),
            suffix => suffix.to_owned(),
        };
        let nanoseconds = match unit.as_str() {
            "ms" => 1e6,
            "s" => 1e9,
            "min" => 60e9,
            "h" => 3600e9,
            _ => return Err(Error::new_spanned(literal, EVERY_SHAPE)),
        };
        let number: f64 = digits
            .parse()
            .map_err(|_| Error::new_spanned(&literal, EVERY_SHAPE))?;
        let seconds = number * nanoseconds / 1e9;
        let period = quote::quote! { ::std::time::Duration::from_secs_f64(#seconds) };
        Ok(Self(period))
    }
}

/// Reads a public method of a driver's block.
fn take_callable(method: &mut ImplItemFn) -> Result<Function> {
    let is_callable =
        method.sig.asyncness.is_some() && method.sig.receiver().is_some_and(is_shared_reference);
    if !is_callable {
        return Err(Error::new_spanned(&method.sig, CALLABLE_SHAPE));
    }
    Function::take(&mut method.attrs, &mut method.sig)
}

impl Function {
    /// Reads a method that clients call, and takes the helper attributes off it.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, sig: &mut Signature) -> Result<Self> {
        if !sig.generics.params.is_empty() {
            return Err(Error::new_spanned(&sig.generics, NO_GENERICS));
        }
        let name = take_name(attrs, &sig.ident)?;
        let clearance = take_clearance(attrs)?;
        let inputs = sig.inputs.iter_mut().skip(1);
        let parameters = inputs.map(Parameter::take).collect::<Result<_>>()?;
        Ok(Self {
            conditions: conditions(attrs),
            method: sig.ident.clone(),
            name,
            description: description(attrs),
            clearance,
            parameters,
            output: match &sig.output {
                ReturnType::Default => sig.ident.span(),
                ReturnType::Type(_, ty) => ty.span(),
            },
        })
    }
}

fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    let conditions = attributes.iter().filter(|it| it.path().is_ident("cfg"));
    conditions.cloned().collect()
}

impl Parameter {
    fn take(input: &mut FnArg) -> Result<Self> {
        let FnArg::Typed(input) = input else {
            return Err(Error::new_spanned(input, PLAIN_NAME));
        };
        let ident = plain_name(&input.pat)?.clone();
        if let Type::Reference(ty) = &*input.ty {
            return Err(Error::new_spanned(ty, OWNED_VALUE));
        }
        if let Type::ImplTrait(ty) = &*input.ty {
            return Err(Error::new_spanned(ty, NO_GENERICS));
        }
        let presence = match take_default(&mut input.attrs)? {
            Some(value) => Presence::Default(value),
            None => match inside_option(&input.ty) {
                Some(inside) => Presence::Optional(inside.clone()),
                None => Presence::Required,
            },
        };
        Ok(Self {
            name: ident.unraw().to_string(),
            ident,
            ty: (*input.ty).clone(),
            presence,
        })
    }

    /// The type that clients send when they send something.
    pub(crate) fn sent_type(&self) -> &Type {
        match &self.presence {
            Presence::Optional(inside) => inside,
            Presence::Default(_) => inside_option(&self.ty).unwrap_or(&self.ty),
            Presence::Required => &self.ty,
        }
    }
}

/// Several mistakes as one error, so that an author fixes them in one go.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        match (result, &mut self.0) {
            (Ok(value), _) => return Some(value),
            (Err(error), Some(all)) => all.combine(error),
            (Err(error), first) => *first = Some(error),
        }
        None
    }

    pub(crate) fn into_result(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Gives the type of the settings, if it takes some.
fn check_start(method: &ImplItemFn) -> Result<Option<Type>> {
    let signature = &method.sig;
    let is_start = signature.asyncness.is_some()
        && signature.receiver().is_none()
        && (1..=2).contains(&signature.inputs.len())
        && matches!(signature.output, ReturnType::Type(..));
    if !is_start {
        return Err(Error::new_spanned(signature, NEEDS_START));
    }
    refuse_helpers(method)?;
    Ok(signature.inputs.get(1).and_then(typed).cloned())
}

fn check_settings_changed(method: &ImplItemFn) -> Result<()> {
    let signature = &method.sig;
    let is_shape = signature.asyncness.is_some()
        && signature.receiver().is_some_and(is_shared_reference)
        && signature.inputs.len() == 2
        && matches!(signature.output, ReturnType::Type(..));
    if !is_shape {
        return Err(Error::new_spanned(signature, SETTINGS_CHANGED_SHAPE));
    }
    refuse_helpers(method)
}

fn typed(input: &FnArg) -> Option<&Type> {
    match input {
        FnArg::Typed(input) => Some(&input.ty),
        FnArg::Receiver(_) => None,
    }
}

fn check_stop(method: &ImplItemFn) -> Result<()> {
    let signature = &method.sig;
    let is_stop = signature.asyncness.is_some()
        && signature.receiver().is_some_and(is_shared_reference)
        && signature.inputs.len() == 1
        && matches!(signature.output, ReturnType::Default);
    if !is_stop {
        return Err(Error::new_spanned(signature, STOP_SHAPE));
    }
    refuse_helpers(method)
}

fn check_names(functions: &[Function]) -> Result<()> {
    let mut names = HashSet::new();
    for function in functions.iter().filter(|it| it.conditions.is_empty()) {
        if !names.insert(&function.name) {
            return Err(Error::new_spanned(
                &function.method,
                format!("another function is called `{}` already", function.name),
            ));
        }
    }
    Ok(())
}

/// Without this check a forgotten `pub` would leave an attribute that the compiler does not know.
fn refuse_helpers(method: &ImplItemFn) -> Result<()> {
    let helper = |attribute: &&Attribute| {
        let mut names = ["name", "support", "admin"].iter().chain(SCHEDULES);
        names.any(|name| attribute.path().is_ident(name))
    };
    match method.attrs.iter().find(helper) {
        Some(attribute) => Err(Error::new_spanned(
            attribute,
            match SCHEDULES.iter().any(|name| attribute.path().is_ident(name)) {
                true => WORK_SHAPE,
                false => "only what clients call has this attribute",
            },
        )),
        None => Ok(()),
    }
}

pub(crate) fn is_shared_reference(receiver: &Receiver) -> bool {
    receiver.reference.is_some() && receiver.mutability.is_none()
}

fn plain_name(pattern: &Pat) -> Result<&Ident> {
    if let Pat::Ident(name) = pattern
        && name.by_ref.is_none()
        && name.subpat.is_none()
    {
        return Ok(&name.ident);
    }
    Err(Error::new_spanned(pattern, PLAIN_NAME))
}

fn take_name(attributes: &mut Vec<Attribute>, method: &Ident) -> Result<String> {
    match take_helper(attributes, "name").as_slice() {
        [] => Ok(method.unraw().to_string()),
        [attribute] => {
            let shape = |_| Error::new_spanned(attribute, "expected `#[name(\"…\")]`");
            checked_name(attribute.parse_args().map_err(shape)?).map(|name| name.value())
        }
        [.., attribute] => Err(Error::new_spanned(attribute, "the name is given twice")),
    }
}

fn take_clearance(attributes: &mut Vec<Attribute>) -> Result<Ident> {
    let support = take_helper(attributes, "support");
    let admin = take_helper(attributes, "admin");
    for attribute in support.iter().chain(&admin) {
        attribute.meta.require_path_only()?;
    }
    let variant = match (support.as_slice(), admin.as_slice()) {
        ([], []) => "User",
        ([_], []) => "Support",
        ([], [_]) => "Admin",
        ([.., twice], _) | (_, [.., twice]) => {
            return Err(Error::new_spanned(twice, "the clearance is given twice"));
        }
    };
    Ok(Ident::new(variant, Span::call_site()))
}

fn take_default(attributes: &mut Vec<Attribute>) -> Result<Option<Expr>> {
    match take_helper(attributes, "default").as_slice() {
        [] => Ok(None),
        [attribute] => match &attribute.meta {
            Meta::List(list) => list.parse_args().map(Some),
            meta @ (Meta::Path(_) | Meta::NameValue(_)) => {
                Err(Error::new_spanned(meta, "expected `#[default(…)]`"))
            }
        },
        [.., twice] => Err(Error::new_spanned(twice, "this argument has two defaults")),
    }
}

/// Removes the attributes of this name and gives them back.
pub(crate) fn take_helper(attributes: &mut Vec<Attribute>, name: &str) -> Vec<Attribute> {
    attributes
        .extract_if(.., |attribute| attribute.path().is_ident(name))
        .collect()
}

/// The text of `option = "text"`.
fn value(option: &Meta) -> Result<LitStr> {
    syn::parse2(option.require_name_value()?.value.to_token_stream())
}

/// The rule of every id and name, so that the generated code can rely on it.
fn checked_name(name: LitStr) -> Result<LitStr> {
    let text = name.value();
    if (1..=512).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(Error::new(
        name.span(),
        "a name has 1 to 512 bytes and no control characters",
    ))
}

/// The `T` of an `Option<T>` that is written as such.
pub(crate) fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match (last.ident == "Option", arguments.args.first()?) {
        (true, GenericArgument::Type(inside)) => Some(inside),
        _ => None,
    }
}

/// The doc comment as text, without the space that follows each `///`.
fn description(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(meta) = &attribute.meta else {
            continue;
        };
        if let (true, Expr::Lit(literal)) = (meta.path.is_ident("doc"), &meta.value)
            && let Lit::Str(line) = &literal.lit
        {
            let line = line.value();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

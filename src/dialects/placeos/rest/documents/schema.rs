//! What the specification says of documents and answers, made from the fields.

use std::borrow::Cow;

use serde_json::Value as Json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::dialects::placeos::rest::documents::{Document, Resource};
use crate::model::{JsonKind, Kind};

/// Whether `null` can stand in the place of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nullable {
    Yes,
    No,
}

impl<C: Resource> PartialSchema for Document<C> {
    fn schema() -> RefOr<Schema> {
        let about = format!("{} What is left out stays as it is.", C::ABOUT);
        let mut object = ObjectBuilder::new().description(Some(about));
        for field in C::FIELDS {
            if let Some(word) = C::word(field.name) {
                object = object.property(word, of(field.kind, Nullable::Yes, field.text()));
            }
        }
        for own in C::OWN {
            object = object.property(own.name, of(own.kind, Nullable::Yes, own.text));
        }
        RefOr::T(object.into())
    }
}

impl<C: Resource> ToSchema for Document<C> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Document", C::NAME))
    }
}

/// The part of an answer that is made of the fields.
pub(in crate::dialects::placeos::rest) fn fields<C: Resource>() -> Schema {
    let mut object = ObjectBuilder::new();
    let shown = C::FIELDS.iter();
    let shown = shown.filter(|field| !field.filled_in || C::SHOWS_FILLED_IN);
    for field in shown {
        let Some(word) = C::word(field.name) else {
            continue;
        };
        let nullable = match field.optional {
            true => Nullable::Yes,
            false => Nullable::No,
        };
        object = object.property(word, of(field.kind, nullable, field.text()));
        if nullable == Nullable::No {
            object = object.required(word);
        }
    }
    object.into()
}

fn of(kind: Kind, nullable: Nullable, text: &str) -> Schema {
    let of_type = |of: Type| match nullable {
        Nullable::Yes => SchemaType::from_iter([of, Type::Null]),
        Nullable::No => SchemaType::Type(of),
    };
    let about = Some(text).filter(|text| !text.is_empty());
    let whole = |format| {
        let object = ObjectBuilder::new().schema_type(of_type(Type::Integer));
        object
            .format(Some(SchemaFormat::KnownFormat(format)))
            .minimum(Some(0))
    };
    let object = match kind {
        Kind::Texts | Kind::Scopes | Kind::References(_) => {
            let item = ObjectBuilder::new().schema_type(Type::String);
            let list = ArrayBuilder::new().schema_type(of_type(Type::Array));
            return list.items(item).description(about).into();
        }
        Kind::Json(JsonKind::List) => {
            let item = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
            let list = ArrayBuilder::new().schema_type(of_type(Type::Array));
            return list.items(item).description(about).into();
        }
        Kind::Text
        | Kind::Address
        | Kind::Email
        | Kind::TimeZone
        | Kind::Id(_)
        | Kind::ModuleName
        | Kind::MetadataName
        | Kind::StatusPath
        | Kind::Reference(_)
        | Kind::KeySecret
        | Kind::Password => ObjectBuilder::new().schema_type(of_type(Type::String)),
        Kind::Word(words) => {
            let words = words.iter().map(|word| Json::from(*word));
            let none = (nullable == Nullable::Yes).then_some(Json::Null);
            ObjectBuilder::new()
                .schema_type(of_type(Type::String))
                .enum_values(Some(words.chain(none)))
        }
        Kind::Flag => ObjectBuilder::new().schema_type(of_type(Type::Boolean)),
        Kind::Count(_) => whole(KnownFormat::Int32),
        Kind::Moment => whole(KnownFormat::Int64),
        Kind::Json(JsonKind::Object) => ObjectBuilder::new().schema_type(of_type(Type::Object)),
        Kind::Json(JsonKind::Number) => ObjectBuilder::new().schema_type(of_type(Type::Number)),
        Kind::Json(JsonKind::Any) => ObjectBuilder::new().schema_type(SchemaType::AnyValue),
    };
    object.description(about).into()
}

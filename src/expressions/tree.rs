//! What an expression or a template says, as it was read: names are resolved to filters and tests, blocks to parts.
//!
//! It is ours, so that reading (by another's parser) and evaluating have nothing but this in common.

use std::sync::Arc;

use super::error::Position;
use super::filters::Filter;
use super::predicates::Predicate;
use super::value::Value;

/// A part of an expression and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Constant(Value),
    Variable(Arc<str>),
    List(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Not(Box<Node>),
    Negative(Box<Node>),
    And(Box<(Node, Node)>),
    Or(Box<(Node, Node)>),
    Binary(Operator, Box<(Node, Node)>),
    /// `a < b < c`: each holds.
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    If(Box<Choice>),
    Attribute(Box<Node>, Arc<str>),
    Item(Box<(Node, Node)>),
    Slice(Box<Range>),
    Filter(&'static Filter, Box<Node>, Arguments),
    /// `default` looks at whether there is a value at all.
    Default(Box<Node>, Arguments),
    Test(&'static Predicate, Box<Node>, Arguments),
    /// `is defined`.
    Defined(Box<Node>),
    /// `range`.
    Range(Vec<Node>),
    /// A function of the outside.
    Call(Arc<str>, Vec<Node>),
}

/// The arguments of a filter or test, one place for each of its parameters.
pub(super) type Arguments = Vec<Option<Node>>;

#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) test: Node,
    pub(super) then: Node,
    pub(super) otherwise: Option<Node>,
}

#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) of: Node,
    pub(super) start: Option<Node>,
    pub(super) stop: Option<Node>,
    pub(super) step: Option<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Modulo,
    Power,
    Concatenate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Literal(Arc<str>),
    Value(Node),
    If {
        test: Node,
        then: Vec<Part>,
        otherwise: Vec<Part>,
    },
    For(Box<Loop>),
}

#[derive(Debug, Clone)]
pub(super) struct Loop {
    /// One name for the item, or several for what is in it.
    pub(super) names: Vec<Arc<str>>,
    pub(super) over: Node,
    pub(super) only_if: Option<Node>,
    pub(super) body: Vec<Part>,
    pub(super) otherwise: Vec<Part>,
}

//! Reads a source into a tree: MiniJinja parses it, and this room makes our tree of what it found.
//!
//! It is the only room, beside the scan before it, that knows MiniJinja, of which nothing but the grammar is used:
//! its machine has values that cannot borrow, rounds numbers, and tells values in its errors.
//! Names of filters, tests and functions are looked up in `calls`, so a mistyped one is found before anything runs.

mod calls;

use std::sync::Arc;

use minijinja::machinery::ast::{self, BinOpKind, CompareOpKind, Expr, Stmt};
use minijinja::machinery::{Span, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::error::{ExpressionError, Mistake, Position};
use super::number::Number;
use super::scan::{Form, scan};
use super::tree::{Choice, Comparison, Kind, Loop, Node, Operator, Part, Range};
use super::value::Value;
use crate::model::is_json_number;

/// Reads one expression.
pub(super) fn expression(source: &str, functions: &[&str]) -> Result<Node, ExpressionError> {
    scan(source, Form::Expression, SyntaxConfig::default())?;
    let reader = Reader { source, functions };
    let parsed = parse_expr(source).map_err(|error| reader.syntax(&error))?;
    reader.node(&parsed)
}

/// Reads a text with expressions in it.
pub(super) fn parts(
    source: &str,
    form: Form,
    functions: &[&str],
) -> Result<Vec<Part>, ExpressionError> {
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    let syntax = syntax.build().expect("these are the usual delimiters");
    scan(source, form, syntax.clone())?;
    let reader = Reader { source, functions };
    let parsed = parse(source, "", syntax).map_err(|error| reader.syntax(&error))?;
    if let Stmt::Template(template) = &parsed {
        reader.parts(&template.children)
    } else {
        reader.parts(std::slice::from_ref(&parsed))
    }
}

struct Reader<'s> {
    source: &'s str,
    /// The functions of the outside.
    functions: &'s [&'s str],
}

type Read<T> = Result<T, ExpressionError>;

impl Reader<'_> {
    fn at(&self, span: Span) -> Position {
        let offset = usize::try_from(span.start_offset).unwrap_or(usize::MAX);
        Position::of(self.source, offset)
    }

    fn syntax(&self, error: &minijinja::Error) -> ExpressionError {
        let start = error.range().map_or(0, |range| range.start);
        let detail = error.detail().unwrap_or("this is no expression");
        let detail = IN_OUR_WORDS
            .iter()
            .fold(detail.to_owned(), |detail, (theirs, ours)| {
                detail.replace(theirs, ours)
            });
        Mistake::Syntax { detail }.at(Position::of(self.source, start))
    }

    fn parts(&self, statements: &[Stmt<'_>]) -> Read<Vec<Part>> {
        statements.iter().map(|stmt| self.part(stmt)).collect()
    }

    fn part(&self, statement: &Stmt<'_>) -> Read<Part> {
        Ok(match statement {
            Stmt::EmitRaw(raw) => Part::Literal(Arc::from(raw.raw)),
            Stmt::EmitExpr(emit) => Part::Value(self.node(&emit.expr)?),
            Stmt::IfCond(cond) => Part::If {
                test: self.node(&cond.expr)?,
                then: self.parts(&cond.true_body)?,
                otherwise: self.parts(&cond.false_body)?,
            },
            Stmt::ForLoop(each) if each.recursive => {
                return Err(unsupported(
                    "`recursive`",
                    "write one loop within the other",
                    self.at(each.span()),
                ));
            }
            Stmt::ForLoop(each) => Part::For(Box::new(Loop {
                names: self.names(&each.target)?,
                over: self.node(&each.iter)?,
                only_if: self.maybe(each.filter_expr.as_ref())?,
                body: self.parts(&each.body)?,
                otherwise: self.parts(&each.else_body)?,
            })),
            // The scan has refused their words.
            Stmt::Template(_)
            | Stmt::WithBlock(_)
            | Stmt::Set(_)
            | Stmt::SetBlock(_)
            | Stmt::AutoEscape(_)
            | Stmt::FilterBlock(_)
            | Stmt::Do(_) => {
                return Err(unsupported(
                    "this block",
                    "a template has `if` and `for`",
                    Position::START,
                ));
            }
        })
    }

    /// The names that a loop gives its items.
    fn names(&self, target: &Expr<'_>) -> Read<Vec<Arc<str>>> {
        let targets = if let Expr::List(several) = target {
            &several.items
        } else {
            std::slice::from_ref(target)
        };
        let name = |target: &Expr<'_>| {
            if let Expr::Var(var) = target {
                return Ok(Arc::from(var.id));
            }
            Err(unsupported(
                "this",
                "a loop gives its items one name, or several with commas between",
                self.at(target.span()),
            ))
        };
        targets.iter().map(name).collect()
    }

    fn nodes(&self, exprs: &[Expr<'_>]) -> Read<Vec<Node>> {
        exprs.iter().map(|expr| self.node(expr)).collect()
    }

    fn boxed(&self, expr: &Expr<'_>) -> Read<Box<Node>> {
        Ok(Box::new(self.node(expr)?))
    }

    fn maybe(&self, expr: Option<&Expr<'_>>) -> Read<Option<Node>> {
        expr.map(|expr| self.node(expr)).transpose()
    }

    fn node(&self, expr: &Expr<'_>) -> Read<Node> {
        let at = self.at(expr.span());
        // An operator stands where its first operand begins, which the parser's span does not say.
        let from = |node: &Node| node.at;
        let (at, kind) = match expr {
            Expr::Const(constant) => (
                at,
                Kind::Constant(self.constant(constant, expr.span(), at)?),
            ),
            Expr::Var(var) => (at, Kind::Variable(Arc::from(var.id))),
            Expr::List(list) => (at, Kind::List(self.nodes(&list.items)?)),
            Expr::Tuple(tuple) => (at, Kind::List(self.nodes(&tuple.items)?)),
            Expr::Map(map) => {
                let (names, values) = (self.nodes(&map.keys)?, self.nodes(&map.values)?);
                let members = names.into_iter().zip(values).collect();
                (at, Kind::Object(members))
            }
            Expr::UnaryOp(unary) => {
                let of = self.boxed(&unary.expr)?;
                match unary.op {
                    ast::UnaryOpKind::Not => (from(&of), Kind::Not(of)),
                    ast::UnaryOpKind::Neg => (from(&of), Kind::Negative(of)),
                }
            }
            Expr::BinOp(binary) => {
                let left = self.node(&binary.left)?;
                let right = self.node(&binary.right)?;
                (from(&left), binary_kind(binary.op, left, right))
            }
            Expr::Compare(compare) => {
                let first = self.boxed(&compare.expr)?;
                let others = compare.ops.iter().map(|one| {
                    let comparison = comparison(one.op);
                    Ok((comparison, self.node(&one.expr)?))
                });
                let others = others.collect::<Read<_>>()?;
                (from(&first), Kind::Compare(first, others))
            }
            Expr::IfExpr(choice) => {
                let choice = Choice {
                    then: self.node(&choice.true_expr)?,
                    test: self.node(&choice.test_expr)?,
                    otherwise: self.maybe(choice.false_expr.as_ref())?,
                };
                (from(&choice.then), Kind::If(Box::new(choice)))
            }
            Expr::GetAttr(get) => {
                let of = self.boxed(&get.expr)?;
                (from(&of), Kind::Attribute(of, Arc::from(get.name)))
            }
            Expr::GetItem(get) => {
                let of = self.node(&get.expr)?;
                let item = self.node(&get.subscript_expr)?;
                (from(&of), Kind::Item(Box::new((of, item))))
            }
            Expr::Slice(slice) => {
                let range = Range {
                    of: self.node(&slice.expr)?,
                    start: self.maybe(slice.start.as_ref())?,
                    stop: self.maybe(slice.stop.as_ref())?,
                    step: self.maybe(slice.step.as_ref())?,
                };
                (from(&range.of), Kind::Slice(Box::new(range)))
            }
            Expr::Filter(filter) => {
                let Some(of) = &filter.expr else {
                    return Err(unsupported("this", "a filter stands behind a value", at));
                };
                let of = self.boxed(of)?;
                (at, self.filter(filter.name, of, &filter.args, at)?)
            }
            Expr::Test(test) => {
                let of = self.boxed(&test.expr)?;
                (at, self.test(test.name, of, &test.args, at)?)
            }
            Expr::Call(call) => self.call(call, at)?,
        };
        Ok(Node { at, kind })
    }

    /// A number keeps the digits that it is written with.
    fn constant(&self, constant: &ast::Const, span: Span, at: Position) -> Read<Value> {
        let value = &constant.value;
        if let Some(text) = value.as_str() {
            return Ok(Value::text(text));
        }
        if value.is_number() {
            let written = usize::try_from(span.start_offset)
                .ok()
                .zip(usize::try_from(span.end_offset).ok())
                .and_then(|(start, end)| self.source.get(start..end))
                .map(|text| text.replace('_', ""))
                .filter(|text| is_json_number(text));
            let number = match (written, i128::try_from(value.clone())) {
                (Some(text), _) => Ok(Number::of_json(&text)),
                (None, Ok(whole)) => Number::whole(whole),
                (None, Err(_)) => Err(Mistake::NumberTooLarge),
            };
            return number.map(Value::Number).map_err(|mistake| mistake.at(at));
        }
        Ok(match bool::try_from(value.clone()) {
            Ok(value) => Value::Bool(value),
            Err(_) => Value::Null,
        })
    }
}

/// The parser's words for tokens, in the signs that people write.
const IN_OUR_WORDS: &[(&str, &str)] = &[
    ("start of variable block", "`{{`"),
    ("end of variable block", "`}}`"),
    ("start of block", "`{%`"),
    ("end of block", "`%}`"),
    ("end of input", "end"),
    ("identifier", "name"),
    ("integer", "whole number"),
    ("float", "number"),
];

fn unsupported(what: &'static str, remedy: &'static str, at: Position) -> ExpressionError {
    Mistake::Unsupported { what, remedy }.at(at)
}

fn binary_kind(op: BinOpKind, left: Node, right: Node) -> Kind {
    let operator = match op {
        BinOpKind::ScAnd => return Kind::And(Box::new((left, right))),
        BinOpKind::ScOr => return Kind::Or(Box::new((left, right))),
        BinOpKind::Eq => return compared(left, Comparison::Equal, right),
        BinOpKind::Ne => return compared(left, Comparison::Unequal, right),
        BinOpKind::Lt => return compared(left, Comparison::Less, right),
        BinOpKind::Lte => return compared(left, Comparison::LessOrEqual, right),
        BinOpKind::Gt => return compared(left, Comparison::Greater, right),
        BinOpKind::Gte => return compared(left, Comparison::GreaterOrEqual, right),
        BinOpKind::In => return compared(left, Comparison::In, right),
        BinOpKind::Add => Operator::Add,
        BinOpKind::Sub => Operator::Subtract,
        BinOpKind::Mul => Operator::Multiply,
        BinOpKind::Div => Operator::Divide,
        BinOpKind::FloorDiv => Operator::DivideWhole,
        BinOpKind::Rem => Operator::Modulo,
        BinOpKind::Pow => Operator::Power,
        BinOpKind::Concat => Operator::Concatenate,
    };
    Kind::Binary(operator, Box::new((left, right)))
}

fn compared(left: Node, comparison: Comparison, right: Node) -> Kind {
    Kind::Compare(Box::new(left), vec![(comparison, right)])
}

fn comparison(op: CompareOpKind) -> Comparison {
    match op {
        CompareOpKind::Eq => Comparison::Equal,
        CompareOpKind::Ne => Comparison::Unequal,
        CompareOpKind::Lt => Comparison::Less,
        CompareOpKind::Lte => Comparison::LessOrEqual,
        CompareOpKind::Gt => Comparison::Greater,
        CompareOpKind::Gte => Comparison::GreaterOrEqual,
        CompareOpKind::In => Comparison::In,
        CompareOpKind::NotIn => Comparison::NotIn,
    }
}

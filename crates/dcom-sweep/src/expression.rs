//! Conditions over keys and metrics: `mapping.expansion_factor <= array.columns and array.rows == 16`.
//!
//! Grammar, loosest first: `or`, `and`, `not`, one comparison (`== != < <= > >=`, or `in [a, b]`), `+ -`, `* / %`,
//! unary `-`; numbers, `"names"`, `true`, `false`, keys, metrics, parentheses, and the functions of [`FUNCTIONS`].
//! Numbers are 64-bit floats, in which every integer key is exact. Types are checked when the text is read, so that a condition
//! cannot fail at a point. The parser is our own: the libraries for
//! such conditions either do not tell columns or do not know types before they evaluate.

use std::fmt;

use dcom_config::{KeyInfo, Kind, nearest};
use thiserror::Error;

use crate::expression_text::Parser;
use crate::keys;
use crate::metric::{METRICS, Metric};

/// What a function of numbers does.
pub(crate) type Function = fn(&[f64]) -> f64;

/// Functions of numbers: name, number of arguments, and what they do.
pub(crate) const FUNCTIONS: [(&str, usize, Function); 6] = [
    ("min", 2, |x| x[0].min(x[1])),
    ("max", 2, |x| x[0].max(x[1])),
    ("abs", 1, |x| x[0].abs()),
    ("log2", 1, |x| x[0].log2()),
    ("floor", 1, |x| x[0].floor()),
    ("ceil", 1, |x| x[0].ceil()),
];

/// What is wrong with a condition.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("column {column}: {message}")]
pub struct ExpressionError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// What a name in a condition stands for.
#[derive(Clone, Copy, Debug)]
pub enum Name {
    /// A key of machine or workload.
    Key(&'static KeyInfo),
    /// A number of a finished point.
    Metric(&'static Metric),
}

/// Which names a condition may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Keys alone: known before anything is computed.
    Keys,
    /// Keys and metrics.
    KeysAndMetrics,
}

/// A value of a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Of a number.
    Number(f64),
    /// Of a key with names or text.
    Text(Box<str>),
    /// Of a switch.
    Bool(bool),
}

/// Kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Number,
    Text,
    Bool,
}

/// A checked condition.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    names: Vec<Name>,
    root: Node,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Constant(Scalar),
    /// Position in the list of names.
    Name(usize),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<[Node; 2]>),
    In(Box<Node>, Vec<Scalar>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A value while it is computed; text is borrowed.
#[derive(Clone, Copy, PartialEq)]
enum Seen<'a> {
    Number(f64),
    Text(&'a str),
    Bool(bool),
}

impl Expression {
    /// Reads and checks a condition.
    ///
    /// # Errors
    /// Column and remedy: syntax, an unknown name, types that do not go together.
    pub fn parse(text: &str, names: Names) -> Result<Expression, ExpressionError> {
        let (root, names) = Parser::new(text, names)?.condition()?;
        Ok(Expression {
            text: text.trim().to_owned(),
            names,
            root,
        })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names that it uses, each once.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Whether the condition holds where its names, in the order of [`Expression::names`], have these values.
    ///
    /// # Panics
    /// If a value is not of its name's type.
    pub fn holds<'a>(&'a self, value: impl Fn(usize) -> &'a Scalar) -> bool {
        self.root.seen(&value).bool()
    }
}

impl Name {
    /// The name as written.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Name::Key(key) => key.path,
            Name::Metric(metric) => metric.name,
        }
    }

    pub(crate) fn kind(self) -> Type {
        match self {
            Name::Metric(_) => Type::Number,
            Name::Key(key) => Name::kind_of(key),
        }
    }

    fn kind_of(key: &KeyInfo) -> Type {
        match key.kind {
            Kind::Integer { .. } | Kind::Float { .. } => Type::Number,
            Kind::Bool => Type::Bool,
            Kind::Text | Kind::Choice { .. } => Type::Text,
        }
    }

    /// What a name stands for, or why it may not be used.
    pub(crate) fn find(path: &str, allowed: Names) -> Result<Name, String> {
        if let Ok(key) = keys::find(path) {
            return Ok(Name::Key(key));
        }
        match (Metric::find(path), allowed) {
            (Some(metric), Names::KeysAndMetrics) => return Ok(Name::Metric(metric)),
            (Some(_), Names::Keys) => {
                return Err(format!(
                    "`{path}` is known only after a point is computed; write it as a `constraint`"
                ));
            }
            (None, _) => {}
        }
        let metrics = METRICS.iter().map(|metric| metric.name);
        let near = match allowed {
            Names::Keys => keys::similar(path),
            Names::KeysAndMetrics => nearest(path, metrics).or_else(|| keys::similar(path)),
        };
        let what = match allowed {
            Names::Keys => "no key of machine or workload",
            Names::KeysAndMetrics => "neither a key nor a metric",
        };
        Err(match near {
            Some(near) => format!("`{path}`: {what}; did you mean `{near}`?"),
            None => format!("`{path}`: {what}"),
        })
    }
}

impl Scalar {
    /// The value of a key from its canonical text.
    pub(crate) fn of_key(key: &KeyInfo, text: &str) -> Scalar {
        match Name::kind_of(key) {
            Type::Number => Scalar::Number(text.parse().expect("the key's value is a number")),
            Type::Bool => Scalar::Bool(text == "true"),
            Type::Text => Scalar::Text(text.into()),
        }
    }

    pub(crate) fn kind(&self) -> Type {
        match self {
            Scalar::Number(_) => Type::Number,
            Scalar::Text(_) => Type::Text,
            Scalar::Bool(_) => Type::Bool,
        }
    }

    fn seen(&self) -> Seen<'_> {
        match self {
            Scalar::Number(number) => Seen::Number(*number),
            Scalar::Text(text) => Seen::Text(text),
            Scalar::Bool(bool) => Seen::Bool(*bool),
        }
    }
}

impl Seen<'_> {
    fn number(self) -> f64 {
        match self {
            Seen::Number(number) => number,
            Seen::Text(_) | Seen::Bool(_) => unreachable!("types are checked"),
        }
    }

    fn bool(self) -> bool {
        match self {
            Seen::Bool(bool) => bool,
            Seen::Text(_) | Seen::Number(_) => unreachable!("types are checked"),
        }
    }
}

impl Node {
    fn seen<'a, F: Fn(usize) -> &'a Scalar>(&'a self, value: &F) -> Seen<'a> {
        match self {
            Node::Constant(scalar) => scalar.seen(),
            Node::Name(at) => value(*at).seen(),
            Node::Not(inner) => Seen::Bool(!inner.seen(value).bool()),
            Node::Negate(inner) => Seen::Number(-inner.seen(value).number()),
            Node::In(inner, list) => {
                let found = inner.seen(value);
                Seen::Bool(list.iter().any(|scalar| scalar.seen() == found))
            }
            Node::Call(function, arguments) => {
                let arguments: Vec<f64> =
                    arguments.iter().map(|a| a.seen(value).number()).collect();
                Seen::Number(function(&arguments))
            }
            Node::Binary(operator, sides) => operator.apply(&sides[0], &sides[1], value),
        }
    }
}

impl Operator {
    fn apply<'a, F: Fn(usize) -> &'a Scalar>(
        self,
        left: &'a Node,
        right: &'a Node,
        value: &F,
    ) -> Seen<'a> {
        let bool = |node: &'a Node| node.seen(value).bool();
        let numbers = || (left.seen(value).number(), right.seen(value).number());
        match self {
            Operator::Or => Seen::Bool(bool(left) || bool(right)),
            Operator::And => Seen::Bool(bool(left) && bool(right)),
            Operator::Equal => Seen::Bool(left.seen(value) == right.seen(value)),
            Operator::Unequal => Seen::Bool(left.seen(value) != right.seen(value)),
            Operator::Less => Seen::Bool(numbers().0 < numbers().1),
            Operator::AtMost => Seen::Bool(numbers().0 <= numbers().1),
            Operator::Greater => Seen::Bool(numbers().0 > numbers().1),
            Operator::AtLeast => Seen::Bool(numbers().0 >= numbers().1),
            Operator::Add => Seen::Number(numbers().0 + numbers().1),
            Operator::Subtract => Seen::Number(numbers().0 - numbers().1),
            Operator::Multiply => Seen::Number(numbers().0 * numbers().1),
            Operator::Divide => Seen::Number(numbers().0 / numbers().1),
            Operator::Remainder => Seen::Number(numbers().0 % numbers().1),
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Number => "a number",
            Type::Text => "a name",
            Type::Bool => "true or false",
        })
    }
}

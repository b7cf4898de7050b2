//! From the text of a condition to its checked tree: a scanner and a parser by precedence.

use dcom_config::{KeyInfo, Kind, nearest};

use crate::expression::{ExpressionError, FUNCTIONS, Name, Names, Node, Operator, Scalar, Type};

/// Deepest nesting, so that a hostile text cannot exhaust the stack.
const DEPTH_LIMIT: usize = 64;

/// Longest condition, in bytes. Assumed: some forty comparisons.
const LENGTH_LIMIT: usize = 4096;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Symbol(&'static str),
    End,
}

/// Longer symbols first, so that `<=` is not `<` and `=`.
const SYMBOLS: [&str; 20] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "=", "!", "+", "-", "*", "/", "%", "(", ")", "[",
    "]", ",",
];

pub(crate) struct Parser {
    /// Tokens with their columns.
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    allowed: Names,
    names: Vec<Name>,
}

/// A piece of the tree with its type and where it begins.
struct Part {
    node: Node,
    kind: Type,
    column: usize,
    /// The key that this is, for the names that it can be compared with.
    key: Option<&'static KeyInfo>,
}

fn wrong<T>(column: usize, message: impl Into<String>) -> Result<T, ExpressionError> {
    Err(ExpressionError {
        column,
        message: message.into(),
    })
}

impl Parser {
    pub(crate) fn new(text: &str, allowed: Names) -> Result<Parser, ExpressionError> {
        if text.len() > LENGTH_LIMIT {
            return wrong(
                1,
                format!(
                    "{} bytes: at most {LENGTH_LIMIT} in one condition",
                    text.len()
                ),
            );
        }
        Ok(Parser {
            tokens: scan(text)?,
            at: 0,
            depth: 0,
            allowed,
            names: Vec::new(),
        })
    }

    pub(crate) fn condition(mut self) -> Result<(Node, Vec<Name>), ExpressionError> {
        let part = self.binary(0)?;
        if *self.peek() != Token::End {
            return wrong(self.column(), format!("unexpected {}", shown(self.peek())));
        }
        expect(&part, Type::Bool, "a condition")?;
        Ok((part.node, self.names))
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn column(&self) -> usize {
        self.tokens[self.at].1
    }

    fn next(&mut self) -> (Token, usize) {
        let token = self.tokens[self.at].clone();
        // The last token, `End`, is never passed.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        if found {
            self.next();
        }
        found
    }

    fn need(&mut self, symbol: &str) -> Result<(), ExpressionError> {
        if self.take(symbol) {
            return Ok(());
        }
        wrong(
            self.column(),
            format!("expected `{symbol}`, found {}", shown(self.peek())),
        )
    }

    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        if self.depth == DEPTH_LIMIT {
            return wrong(
                self.column(),
                format!("nested more than {DEPTH_LIMIT} deep"),
            );
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Operators that bind at least as tightly as `least`: 0 or, 1 and, 2 comparison, 3 sum, 4 product.
    fn binary(&mut self, least: u8) -> Result<Part, ExpressionError> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            loop {
                let column = parser.column();
                if least <= 2 && *parser.peek() == Token::Word("in".to_owned()) {
                    parser.next();
                    left = parser.list(left)?;
                    continue;
                }
                let Some((operator, binding)) = operator(parser.peek(), column)? else {
                    return Ok(left);
                };
                if binding < least {
                    return Ok(left);
                }
                parser.next();
                let right = parser.binary(binding + 1)?;
                left = join(operator, left, right, column)?;
            }
        })
    }

    fn unary(&mut self) -> Result<Part, ExpressionError> {
        let column = self.column();
        if self.take("!") || *self.peek() == Token::Word("not".to_owned()) {
            if *self.peek() == Token::Word("not".to_owned()) {
                self.next();
            }
            // Looser than a comparison: `not a == b` is `not (a == b)`.
            let part = self.binary(2)?;
            expect(&part, Type::Bool, "`not`")?;
            return Ok(Part {
                node: Node::Not(Box::new(part.node)),
                kind: Type::Bool,
                column,
                key: None,
            });
        }
        if self.take("-") {
            let part = self.deeper(Self::unary)?;
            expect(&part, Type::Number, "`-`")?;
            return Ok(Part {
                node: Node::Negate(Box::new(part.node)),
                kind: Type::Number,
                column,
                key: None,
            });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Part, ExpressionError> {
        let (token, column) = self.next();
        let constant = |scalar: Scalar| {
            Ok(Part {
                kind: scalar.kind(),
                node: Node::Constant(scalar),
                column,
                key: None,
            })
        };
        match token {
            Token::Number(number) => constant(Scalar::Number(number)),
            Token::Text(text) => constant(Scalar::Text(text.into())),
            Token::Word(word) if word == "true" || word == "false" => {
                constant(Scalar::Bool(word == "true"))
            }
            Token::Word(word) if *self.peek() == Token::Symbol("(") => self.call(&word, column),
            Token::Word(word) => self.name(&word, column),
            Token::Symbol("(") => {
                let part = self.binary(0)?;
                self.need(")")?;
                Ok(Part { column, ..part })
            }
            token @ (Token::Symbol(_) | Token::End) => wrong(
                column,
                format!(
                    "expected a key, a number or a name in quotes, found {}",
                    shown(&token)
                ),
            ),
        }
    }

    fn name(&mut self, word: &str, column: usize) -> Result<Part, ExpressionError> {
        let name = Name::find(word, self.allowed)
            .map_err(|message| ExpressionError { column, message })?;
        let known = self
            .names
            .iter()
            .position(|known| known.path() == name.path());
        let at = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        let key = match name {
            Name::Key(key) => Some(key),
            Name::Metric(_) => None,
        };
        Ok(Part {
            node: Node::Name(at),
            kind: name.kind(),
            column,
            key,
        })
    }

    fn call(&mut self, word: &str, column: usize) -> Result<Part, ExpressionError> {
        let Some((name, count, function)) = FUNCTIONS.iter().find(|f| f.0 == word) else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|f| f.0).collect();
            return wrong(
                column,
                format!("`{word}`: no function; there are {}", known.join(", ")),
            );
        };
        self.need("(")?;
        let mut arguments = Vec::new();
        loop {
            let part = self.binary(0)?;
            expect(&part, Type::Number, &format!("`{name}`"))?;
            arguments.push(part.node);
            if !self.take(",") {
                break;
            }
        }
        self.need(")")?;
        if arguments.len() != *count {
            return wrong(
                column,
                format!("`{name}` takes {count} numbers, not {}", arguments.len()),
            );
        }
        Ok(Part {
            node: Node::Call(*function, arguments),
            kind: Type::Number,
            column,
            key: None,
        })
    }

    /// The list of `x in [a, b]`.
    fn list(&mut self, left: Part) -> Result<Part, ExpressionError> {
        self.need("[")?;
        let mut list = Vec::new();
        loop {
            let part = self.unary()?;
            let scalar = match part.node {
                Node::Constant(ref scalar) => scalar.clone(),
                Node::Negate(ref inner) => match **inner {
                    Node::Constant(Scalar::Number(number)) => Scalar::Number(-number),
                    _ => {
                        return wrong(
                            part.column,
                            "a list holds numbers, names in quotes, true or false",
                        );
                    }
                },
                _ => {
                    return wrong(
                        part.column,
                        "a list holds numbers, names in quotes, true or false",
                    );
                }
            };
            comparable(&left, &part, part.column)?;
            list.push(scalar);
            if !self.take(",") {
                break;
            }
        }
        self.need("]")?;
        Ok(Part {
            node: Node::In(Box::new(left.node), list),
            kind: Type::Bool,
            column: left.column,
            key: None,
        })
    }
}

fn scan(text: &str) -> Result<Vec<(Token, usize)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let column = text[..text.len() - rest.len()].chars().count() + 1;
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, column));
            return Ok(tokens);
        };
        let span = |keep: fn(char) -> bool| rest.find(|c| !keep(c)).unwrap_or(rest.len());
        let (token, length) = if first == '"' || first == '\'' {
            let Some(end) = rest[1..].find(first) else {
                return wrong(
                    column,
                    format!("the name that begins here has no closing {first}"),
                );
            };
            (Token::Text(rest[1..=end].to_owned()), end + 2)
        } else if first.is_ascii_digit() {
            let length = number_length(rest);
            let digits = rest[..length].replace('_', "");
            let Some(number) = digits.parse::<f64>().ok().filter(|n| n.is_finite()) else {
                return wrong(column, format!("`{}` is no number", &rest[..length]));
            };
            (Token::Number(number), length)
        } else if first.is_ascii_alphabetic() {
            let length = span(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            let token = match &rest[..length] {
                "and" => Token::Symbol("&&"),
                "or" => Token::Symbol("||"),
                word => Token::Word(word.to_owned()),
            };
            (token, length)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            return wrong(column, format!("unexpected {first:?}"));
        };
        tokens.push((token, column));
        rest = &rest[length..];
    }
}

/// Bytes of the number that the text begins with, exponent and all; letters behind it make it none.
fn number_length(text: &str) -> usize {
    let mut before = ' ';
    text.find(|c: char| {
        let part = c.is_ascii_alphanumeric()
            || c == '.'
            || c == '_'
            || (matches!(c, '+' | '-') && matches!(before, 'e' | 'E'));
        before = c;
        !part
    })
    .unwrap_or(text.len())
}

fn operator(token: &Token, column: usize) -> Result<Option<(Operator, u8)>, ExpressionError> {
    let Token::Symbol(symbol) = token else {
        return Ok(None);
    };
    Ok(Some(match *symbol {
        "||" => (Operator::Or, 0),
        "&&" => (Operator::And, 1),
        "==" => (Operator::Equal, 2),
        "!=" => (Operator::Unequal, 2),
        "<" => (Operator::Less, 2),
        "<=" => (Operator::AtMost, 2),
        ">" => (Operator::Greater, 2),
        ">=" => (Operator::AtLeast, 2),
        "+" => (Operator::Add, 3),
        "-" => (Operator::Subtract, 3),
        "*" => (Operator::Multiply, 4),
        "/" => (Operator::Divide, 4),
        "%" => (Operator::Remainder, 4),
        "=" => return wrong(column, "write `==` to compare"),
        _ => return Ok(None),
    }))
}

fn join(
    operator: Operator,
    left: Part,
    right: Part,
    column: usize,
) -> Result<Part, ExpressionError> {
    let symbol = format!("`{}`", operator.symbol());
    let kind = match operator {
        Operator::Or | Operator::And => {
            expect(&left, Type::Bool, &symbol)?;
            expect(&right, Type::Bool, &symbol)?;
            Type::Bool
        }
        Operator::Equal | Operator::Unequal => {
            comparable(&left, &right, column)?;
            Type::Bool
        }
        Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
            if left.kind == Type::Bool && matches!(left.node, Node::Binary(..)) {
                return wrong(column, "comparisons do not chain: write `a < b and b < c`");
            }
            expect(&left, Type::Number, &symbol)?;
            expect(&right, Type::Number, &symbol)?;
            Type::Bool
        }
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder => {
            expect(&left, Type::Number, &symbol)?;
            expect(&right, Type::Number, &symbol)?;
            Type::Number
        }
    };
    let column = left.column;
    Ok(Part {
        node: Node::Binary(operator, Box::new([left.node, right.node])),
        kind,
        column,
        key: None,
    })
}

fn expect(part: &Part, kind: Type, by: &str) -> Result<(), ExpressionError> {
    if part.kind == kind {
        return Ok(());
    }
    let what = match part.key {
        Some(key) => format!("`{}` is {}", key.path, key.expectation()),
        None => format!("this is {}", part.kind),
    };
    let wanted = match kind {
        Type::Bool if by == "a condition" => {
            "a condition is a comparison, such as `array.rows <= 16`".to_owned()
        }
        Type::Bool => format!("{by} takes comparisons"),
        Type::Number | Type::Text => format!("{by} takes {kind}"),
    };
    wrong(part.column, format!("{what}; {wanted}"))
}

/// Both sides have one type, and a name in quotes is one that the key can have.
fn comparable(left: &Part, right: &Part, column: usize) -> Result<(), ExpressionError> {
    if left.kind != right.kind {
        let known = [left, right].into_iter().find_map(|part| part.key);
        let help = known.map_or_else(String::new, |key| {
            format!("; `{}` is {}", key.path, key.expectation())
        });
        return wrong(
            column,
            format!("{} compared with {}{help}", left.kind, right.kind),
        );
    }
    for (key, other) in [(left.key, right), (right.key, left)] {
        if let (Some(key), Node::Constant(Scalar::Text(text))) = (key, &other.node)
            && let Kind::Choice { names } = key.kind
            && !names.iter().any(|name| **name == **text)
        {
            let near = nearest(text, names.iter().copied());
            let help = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            return wrong(
                other.column,
                format!("\"{text}\": `{}` is {}{help}", key.path, key.expectation()),
            );
        }
    }
    Ok(())
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(number) => format!("{number}"),
        Token::Text(text) => format!("{text:?}"),
        Token::Word(word) => format!("`{word}`"),
        Token::Symbol(symbol) => format!("`{symbol}`"),
        Token::End => "the end".to_owned(),
    }
}

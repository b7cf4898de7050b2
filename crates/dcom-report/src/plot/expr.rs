//! What is computed from columns: products, ratios, sums and differences of columns and numbers, without parentheses.
//! `multiplications / memory_read_bytes`; a name with blanks or signs stands in backticks.

use super::error::PlotError;
use super::section::At;

/// A formula.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) text: At<String>,
    terms: Vec<Term>,
}

/// A product, added or subtracted.
#[derive(Debug, Clone)]
struct Term {
    negative: bool,
    first: Operand,
    more: Vec<(Operator, Operand)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Times,
    Over,
    Plus,
    Minus,
}

#[derive(Debug, Clone)]
enum Operand {
    Number(f64),
    Column(At<String>),
}

impl Expr {
    pub(crate) fn parse(text: At<String>) -> Result<Self, PlotError> {
        let mut tokens = tokens(&text)?.into_iter();
        let wrong = |what: &str| text.error(format!("`{}`: {what}", text.value));
        let mut terms: Vec<Term> = Vec::new();
        let mut operator = Operator::Plus;
        loop {
            let operand = match tokens.next() {
                Some(Token::Operand(operand)) => operand,
                Some(Token::Operator(_)) => return Err(wrong("two operators in a row")),
                None => return Err(wrong("a column or a number is missing at the end")),
            };
            match (operator, terms.last_mut()) {
                (Operator::Times | Operator::Over, Some(term)) => {
                    term.more.push((operator, operand));
                }
                (operator, _) => terms.push(Term {
                    negative: operator == Operator::Minus,
                    first: operand,
                    more: Vec::new(),
                }),
            }
            operator = match tokens.next() {
                Some(Token::Operator(operator)) => operator,
                Some(Token::Operand(_)) => {
                    return Err(wrong(
                        "two names in a row; put a name with blanks in backticks",
                    ));
                }
                None => return Ok(Self { text, terms }),
            };
        }
    }

    /// The columns it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &At<String>> {
        let operands = self.terms.iter().flat_map(|term| {
            std::iter::once(&term.first).chain(term.more.iter().map(|(_, operand)| operand))
        });
        operands.filter_map(|operand| match operand {
            Operand::Number(_) => None,
            Operand::Column(name) => Some(name),
        })
    }

    /// The value, given those of the columns.
    pub(crate) fn value<E>(
        &self,
        column: impl Fn(&At<String>) -> Result<f64, E>,
    ) -> Result<f64, E> {
        let operand = |operand: &Operand| match operand {
            Operand::Number(number) => Ok(*number),
            Operand::Column(name) => column(name),
        };
        let mut sum: Option<f64> = None;
        for term in &self.terms {
            let mut product = operand(&term.first)?;
            for (operator, factor) in &term.more {
                let factor = operand(factor)?;
                match operator {
                    Operator::Over => product /= factor,
                    Operator::Times | Operator::Plus | Operator::Minus => product *= factor,
                }
            }
            if term.negative {
                product = -product;
            }
            // Not from zero, so that a single column keeps its exact value.
            sum = Some(sum.map_or(product, |sum| sum + product));
        }
        Ok(sum.expect("a formula has at least one term"))
    }
}

enum Token {
    Operand(Operand),
    Operator(Operator),
}

fn tokens(text: &At<String>) -> Result<Vec<Token>, PlotError> {
    let mut tokens = Vec::new();
    let mut rest = text.value.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '`' {
            let Some((name, after)) = rest[1..].split_once('`') else {
                return Err(text.error(format!("`{}`: a backtick is not closed", text.value)));
            };
            tokens.push(Token::Operand(Operand::Column(text.with(name.to_owned()))));
            rest = after.trim_start();
            continue;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        tokens.push(match word {
            "*" => Token::Operator(Operator::Times),
            "/" => Token::Operator(Operator::Over),
            "+" => Token::Operator(Operator::Plus),
            "-" => Token::Operator(Operator::Minus),
            // Words that Rust takes for numbers, such as `inf`, are names of columns here.
            word if word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                let number = word.parse().ok().filter(|number: &f64| number.is_finite());
                let number = number.ok_or_else(|| {
                    text.error(format!("`{word}` is neither a column nor a number"))
                })?;
                Token::Operand(Operand::Number(number))
            }
            name => Token::Operand(Operand::Column(text.with(name.to_owned()))),
        });
    }
    Ok(tokens)
}

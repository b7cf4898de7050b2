//! Values: from TOML or from the text of an override, checked against a key, to typed fields.

use std::fmt;

use toml::de::DeValue;

use crate::error::{ErrorKind, Rejection};
use crate::key::{KeyInfo, Kind, TEXT_LIMIT};
use crate::suggest;

/// A value that fits its key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of an integer key.
    Integer(i128),
    /// Of a float key: finite, and never -0.0.
    Float(f64),
    /// Of a boolean key.
    Bool(bool),
    /// Of a text key.
    Text(String),
    /// Of a choice key.
    Choice(&'static str),
}

/// The canonical form: equal values print equally, floats with the fewest digits that read back the same.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value}"),
            Self::Choice(value) => write!(f, "{value}"),
        }
    }
}

/// A type that a field of a schema can have (choices are converted by the macro itself).
pub trait Field: Sized {
    /// The typed form of a checked value.
    fn from_value(value: Value) -> Self;
    /// The reverse of [`Self::from_value`].
    fn to_value(&self) -> Value;
}

macro_rules! integer_field {
    ($($Integer:ty),+) => {$(
        impl Field for $Integer {
            fn from_value(value: Value) -> Self {
                match value {
                    Value::Integer(value) => Self::try_from(value).expect("the key's range is within its type"),
                    value => unreachable!("{value:?} for an integer key"),
                }
            }

            fn to_value(&self) -> Value {
                Value::Integer((*self).into())
            }
        }
    )+};
}

macro_rules! plain_field {
    ($($Type:ty => $Variant:ident),+) => {$(
        impl Field for $Type {
            fn from_value(value: Value) -> Self {
                match value {
                    Value::$Variant(value) => value,
                    value => unreachable!("{value:?} for a key of another kind"),
                }
            }

            fn to_value(&self) -> Value {
                Value::$Variant(self.clone())
            }
        }
    )+};
}

integer_field!(u32, u64, i32);
plain_field!(f64 => Float, bool => Bool, String => Text);

impl KeyInfo {
    /// Checks a value as an override writes it.
    ///
    /// # Errors
    /// What would be right, with a suggestion where there is one.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        self.value_from_text(text)
            .map_err(|rejection| match rejection.help {
                Some(help) => format!("{}; {help}", rejection.message),
                None => rejection.message,
            })
    }

    /// Checks a value read from a file.
    pub(crate) fn value_from_toml(&self, value: &DeValue<'_>) -> Result<Value, Rejection> {
        match (self.kind, value) {
            (Kind::Integer { .. }, DeValue::Integer(integer)) => {
                // An overflow of 128 bits is outside of every range.
                let parsed = i128::from_str_radix(integer.as_str(), integer.radix());
                parsed
                    .map_err(|_| self.out_of_range())
                    .and_then(|value| self.check(Value::Integer(value)))
            }
            (Kind::Float { .. }, DeValue::Float(float)) => self.float(float.as_str()),
            (Kind::Float { .. }, DeValue::Integer(integer)) => {
                match i128::from_str_radix(integer.as_str(), integer.radix()) {
                    // By way of decimal digits, which the parser rounds to the nearest float.
                    Ok(value) => self.float(&value.to_string()),
                    Err(_) => Err(self.out_of_range()),
                }
            }
            (Kind::Bool, DeValue::Boolean(value)) => Ok(Value::Bool(*value)),
            (Kind::Text, DeValue::String(text)) => {
                self.check(Value::Text(text.as_ref().to_owned()))
            }
            (Kind::Choice { names }, DeValue::String(text)) => self.choice(names, text),
            (
                Kind::Integer { .. }
                | Kind::Float { .. }
                | Kind::Bool
                | Kind::Text
                | Kind::Choice { .. },
                _,
            ) => Err(self.wrong_type(value)),
        }
    }

    /// Checks the text of an override.
    pub(crate) fn value_from_text(&self, text: &str) -> Result<Value, Rejection> {
        match self.kind {
            Kind::Integer { .. } => match text.parse::<i128>() {
                Ok(value) => self.check(Value::Integer(value)),
                Err(_) if is_digits(text) => Err(self.out_of_range()),
                Err(_) => Err(self.wrong_text(text)),
            },
            Kind::Float { .. } => self.float(text),
            Kind::Bool => text
                .parse()
                .map(Value::Bool)
                .map_err(|_| self.wrong_text(text)),
            Kind::Text => self.check(Value::Text(text.to_owned())),
            Kind::Choice { names } => self.choice(names, text),
        }
    }

    fn float(&self, text: &str) -> Result<Value, Rejection> {
        // Adding zero makes -0.0 positive, so that equal values have one canonical form.
        text.parse::<f64>()
            .map_err(|_| self.wrong_text(text))
            .and_then(|value| self.check(Value::Float(value + 0.0)))
    }

    fn choice(&self, names: &'static [&'static str], text: &str) -> Result<Value, Rejection> {
        match names.iter().find(|name| **name == text) {
            Some(name) => Ok(Value::Choice(name)),
            None => Err(Rejection {
                kind: ErrorKind::OutOfRange,
                message: format!("must be {}", self.expectation()),
                help: suggest::nearest(text, names.iter().copied())
                    .map(|name| format!("did you mean \"{name}\"?")),
            }),
        }
    }

    fn check(&self, value: Value) -> Result<Value, Rejection> {
        let text_error = |problem: String| Rejection {
            kind: ErrorKind::OutOfRange,
            message: format!("must be {}, {problem}", self.expectation()),
            help: None,
        };
        match (self.kind, &value) {
            (Kind::Integer { min, max }, Value::Integer(integer))
                if !(min..=max).contains(integer) =>
            {
                Err(self.out_of_range())
            }
            (Kind::Float { .. }, Value::Float(float)) if !float.is_finite() => Err(Rejection {
                kind: ErrorKind::OutOfRange,
                message: format!("must be {}", self.expectation()),
                help: None,
            }),
            (Kind::Float { min, max }, Value::Float(float)) if !(min..=max).contains(float) => {
                Err(self.out_of_range())
            }
            (Kind::Text, Value::Text(text)) => match text.chars().count() {
                0 => Err(text_error("but is empty".to_owned())),
                count if count > TEXT_LIMIT => Err(text_error(format!("but has {count}"))),
                _ if text.chars().any(char::is_control) => Err(text_error(
                    "but holds a control character such as a line break".to_owned(),
                )),
                _ => Ok(value),
            },
            _ => Ok(value),
        }
    }

    fn out_of_range(&self) -> Rejection {
        Rejection {
            kind: ErrorKind::OutOfRange,
            message: format!("must be in {}", self.range()),
            help: None,
        }
    }

    fn wrong_text(&self, text: &str) -> Rejection {
        let help = match self.kind {
            Kind::Integer { .. } => whole(text).map(|digits| format!("write {digits}")),
            Kind::Float { .. } | Kind::Bool | Kind::Text | Kind::Choice { .. } => None,
        };
        Rejection {
            kind: ErrorKind::WrongType,
            message: format!("must be {}", self.expectation()),
            help,
        }
    }

    fn wrong_type(&self, found: &DeValue<'_>) -> Rejection {
        let help = match (self.kind, found) {
            (Kind::Integer { .. }, DeValue::Float(float)) => {
                whole(float.as_str()).map(|digits| format!("write {digits}"))
            }
            (Kind::Integer { .. } | Kind::Float { .. } | Kind::Bool, DeValue::String(text)) => self
                .value_from_text(text)
                .ok()
                .map(|_| format!("write {text} without quotes")),
            (
                Kind::Choice { names },
                DeValue::Boolean(_) | DeValue::Integer(_) | DeValue::Float(_),
            ) => names
                .first()
                .map(|name| format!("write a name in quotes, such as \"{name}\"")),
            _ => None,
        };
        let found = match found.type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        Rejection {
            kind: ErrorKind::WrongType,
            message: format!("must be {}, found {found}", self.expectation()),
            help,
        }
    }
}

fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a float written with a zero fraction, such as 12.0.
fn whole(float: &str) -> Option<&str> {
    let (digits, fraction) = float.split_once('.')?;
    (is_digits(digits) && fraction.bytes().all(|byte| byte == b'0')).then_some(digits)
}

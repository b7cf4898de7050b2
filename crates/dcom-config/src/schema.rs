//! The `schema!` macro: one list of keys becomes a typed struct, its parser, its overrides and its documentation.
//!
//! The macro only connects typed fields to [`Value`](crate::Value)s; every rule about files, ranges and messages is
//! ordinary code in this crate, working on the [`Schema`](crate::Schema) that the macro builds as a constant.

/// Defines the struct of one kind of file. See the crate's example.
///
/// ```text
/// pub struct Name("file kind", marks required|optional) {
///     /// Meaning, which the reference table repeats.
///     "table.key" field: KIND [in MIN..=MAX] [, unit "..."] [, default LITERAL];
/// }
/// ```
///
/// `KIND` is `u32`, `u64`, `i32` or `f64` (these take a range), `coefficient` (a [`Coefficient`](crate::Coefficient):
/// a number with its low and high; takes a range), `bool`, `text` (a `String`), or
/// `choice<Enum> { Variant: "name in the file", ... }`, which must name all variants. A default is written as it
/// would be in `--set`: `4`, `true`, `"f16"`. With `marks required` every key of the file states where it comes
/// from. A path that is not `table.key`, that occurs twice or that is a table of another one does not compile.
///
/// Fields are public to be read. To change one use `set`, which keeps the range and records the change. No field
/// can be named `document`.
///
/// ```compile_fail
/// dcom_config::schema! {
///     struct Twice("twice", marks optional) {
///         /// One.
///         "table.key" first: u32 in 1..=2;
///         /// The same.
///         "table.key" second: u32 in 1..=2;
///     }
/// }
/// Twice::keys();
/// ```
#[macro_export]
macro_rules! schema {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Struct:ident($name:literal, marks $marks:ident) {
            $(
                $(#[doc = $doc:literal])+
                $path:literal $field:ident: $kind:ident
                $(< $Choice:ident > { $($Variant:ident: $variant:literal),+ $(,)? })?
                $(in $range:expr)?
                $(, unit $unit:literal)?
                $(, default $default:literal)?;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $Struct {
            $(
                $(#[doc = $doc])+
                pub $field: $crate::schema_part!(type $kind $(<$Choice>)?),
            )+
            document: $crate::Document,
        }

        impl $Struct {
            const SCHEMA: &'static $crate::Schema = &$crate::Schema::new(
                $name,
                $crate::schema_part!(marks $marks),
                &[$($crate::KeyInfo {
                    path: $path,
                    field: stringify!($field),
                    kind: $crate::schema_part!(kind $kind $([$($variant),+])? $(in $range)?),
                    unit: $crate::schema_part!(option $($unit)?),
                    doc: concat!($($doc),+).trim_ascii(),
                    default: $crate::schema_part!(option $(concat!($default))?),
                }),+],
            );

            /// Reads and checks a whole file.
            ///
            /// # Errors
            /// The first mistake by position, with the number of further ones.
            pub fn parse(source: $crate::Source) -> Result<Self, $crate::ConfigError> {
                let (document, values) = $crate::read(Self::SCHEMA, source)?;
                let mut values = values.into_iter();
                Ok(Self {
                    // Fields are evaluated in the order written, which is the order of the keys.
                    $($field: {
                        let value = values.next().expect("one value per key");
                        $crate::schema_part!(from value, $kind $(<$Choice> [$($Variant: $variant),+])?)
                    },)+
                    document,
                })
            }

            /// Replaces the value of one key, as `--set key=value` does; its mark becomes "assumed".
            ///
            /// # Errors
            /// Unknown key, or a value of the wrong type or outside the range; `self` is then unchanged.
            pub fn set(&mut self, key: &str, value: &str) -> Result<(), $crate::ConfigError> {
                let (info, value) = self.document.replace(key, value)?;
                match info.path {
                    $($path => {
                        self.$field =
                            $crate::schema_part!(from value, $kind $(<$Choice> [$($Variant: $variant),+])?);
                    })+
                    path => unreachable!("{path} is in the schema and has no field"),
                }
                Ok(())
            }

            /// All keys, in the order of the schema.
            pub fn keys() -> &'static [$crate::KeyInfo] {
                Self::SCHEMA.keys()
            }

            /// The keys as a Markdown table.
            pub fn reference_table() -> String {
                Self::SCHEMA.reference_table()
            }

            /// Where each value comes from: file position, mark, source.
            pub fn document(&self) -> &$crate::Document {
                &self.document
            }

            /// All keys with value, mark and source, in the order of the schema.
            pub fn entries(&self) -> Vec<$crate::Entry<'_>> {
                self.document.entries(self.values())
            }

            /// The error of a rule over several keys, pointing at one of them (its path or its field's name).
            ///
            /// # Panics
            /// If there is no such key.
            pub fn error_at(
                &self,
                key: &str,
                message: impl Into<String>,
                help: Option<String>,
            ) -> $crate::ConfigError {
                self.document.error_at(key, message.into(), help)
            }

            /// Sorted `key=value` lines with defaults and overrides, without marks: what a result depends on.
            pub fn canonical(&self) -> String {
                self.document.canonical(self.values())
            }

            /// FNV-1a (64 bits, 16 hex digits) of [`Self::canonical`], to label results with.
            pub fn hash(&self) -> String {
                $crate::Document::hash(&self.canonical())
            }

            fn values(&self) -> Vec<$crate::Value> {
                vec![$(
                    $crate::schema_part!(to self.$field, $kind $(<$Choice> [$($Variant: $variant),+])?)
                ),+]
            }
        }
    };
}

/// The pieces of [`schema!`] that differ between kinds of values.
#[doc(hidden)]
#[macro_export]
macro_rules! schema_part {
    (marks required) => { $crate::Marks::Required };
    (marks optional) => { $crate::Marks::Optional };

    (option) => { None };
    (option $some:expr) => { Some($some) };

    (type text) => { String };
    (type coefficient) => { $crate::Coefficient };
    (type choice<$Choice:ident>) => { $Choice };
    (type $Number:ident) => { $Number };

    (kind bool) => { $crate::Kind::Bool };
    (kind text) => { $crate::Kind::Text };
    (kind choice [$($variant:literal),+]) => { $crate::Kind::Choice { names: &[$($variant),+] } };
    (kind $number:ident in $range:expr) => { $crate::Kind::$number($range) };

    (from $value:ident, choice<$Choice:ident> [$($Variant:ident: $variant:literal),+]) => {
        match $value {
            $($crate::Value::Choice($variant) => $Choice::$Variant,)+
            value => unreachable!("{value:?} is not a name of {}", stringify!($Choice)),
        }
    };
    (from $value:ident, $kind:ident) => { $crate::Field::from_value($value) };

    (to $self:ident.$field:ident, choice<$Choice:ident> [$($Variant:ident: $variant:literal),+]) => {
        match $self.$field {
            $($Choice::$Variant => $crate::Value::Choice($variant),)+
        }
    };
    (to $self:ident.$field:ident, $kind:ident) => { $crate::Field::to_value(&$self.$field) };
}

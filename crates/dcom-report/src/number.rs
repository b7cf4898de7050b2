//! Numbers for readers: significant digits, thousands separators, engineering prefixes. ASCII only, independent of the locale.

/// `value` with `digits` significant digits, as a plain decimal: `0.00123`, `455`, `123000`.
///
/// Rounds to nearest, ties as [`format!`] does on the exact binary value. Values of 10^15 and above, or below 10^-6, come in
/// scientific notation (`1.2e-9`), NaN and infinities as `NaN` and `inf`.
///
/// # Panics
/// If `digits` is zero.
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    assert!(
        digits > 0,
        "{value} was to be written with 0 significant digits"
    );
    if !value.is_finite() {
        return value.to_string();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let rounded = Rounded::new(value, digits);
    if (-6..15).contains(&rounded.exponent) {
        rounded.plain()
    } else {
        format!("{value:.*e}", digits - 1)
    }
}

/// `value`, in units of `unit`, with three significant digits and the SI prefix that puts 1 to 999 before the point:
/// `engineering(455e-6, "s")` is `455 us`.
///
/// The prefix for 10^-6 is `u`, as in the file names and columns of this project. Values beyond the prefixes (below `f`, above
/// `E`) come in scientific notation without a prefix.
#[must_use]
pub fn engineering(value: f64, unit: &str) -> String {
    const DIGITS: usize = 3;
    const PREFIXES: [(i32, &str); 12] = [
        (-15, "f"),
        (-12, "p"),
        (-9, "n"),
        (-6, "u"),
        (-3, "m"),
        (0, ""),
        (3, "k"),
        (6, "M"),
        (9, "G"),
        (12, "T"),
        (15, "P"),
        (18, "E"),
    ];
    if value == 0.0 || !value.is_finite() {
        return format!("{} {unit}", significant(value, DIGITS));
    }
    // Rounded first: 999.7 us is 1.00 ms.
    let rounded = Rounded::new(value, DIGITS);
    let power = rounded.exponent.div_euclid(3) * 3;
    match PREFIXES
        .iter()
        .find(|(prefix_power, _)| *prefix_power == power)
    {
        Some((_, prefix)) => {
            let shifted = Rounded {
                exponent: rounded.exponent - power,
                ..rounded
            };
            format!("{} {prefix}{unit}", shifted.plain())
        }
        None => format!("{value:.*e} {unit}", DIGITS - 1),
    }
}

/// An integer with a comma between groups of three digits: `12,345,678`.
#[must_use]
pub fn thousands(value: impl Into<i128>) -> String {
    let value: i128 = value.into();
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", group(&value.unsigned_abs().to_string()))
}

/// Commas between groups of three of `digits`, counted from the right.
pub(crate) fn group(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A finite nonzero number as its decimal digits `d.ddd` times ten to `exponent`.
struct Rounded {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Rounded {
    fn new(value: f64, digits: usize) -> Self {
        let scientific = format!("{:.*e}", digits - 1, value.abs());
        let (mantissa, exponent) = scientific
            .split_once('e')
            .expect("Rust writes an exponent for {:e}");
        Self {
            negative: value < 0.0,
            digits: mantissa.replace('.', ""),
            exponent: exponent
                .parse()
                .expect("Rust writes the exponent as an integer"),
        }
    }

    fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let digits = &self.digits;
        match usize::try_from(self.exponent) {
            Ok(exponent) if exponent + 1 >= digits.len() => {
                format!("{sign}{digits}{}", "0".repeat(exponent + 1 - digits.len()))
            }
            Ok(exponent) => format!("{sign}{}.{}", &digits[..=exponent], &digits[exponent + 1..]),
            Err(_) => {
                let zeros = "0".repeat(self.exponent.unsigned_abs() as usize - 1);
                format!("{sign}0.{zeros}{digits}")
            }
        }
    }
}

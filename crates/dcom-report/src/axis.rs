//! From values to places along an axis, and which places are named.

use crate::figure::{Axis, Scale};
use crate::number;

/// Room left beyond the data, as a fraction of its span.
pub(crate) const PADDING: f64 = 0.05;
/// The same where a text must find a place beside the outermost point.
pub(crate) const NOTE_PADDING: f64 = 0.13;

/// An axis with a definite range.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    scale: Scale,
    lo: f64,
    hi: f64,
    /// Names of equally wide places instead of numbers.
    names: Option<Names>,
}

#[derive(Debug, Clone)]
struct Names {
    names: Vec<String>,
    /// Every name is shown, even if they collide, which is then an error.
    all: bool,
}

/// A named place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// 0 at the start of the axis, 1 at its end.
    pub(crate) place: f64,
    pub(crate) label: String,
}

impl Mapping {
    /// The given range of the axis, or one around `values`, which are finite, and positive if the axis is logarithmic.
    pub(crate) fn new(axis: &Axis, padding: f64, values: impl IntoIterator<Item = f64>) -> Self {
        let (lo, hi) = axis.range.unwrap_or_else(|| {
            let start = (f64::INFINITY, f64::NEG_INFINITY);
            let (lo, hi) = values
                .into_iter()
                .fold(start, |(lo, hi), value| (lo.min(value), hi.max(value)));
            assert!(
                lo <= hi,
                "axis \"{}\" has neither a range nor data",
                axis.label
            );
            padded(axis.scale, padding, lo, hi)
        });
        Self {
            scale: axis.scale,
            lo,
            hi,
            names: None,
        }
    }

    /// Equally wide places with these names; unless `all` are to be shown, some are left out where they are too dense.
    pub(crate) fn categories(names: &[String], all: bool) -> Self {
        Self {
            scale: Scale::Linear,
            lo: 0.0,
            hi: names.iter().map(|_| 1.0).sum(),
            names: Some(Names {
                names: names.to_vec(),
                all,
            }),
        }
    }

    /// Whether places have numbers, between which a grid guides the eye.
    pub(crate) fn is_numeric(&self) -> bool {
        self.names.is_none()
    }

    /// 0 at the start of the axis, 1 at its end.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let warped = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log2 | Scale::Log10 => value.ln(),
        };
        (warped(value) - warped(self.lo)) / (warped(self.hi) - warped(self.lo))
    }

    /// The most ticks for which `fits` holds, from the densest set that reads well to the sparsest.
    pub(crate) fn ticks(&self, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
        let sets = match self.scale {
            _ if self.names.is_some() => self.name_sets(),
            Scale::Linear => self.linear_sets(),
            Scale::Log2 => self.log2_sets(),
            Scale::Log10 => self.log10_sets(),
        };
        let mut sparsest = Vec::new();
        for set in sets {
            if fits(&set) {
                return set;
            }
            if !set.is_empty() {
                sparsest = set;
            }
        }
        sparsest
    }

    /// Unnamed places between the ticks of a logarithmic axis: what tells the reader that it is one.
    pub(crate) fn minor(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear | Scale::Log2 => Vec::new(),
            Scale::Log10 => {
                const MOST_DECADES: usize = 4;
                let all: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
                let digits = if self.decades().count() > MOST_DECADES {
                    &all[..1]
                } else {
                    all
                };
                let decades = self
                    .decades()
                    .flat_map(|power| digits.iter().map(move |&digit| (digit, power)));
                let values = decades.map(|(digit, power)| digit * 10_f64.powi(power));
                values
                    .filter(|&value| self.holds(value))
                    .map(|value| self.place(value))
                    .collect()
            }
        }
    }

    fn holds(&self, value: f64) -> bool {
        // A tick at the very end must not be lost to rounding.
        const SLACK: f64 = 1e-9;
        (-SLACK..=1.0 + SLACK).contains(&self.place(value))
    }

    fn name_sets(&self) -> Vec<Vec<Tick>> {
        let Some(Names { names, all }) = &self.names else {
            return Vec::new();
        };
        let middles = std::iter::successors(Some(0.5), |middle| Some(middle + 1.0));
        let ticks: Vec<Tick> = names
            .iter()
            .zip(middles)
            .map(|(name, middle)| Tick {
                place: middle / self.hi,
                label: name.clone(),
            })
            .collect();
        let strides: &[usize] = if *all {
            &[1]
        } else {
            &[1, 2, 4, 5, 8, 10, 20, 50]
        };
        strides
            .iter()
            .map(|&stride| ticks.iter().step_by(stride).cloned().collect())
            .collect()
    }

    fn linear_sets(&self) -> Vec<Vec<Tick>> {
        const MOST_TICKS: f64 = 8.0;
        let span = self.hi - self.lo;
        let lowest_power = exponent(span / MOST_TICKS);
        let steps = (lowest_power..).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| (digit, power)));
        let steps = steps.map(|(digit, power)| (digit * 10_f64.powi(power), power));
        let usable = steps
            .skip_while(|(step, _)| span / step > MOST_TICKS)
            .take_while(|(step, _)| *step <= span);
        usable
            .map(|(step, power)| self.multiples(step, power))
            .collect()
    }

    fn multiples(&self, step: f64, power: i32) -> Vec<Tick> {
        let first = (self.lo / step).ceil() - 1.0;
        let indices = std::iter::successors(Some(first), |index| Some(index + 1.0));
        let values = indices
            .map(|index| index * step)
            .take_while(|&value| value <= self.hi + step / 2.0);
        let ticks = values.filter(|&value| self.holds(value));
        ticks
            .map(|value| Tick {
                place: self.place(value),
                label: linear_label(value, power),
            })
            .collect()
    }

    fn log2_sets(&self) -> Vec<Vec<Tick>> {
        let (first, last) = (ceiling(self.lo.log2()), floor(self.hi.log2()));
        // One notation per axis: plain where the whole axis is readable so.
        let plain = first >= -4 && last <= 20;
        let tick = |power: i32| {
            let value = 2_f64.powi(power);
            let label = if plain {
                value.to_string()
            } else {
                format!("2{}", superscript(&power.to_string()))
            };
            Tick {
                place: self.place(value),
                label,
            }
        };
        let every = |stride: usize| (first..=last).step_by(stride).map(tick).collect::<Vec<_>>();
        if every(1).len() < 2 {
            // Less than two octaves have at most one power of two, which says nothing about the scale.
            return self.linear_sets();
        }
        [1, 2, 3, 4, 5, 8, 10, 20, 50, 100]
            .into_iter()
            .map(every)
            .collect()
    }

    fn log10_sets(&self) -> Vec<Vec<Tick>> {
        let with = |digits: &[f64], stride: usize| {
            let decades = self
                .decades()
                .filter(|power| (power.unsigned_abs() as usize).is_multiple_of(stride));
            let ticks = decades.flat_map(|power| digits.iter().map(move |&digit| (digit, power)));
            let ticks = ticks.filter(|&(digit, power)| self.holds(digit * 10_f64.powi(power)));
            ticks
                .map(|(digit, power)| self.log10_tick(digit, power))
                .collect::<Vec<_>>()
        };
        let fine = with(&[1.0, 2.0, 5.0], 1);
        if fine.len() < 3 {
            // Too narrow for a decade rhythm: evenly spaced values are the more readable ticks.
            return self.linear_sets();
        }
        vec![
            fine,
            with(&[1.0, 3.0], 1),
            with(&[1.0], 1),
            with(&[1.0], 2),
            with(&[1.0], 3),
            with(&[1.0], 5),
        ]
    }

    fn decades(&self) -> impl Iterator<Item = i32> + use<> {
        exponent(self.lo)..=exponent(self.hi)
    }

    fn log10_tick(&self, digit: f64, power: i32) -> Tick {
        let value = digit * 10_f64.powi(power);
        // One notation per axis: plain where the whole axis is readable so.
        let plain = exponent(self.lo) >= -3 && exponent(self.hi) <= 5;
        let label = if plain {
            linear_label(value, power)
        } else {
            power_label(digit, power)
        };
        Tick {
            place: self.place(value),
            label,
        }
    }
}

/// Whether a range is so narrow that its ends cannot be told apart in labels, nor its ticks counted in 64-bit floats.
pub(crate) fn is_degenerate(lo: f64, hi: f64) -> bool {
    hi - lo <= 1e-9 * lo.abs().max(hi.abs())
}

/// The range around data from `lo` to `hi`.
pub(crate) fn padded(scale: Scale, padding: f64, lo: f64, hi: f64) -> (f64, f64) {
    /// A linear axis starts at zero when less than this part of it would be empty.
    const EMPTY_AT_MOST: f64 = 0.6;
    match scale {
        Scale::Linear if is_degenerate(lo, hi) => {
            let reach = if lo == 0.0 { 1.0 } else { lo.abs() / 2.0 };
            (lo - reach, hi + reach)
        }
        Scale::Linear => {
            let pad = padding * (hi - lo);
            let (from_zero, to_zero) = (
                lo >= 0.0 && lo <= EMPTY_AT_MOST * hi,
                hi <= 0.0 && hi >= EMPTY_AT_MOST * lo,
            );
            (
                if from_zero { 0.0 } else { lo - pad },
                if to_zero { 0.0 } else { hi + pad },
            )
        }
        Scale::Log2 | Scale::Log10 if is_degenerate(lo, hi) => (lo / 2.0, hi * 2.0),
        Scale::Log2 | Scale::Log10 => {
            let pad = (hi / lo).powf(padding);
            (lo / pad, hi * pad)
        }
    }
}

/// A multiple of 10^`power`, without digits below that.
fn linear_label(value: f64, power: i32) -> String {
    const MOST_DECIMALS: usize = 6;
    const SEPARATORS_FROM: f64 = 10_000.0;
    const SCIENTIFIC_FROM: f64 = 1e9;
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = if power < 0 {
        power.unsigned_abs() as usize
    } else {
        0
    };
    if decimals > MOST_DECIMALS || value.abs() >= SCIENTIFIC_FROM {
        let own = exponent(value.abs() * (1.0 + 1e-12));
        let digits = own.saturating_sub(power).max(0).unsigned_abs() as usize;
        let text = format!("{value:.digits$e}");
        let (mantissa, exponent) = text
            .split_once('e')
            .expect("Rust writes an exponent for {:e}");
        return minus(&format!("{mantissa}×10{}", superscript(exponent)));
    }
    let text = format!("{value:.decimals$}");
    if value.abs() < SEPARATORS_FROM {
        return minus(&text);
    }
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let fraction = fraction.map(|part| format!(".{part}")).unwrap_or_default();
    minus(&format!("{sign}{}{fraction}", number::group(whole)))
}

/// `10⁻⁵`, `2×10⁻⁵`.
fn power_label(digit: f64, power: i32) -> String {
    let raised = format!("10{}", superscript(&power.to_string()));
    if digit == 1.0 {
        raised
    } else {
        format!("{digit}×{raised}")
    }
}

fn superscript(number: &str) -> String {
    let raise = |character: char| match character {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        '-' => '⁻',
        other => other,
    };
    number.chars().map(raise).collect()
}

/// A minus sign instead of a hyphen.
fn minus(number: &str) -> String {
    number.replacen('-', "−", 1)
}

/// The largest power of ten not above `value`, which is positive.
fn exponent(value: f64) -> i32 {
    // log10 of an exact power of ten may come out just below the integer.
    floor(value.log10() + 1e-12)
}

fn floor(value: f64) -> i32 {
    assert!(
        value.abs() < f64::from(i16::MAX),
        "{value} is no exponent of a 64-bit float"
    );
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an integer, and the range is checked"
    )]
    let floor = value.floor() as i32;
    floor
}

fn ceiling(value: f64) -> i32 {
    -floor(-value)
}

//! The few statistics of the report.

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that have the property.
    pub hits: usize,
    /// All of them.
    pub all: usize,
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}

impl Share {
    /// Counts.
    pub fn of(hits: impl IntoIterator<Item = bool>) -> Share {
        let mut share = Share::default();
        for hit in hits {
            share.hits += usize::from(hit);
            share.all += 1;
        }
        share
    }

    /// The share; none of none.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.all > 0).then(|| real(self.hits) / real(self.all))
    }

    /// The 95 % score interval of Wilson (JASA 22, 1927), which holds for shares near 0 and 1 as well.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        let share = self.value()?;
        let n = real(self.all);
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        // Exactly 0 or 1 in theory where nothing or everything hits; rounding may step over.
        Some((
            ((middle - half) / scale).max(0.0),
            ((middle + half) / scale).min(1.0),
        ))
    }

    /// `37.2 % (36.3 to 38.2)`.
    #[must_use]
    pub fn words(self) -> String {
        match (self.value(), self.interval()) {
            (Some(share), Some((low, high))) => format!(
                "{:.1} % ({:.1} to {:.1})",
                share * 100.0,
                low * 100.0,
                high * 100.0
            ),
            _ => "none of none".to_owned(),
        }
    }
}

/// The first-order variance share of a parameter: how much of the variance of `y` the means of its groups explain, with
/// the part that chance alone would explain taken off (epsilon squared, Kelley, PNAS 21, 1935); near 0, or a little below, for a
/// parameter that does nothing. None where `y` does not vary.
#[must_use]
pub fn variance_share(groups: &[usize], y: &[f64]) -> Option<f64> {
    assert_eq!(groups.len(), y.len(), "one group per value");
    let count = groups.iter().max()? + 1;
    let mean = y.iter().sum::<f64>() / real(y.len());
    let total: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
    let mut sums = vec![(0.0, 0); count];
    for (group, y) in groups.iter().zip(y) {
        sums[*group].0 += y;
        sums[*group].1 += 1;
    }
    let filled: Vec<(f64, f64)> = sums
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(sum, n)| (sum, real(n)))
        .collect();
    let between: f64 = filled.iter().map(|(s, n)| n * (s / n - mean).powi(2)).sum();
    let freedom = real(y.len()) - real(filled.len());
    if total <= 0.0 || freedom <= 0.0 {
        return None;
    }
    let noise = (total - between) / freedom;
    Some((between - (real(filled.len()) - 1.0) * noise) / total)
}

/// Spearman's rank correlation, ties at their mean rank. None where either side does not vary.
#[must_use]
pub fn rank_correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "pairs");
    let (x, y) = (ranks(x), ranks(y));
    let mean = (real(x.len()) + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let scale = (product(&x, &x) * product(&y, &y)).sqrt();
    (scale > 0.0).then(|| product(&x, &y) / scale)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = real(before) + (real(tied.len()) + 1.0) / 2.0;
        tied.iter().for_each(|at| ranks[*at] = rank);
        before += tied.len();
    }
    ranks
}

/// The value below which a share of the sorted values lies, nearest rank.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank, rounded up on purpose"
)]
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * real(sorted.len())).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

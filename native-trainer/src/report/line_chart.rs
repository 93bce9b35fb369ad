//! A line chart that keeps its text readable at any width.
//!
//! Only the curves are SVG, stretched to the room there is with strokes that do not scale; labels
//! are HTML placed by percentage, so they have the size of the page's other text on a phone too.

use std::fmt::Write as _;

use super::{axis::Axis, html::escape};

/// Points of a curve beyond this are thinned to the extremes of each stretch.
const MAX_POINTS: usize = 800;
/// Side of the square that the SVG draws in.
const SIDE: f64 = 1000.0;

/// Step and value.
pub(super) type Point = (f64, f64);

/// How a series looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Faint line under another one.
    Faint,
    Line,
    /// Dots joined by a line.
    Dots,
}

/// One curve.
#[derive(Debug)]
pub(super) struct Series {
    pub name: &'static str,
    /// Class of the style sheet that gives the colour.
    pub class: &'static str,
    pub mark: Mark,
    pub points: Vec<Point>,
}

/// A chart of series over steps; nothing when no series has a finite point.
pub(super) fn line_chart(title: &str, size_class: &str, series: &[Series]) -> String {
    let series: Vec<Series> = series.iter().filter_map(finite).collect();
    let points = || series.iter().flat_map(|series| series.points.iter());
    let Some((first, last)) = span(points().map(|(x, _)| *x)) else {
        return String::new();
    };
    let x_axis = Axis::of_counts(first, last);
    let y_axis = Axis::of_values(points().map(|(_, y)| *y));

    let mut html = format!(
        "<figure class=\"chart {size_class}\"><figcaption><b>{}</b>",
        escape(title)
    );
    if y_axis.is_logarithmic() {
        html.push_str(" <span class=\"muted\">logarithmic</span>");
    }
    html.push_str(&legend(&series));
    html.push_str("</figcaption><div class=\"plot\"><div class=\"y\" aria-hidden=\"true\">");
    for (position, label) in y_axis.ticks() {
        add(
            &mut html,
            format_args!(
                "<span style=\"bottom:{:.2}%\">{label}</span>",
                position * 100.0
            ),
        );
    }
    add(
        &mut html,
        format_args!(
            "</div><svg viewBox=\"0 0 {SIDE} {SIDE}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{} over steps\">",
            escape(title)
        ),
    );
    html.push_str(&grid(&y_axis));
    for series in &series {
        html.push_str(&curve(series, &x_axis, &y_axis));
    }
    html.push_str("</svg><div class=\"unit\">step</div><div class=\"x\" aria-hidden=\"true\">");
    for (position, label) in x_axis.ticks() {
        add(
            &mut html,
            format_args!(
                "<span style=\"left:{:.2}%\">{label}</span>",
                position * 100.0
            ),
        );
    }
    html.push_str("</div></div></figure>");
    html
}

/// Exponential moving average over about `span` points, without the pull towards zero at the start.
pub(super) fn smoothed(points: &[Point], span: usize) -> Vec<Point> {
    let keep = 1.0 - 2.0 / (span as f64 + 1.0);
    let (mut sum, mut weight) = (0.0, 0.0);
    let finite = points.iter().filter(|(_, y)| y.is_finite());
    finite
        .map(|(x, y)| {
            sum = keep * sum + y;
            weight = keep * weight + 1.0;
            (*x, sum / weight)
        })
        .collect()
}

fn finite(series: &Series) -> Option<Series> {
    let points: Vec<Point> = series
        .points
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    (!points.is_empty()).then_some(Series { points, ..*series })
}

fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |span, x| match span {
        None => Some((x, x)),
        Some((low, high)) => Some((low.min(x), high.max(x))),
    })
}

fn legend(series: &[Series]) -> String {
    if series.len() < 2 {
        return String::new();
    }
    let item = |series: &Series| {
        let class = if series.mark == Mark::Faint {
            "key faint"
        } else {
            "key"
        };
        format!(
            "<span class=\"{class} {}\">{}</span>",
            series.class, series.name
        )
    };
    format!(
        "<span class=\"legend\">{}</span>",
        series.iter().map(item).collect::<String>()
    )
}

fn grid(y_axis: &Axis) -> String {
    let line = |(position, _)| format!("M0 {:.1}H{SIDE}", (1.0 - position) * SIDE);
    format!(
        "<path class=\"grid\" d=\"{}\"/>",
        y_axis.ticks().map(line).collect::<String>()
    )
}

fn curve(series: &Series, x_axis: &Axis, y_axis: &Axis) -> String {
    let place = |(x, y): Point| (x_axis.position(x) * SIDE, (1.0 - y_axis.position(y)) * SIDE);
    let mut line = String::new();
    for (i, point) in thinned(&series.points).into_iter().enumerate() {
        let (x, y) = place(point);
        add(
            &mut line,
            format_args!("{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' }),
        );
    }
    let class = series.class;
    let mut svg = match series.mark {
        Mark::Faint => format!("<path class=\"line faint {class}\" d=\"{line}\"/>"),
        Mark::Line | Mark::Dots => format!("<path class=\"line {class}\" d=\"{line}\"/>"),
    };
    if series.mark == Mark::Dots || series.points.len() == 1 {
        for point in &series.points {
            let (x, y) = place(*point);
            // A round cap on no length is a dot that stays round when the drawing is stretched.
            add(
                &mut svg,
                format_args!(
                    "<path class=\"dot {class}\" d=\"M{x:.1} {y:.1}h0\"><title>step {}: {:.4}</title></path>",
                    point.0, point.1
                ),
            );
        }
    }
    svg
}

/// Lowest and highest point of each of up to `MAX_POINTS / 2` equal stretches, in their order.
fn thinned(points: &[Point]) -> Vec<Point> {
    if points.len() <= MAX_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MAX_POINTS / 2);
    let mut kept = Vec::with_capacity(MAX_POINTS);
    for points in points.chunks(stretch) {
        let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        let (low, high) = (
            points.iter().min_by(by_value),
            points.iter().max_by(by_value),
        );
        if let (Some(low), Some(high)) = (low, high) {
            kept.push(if low.0 < high.0 { *low } else { *high });
            kept.push(if low.0 < high.0 { *high } else { *low });
        }
    }
    kept
}

fn add(html: &mut String, piece: std::fmt::Arguments<'_>) {
    html.write_fmt(piece)
        .expect("a String takes what is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_spike() {
        let mut points: Vec<Point> = (0..100_000).map(|i| (f64::from(i), 1.0)).collect();
        points[54_321].1 = 99.0;
        let kept = thinned(&points);
        assert!(kept.len() <= MAX_POINTS, "{}", kept.len());
        assert!(kept.contains(&(54_321.0, 99.0)));
        assert!(kept.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn smoothing_starts_at_the_first_value() {
        let smooth = smoothed(&[(1.0, 4.0), (2.0, 2.0), (3.0, f64::NAN), (4.0, 2.0)], 3);
        assert_eq!(smooth[0], (1.0, 4.0));
        assert_eq!(smooth.len(), 3);
        assert!((smooth[1].1 - 4.0 / 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_chart_without_points_is_nothing() {
        let series = Series {
            name: "a",
            class: "b",
            mark: Mark::Line,
            points: vec![(1.0, f64::NAN)],
        };
        assert_eq!(line_chart("Loss", "tall", &[series]), "");
    }
}

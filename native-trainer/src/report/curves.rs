//! What happened during training: key figures and curves, from the events of a run.

use veneer_core::protocol::{Event, RunSummary};

use super::{
    html::{bytes, duration, escape, grouped},
    line_chart::{Mark, Point, Series, line_chart, smoothed},
};

/// Curves over the steps of a run.
#[derive(Debug, Default)]
struct Curves {
    loss: Vec<Point>,
    grad_norm: Vec<Point>,
    learning_rate: Vec<Point>,
    eval_loss: Vec<Point>,
}

/// Key figures of the run, and its curves; empty when there was no training.
pub(super) fn section(events: &[Event]) -> String {
    let curves = Curves::of(events);
    if curves.loss.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<section><h2>Training</h2>{}<div class=\"charts\">",
        figures(events)
    );
    html.push_str(&loss_chart(&curves));
    let single = |title, points: &[Point]| {
        let points = points.to_vec();
        let series = Series {
            name: "",
            class: "train",
            mark: Mark::Line,
            points,
        };
        line_chart(title, "half", &[series])
    };
    html.push_str(&single("Learning rate", &curves.learning_rate));
    html.push_str(&single("Gradient norm before clipping", &curves.grad_norm));
    html.push_str("</div></section>");
    html
}

fn loss_chart(curves: &Curves) -> String {
    let span = (curves.loss.len() / 20).min(100);
    let series = |name, class, mark, points| Series {
        name,
        class,
        mark,
        points,
    };
    let mut all = if span < 2 {
        vec![series("training", "train", Mark::Line, curves.loss.clone())]
    } else {
        vec![
            series(
                "training, each step",
                "train",
                Mark::Faint,
                curves.loss.clone(),
            ),
            series(
                "smoothed",
                "train",
                Mark::Line,
                smoothed(&curves.loss, span),
            ),
        ]
    };
    all.push(series(
        "validation",
        "eval",
        Mark::Dots,
        curves.eval_loss.clone(),
    ));
    line_chart("Loss", "wide", &all)
}

impl Curves {
    /// A resumed run repeats the steps after its checkpoint: the later account counts.
    fn of(events: &[Event]) -> Self {
        let mut curves = Self::default();
        for event in events {
            match event {
                Event::Step {
                    step,
                    loss,
                    grad_norm,
                    learning_rate,
                    ..
                } => {
                    let x = *step as f64;
                    add(&mut curves.loss, (x, *loss));
                    add(&mut curves.grad_norm, (x, *grad_norm));
                    add(&mut curves.learning_rate, (x, *learning_rate));
                }
                Event::Eval { step, loss, .. } => add(&mut curves.eval_loss, (*step as f64, *loss)),
                _ => {}
            }
        }
        curves
    }
}

fn add(points: &mut Vec<Point>, point: Point) {
    while points.last().is_some_and(|last| last.0 >= point.0) {
        points.pop();
    }
    points.push(point);
}

/// Name and value of what a reader looks for first.
fn figures(events: &[Event]) -> String {
    let mut figures = Vec::new();
    let start = events.iter().find_map(|event| match event {
        Event::Start {
            trainable_parameters,
            total_parameters,
            device,
            n_examples,
            ..
        } => Some((
            *trainable_parameters,
            *total_parameters,
            device,
            *n_examples,
        )),
        _ => None,
    });
    let peak_memory = events.iter().filter_map(|event| match event {
        Event::Step {
            peak_memory_bytes, ..
        } => Some(*peak_memory_bytes),
        _ => None,
    });
    match events
        .iter()
        .rev()
        .find(|event| matches!(event, Event::Finish(_) | Event::Stop { .. }))
    {
        Some(Event::Finish(summary)) => figures.extend(of_summary(summary)),
        Some(Event::Stop { step, total_steps }) => {
            figures.push(("Stopped", format!("step {step} of {total_steps}")));
        }
        _ => {}
    }
    if let Some((trainable, total, device, n_examples)) = start {
        let share = 100.0 * trainable as f64 / total.max(1) as f64;
        figures.push(("Examples", grouped(n_examples as u64)));
        figures.push((
            "Trained weights",
            format!("{} ({share:.2} %)", grouped(trainable)),
        ));
        figures.push(("Device", escape(device)));
    }
    if let Some(peak) = peak_memory.max().filter(|peak| *peak > 0) {
        figures.push(("Peak memory", bytes(peak)));
    }
    let figure =
        |(name, value): (&str, String)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>");
    format!(
        "<dl class=\"figures\">{}</dl>",
        figures.into_iter().map(figure).collect::<String>()
    )
}

fn of_summary(summary: &RunSummary) -> Vec<(&'static str, String)> {
    let mut figures = vec![("Final training loss", format!("{:.4}", summary.final_loss))];
    if let Some(best) = summary.best_eval_loss {
        figures.push(("Best validation loss", format!("{best:.4}")));
    }
    figures.push(("Steps", grouped(summary.steps)));
    figures.push(("Time", duration(summary.seconds)));
    if let Some(reason) = &summary.ended_early {
        figures.push(("Ended early", escape(reason)));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_run_shows_each_step_once() {
        let mut points = Vec::new();
        for step in [1.0, 2.0, 3.0, 2.0, 3.0, 4.0] {
            let pass = if points.len() < 3 { 0.0 } else { 1.0 };
            add(&mut points, (step, step + pass * 0.5));
        }
        assert_eq!(points, [(1.0, 1.0), (2.0, 2.5), (3.0, 3.0), (4.0, 4.5)]);
    }
}

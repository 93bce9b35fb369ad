// erf — the error function, absolute error below 1.5e-7 (Abramowitz & Stegun 1964, 7.1.26)
//
//   1 - erf(x) = t (a1 + t (a2 + …)) exp(-x²),  t = 1 / (1 + 0.3275911 x),  x >= 0

// 1 + erf(x), without the difference of large numbers where x is far below zero.
fn one_plus_erf(x: f32) -> f32 {
    let z = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let series = t * (0.254829592
        + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    // Beyond 9 the rest is zero in f32.
    let rest = series * exp(-min(z * z, 81.0));
    return select(rest, 2.0 - rest, x >= 0.0);
}

// sin_cos — sine and cosine of any angle up to 100000, absolute error below 2e-6
//
// WGSL promises its own `sin` and `cos` only near zero; angles of a long context are far from
// it. The multiple of pi/2 is taken off in three exact steps (Cody & Waite), the rest goes
// through Taylor polynomials that are exact to f32 up to pi/4.

fn sin_cos(angle: f32) -> vec2f {
    let quarter_turns = round(angle * 0.63661977236);
    // pi/2 = 1.5703125 + 4.837512969970703e-4 + 7.549789948768648e-8
    let x = ((angle - quarter_turns * 1.5703125) - quarter_turns * 4.837512969970703e-4)
        - quarter_turns * 7.549789948768648e-8;
    let y = x * x;
    let s = x + x * y * (-1.0 / 6.0 + y * (1.0 / 120.0 + y * (-1.0 / 5040.0 + y / 362880.0)));
    let c = 1.0 + y * (-0.5 + y * (1.0 / 24.0 + y * (-1.0 / 720.0 + y * (1.0 / 40320.0 - y / 3628800.0))));
    switch i32(quarter_turns) & 3 {
        case 1: { return vec2f(c, -s); }
        case 2: { return vec2f(-s, -c); }
        case 3: { return vec2f(-c, s); }
        default: { return vec2f(s, c); }
    }
}

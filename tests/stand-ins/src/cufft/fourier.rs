//! The transform by splitting off the smallest factor, again and again, until a prime is left.

/// A complex number.
pub(super) type Number = (f64, f64);

/// The transform with this sign in the exponent.
pub(super) fn fourier(signal: &[Number], sign: i32) -> Vec<Number> {
    let n = signal.len();
    let factor = (2..n).find(|factor| n.is_multiple_of(*factor));
    let Some(factor) = factor else {
        return prime(signal, sign);
    };
    // Every `factor`th number makes a signal of its own.
    let parts: Vec<Vec<Number>> = (0..factor)
        .map(|first| {
            let part: Vec<Number> = signal.iter().skip(first).step_by(factor).copied().collect();
            fourier(&part, sign)
        })
        .collect();
    let turns = turns(n, sign);
    let short = n / factor;
    (0..n)
        .map(|k| {
            let mut sum = (0.0, 0.0);
            for (first, part) in parts.iter().enumerate() {
                sum = add(sum, multiply(turns[first * k % n], part[k % short]));
            }
            sum
        })
        .collect()
}

/// By the definition.
fn prime(signal: &[Number], sign: i32) -> Vec<Number> {
    let n = signal.len();
    let turns = turns(n, sign);
    let mut spectrum = Vec::new();
    for k in 0..n {
        let mut sum = (0.0, 0.0);
        for j in 0..n {
            sum = add(sum, multiply(turns[j * k % n], signal[j]));
        }
        spectrum.push(sum);
    }
    spectrum
}

/// All steps around the circle.
fn turns(n: usize, sign: i32) -> Vec<Number> {
    let whole = f64::from(sign) * 2.0 * std::f64::consts::PI;
    (0..n)
        .map(|step| {
            let angle = whole * step as f64 / n as f64;
            (angle.cos(), angle.sin())
        })
        .collect()
}

fn add(a: Number, b: Number) -> Number {
    (a.0 + b.0, a.1 + b.1)
}

fn multiply(a: Number, b: Number) -> Number {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

//! SQL reviewed against a credit-risk methodology, in Spanish with a system prompt.

use super::{Chat, fill, invent};
use crate::rng::Rng;

/// A query with one flaw, what is wrong, and what the method asks for.
const REVIEWS: [(&str, &str, &str); 8] = [
    (
        "SELECT {f}, AVG(mora) AS pd FROM {t} WHERE anio >= {y} GROUP BY {f}",
        "La ventana empieza en {y} y es demasiado corta.",
        "Usa al menos cinco años de datos.",
    ),
    (
        "SELECT AVG(1 - recuperado / ead) AS lgd FROM {t} WHERE anio = {y}",
        "La LGD no descuenta los flujos de recuperación.",
        "Descuenta cada flujo a la fecha de impago.",
    ),
    (
        "SELECT SUM(ead * lgd) AS perdida FROM {t}",
        "Falta la PD en la pérdida esperada.",
        "Calcula SUM(pd * lgd * ead).",
    ),
    (
        "SELECT {f} FROM {t} WHERE dias_impago > 30",
        "El impago se define con 30 días.",
        "Usa más de 90 días de impago.",
    ),
    (
        "SELECT COUNT(*) FROM {t} JOIN clientes ON {t}.id = clientes.id",
        "La unión duplica los clientes con varios contratos.",
        "Cuenta con COUNT(DISTINCT clientes.id).",
    ),
    (
        "SELECT saldo / limite AS ccf FROM {t}",
        "El CCF divide por el límite y no por el importe no dispuesto.",
        "Divide por limite - saldo en la fecha de referencia.",
    ),
    (
        "SELECT {f}, AVG(pd) FROM {t} WHERE pd IS NOT NULL GROUP BY {f}",
        "Se excluyen los clientes sin PD y la media queda sesgada.",
        "Informa cuántos registros faltan y trátalos aparte.",
    ),
    (
        "SELECT SUM(provision) FROM {t} WHERE fase = 1 AND anio = {y}",
        "La fase 1 solo cubre doce meses.",
        "Incluye las fases 2 y 3 con pérdida a toda la vida.",
    ),
];

const SYSTEM: [&str; 4] = [
    "Eres un experto en riesgo de crédito que revisa código SQL.",
    "Eres un revisor de SQL de riesgo de crédito.",
    "Revisas consultas SQL según la metodología interna.",
    "Eres un asistente de metodología de riesgos.",
];

const REQUESTS: [&str; 5] = [
    "Revisa este SQL:",
    "¿Es correcta esta consulta?",
    "Analiza la siguiente consulta:",
    "¿Qué problema tiene este SQL?",
    "Comprueba si este SQL cumple la metodología:",
];

/// A query to review, or a question on its table.
pub(super) fn reviewed(rng: &mut Rng) -> Chat {
    let (table, field) = (
        invent::word(rng).to_lowercase(),
        invent::word(rng).to_lowercase(),
    );
    let year = invent::year(rng).to_string();
    let values = [
        ("t", table.as_str()),
        ("f", field.as_str()),
        ("y", year.as_str()),
    ];
    let (query, flaw, advice) = *rng.pick(&REVIEWS);
    let code = format!("```sql\n{}\n```", fill(query, &values));
    if rng.below(5) == 0 {
        return Chat::new(
            format!("¿Qué tabla usa esta consulta?\n{code}"),
            format!("La consulta usa la tabla {table}."),
        );
    }
    let answer = format!(
        "**Hallazgo:** {}\n**Recomendación:** {advice}",
        fill(flaw, &values)
    );
    Chat::with_system(*rng.pick(&SYSTEM)).then(format!("{}\n{code}", rng.pick(&REQUESTS)), answer)
}

//! Whether a table is Spanish, as far as its unit depends on it: `miles` are thousands there, and a
//! distance elsewhere.

/// What the names of a table and the notes above it say of its language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TableLanguage {
    Spanish,
    /// Any other, or none that is clear.
    #[default]
    Other,
}

/// Words of headers that are Spanish alone.
const SPANISH: [&str; 64] = [
    "de",
    "del",
    "el",
    "la",
    "los",
    "las",
    "y",
    "en",
    "por",
    "con",
    "según",
    "año",
    "años",
    "población",
    "entidad",
    "comunidad",
    "provincia",
    "municipio",
    "ciudad",
    "país",
    "países",
    "región",
    "nombre",
    "hombres",
    "mujeres",
    "varones",
    "edad",
    "sexo",
    "hogares",
    "viviendas",
    "personas",
    "habitantes",
    "empleados",
    "empleo",
    "ocupados",
    "parados",
    "activos",
    "activo",
    "ingresos",
    "gastos",
    "ventas",
    "beneficio",
    "importe",
    "precio",
    "producto",
    "empresa",
    "empresas",
    "sociedad",
    "banco",
    "valor",
    "valores",
    "unidad",
    "unidades",
    "fecha",
    "mes",
    "trimestre",
    "periodo",
    "período",
    "ejercicio",
    "tasa",
    "fuente",
    "concepto",
    "cifras",
    "número",
];

/// Words of headers that are English alone, those of distances among them.
const ENGLISH: [&str; 42] = [
    "the",
    "of",
    "and",
    "in",
    "by",
    "per",
    "from",
    "to",
    "for",
    "with",
    "city",
    "country",
    "state",
    "county",
    "name",
    "year",
    "date",
    "month",
    "value",
    "values",
    "unit",
    "units",
    "number",
    "rate",
    "population",
    "people",
    "income",
    "sales",
    "price",
    "cost",
    "source",
    "distance",
    "length",
    "mileage",
    "range",
    "speed",
    "road",
    "roads",
    "route",
    "trip",
    "travel",
    "driven",
];

impl TableLanguage {
    /// Spanish where more words say so than say English.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let (mut n_spanish, mut n_english) = (0, 0);
        for text in texts {
            let lower = text.to_lowercase();
            for word in lower.split(|c: char| !c.is_alphabetic()) {
                let has_tilde = word.contains('ñ');
                n_spanish += usize::from(has_tilde || SPANISH.contains(&word));
                n_english += usize::from(ENGLISH.contains(&word));
            }
        }
        match n_spanish > n_english {
            true => Self::Spanish,
            false => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_spanish_from_english() {
        let of = |names: &[&str]| TableLanguage::of(names.iter().copied());
        for names in [
            &["Provincia", "Población (miles)"][..],
            &["Año", "Total (miles)"],
            &["Encuesta de Población Activa", "T", "Ocupados (miles)"],
        ] {
            assert_eq!(of(names), TableLanguage::Spanish, "{names:?}");
        }
        for names in [
            &["City", "Distance (miles)"][..],
            &["A", "B (miles)"],
            &["Población", "Year", "B (miles)"],
            &["地域", "B (miles)"],
        ] {
            assert_eq!(of(names), TableLanguage::Other, "{names:?}");
        }
    }
}
